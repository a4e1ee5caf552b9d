#include "server/heap.hpp"

#include <doctest/doctest.h>
#include <malloc.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

namespace usher::server {
namespace {

constexpr std::size_t ahead = std::size_t{8} << 20U;
constexpr std::uintptr_t page = 4'096;

/// Whether the next `bytes` of the heap, but for the last huge page, have memory behind them.
bool is_populated(std::size_t bytes) {
  const std::uintptr_t top = reinterpret_cast<std::uintptr_t>(::sbrk(0)) - ::mallinfo2().keepcost;
  const std::uintptr_t from = (top + page - 1) & ~(page - 1);
  std::vector<unsigned char> resident((bytes - (std::size_t{2} << 20U)) / page);
  if (::mincore(reinterpret_cast<void*>(from), resident.size() * page, resident.data()) != 0) return false;
  for (const unsigned char one : resident) {
    if ((one & 1U) == 0) return false;
  }
  return true;
}

TEST_CASE(
    "heap: no thread of it waits for a core that idles: on saturated cores it would keep a killed process alive") {
  const WarmHeap heap(ahead);
  std::size_t threads = 0;
  for (int looks = 0; looks < 50; ++looks) {
    threads = 0;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
      ++threads;
      const int policy = ::sched_getscheduler(static_cast<pid_t>(std::stol(task.path().filename().string())));
      CHECK(policy != SCHED_IDLE);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  }
  CHECK(threads >= 2);
}

TEST_CASE("heap: what is taken next has memory behind it, and goes on to have when it was taken") {
  prepare_heap();
  std::vector<void*> taken;
  while (::mallinfo2().keepcost < 4 * ahead)
    taken.push_back(std::malloc(ahead / 8));  // until it grew by its large step
  const WarmHeap heap(ahead);
  for (int piece = 0; piece < 64; ++piece) taken.push_back(std::malloc(ahead / 32));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{60};
  while (!is_populated(ahead) && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  }
  CHECK(is_populated(ahead));
  for (void* const piece : taken) std::free(piece);
}

}  // namespace
}  // namespace usher::server
