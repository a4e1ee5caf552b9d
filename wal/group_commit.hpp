#pragma once
/// Thread-safe. The group commit: makes the rounds of all lanes durable, many with one sync. Owned by the opened log.
///
/// Operation: the right to sync is a baton (`busy_`). submit() queues a round for the committer thread, which takes all
///   that is queued into one batch and syncs once; while it syncs, the next rounds gather. submit_inline() takes the
///   baton itself when it lies free and nothing waits, and saves a lone client two changes of thread.
/// Concurrency: batch, anchor and segment belong to the holder of the baton; queue and flags to the mutex.
/// Limitations: one round in flight per lane, so the queue never grows beyond the number of lanes. After a failed write
///   nothing is acknowledged any more and `fatal` is called, once; it is not expected to return.

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "wal/anchor.hpp"
#include "wal/round.hpp"
#include "wal/store.hpp"

namespace usher::wal {

/// Relaxed: they are for metrics only, and tell nothing about each other.
struct CommitCounters {
  std::atomic<std::uint64_t> rounds{0};
  std::atomic<std::uint64_t> syncs{0};
  std::atomic<std::uint64_t> syncs_inline{0};
  std::atomic<std::uint64_t> blobs{0};
  std::atomic<std::uint64_t> records{0};
  std::atomic<std::uint64_t> bytes{0};
  std::atomic<std::uint64_t> sync_ns_sum{0};
  std::atomic<std::uint64_t> anchor_writes{0};
  /// sync_ns_log2[n] counts the syncs that took 2^(n-1) to 2^n - 1 ns.
  std::array<std::atomic<std::uint64_t>, 48> sync_ns_log2{};
};

struct GroupCommitOptions {
  bool own_thread = true;            ///< false: somebody calls do_work() (the simulator)
  bool anchor_every_commit = false;  ///< `wal.anchor=commit`
  std::uint64_t anchor_delay_ns = 10'000'000;
  FatalHandler fatal;
  std::function<std::uint64_t()> monotonic_ns;
  /// Each blob that became durable, on the committing thread, before anybody is told; must be quick.
  std::function<void(const SealedBlob&)> on_durable;
  std::function<void()> after_commit;  ///< on the committing thread, after the answers were released; must be quick
};

class GroupCommit {
 public:
  GroupCommit(Store& store, Anchor anchor, SegmentNumber segment, GroupCommitOptions options);
  ~GroupCommit();
  GroupCommit(const GroupCommit&) = delete;
  GroupCommit& operator=(const GroupCommit&) = delete;

  [[nodiscard]] LaneSlot* add_lane(std::function<void()> wake);
  /// Returns when nobody will touch the slot any more; a round in flight is committed first.
  void retire(LaneSlot* slot);

  void submit(LaneSlot& slot);
  /// Returns: true if the round is durable; false when it was queued instead.
  [[nodiscard]] bool submit_inline(LaneSlot& slot);
  /// Commits what is queued and writes the anchor when it is due. For logs without a committer thread.
  void do_work();

  /// From the next round on blobs go to `segment`. Returns when the last round into the old one is over.
  void switch_segment(SegmentNumber segment);
  [[nodiscard]] SegmentNumber segment() const noexcept { return segment_shown_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t segment_bytes() const noexcept { return segment_bytes_.load(std::memory_order_relaxed); }
  /// Writes the anchor and syncs it; the sync does not hold the baton, unless each commit syncs the anchor anyway.
  void sync_anchor();
  /// Commits what is queued and ends the thread. Nothing may be submitted afterwards.
  void stop();
  /// Ends the thread and leaves what is queued: as a crash would.
  void abandon();

  [[nodiscard]] bool failed() const noexcept { return failed_.load(std::memory_order_acquire); }
  /// Calls `fatal`, once, and acknowledges nothing any more.
  void fail(const std::string& why);
  [[nodiscard]] const CommitCounters& counters() const noexcept { return counters_; }

 private:
  using Lock = std::unique_lock<std::mutex>;
  void run();
  void wait_for_work(Lock& lock);
  void commit_queue(Lock& lock);
  [[nodiscard]] bool commit(std::span<LaneSlot* const> lanes, bool inline_sync);
  void fill_batch(std::span<LaneSlot* const> lanes);
  void count(std::span<LaneSlot* const> lanes, std::uint64_t sync_ns, bool inline_sync);
  void set_anchor(std::span<LaneSlot* const> lanes);
  void take_baton(Lock& lock);
  void release_baton(Lock& lock);
  void write_anchor_if_due(Lock& lock);
  [[nodiscard]] bool anchor_is_due() const { return anchor_dirty_ && options_.monotonic_ns() >= anchor_due_ns_; }

  Store& store_;
  GroupCommitOptions options_;

  // The baton's.
  Anchor anchor_;
  std::unique_ptr<StoreBatch> batch_;
  SegmentNumber segment_;
  std::vector<LaneSlot*> committing_;

  std::mutex mutex_;
  std::condition_variable work_;  ///< the committer waits
  std::condition_variable free_;  ///< others wait for the baton or for their round
  bool busy_ = false;             ///< the baton is held
  bool stopping_ = false;
  bool abandoned_ = false;
  bool committer_timed_ = false;  ///< the committer waits, but not for longer than the anchor may
  unsigned waiting_ = 0;          ///< on free_
  bool anchor_dirty_ = false;
  bool anchor_syncing_ = false;      ///< nobody may write it
  std::uint64_t anchor_due_ns_ = 0;  ///< not before
  std::vector<LaneSlot*> queue_;
  std::vector<std::unique_ptr<LaneSlot>> slots_;

  std::atomic<bool> failed_{false};
  std::atomic<bool> fatal_called_{false};
  std::atomic<SegmentNumber> segment_shown_;
  std::atomic<std::uint64_t> segment_bytes_{0};
  CommitCounters counters_;
  std::thread thread_;
};

}  // namespace usher::wal
