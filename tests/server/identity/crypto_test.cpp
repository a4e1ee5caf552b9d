#include "server/identity/crypto.hpp"

#include <doctest/doctest.h>

#include <string>

namespace {

using namespace usher::server::identity;

// The key of the reference implementation's test vectors: 00 01 02 ... 0f; the message is 00 01 02 ...
constexpr SipKey reference_key{0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL};

std::string counting(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i) text.push_back(static_cast<char>(i));
  return text;
}

SipDigest hash(SipHasher::Kind kind, std::string_view text) {
  SipHasher hasher(reference_key, kind);
  hasher.update(text);
  return hasher.finish();
}

TEST_CASE("siphash: the reference vectors of 2-4 with 64 bits") {
  CHECK(hash(SipHasher::Kind::sip_2_4_64, counting(0)).low == 0x726fdb47dd0e0e31ULL);
  CHECK(hash(SipHasher::Kind::sip_2_4_64, counting(1)).low == 0x74f839c593dc67fdULL);
  CHECK(hash(SipHasher::Kind::sip_2_4_64, counting(8)).low == 0x93f5f5799a932462ULL);
  CHECK(hash(SipHasher::Kind::sip_2_4_64, counting(15)).low == 0xa129ca6149be45e5ULL);
}

TEST_CASE("siphash: the reference vector of 2-4 with 128 bits") {
  const SipDigest digest = hash(SipHasher::Kind::sip_2_4_128, counting(0));
  CHECK(digest.low == 0xe6a825ba047f81a3ULL);
  CHECK(digest.high == 0x930255c71472f66dULL);
}

TEST_CASE("siphash: fed in any pieces: the same") {
  const std::string text = counting(61);
  const SipDigest whole = hash(SipHasher::Kind::sip_2_4_128, text);
  for (std::size_t first = 0; first <= text.size(); ++first) {
    for (std::size_t second = first; second <= text.size(); second += 7) {
      SipHasher hasher(reference_key, SipHasher::Kind::sip_2_4_128);
      hasher.update(std::string_view{text}.substr(0, first));
      hasher.update(std::string_view{text}.substr(first, second - first));
      hasher.update(std::string_view{text}.substr(second));
      const SipDigest digest = hasher.finish();
      CHECK((digest.low == whole.low && digest.high == whole.high));
    }
  }
}

TEST_CASE("hmac: RFC 4231 test case 2") {
  const Digest digest = hmac_sha256("Jefe", "what do ya want for nothing?");
  CHECK(digest[0] == 0x5b);
  CHECK(digest[1] == 0xdc);
  CHECK(digest[31] == 0x43);
}

TEST_CASE("base64url: both ways, and strict") {
  for (std::size_t size = 0; size < 70; ++size) {
    std::string text;
    append_base64url(text, counting(size));
    CHECK(decode_base64url(text) == counting(size));
  }
  std::string text;
  append_base64url(text, "\xff\xfe\xfd");
  CHECK(text == "__79");
  for (const char* wrong : {"A", "AA=", "AA==", "A+A/", "AB", "AAB", "A A", "AAAAA"}) {
    CHECK_MESSAGE(!decode_base64url(wrong).has_value(), wrong);
  }
}

}  // namespace
