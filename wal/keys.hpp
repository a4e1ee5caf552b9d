#pragma once
/// Keys of the rows (grammar in wal/README.md). Big-endian, so that the order of bytes is the order of numbers. Pure.
///
///   log key        = shard u16 BE, first LSN u64 BE
///   checkpoint key = kind u8, shard u16 BE, key u64 BE
///   meta keys      = "format" | "shards" | "epoch" | "covered/" shard u16 BE | "base/" shard u16 BE

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "usher/ids.hpp"

namespace usher::wal {

inline constexpr std::string_view meta_format = "format";
inline constexpr std::string_view meta_shards = "shards";
inline constexpr std::string_view meta_epoch = "epoch";

inline constexpr std::size_t log_key_bytes = 10;
inline constexpr std::size_t checkpoint_key_bytes = 11;

template <std::size_t N>
struct KeyBytes {
  std::array<char, N> bytes{};
  [[nodiscard]] std::string_view view() const noexcept { return {bytes.data(), N}; }
};

template <class T>
constexpr void put_big_endian(char* out, T value) noexcept {
  for (std::size_t at = sizeof(T); at-- > 0; value = static_cast<T>(value >> 8U))
    out[at] = static_cast<char>(value & 0xffU);
}
template <class T>
[[nodiscard]] constexpr T get_big_endian(const char* in) noexcept {
  T value = 0;
  for (std::size_t at = 0; at < sizeof(T); ++at) {
    value = static_cast<T>(static_cast<T>(value << 8U) | static_cast<T>(static_cast<std::uint8_t>(in[at])));
  }
  return value;
}

struct LogKey {
  ShardIndex shard = 0;
  Lsn first_lsn = 0;
};
[[nodiscard]] inline KeyBytes<log_key_bytes> log_key(ShardIndex shard, Lsn first_lsn) noexcept {
  KeyBytes<log_key_bytes> key;
  put_big_endian<std::uint16_t>(key.bytes.data(), shard);
  put_big_endian<std::uint64_t>(key.bytes.data() + 2, first_lsn);
  return key;
}
/// Returns: false when `bytes` has not the size of a log key.
[[nodiscard]] inline bool parse_log_key(std::string_view bytes, LogKey& key) noexcept {
  if (bytes.size() != log_key_bytes) return false;
  key.shard = get_big_endian<std::uint16_t>(bytes.data());
  key.first_lsn = get_big_endian<std::uint64_t>(bytes.data() + 2);
  return true;
}

struct CheckpointKey {
  std::uint8_t kind = 0;
  ShardIndex shard = 0;
  std::uint64_t key = 0;
};
[[nodiscard]] inline KeyBytes<checkpoint_key_bytes> checkpoint_key(const CheckpointKey& parts) noexcept {
  KeyBytes<checkpoint_key_bytes> key;
  key.bytes[0] = static_cast<char>(parts.kind);
  put_big_endian<std::uint16_t>(key.bytes.data() + 1, parts.shard);
  put_big_endian<std::uint64_t>(key.bytes.data() + 3, parts.key);
  return key;
}
[[nodiscard]] inline bool parse_checkpoint_key(std::string_view bytes, CheckpointKey& parts) noexcept {
  if (bytes.size() != checkpoint_key_bytes) return false;
  parts.kind = static_cast<std::uint8_t>(bytes[0]);
  parts.shard = get_big_endian<std::uint16_t>(bytes.data() + 1);
  parts.key = get_big_endian<std::uint64_t>(bytes.data() + 3);
  return true;
}

[[nodiscard]] inline std::string meta_shard_key(std::string_view prefix, ShardIndex shard) {
  std::string key{prefix};
  key.resize(prefix.size() + 2);
  put_big_endian<std::uint16_t>(key.data() + prefix.size(), shard);
  return key;
}
[[nodiscard]] inline std::string meta_covered(ShardIndex shard) {
  return meta_shard_key("covered/", shard);
}
[[nodiscard]] inline std::string meta_base(ShardIndex shard) {
  return meta_shard_key("base/", shard);
}

}  // namespace usher::wal
