#pragma once
/// SHA-256 (FIPS 180-4), for the draw alone: the engine decides the order of a queue by it, live and at replay, and
/// knows no library. Fed in pieces; plain value, any thread. Not constant-time, about 200 MB/s.

#include <array>
#include <cstdint>
#include <string_view>

namespace usher::engine {

using Hash = std::array<std::uint8_t, 32>;

class Sha256 {
 public:
  void update(const void* data, std::size_t size) noexcept;
  void update(std::string_view text) noexcept { update(text.data(), text.size()); }
  void update(const Hash& hash) noexcept { update(hash.data(), hash.size()); }
  /// Requires: called once, last.
  [[nodiscard]] Hash finish() noexcept;

 private:
  void block(const std::uint8_t* bytes) noexcept;

  std::array<std::uint32_t, 8> state_{0x6a09e667U, 0xbb67ae85U, 0x3c6ef372U, 0xa54ff53aU,
                                      0x510e527fU, 0x9b05688cU, 0x1f83d9abU, 0x5be0cd19U};
  std::array<std::uint8_t, 64> tail_{};
  std::size_t tail_size_ = 0;
  std::uint64_t size_ = 0;
};

[[nodiscard]] Hash sha256(std::string_view text) noexcept;

}  // namespace usher::engine
