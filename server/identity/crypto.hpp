#pragma once
/// The few primitives that this folder needs: HMAC and random bytes by OpenSSL, SipHash (Aumasson and Bernstein 2012)
/// and base64url (RFC 4648 section 5) by hand, since they are on the hot path. Pure functions.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace usher::server::identity {

using Digest = std::array<std::uint8_t, 32>;

[[nodiscard]] Digest hmac_sha256(std::string_view key, std::string_view message) noexcept;
/// Takes the same time wherever they differ.
[[nodiscard]] bool equal_constant_time(std::string_view a, std::string_view b) noexcept;
/// From the system's generator. Aborts when there is none, since nothing can be kept secret then.
void fill_random(void* bytes, std::size_t size) noexcept;

struct SipKey {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
};
struct SipDigest {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
};

/// SipHash fed in pieces. `compression_rounds` 2 and 4 final ones with 128 bits for what is stored; 1 and 3 with 64
/// bits for hash tables.
class SipHasher {
 public:
  enum class Kind : std::uint8_t { sip_2_4_128, sip_2_4_64, sip_1_3_64 };
  SipHasher(const SipKey& key, Kind kind) noexcept;
  void update(std::string_view bytes) noexcept;
  [[nodiscard]] SipDigest finish() noexcept;

 private:
  void compress(std::uint64_t word) noexcept;
  void round() noexcept;

  std::uint64_t v0_, v1_, v2_, v3_;
  std::uint64_t tail_ = 0;
  std::uint64_t size_ = 0;
  Kind kind_;
};

[[nodiscard]] std::uint64_t sip_hash_1_3(const SipKey& key, std::string_view bytes) noexcept;
/// A key drawn at random, for tables of one run.
[[nodiscard]] SipKey random_sip_key() noexcept;

void append_base64url(std::string& out, std::string_view bytes);
/// Strict: no padding, no other character, unused bits zero. Returns: nothing for anything else.
[[nodiscard]] std::optional<std::string> decode_base64url(std::string_view text);

}  // namespace usher::server::identity
