#pragma once
/// SHA-256 of blobs, the links of the chain. Pure; allocates nothing.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace usher::wal {

/// The SHA-256 of a shard's last blob; all zero before the first one.
using ChainHash = std::array<std::uint8_t, 32>;

class Sha256 {
 public:
  [[nodiscard]] static ChainHash digest(std::string_view bytes) noexcept;
};

/// The first 8 bytes in hex: enough for people to compare.
[[nodiscard]] std::string short_hex(const ChainHash& hash);

}  // namespace usher::wal
