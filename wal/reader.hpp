#pragma once
/// Reading a log without writing it: a stopped directory for `usher replay`, or one shard of a living one for time
/// travel. For one thread at a time; several readers may share a store.

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>

#include "usher/log.hpp"
#include "wal/recovery.hpp"
#include "wal/store.hpp"

namespace usher::wal {

/// How far to replay; whichever bound comes first.
struct Until {
  Lsn lsn = std::numeric_limits<Lsn>::max();
  Instant time = Instant::max();
  [[nodiscard]] bool bounded() const noexcept {
    return lsn != std::numeric_limits<Lsn>::max() || time != Instant::max();
  }
};

/// Where a replay ended.
struct ReplayEnd {
  Lsn lsn = 0;
  Instant now{};
  std::uint64_t records = 0;
};

/// Feeds one shard to `target`: with bounds from the first record, else from its checkpoints.
/// Returns: ErrorCode::log_trimmed (the detail names the oldest instant that can be reached) when the beginning that a
/// bounded replay needs is gone; corrupt with the place; what the target returns.
[[nodiscard]] Result<ReplayEnd> replay_shard(Store& store, const Meta& meta, ShardIndex shard, const Until& until,
                                             bool use_checkpoints, ReplayTarget& target);

/// Feeds the records of one shard above `after` to `target`, until about `records_max` were fed or the log ends.
/// Returns: as replay_shard().
[[nodiscard]] Result<ReplayEnd> read_shard_since(Store& store, const Meta& meta, ShardIndex shard, Lsn after,
                                                 std::uint64_t records_max, ReplayTarget& target);

class LogReader {
 public:
  /// Returns: ErrorCode::not_found when there is no log; version, corrupt, io.
  [[nodiscard]] static Result<std::unique_ptr<LogReader>> open(const std::string& directory);
  explicit LogReader(std::unique_ptr<Store> store, Meta meta) : store_(std::move(store)), meta_(std::move(meta)) {}

  [[nodiscard]] std::size_t shard_count() const noexcept { return meta_.shard_count; }
  [[nodiscard]] std::size_t shard_total() const noexcept { return meta_.shard_total(); }
  [[nodiscard]] const Meta& meta() const noexcept { return meta_; }
  [[nodiscard]] Store& store() noexcept { return *store_; }

  [[nodiscard]] Result<ReplayEnd> replay(ShardIndex shard, const Until& until, bool use_checkpoints,
                                         ReplayTarget& target) {
    return replay_shard(*store_, meta_, shard, until, use_checkpoints, target);
  }

 private:
  std::unique_ptr<Store> store_;
  Meta meta_;
};

}  // namespace usher::wal
