#include "server/work/work_pool.hpp"

#include <utility>

#include "usher/assert.hpp"

namespace usher::server::work {

WorkPool::WorkPool(std::size_t threads, std::size_t queue_max) : queue_max_(queue_max) {
  USHER_ASSERT(threads > 0);
  threads_.reserve(threads);
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

WorkPool::~WorkPool() {
  stop();
}

bool WorkPool::try_post(Job job) {
  USHER_ASSERT(job != nullptr);
  {
    const std::lock_guard lock{mutex_};
    if (stopped_ || queue_.size() >= queue_max_) {
      ++counters_.refused;
      return false;
    }
    queue_.push_back(std::move(job));
    ++counters_.posted;
  }
  has_work_.notify_one();
  return true;
}

void WorkPool::drain() {
  std::unique_lock lock{mutex_};
  is_idle_.wait(lock, [this] { return queue_.empty() && counters_.running == 0; });
}

void WorkPool::stop() {
  std::deque<Job> discarded;  // destroyed after the lock: a job's captures may call back
  std::unique_lock lock{mutex_};
  stopped_ = true;
  counters_.discarded += queue_.size();
  discarded.swap(queue_);
  has_work_.notify_all();
  is_idle_.wait(lock, [this] { return counters_.running == 0; });
  is_idle_.notify_all();
  lock.unlock();
}

WorkPool::Counters WorkPool::counters() const {
  const std::lock_guard lock{mutex_};
  Counters counters = counters_;
  counters.queued = queue_.size();
  return counters;
}

void WorkPool::run() {
  std::unique_lock lock{mutex_};
  while (true) {
    has_work_.wait(lock, [this] { return stopped_ || !queue_.empty(); });
    if (queue_.empty()) return;
    Job job = std::move(queue_.front());
    queue_.pop_front();
    ++counters_.running;
    lock.unlock();
    const bool succeeded = run_job(job);
    job = nullptr;  // its captures go before it counts as finished
    lock.lock();
    --counters_.running;
    ++counters_.finished;
    if (!succeeded) ++counters_.failed;
    if (counters_.running == 0) is_idle_.notify_all();
  }
}

bool WorkPool::run_job(const Job& job) noexcept {
  try {
    job();
    return true;
  } catch (...) {
    return false;
  }
}

}  // namespace usher::server::work
