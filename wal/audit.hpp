#pragma once
/// Audit: reads everything and trusts nothing. Segments, keys, checksums, the chain from the first blob, anchor,
/// checkpoint rows. It goes on after what it finds, changes nothing, and shows each record to a visitor, so that the
/// engine can check what must always hold (DESIGN 4). For one thread.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "usher/log.hpp"
#include "wal/store.hpp"

namespace rocksdb {
class FileSystem;
}

namespace usher::wal {

enum class Severity : std::uint8_t {
  note,   ///< worth knowing: an older anchor, an unacknowledged tail
  error,  ///< the log is not whole
};

struct Finding {
  Severity severity = Severity::error;
  ShardIndex shard = 0;
  Lsn lsn = 0;
  SegmentNumber segment = 0;
  std::string text;
};
[[nodiscard]] std::string describe(const Finding& finding);

struct AuditReport {
  std::size_t shard_count = 0;
  std::uint64_t segments = 0;
  std::uint64_t blobs = 0;
  std::uint64_t records = 0;
  std::uint64_t checkpoint_rows = 0;
  std::uint64_t people_rows = 0;
  std::vector<Finding> findings;
  [[nodiscard]] bool clean() const noexcept;
};

/// Sees every readable record, shard by shard in order of LSN, and every readable checkpoint row.
struct AuditVisitor {
  std::function<void(const Record&)> record;
  std::function<void(const CheckpointRow&)> checkpoint;
};

/// Returns: what was found; an error only when the store cannot be read at all.
[[nodiscard]] Result<AuditReport> audit(Store& store, const AuditVisitor& visitor);
/// Opens a stopped directory read-only first; `file_system` as in RocksDbOptions.
[[nodiscard]] Result<AuditReport> audit_directory(const std::string& directory, const AuditVisitor& visitor,
                                                  std::shared_ptr<rocksdb::FileSystem> file_system = nullptr);

}  // namespace usher::wal
