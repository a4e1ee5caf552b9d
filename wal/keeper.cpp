#include "wal/keeper.hpp"

#include <chrono>
#include <string>
#include <utility>

namespace usher::wal {
namespace {

/// How often the keeper looks when nobody calls: the rhythm of the disk guard.
constexpr std::chrono::milliseconds look_every{100};

}  // namespace

Keeper::Keeper(CheckpointWriter& checkpoints, Segments& segments, GroupCommit& commit, DiskGuard* guard,
               std::function<std::uint64_t()> monotonic_ns, bool own_thread)
    : checkpoints_(checkpoints),
      segments_(segments),
      commit_(commit),
      guard_(guard),
      monotonic_ns_(std::move(monotonic_ns)) {
  if (own_thread) thread_ = std::thread([this] { run(); });
}

Keeper::~Keeper() {
  stop(false);
}

void Keeper::notify() {
  const std::lock_guard lock(mutex_);
  notified_ = true;
  wake_.notify_one();
}

void Keeper::run() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, look_every, [this] { return notified_ || stopping_; });
      notified_ = false;
      if (stopping_) break;
    }
    do_work();
  }
  if (drain_) {
    while (write_checkpoints()) {
    }
  }
}

void Keeper::do_work() {
  if (guard_ != nullptr) guard_->poll();
  while (write_checkpoints()) {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
  }
  rotate();
}

/// Returns: true when something was written.
bool Keeper::write_checkpoints() {
  if (commit_.failed()) return false;
  Result<CheckpointWriter::Step> step = checkpoints_.step();
  if (!step) {
    fail("a checkpoint could not be written: ", step.error());
    return false;
  }
  if (step.value().covered.empty()) return step.value().worked;
  for (const CheckpointWriter::Covered& covered : step.value().covered)
    segments_.set_covered(covered.shard, covered.lsn);
  commit_.sync_anchor();
  const Result<std::size_t> dropped = segments_.trim();
  if (!dropped) {
    fail("the log could not be trimmed: ", dropped.error());
    return false;
  }
  dropped_.fetch_add(dropped.value(), std::memory_order_relaxed);
  return true;
}

void Keeper::rotate() {
  if (commit_.failed()) return;
  const Result<bool> rotated = segments_.rotate_if_due(monotonic_ns_());
  if (!rotated) return fail("the next segment could not be begun: ", rotated.error());
  if (!rotated.value()) return;
  rotations_.fetch_add(1, std::memory_order_relaxed);
  const Result<std::size_t> dropped = segments_.trim();
  if (!dropped) return fail("the log could not be trimmed: ", dropped.error());
  dropped_.fetch_add(dropped.value(), std::memory_order_relaxed);
}

void Keeper::fail(const char* what, const Error& error) {
  commit_.fail(what + error.detail);
}

void Keeper::stop(bool drain) {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    drain_ = drain;
    wake_.notify_one();
  }
  if (thread_.joinable()) {
    thread_.join();
  } else if (drain) {
    while (write_checkpoints()) {
    }
  }
}

}  // namespace usher::wal
