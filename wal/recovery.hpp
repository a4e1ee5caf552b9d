#pragma once
/// Recovery: from a store to a log that may be written again, and to targets that hold what it says. Called once at
/// start, before any lane exists. The rules stand in wal/README.md; in short:
///
/// 1. A newer format, a missing anchor, a log shorter than the anchor or than its checkpoints: refuse.
/// 2. Per shard, from the covered LSN on: every blob is verified against its predecessor before a record of it is fed.
/// 3. Damage at or below the anchor, or with an intact blob behind it: refuse, with shard, LSN and segment. (One round
///    per lane is in flight, so a blob is only ever written after its predecessor was durable.)
/// 4. Damage above both: an unacknowledged tail. It is cut, durably, and reported.
/// 5. Before it returns, the epoch of this start is written with a sync: what is served is durable.

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "usher/log.hpp"
#include "wal/anchor.hpp"
#include "wal/shard_walk.hpp"
#include "wal/store.hpp"

namespace usher::wal {

inline constexpr std::uint64_t format_version = 1;

/// What the meta rows say of a directory.
struct Meta {
  std::size_t shard_count = 0;  ///< without the system shard
  std::uint64_t epoch = 0;
  std::vector<Lsn> covered;      ///< per shard, the system shard last
  std::vector<ShardTail> bases;  ///< where the trimmed part ended
  [[nodiscard]] std::size_t shard_total() const noexcept { return shard_count + 1; }
};
/// Returns: ErrorCode::not_found for a store that was never set up, version, corrupt, io.
[[nodiscard]] Result<Meta> read_meta(Store& store);
/// Sets a fresh store up: anchor, first segment, meta. Returns: the meta rows.
[[nodiscard]] Result<Meta> create_meta(Store& store, std::size_t shard_count);

struct Progress {
  double fraction = 0;
  std::uint64_t records = 0;
  double seconds = 0;
};

struct CutTail {
  Damage damage;
  std::size_t blobs = 0;
};

struct RecoveryReport {
  bool created = false;
  std::size_t shard_count = 0;
  std::uint64_t epoch = 0;  ///< of this start
  std::vector<ShardTail> tails;
  std::vector<Lsn> covered;
  std::uint64_t records = 0;  ///< fed
  std::uint64_t blobs = 0;    ///< verified
  std::uint64_t bytes = 0;
  std::uint64_t checkpoint_rows = 0;
  std::vector<CutTail> cut;
  /// What RocksDB said of its own write-ahead log when that was opened only up to the damage; else empty.
  std::string store_damage;
  Instant highest_now{};
  std::chrono::nanoseconds duration{};
  AnchorState anchor;
};

/// Called once when the number of shards is known. Returns: one target per shard, the system shard last; null: that
/// shard is verified and not fed.
using TargetFactory = std::function<std::vector<ReplayTarget*>(std::size_t shard_count)>;

struct RecoveryOptions {
  std::size_t shard_count = 64;  ///< for a fresh store; else what is stored counts
  unsigned threads = 0;          ///< 0: one per core. 1: all on the caller's
  bool accept_lost_anchor = false;
  bool writable = true;  ///< false: only look; a damaged tail is left, no epoch is begun
  std::function<void(const Progress&)> progress;
};

[[nodiscard]] Result<RecoveryReport> recover(Store& store, const RecoveryOptions& options,
                                             const TargetFactory& targets);

/// One shard's checkpoints in order of kind and key. Returns: how many rows; ErrorCode::corrupt, or what `row` returns.
[[nodiscard]] Result<std::uint64_t> for_each_checkpoint(Store& store, ShardIndex shard,
                                                        const std::function<Status(const CheckpointRow&)>& each);

}  // namespace usher::wal
