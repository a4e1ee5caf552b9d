#pragma once
/// Rows of checkpoints and of meta as bytes. Pure. The same words stand in wal/README.md:
///
///   checkpoint value = version u8, crc32c u32, lsn u64, state bytes
///                      `crc32c` is over the key, version, lsn and state: a row under a wrong key is found out
///   covered value    = lsn u64
///   base value       = lsn u64, chain hash 32 bytes, highest_now_ms u64
///   numbers          = format u64, shards u64, epoch u64
///   all little-endian

#include <cstring>
#include <string>
#include <string_view>

#include "usher/bytes.hpp"
#include "usher/log.hpp"
#include "usher/mutant.hpp"
#include "wal/crc32c.hpp"
#include "wal/keys.hpp"
#include "wal/log_lane.hpp"

namespace usher::wal {

inline constexpr std::uint8_t checkpoint_version = 1;
inline constexpr std::size_t checkpoint_head_bytes = 13;

[[nodiscard]] inline std::uint32_t checkpoint_crc(std::string_view key, std::string_view value) noexcept {
  std::uint32_t crc = crc32c(0, key);
  crc = crc32c(crc, value.substr(0, 1));
  return crc32c(crc, value.substr(5));
}

/// Writes the row's value to `out`, whose capacity is reused.
inline void encode_checkpoint(std::string_view key, const CheckpointRow& row, std::string& out) {
  out.assign(checkpoint_head_bytes, '\0');
  out[0] = static_cast<char>(checkpoint_version);
  std::memcpy(out.data() + 5, &row.lsn, sizeof row.lsn);
  out.append(reinterpret_cast<const char*>(row.state.data()), row.state.size());
  const std::uint32_t crc = checkpoint_crc(key, out);
  std::memcpy(out.data() + 1, &crc, sizeof crc);
}

enum class RowFault : std::uint8_t { none, malformed, checksum, version };

[[nodiscard]] inline RowFault decode_checkpoint(std::string_view key, std::string_view value, CheckpointRow& row) {
  CheckpointKey parts;
  if (!parse_checkpoint_key(key, parts) || value.size() < checkpoint_head_bytes) return RowFault::malformed;
  ByteReader in{value};
  const std::uint8_t version = in.u8();
  const bool sound = in.fixed<std::uint32_t>() == checkpoint_crc(key, value);
  if (!sound && !USHER_MUTANT(40, "the checksum of a checkpoint is not checked")) return RowFault::checksum;
  if (version != checkpoint_version) return RowFault::version;
  row.kind = parts.kind;
  row.shard = parts.shard;
  row.key = parts.key;
  row.lsn = in.fixed<std::uint64_t>();
  row.state.assign(in.at(), in.at() + in.left());
  return RowFault::none;
}

[[nodiscard]] inline std::string encode_number(std::uint64_t value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}
[[nodiscard]] inline bool decode_number(std::string_view bytes, std::uint64_t& value) noexcept {
  if (bytes.size() != sizeof value) return false;
  std::memcpy(&value, bytes.data(), sizeof value);
  return true;
}

[[nodiscard]] inline std::string encode_base(const ShardTail& base) {
  std::string bytes = encode_number(base.last_lsn);
  bytes.append(reinterpret_cast<const char*>(base.hash.data()), base.hash.size());
  return bytes += encode_number(static_cast<std::uint64_t>(to_ms(base.highest_now)));
}
[[nodiscard]] inline bool decode_base(std::string_view bytes, ShardTail& base) noexcept {
  ByteReader in{bytes};
  base.last_lsn = in.fixed<std::uint64_t>();
  const std::string_view hash = in.raw(base.hash.size());
  base.highest_now = instant_from_ms(static_cast<std::int64_t>(in.fixed<std::uint64_t>()));
  if (!in.complete()) return false;
  std::memcpy(base.hash.data(), hash.data(), base.hash.size());
  return true;
}

}  // namespace usher::wal
