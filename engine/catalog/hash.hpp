#pragma once
/// A 64-bit hash of bytes, the same on every machine and in every release: layout hashes are part of the log.
/// Not cryptographic; the log's own chain is what guards against editing (wal/README.md).

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "usher/ids.hpp"

namespace usher::engine {

/// h := mix64(size); for each 8 bytes, little-endian, the last padded with zeros: h := mix64(h xor word).
[[nodiscard]] inline std::uint64_t hash_bytes(std::string_view bytes) noexcept {
  std::uint64_t hash = mix64(bytes.size());
  std::size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, 8);
    hash = mix64(hash ^ word);
  }
  if (at < bytes.size()) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, bytes.size() - at);
    hash = mix64(hash ^ word);
  }
  return hash;
}

}  // namespace usher::engine
