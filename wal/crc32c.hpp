#pragma once
/// CRC-32C (Castagnoli; RFC 3720 appendix B.4), by the SSE4.2 instruction where the processor has it. Pure,
/// thread-safe.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace usher::wal {

/// Continues `crc` (0 at first) over more bytes: crc32c(crc32c(0, a), b) is the sum of a then b.
[[nodiscard]] std::uint32_t crc32c(std::uint32_t crc, const void* data, std::size_t size) noexcept;
[[nodiscard]] inline std::uint32_t crc32c(std::uint32_t crc, std::string_view bytes) noexcept {
  return crc32c(crc, bytes.data(), bytes.size());
}

/// The portable way, kept callable so that a test compares both.
[[nodiscard]] std::uint32_t crc32c_portable(std::uint32_t crc, const void* data, std::size_t size) noexcept;

}  // namespace usher::wal
