#pragma once
/// The keeper: one background thread for all that is not the sale. Checkpoint rows, completed checkpoints, rotation,
/// trim, the disk guard. Owned by the opened log. notify() is thread-safe; do_work() is for the keeper's thread, or for
/// whoever drives a log without threads.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

#include "wal/checkpoint_writer.hpp"
#include "wal/disk_guard.hpp"
#include "wal/group_commit.hpp"
#include "wal/trim.hpp"

namespace usher::wal {

class Keeper {
 public:
  /// `guard` may be null.
  Keeper(CheckpointWriter& checkpoints, Segments& segments, GroupCommit& commit, DiskGuard* guard,
         std::function<std::uint64_t()> monotonic_ns, bool own_thread);
  ~Keeper();
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  void notify();
  /// All that waits now.
  void do_work();
  /// Ends the thread; with `drain` what is queued is written first.
  void stop(bool drain);
  [[nodiscard]] std::uint64_t rotations() const noexcept { return rotations_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t segments_dropped() const noexcept { return dropped_.load(std::memory_order_relaxed); }

 private:
  void run();
  [[nodiscard]] bool write_checkpoints();
  void rotate();
  void fail(const char* what, const Error& error);

  CheckpointWriter& checkpoints_;
  Segments& segments_;
  GroupCommit& commit_;
  DiskGuard* guard_;
  std::function<std::uint64_t()> monotonic_ns_;
  std::atomic<std::uint64_t> rotations_{0};
  std::atomic<std::uint64_t> dropped_{0};

  std::mutex mutex_;
  std::condition_variable wake_;
  bool notified_ = false;
  bool stopping_ = false;
  bool drain_ = false;
  std::thread thread_;
};

}  // namespace usher::wal
