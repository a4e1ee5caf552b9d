#include "wal/group_commit.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <utility>

#include "usher/assert.hpp"
#include "usher/mutant.hpp"
#include "wal/keys.hpp"

namespace usher::wal {

GroupCommit::GroupCommit(Store& store, Anchor anchor, SegmentNumber segment, GroupCommitOptions options)
    : store_(store),
      options_(std::move(options)),
      anchor_(std::move(anchor)),
      batch_(store.make_batch()),
      segment_(segment),
      segment_shown_(segment) {
  if (options_.own_thread) thread_ = std::thread([this] { run(); });
}

GroupCommit::~GroupCommit() {
  abandon();
}

LaneSlot* GroupCommit::add_lane(std::function<void()> wake) {
  const Lock lock(mutex_);
  slots_.push_back(std::make_unique<LaneSlot>(std::move(wake)));
  queue_.reserve(slots_.size());
  return slots_.back().get();
}

void GroupCommit::retire(LaneSlot* slot) {
  if (!options_.own_thread) do_work();
  Lock lock(mutex_);
  ++waiting_;
  free_.wait(lock, [&] {
    const bool queued = std::find(queue_.begin(), queue_.end(), slot) != queue_.end();
    return !busy_ && (!queued || !thread_.joinable() || failed());
  });
  --waiting_;
  std::erase(queue_, slot);
  std::erase_if(slots_, [slot](const auto& owned) { return owned.get() == slot; });
}

void GroupCommit::submit(LaneSlot& slot) {
  Lock lock(mutex_);
  USHER_ASSERT(queue_.size() < slots_.size());
  queue_.push_back(&slot);
  const bool idle = !busy_;
  lock.unlock();  // first, or the committer would wake only to wait for it
  if (idle) work_.notify_one();
}

bool GroupCommit::submit_inline(LaneSlot& slot) {
  Lock lock(mutex_);
  if (busy_ || !queue_.empty() || failed()) {
    queue_.push_back(&slot);
    return false;
  }
  busy_ = true;
  lock.unlock();
  LaneSlot* const one = &slot;
  const bool durable = commit({&one, 1}, true);
  lock.lock();
  write_anchor_if_due(lock);
  release_baton(lock);
  return durable;
}

void GroupCommit::do_work() {
  Lock lock(mutex_);
  USHER_ASSERT(!busy_ && !thread_.joinable());
  if (abandoned_) return;
  if (!queue_.empty() && !failed()) commit_queue(lock);
  if (anchor_is_due() && !failed()) {
    busy_ = true;
    write_anchor_if_due(lock);
    release_baton(lock);
  }
}

void GroupCommit::run() {
  Lock lock(mutex_);
  while (!abandoned_) {
    if (!busy_ && !queue_.empty() && !failed()) {
      commit_queue(lock);
    } else if (!busy_ && anchor_is_due() && !failed()) {
      busy_ = true;
      write_anchor_if_due(lock);
      release_baton(lock);
    } else if (stopping_ && !busy_) {
      return;
    } else {
      wait_for_work(lock);
    }
  }
}

void GroupCommit::wait_for_work(Lock& lock) {
  if (busy_ || !anchor_dirty_ || failed()) return work_.wait(lock);
  const std::uint64_t now = options_.monotonic_ns();
  if (now >= anchor_due_ns_) return;
  committer_timed_ = true;
  work_.wait_for(lock, std::chrono::nanoseconds{anchor_due_ns_ - now});
  committer_timed_ = false;
}

void GroupCommit::commit_queue(Lock& lock) {
  busy_ = true;
  committing_.swap(queue_);
  queue_.reserve(slots_.size());
  lock.unlock();
  (void)commit(committing_, false);
  lock.lock();
  committing_.clear();
  write_anchor_if_due(lock);
  release_baton(lock);
}

/// Requires: the baton, and not the mutex.
bool GroupCommit::commit(std::span<LaneSlot* const> lanes, bool inline_sync) {
  fill_batch(lanes);
  if (USHER_MUTANT(28, "the anchor is written before the log")) {
    set_anchor(lanes);
    (void)anchor_.write();
  }
  const std::uint64_t before = options_.monotonic_ns();
  Status written = store_.write(*batch_, !USHER_MUTANT(29, "the log is written and not synced"));
  if (written) set_anchor(lanes);
  if (written && options_.anchor_every_commit) {
    written = anchor_.write();
    if (written) written = store_.sync_anchor();
    if (written) anchor_.settle();
    counters_.anchor_writes.fetch_add(1, std::memory_order_relaxed);
  }
  if (!written && !USHER_MUTANT(27, "a failed sync is taken for done")) {
    fail("the log could not be written, so it is not known what of the last round is on the disk: " +
         written.error().detail);
    return false;
  }
  if (failed()) return false;
  count(lanes, options_.monotonic_ns() - before, inline_sync);
  for (const LaneSlot* lane : lanes) {
    if (!options_.on_durable) break;
    for (const SealedBlob& blob : lane->round.blobs) options_.on_durable(blob);
  }
  for (LaneSlot* lane : lanes) {
    // release: pairs with the acquire in Lane::collect()
    lane->durable.store(true, std::memory_order_release);
    if (!inline_sync && lane->wake) lane->wake();
  }
  if (options_.after_commit) options_.after_commit();
  return true;
}

void GroupCommit::fill_batch(std::span<LaneSlot* const> lanes) {
  batch_->clear();
  for (const LaneSlot* lane : lanes) {
    for (const SealedBlob& blob : lane->round.blobs) {
      const bool split = USHER_MUTANT(30, "a group is split over two batches") && batch_->size_bytes() > 0;
      if (split) {
        (void)store_.write(*batch_, false);
        batch_->clear();
        continue;
      }
      batch_->put({Table::log, segment_}, log_key(blob.shard, blob.first_lsn).view(), blob.bytes.view());
    }
    for (const SideWrite& side : lane->round.sides) {
      if (side.value.empty()) {
        batch_->erase({Table::people, 0}, side.key);
      } else {
        batch_->put({Table::people, 0}, side.key, side.value);
      }
    }
  }
}

void GroupCommit::set_anchor(std::span<LaneSlot* const> lanes) {
  for (const LaneSlot* lane : lanes) {
    for (const SealedBlob& blob : lane->round.blobs) anchor_.set(blob.shard, blob.last_lsn(), blob.hash);
  }
}

void GroupCommit::count(std::span<LaneSlot* const> lanes, std::uint64_t sync_ns, bool inline_sync) {
  constexpr auto relaxed = std::memory_order_relaxed;
  std::uint64_t bytes = 0;
  for (const LaneSlot* lane : lanes) {
    for (const SealedBlob& blob : lane->round.blobs) {
      bytes += blob.bytes.size();
      counters_.records.fetch_add(blob.count, relaxed);
    }
    counters_.blobs.fetch_add(lane->round.blobs.size(), relaxed);
  }
  segment_bytes_.fetch_add(bytes, relaxed);
  counters_.bytes.fetch_add(bytes, relaxed);
  counters_.rounds.fetch_add(lanes.size(), relaxed);
  counters_.syncs.fetch_add(1, relaxed);
  if (inline_sync) counters_.syncs_inline.fetch_add(1, relaxed);
  counters_.sync_ns_sum.fetch_add(sync_ns, relaxed);
  const auto bucket = std::min<std::size_t>(static_cast<std::size_t>(std::bit_width(sync_ns)), 47);
  counters_.sync_ns_log2[bucket].fetch_add(1, relaxed);
}

/// Requires: baton and mutex. Notes that the anchor lags, and writes it unless it was written a moment ago: after a
/// quiet time at once, in a sale every 10 ms.
void GroupCommit::write_anchor_if_due(Lock& lock) {
  if (options_.anchor_every_commit || failed()) {
    anchor_dirty_ = false;
    return;
  }
  anchor_dirty_ = true;
  const std::uint64_t now = options_.monotonic_ns();
  if (now < anchor_due_ns_) return;
  anchor_due_ns_ = now + options_.anchor_delay_ns;
  if (anchor_syncing_) return;  // what is being synced must not change: later
  anchor_dirty_ = false;
  lock.unlock();
  const Status written = anchor_.write();
  counters_.anchor_writes.fetch_add(1, std::memory_order_relaxed);
  if (!written) fail("the anchor could not be written: " + written.error().detail);
  lock.lock();
}

void GroupCommit::take_baton(Lock& lock) {
  ++waiting_;
  free_.wait(lock, [this] { return !busy_; });
  --waiting_;
  busy_ = true;
}

void GroupCommit::release_baton(Lock&) {
  busy_ = false;
  if (!queue_.empty() || stopping_ || (anchor_dirty_ && !committer_timed_)) work_.notify_one();
  if (waiting_ > 0) free_.notify_all();
}

void GroupCommit::switch_segment(SegmentNumber segment) {
  Lock lock(mutex_);
  take_baton(lock);
  segment_ = segment;
  segment_shown_.store(segment, std::memory_order_relaxed);
  segment_bytes_.store(0, std::memory_order_relaxed);
  release_baton(lock);
}

void GroupCommit::sync_anchor() {
  Lock lock(mutex_);
  take_baton(lock);
  anchor_dirty_ = false;
  anchor_syncing_ = true;
  lock.unlock();
  Status written = failed() ? Status{Done{}} : anchor_.write();
  if (!options_.anchor_every_commit) {
    lock.lock();
    release_baton(lock);
    lock.unlock();
  }
  if (written && !failed() && !USHER_MUTANT(31, "the anchor is not synced")) written = store_.sync_anchor();
  counters_.anchor_writes.fetch_add(1, std::memory_order_relaxed);
  lock.lock();
  if (written) anchor_.settle();
  anchor_syncing_ = false;
  if (options_.anchor_every_commit) release_baton(lock);
  lock.unlock();
  if (!written) fail("the anchor could not be synced: " + written.error().detail);
}

void GroupCommit::stop() {
  {
    Lock lock(mutex_);
    if (!options_.own_thread && !queue_.empty() && !failed()) commit_queue(lock);
    stopping_ = true;
    work_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void GroupCommit::abandon() {
  {
    const Lock lock(mutex_);
    abandoned_ = true;
    work_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void GroupCommit::fail(const std::string& why) {
  // release: pairs with the acquire in failed()
  failed_.store(true, std::memory_order_release);
  if (!fatal_called_.exchange(true)) options_.fatal(why);
}

}  // namespace usher::wal
