#pragma once
/// The Store on RocksDB 7.8, and the only place that includes it. Column families: `log.N` per segment, `checkpoints`,
/// `people`, `meta`. DIR/log is RocksDB's, DIR/anchor is ours. The options are those that RELIABILITY demands.
///
/// Thread-safe as Store says. Never resumes after an error: RocksDB's background errors go to `fatal`.

#include <cstdint>
#include <memory>
#include <string>

#include "wal/store.hpp"

namespace rocksdb {
class FileSystem;
}

namespace usher::wal {

struct RocksDbOptions {
  std::string directory;
  enum class Mode : std::uint8_t { live, read_only } mode = Mode::live;
  /// Opens up to the first damage instead of refusing. Only where the anchor proves that nothing acknowledged is lost.
  bool up_to_damage = false;
  /// One memtable of the log. A segment gathers in many of them and is flushed once, when it rotates; the write-ahead
  /// log is preallocated in pieces of about this size.
  std::size_t write_buffer_bytes = std::size_t{128} << 20U;
  FatalHandler fatal;
  /// Where all files are, those of RocksDB and the anchor; null: the machine's. The crash matrix has one that fails.
  std::shared_ptr<rocksdb::FileSystem> file_system;
};

/// Returns: ErrorCode::busy when another process has the directory, corrupt, not_found (read_only, nothing there),
/// no_space, io.
[[nodiscard]] Result<std::unique_ptr<Store>> open_rocksdb_store(const RocksDbOptions& options);

}  // namespace usher::wal
