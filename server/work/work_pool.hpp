#pragma once
/// A bounded pool of threads for work that would block a loop: files, rendering, imports. Thread-safe. It never touches
/// a shard: a job that learns something for a show posts it back to the loop that asked. Jobs must not wait for each
/// other.

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace usher::server::work {

class WorkPool {
 public:
  using Job = std::function<void()>;

  struct Counters {
    std::uint64_t posted = 0;     ///< accepted
    std::uint64_t refused = 0;    ///< not accepted: full or stopped
    std::uint64_t finished = 0;   ///< ran to their end, also by an exception
    std::uint64_t failed = 0;     ///< of those, ended by an exception, which is swallowed
    std::uint64_t discarded = 0;  ///< accepted, but stop() came before their turn
    std::size_t queued = 0;       ///< waiting now
    std::size_t running = 0;      ///< running now
  };

  /// Requires: threads > 0. At most `queue_max` jobs wait; those that run do not count.
  WorkPool(std::size_t threads, std::size_t queue_max);
  WorkPool(const WorkPool&) = delete;
  WorkPool& operator=(const WorkPool&) = delete;
  /// stop(), then joins.
  ~WorkPool();

  /// Hands over a job. Returns: false when the queue is full or the pool stopped; the job is then not run, and the
  /// caller answers 503.
  [[nodiscard]] bool try_post(Job job);

  /// Waits until nothing is queued or running. Jobs posted meanwhile prolong it. Not to be called from a job.
  void drain();

  /// Refuses what comes from now on, discards what waits, and returns when what runs has finished. May be called twice.
  /// Not to be called from a job.
  void stop();

  [[nodiscard]] Counters counters() const;

 private:
  void run();
  /// Runs one job without the lock. Returns: whether it ended without an exception.
  static bool run_job(const Job& job) noexcept;

  const std::size_t queue_max_;
  mutable std::mutex mutex_;
  std::condition_variable has_work_;
  std::condition_variable is_idle_;
  std::deque<Job> queue_;
  Counters counters_;
  bool stopped_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace usher::server::work
