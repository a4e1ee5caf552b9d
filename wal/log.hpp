#pragma once
/// The opened log: recovery and the living log in one. What the server, the simulator and the tests open.
///
/// Life: open() recovers and starts committer and keeper -> lanes write -> lanes are destroyed -> close(). Lanes must
/// die before the log. Thread-safe where usher::Log is; close(), crash() and do_work() are for the owner.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "usher/limits.hpp"
#include "usher/log.hpp"
#include "wal/disk_guard.hpp"
#include "wal/group_commit.hpp"
#include "wal/reader.hpp"
#include "wal/recovery.hpp"
#include "wal/store.hpp"

namespace rocksdb {
class FileSystem;
}

namespace usher::wal {

struct LogOptions {
  std::string directory;
  /// Logical shards of a fresh directory, the system shard not counted. An existing one keeps its own number.
  std::size_t shard_count = limits::shards_default;
  bool retain = true;  ///< `wal.retain`: keep the whole log
  std::uint64_t segment_bytes = std::uint64_t{1} << 30U;
  std::chrono::nanoseconds segment_age = std::chrono::hours{1};
  bool anchor_every_commit = false;  ///< `wal.anchor=commit`
  bool accept_lost_anchor = false;   ///< start although the anchor is gone
  std::uint64_t high_water_bytes = std::uint64_t{512} << 20U;
  std::uint64_t low_water_bytes = std::uint64_t{128} << 20U;
  std::uint64_t ballast_bytes = std::uint64_t{64} << 20U;
  std::size_t write_buffer_bytes = std::size_t{128} << 20U;
  unsigned recovery_threads = 0;  ///< 0: one per core
  /// False: no committer, no keeper; the owner calls do_work() (the simulator).
  bool own_threads = true;
  /// Each blob that became durable, from the committing thread, before anybody is told of it; must be quick.
  std::function<void(ShardIndex shard, Lsn first_lsn, std::uint32_t count, std::string_view blob)> on_durable;
  FatalHandler fatal;                                                   ///< default: print, exit 3
  std::function<void(const Progress&)> progress;                        ///< of recovery
  std::function<std::uint64_t()> monotonic_ns;                          ///< default: the steady clock
  std::function<Result<std::uint64_t>(const std::string&)> free_bytes;  ///< default: statvfs
  std::shared_ptr<rocksdb::FileSystem> file_system;                     ///< null: the machine's
};

class OpenedLog : public Log {
 public:
  [[nodiscard]] virtual const RecoveryReport& report() const noexcept = 0;
  /// As stored in the directory; the system shard has the index shard_count().
  [[nodiscard]] virtual std::size_t shard_count() const noexcept = 0;
  [[nodiscard]] virtual const CommitCounters& counters() const noexcept = 0;
  /// Free bytes of the disk as last seen; all ones when nobody looks.
  [[nodiscard]] virtual std::uint64_t free_bytes() const noexcept = 0;
  [[nodiscard]] virtual std::uint64_t rotations() const noexcept = 0;
  [[nodiscard]] virtual std::uint64_t segments_dropped() const noexcept = 0;

  /// Time travel: feeds the durable log of one shard from its first record up to the bound. Thread-safe; reads the
  /// disk, so it is for the work pool. Returns: as replay_shard().
  [[nodiscard]] virtual Result<ReplayEnd> replay(ShardIndex shard, const Until& until, ReplayTarget& target) = 0;

  /// Feeds the durable records of one shard above `after`, at most about `records_max`. Thread-safe; reads the disk.
  /// Returns: log_trimmed when the log no longer reaches back so far, corrupt, io, what the target returns.
  [[nodiscard]] virtual Result<ReplayEnd> read_since(ShardIndex shard, Lsn after, std::uint64_t records_max,
                                                     ReplayTarget& target) = 0;

  /// One row that append_side() made durable. Thread-safe; reads the disk.
  [[nodiscard]] virtual Result<std::optional<std::string>> side_row(std::string_view key) = 0;
  /// Those whose keys begin so, in order of key. Thread-safe.
  [[nodiscard]] virtual Status for_each_side(
      std::string_view prefix, const std::function<Status(std::string_view key, std::string_view value)>& each) = 0;
  /// Every row that append_side() made durable, in order of key: for the start. Thread-safe.
  /// Returns: ErrorCode::corrupt, io, or what `each` returns.
  [[nodiscard]] virtual Status for_each_person(
      const std::function<Status(std::string_view key, std::string_view value)>& each) = 0;

  /// Logs without threads: commits what is submitted, then does the keeper's work.
  virtual void do_work() = 0;
  /// Writes what is queued, syncs the anchor, flushes and closes the store. Requires: no lane lives.
  [[nodiscard]] virtual Status close() = 0;
  /// Ends the threads and touches the disk no more, as a killed process would. For tests and the simulator.
  virtual void crash() = 0;
};

/// Opens DIR on RocksDB. `targets` are fed before this returns.
/// Returns: ErrorCode::busy (another process), corrupt (with shard, LSN, segment), version, no_space, io.
[[nodiscard]] Result<std::unique_ptr<OpenedLog>> open(LogOptions options, const TargetFactory& targets);
/// The same on any store. `options.directory` is used by the disk guard only; empty: no guard.
[[nodiscard]] Result<std::unique_ptr<OpenedLog>> open_on(std::unique_ptr<Store> store, LogOptions options,
                                                         const TargetFactory& targets);

}  // namespace usher::wal
