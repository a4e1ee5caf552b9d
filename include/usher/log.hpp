#pragma once
/// The seam between what decides (engine/) and what remembers (wal/). Neither knows the other.
///
/// Life of a record: append() encodes it into the gathering blob of its shard; submit() seals the gathered blobs of the
/// lane into one round; the committer makes one or many rounds durable with one sync; collect() tells the owner so.
/// One round per lane is in flight; the next gathers meanwhile.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "usher/bytes.hpp"
#include "usher/ids.hpp"
#include "usher/record.hpp"
#include "usher/result.hpp"

namespace usher {

/// What became of a round (DESIGN 11). `unknown` never comes back to an owner: the process ends (DESIGN 4.4).
enum class LogStatus : std::uint8_t { durable, fenced };

/// A write outside of the shards' logs that shares the round's sync: rows of personal data (DESIGN 6).
struct SideWrite {
  std::string key;
  std::string value;  ///< empty: delete
};

/// State of one actor, encoded by its owner.
struct CheckpointRow {
  ShardIndex shard = 0;
  std::uint8_t kind = 0;  ///< a CheckpointKind of engine/shard/checkpoint.hpp
  std::uint64_t key = 0;  ///< show number, entity number or layout hash
  Lsn lsn = 0;            ///< the state is that after this record of the shard
  Bytes state;            ///< empty: the actor is gone, the row is deleted
};

/// One loop's writing end of the log, for the shards that the loop owns. For that loop's thread only.
class LogLane {
 public:
  virtual ~LogLane() = default;

  /// Stamps `record.lsn` and encodes it into the gathering blob. Requires: the lane owns record.shard.
  virtual Lsn append(Record& record) = 0;
  virtual void append_side(SideWrite write) = 0;
  /// Bytes gathered and not yet submitted.
  [[nodiscard]] virtual std::size_t gathered_bytes() const noexcept = 0;
  [[nodiscard]] virtual bool in_flight() const noexcept = 0;

  /// Seals what is gathered and hands it to the committer thread. Requires: not in_flight(), something gathered.
  virtual void submit() = 0;
  /// The same, but syncs on this thread before it returns when the baton is free; falls back to submit() otherwise.
  /// Returns: true if the round is durable already (collect() then answers true at once).
  virtual bool submit_inline() = 0;
  /// Returns: true once after the round in flight became durable; durable_lsn() has moved by then.
  [[nodiscard]] virtual bool collect() = 0;
  [[nodiscard]] virtual Lsn durable_lsn(ShardIndex shard) const noexcept = 0;
  [[nodiscard]] virtual Lsn last_lsn(ShardIndex shard) const noexcept = 0;
};

/// The whole log. Opened and recovered by wal/, see wal/log.hpp.
class Log {
 public:
  virtual ~Log() = default;

  /// `wake` is called from the committer's thread when a round of this lane became durable. Call once per loop.
  [[nodiscard]] virtual std::unique_ptr<LogLane> make_lane(std::vector<ShardIndex> shards,
                                                           std::function<void()> wake) = 0;

  /// Hands over rows that are durable in the log already (row.lsn <= durable). Thread-safe, does not block on a sync:
  /// a bounded queue feeds a writer thread. Returns: false when the queue is full; try again later.
  [[nodiscard]] virtual bool try_checkpoint(std::vector<CheckpointRow>&& rows) = 0;
  /// Writes what is queued, syncs it, and records that all actors of `shard` are covered up to `lsn`, so that the log
  /// below may be trimmed (where `wal.retain` is off) and replay may start there. Thread-safe.
  virtual void checkpoint_complete(ShardIndex shard, Lsn lsn) = 0;
  /// False below the high-water mark of free disk space: no new reserves (RELIABILITY). Thread-safe, cheap.
  [[nodiscard]] virtual bool has_space() const noexcept = 0;
};

/// Who is fed at recovery. One per shard; different shards may be replayed on different threads at once.
class ReplayTarget {
 public:
  virtual ~ReplayTarget() = default;
  /// Checkpoints come first, in order of kind and key.
  [[nodiscard]] virtual Status restore(const CheckpointRow& row) = 0;
  /// Records come in order of LSN. A target skips what the actor concerned has already seen.
  [[nodiscard]] virtual Status replay(const Record& record) = 0;
};

}  // namespace usher
