#include "server/heap.hpp"

#include <malloc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <vector>

namespace usher::server {
namespace {

constexpr std::size_t first_bytes = std::size_t{1} << 30U;
constexpr std::size_t piece_bytes = std::size_t{1} << 20U;
constexpr std::uintptr_t huge_page = std::uintptr_t{2} << 20U;
constexpr std::uintptr_t page = 4'096;
constexpr int step_bytes = 64 << 20;
constexpr int kept_bytes = 2'000 << 20;  // nothing is given back below
constexpr int mapped_bytes = 32 << 20;   // larger pieces are mapped by themselves
constexpr std::chrono::milliseconds look_every{100};
constexpr int nice_level = 5;

std::uintptr_t heap_end() noexcept {
  return reinterpret_cast<std::uintptr_t>(::sbrk(0));
}

std::uintptr_t top_of_heap() noexcept {
  return heap_end() - ::mallinfo2().keepcost;
}

/// Populates the next `bytes` of the heap.
void take(std::size_t bytes) {
  std::vector<void*> pieces;
  for (std::size_t taken = 0; taken < bytes; taken += piece_bytes) {
    void* const piece = std::malloc(piece_bytes);
    if (piece == nullptr) break;
    pieces.push_back(piece);
    const std::uintptr_t from = (reinterpret_cast<std::uintptr_t>(piece) + page - 1) & ~(page - 1);
    const std::uintptr_t to = (reinterpret_cast<std::uintptr_t>(piece) + piece_bytes) & ~(page - 1);
    (void)::madvise(reinterpret_cast<void*>(from), to - from, MADV_POPULATE_WRITE);
  }
  for (void* const piece : pieces) std::free(piece);
}

}  // namespace

void prepare_heap() {
  (void)::mallopt(M_ARENA_MAX, 1);
  (void)::mallopt(M_TRIM_THRESHOLD, kept_bytes);
  (void)::mallopt(M_MMAP_THRESHOLD, mapped_bytes);
  (void)::mallopt(M_TOP_PAD, static_cast<int>(first_bytes));
  // larger than what the heap holds yet: it grows to the full size, of which only what is used takes memory
  void* const first = std::malloc(piece_bytes);
  (void)::mallopt(M_TOP_PAD, step_bytes);
  if (first == nullptr) return;
  const std::uintptr_t from = (reinterpret_cast<std::uintptr_t>(first) + huge_page - 1) & ~(huge_page - 1);
  const auto to = reinterpret_cast<std::uintptr_t>(::sbrk(0)) & ~(huge_page - 1);
  if (from < to && to - from <= first_bytes) (void)::madvise(reinterpret_cast<void*>(from), to - from, MADV_HUGEPAGE);
  std::free(first);
}

WarmHeap::WarmHeap(std::size_t bytes) : bytes_(bytes) {
  if (bytes_ == 0) return;
  take(bytes_);
  thread_ = std::thread([this] { follow(); });
}

WarmHeap::~WarmHeap() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stopped_.notify_one();
  thread_.join();
}

/// The top of the heap is what nobody has taken yet; of it the first `bytes_` are kept populated.
void WarmHeap::follow() {
  // Behind the loops, but not SCHED_IDLE: on cores that others load, a thread that gets no time would hold the address
  // space's lock against a loop that grows the heap, and a process that was killed stays until its last thread has
  // ended (measured: 16 s, in which the data directory is locked and clients wait on open sockets).
  (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), nice_level);
  std::uintptr_t populated = 0;  // what was taken before may have come from holes below the top
  std::unique_lock lock(mutex_);
  while (!stopped_.wait_for(lock, look_every, [this] { return stop_; })) {
    const std::uintptr_t top = top_of_heap();
    const std::uintptr_t to = std::min(top + bytes_, heap_end()) & ~(huge_page - 1);
    for (std::uintptr_t at = std::max(populated, top) & ~(page - 1); at < to && !stop_; at = populated) {
      populated = std::min((at + huge_page) & ~(huge_page - 1), to);
      lock.unlock();
      (void)::madvise(reinterpret_cast<void*>(at), populated - at, MADV_POPULATE_WRITE);
      lock.lock();
    }
  }
}

}  // namespace usher::server
