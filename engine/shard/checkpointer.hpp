#pragma once
/// Checkpointer: writes the changed actors of a loop's shards down while the sale goes on, a little per call, so that
/// the log below may go and a restart is short. Fuzzy: each row has the LSN of its own state (DESIGN 6). For the loop's
/// thread.

#include <cstdint>
#include <utility>
#include <vector>

#include "engine/shard/shard.hpp"
#include "engine/shard/system_shard.hpp"
#include "usher/log.hpp"
#include "usher/time.hpp"

namespace usher::engine {

class Checkpointer {
 public:
  /// A row batch of this size keeps the writer's puts below a millisecond.
  static constexpr std::size_t rows_bytes = 128U * 1024U;

  Checkpointer(Log& log, LogLane& lane, std::vector<Shard*> shards, SystemShard* system)
      : log_(log), lane_(lane), shards_(std::move(shards)), system_(system) {}

  /// Begins a pass over all shards unless one is under way.
  void start() noexcept {
    if (running_) return;
    running_ = true;
    at_ = 0;
    begun_ = false;
    system_done_ = system_ == nullptr;
  }
  [[nodiscard]] bool running() const noexcept { return running_; }
  /// Does one slice of a pass under way. Returns: false when it has to wait for the log or the writer.
  bool step();

 private:
  bool hand_over();
  bool step_shard(Shard& shard);

  Log& log_;
  LogLane& lane_;
  std::vector<Shard*> shards_;
  SystemShard* system_;
  std::vector<CheckpointRow> rows_;                   ///< wait until their LSNs are durable
  std::vector<std::pair<ShardIndex, Lsn>> complete_;  ///< shards of this pass whose rows are all handed over
  std::size_t at_ = 0;
  Lsn covered_ = 0;
  bool running_ = false;
  bool begun_ = false;
  bool collected_ = false;
  bool system_done_ = false;
};

}  // namespace usher::engine
