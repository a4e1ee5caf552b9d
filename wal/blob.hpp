#pragma once
/// Blobs: what one group commit writes for one shard, and one value of the log. Pure functions and a reader for one
/// thread. The same words stand in wal/README.md:
///
///   blob   = header, record*
///   header = magic u32 "UBL1", crc32c u32, version u16, shard u16, count u32, epoch u64, first_lsn u64, base_ms u64,
///            size u32, reserved u32 = 0, predecessor 32 bytes
///            all little-endian, 80 bytes. `crc32c` is over all that follows it, to the end of the blob; `count`
///            records, numbered first_lsn, first_lsn + 1 ...; `size` is that of the records; `predecessor` is the
///            SHA-256 of the shard's blob before this one, header included, or zeros for the first
///   The place of magic, crc32c and version is the same in every version.

#include <cstdint>
#include <string>
#include <string_view>

#include "usher/bytes.hpp"
#include "usher/ids.hpp"
#include "usher/record.hpp"
#include "wal/blob_buffer.hpp"
#include "wal/sha256.hpp"

namespace usher::wal {

inline constexpr std::size_t blob_header_bytes = 80;
inline constexpr std::uint16_t blob_version = 1;

struct BlobHeader {
  std::uint16_t version = blob_version;
  ShardIndex shard = 0;
  std::uint32_t count = 0;
  std::uint64_t epoch = 0;
  Lsn first_lsn = 0;
  Instant base{};
  std::uint32_t size_bytes = 0;
  ChainHash predecessor{};
  [[nodiscard]] Lsn last_lsn() const noexcept { return first_lsn + count - 1; }
};

enum class BlobFault : std::uint8_t { none, too_short, not_a_blob, checksum, version, malformed };
[[nodiscard]] std::string_view describe(BlobFault fault) noexcept;

/// Fills the header in at the front of `blob`, whose first blob_header_bytes bytes were left free.
void seal_blob(const BlobHeader& header, BlobBuffer& blob) noexcept;

/// Checks all of a blob but the records' inside and its neighbours.
/// Returns: too_short, not_a_blob, checksum, version (newer than this program) or malformed, in this order.
[[nodiscard]] BlobFault read_blob_header(std::string_view blob, BlobHeader& header) noexcept;

/// Walks the records of a blob whose header was read. Fills shard and lsn in.
class RecordReader {
 public:
  RecordReader(std::string_view blob, const BlobHeader& header) noexcept
      : in_(blob.substr(blob_header_bytes)), header_(header) {}

  /// Returns: false at the end, or when the record is malformed: whole() tells.
  [[nodiscard]] bool next(Record& record) {
    if (done_ == header_.count || !decode_record_at(record)) return false;
    record.shard = header_.shard;
    record.lsn = header_.first_lsn + done_++;
    return true;
  }
  /// True when all records were read and nothing is left.
  [[nodiscard]] bool whole() const noexcept { return done_ == header_.count && in_.complete(); }
  [[nodiscard]] std::uint32_t done() const noexcept { return done_; }

 private:
  [[nodiscard]] bool decode_record_at(Record& record);

  ByteReader in_;
  BlobHeader header_;
  std::uint32_t done_ = 0;
};

}  // namespace usher::wal
