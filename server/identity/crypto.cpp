#include "server/identity/crypto.hpp"

// SHA256_Init and its like are marked as deprecated in favour of EVP; see hmac_sha256().
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <bit>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace usher::server::identity {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::array<std::uint8_t, 256> make_values() noexcept {
  std::array<std::uint8_t, 256> values{};
  values.fill(0xff);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    values[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}
constexpr std::array<std::uint8_t, 256> values_of = make_values();

std::uint64_t load_word(const char* at) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}

[[noreturn]] void fail(const char* what) noexcept {
  std::fprintf(stderr, "usher: %s failed: no cryptography, no service\n", what);
  std::abort();
}

}  // namespace

// RFC 2104 over OpenSSL's SHA-256 itself: its HMAC() and EVP look algorithms up by name for every message, which costs
// several times the hashing of a token.
Digest hmac_sha256(std::string_view key, std::string_view message) noexcept {
  constexpr std::size_t block_bytes = SHA256_CBLOCK;
  std::array<unsigned char, block_bytes> block{};
  if (key.size() > block_bytes) {
    SHA256(reinterpret_cast<const unsigned char*>(key.data()), key.size(), block.data());
  } else if (!key.empty()) {
    std::memcpy(block.data(), key.data(), key.size());
  }
  Digest digest{};
  const auto pass = [&](unsigned char pad, const void* bytes, std::size_t size) {
    std::array<unsigned char, block_bytes> padded;
    for (std::size_t i = 0; i < block_bytes; ++i) padded[i] = static_cast<unsigned char>(block[i] ^ pad);
    SHA256_CTX context;
    const bool done = SHA256_Init(&context) == 1 && SHA256_Update(&context, padded.data(), padded.size()) == 1 &&
                      SHA256_Update(&context, bytes, size) == 1 && SHA256_Final(digest.data(), &context) == 1;
    OPENSSL_cleanse(padded.data(), padded.size());
    if (!done) fail("HMAC-SHA256");
  };
  pass(0x36, message.data(), message.size());
  const Digest inner = digest;
  pass(0x5c, inner.data(), inner.size());
  OPENSSL_cleanse(block.data(), block.size());
  return digest;
}

bool equal_constant_time(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

void fill_random(void* bytes, std::size_t size) noexcept {
  if (RAND_bytes(static_cast<unsigned char*>(bytes), static_cast<int>(size)) != 1) fail("the random generator");
}

SipHasher::SipHasher(const SipKey& key, Kind kind) noexcept
    : v0_(key.low ^ 0x736f6d6570736575ULL),
      v1_(key.high ^ 0x646f72616e646f6dULL),
      v2_(key.low ^ 0x6c7967656e657261ULL),
      v3_(key.high ^ 0x7465646279746573ULL),
      kind_(kind) {
  if (kind == Kind::sip_2_4_128) v1_ ^= 0xeeU;
}

void SipHasher::round() noexcept {
  v0_ += v1_;
  v1_ = std::rotl(v1_, 13) ^ v0_;
  v0_ = std::rotl(v0_, 32);
  v2_ += v3_;
  v3_ = std::rotl(v3_, 16) ^ v2_;
  v0_ += v3_;
  v3_ = std::rotl(v3_, 21) ^ v0_;
  v2_ += v1_;
  v1_ = std::rotl(v1_, 17) ^ v2_;
  v2_ = std::rotl(v2_, 32);
}

void SipHasher::compress(std::uint64_t word) noexcept {
  v3_ ^= word;
  round();
  if (kind_ != Kind::sip_1_3_64) round();
  v0_ ^= word;
}

// Words are taken as they lie; with `held` bytes over from before, each is shifted behind them.
void SipHasher::update(std::string_view bytes) noexcept {
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  const auto held = static_cast<unsigned>(size_ % 8U) * 8U;
  size_ += left;
  for (; left >= 8; left -= 8, at += 8) {
    const std::uint64_t word = load_word(at);
    compress(tail_ | word << held);
    if (held != 0) tail_ = word >> (64U - held);
  }
  if (left == 0) return;
  std::uint64_t word = 0;
  std::memcpy(&word, at, left);
  tail_ |= word << held;
  if (held + left * 8U < 64U) return;
  compress(tail_);
  tail_ = word >> (64U - held);
}

SipDigest SipHasher::finish() noexcept {
  compress(tail_ | size_ << 56U);
  const bool wide = kind_ == Kind::sip_2_4_128;
  const int rounds = kind_ == Kind::sip_1_3_64 ? 3 : 4;
  v2_ ^= wide ? 0xeeU : 0xffU;
  for (int i = 0; i < rounds; ++i) round();
  SipDigest digest;
  digest.low = v0_ ^ v1_ ^ v2_ ^ v3_;
  if (!wide) return digest;
  v1_ ^= 0xddU;
  for (int i = 0; i < rounds; ++i) round();
  digest.high = v0_ ^ v1_ ^ v2_ ^ v3_;
  return digest;
}

std::uint64_t sip_hash_1_3(const SipKey& key, std::string_view bytes) noexcept {
  SipHasher hasher(key, SipHasher::Kind::sip_1_3_64);
  hasher.update(bytes);
  return hasher.finish().low;
}

SipKey random_sip_key() noexcept {
  SipKey key;
  fill_random(&key, sizeof key);
  return key;
}

void append_base64url(std::string& out, std::string_view bytes) {
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : bytes) {
    bits = bits << 8U | static_cast<unsigned char>(c);
    count += 8;
    for (; count >= 6; count -= 6) out.push_back(alphabet[bits >> (count - 6) & 0x3fU]);
  }
  if (count != 0) out.push_back(alphabet[bits << (6 - count) & 0x3fU]);
}

std::optional<std::string> decode_base64url(std::string_view text) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::string out;
  out.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const std::uint8_t value = values_of[static_cast<unsigned char>(c)];
    if (value == 0xff) return std::nullopt;
    bits = bits << 6U | value;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out.push_back(static_cast<char>(bits >> count & 0xffU));
  }
  if ((bits & ((1U << count) - 1U)) != 0) return std::nullopt;
  return out;
}

}  // namespace usher::server::identity
