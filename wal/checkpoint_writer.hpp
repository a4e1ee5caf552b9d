#pragma once
/// Checkpoints on their way to the store. try_push() and push_complete() are thread-safe and never wait for the disk;
/// step() is the keeper's.
///
/// Rows go down unsynced in batches of at most 256 kB, so that a group commit that happens to carry them with its sync
/// is late by less than a millisecond. A completed shard is synced once, together with all others that wait.

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "usher/log.hpp"
#include "wal/store.hpp"

namespace usher::wal {

class CheckpointWriter {
 public:
  struct Limits {
    std::size_t queued_bytes_max = std::size_t{64} << 20U;
    std::size_t batch_bytes_max = std::size_t{256} << 10U;
  };
  struct Covered {
    ShardIndex shard = 0;
    Lsn lsn = 0;
  };
  /// What a step did.
  struct Step {
    bool worked = false;
    std::vector<Covered> covered;  ///< synced by this step
  };

  CheckpointWriter(Store& store, Limits limits) : store_(store), limits_(limits), batch_(store.make_batch()) {}

  /// Returns: false when the queue is full; `rows` is untouched then.
  [[nodiscard]] bool try_push(std::vector<CheckpointRow>&& rows);
  void push_complete(ShardIndex shard, Lsn lsn);

  /// Writes one batch, or the completions that stand at the front of the queue.
  [[nodiscard]] Result<Step> step();
  [[nodiscard]] bool idle() const;

 private:
  /// Rows, or a completion when there are none.
  struct Item {
    std::vector<CheckpointRow> rows;
    std::size_t done = 0;
    Covered covered;
  };
  [[nodiscard]] std::deque<Item> take_front();
  [[nodiscard]] Status write_rows(Item& item);
  [[nodiscard]] Status write_covered(const std::vector<Covered>& covered);

  Store& store_;
  Limits limits_;
  std::unique_ptr<StoreBatch> batch_;  ///< the keeper's
  std::string value_;                  ///< the keeper's

  mutable std::mutex mutex_;
  std::deque<Item> queue_;
  std::size_t queued_bytes_ = 0;
};

}  // namespace usher::wal
