#include "engine/shard/checkpointer.hpp"
#include "usher/mutant.hpp"

#include <algorithm>

namespace usher::engine {

bool Checkpointer::hand_over() {
  if (rows_.empty()) return true;
  const bool durable = std::all_of(rows_.begin(), rows_.end(),
                                   [&](const CheckpointRow& row) { return row.lsn <= lane_.durable_lsn(row.shard); });
  // try_checkpoint() takes the rows only when it answers true
  if ((!durable && !USHER_MUTANT(17, "a checkpoint row of what is not durable")) ||
      !log_.try_checkpoint(std::move(rows_)))
    return false;
  rows_.clear();
  return true;
}

bool Checkpointer::step_shard(Shard& shard) {
  if (!begun_) {
    if (!shard.dirty()) {
      ++at_;
      return true;
    }
    covered_ = shard.begin_checkpoint();
    begun_ = true;
    collected_ = false;
  }
  if (!collected_) {
    collected_ = !shard.collect_rows(rows_bytes, rows_);
    if (!hand_over()) return false;
  }
  if (!collected_) return true;
  if (!hand_over() || lane_.durable_lsn(shard.index()) < covered_) return false;
  complete_.emplace_back(shard.index(), covered_);
  begun_ = false;
  ++at_;
  return true;
}

bool Checkpointer::step() {
  if (!running_) return false;
  if (!hand_over()) return false;
  if (!system_done_) {
    if (!begun_) {
      covered_ = system_->collect_rows(rows_);
      begun_ = true;
    }
    if (!hand_over() || lane_.durable_lsn(system_->index()) < covered_) return false;
    complete_.emplace_back(system_->index(), covered_);
    begun_ = false;
    system_done_ = true;
    return true;
  }
  if (at_ < shards_.size()) return step_shard(*shards_[at_]);
  // all at once: one sync of the writer's instead of one per shard beside the sale's
  for (const auto& [shard, covered] : complete_) log_.checkpoint_complete(shard, covered);
  complete_.clear();
  running_ = false;
  return true;
}

}  // namespace usher::engine
