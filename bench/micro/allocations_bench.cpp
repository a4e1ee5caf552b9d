/// Whether the heap is touched in the steady state of reserve and release (DESIGN 5: it is not). Every operator new of
/// this program is counted; the figure is `allocations_per_decision`.

#include <benchmark/benchmark.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <vector>

#include "bench/micro/show_world.hpp"

namespace {

// relaxed: a count that is read by the thread that made it
std::atomic<std::uint64_t> allocations{0};

void* counted(std::size_t size, std::size_t alignment) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  void* memory = alignment <= alignof(std::max_align_t)
                     ? std::malloc(size)
                     : std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (memory == nullptr) std::abort();
  return memory;
}

}  // namespace

void* operator new(std::size_t size) {
  return counted(size, 1);
}
void* operator new[](std::size_t size) {
  return counted(size, 1);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return counted(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return counted(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}

namespace {

using namespace usher;
using namespace usher::bench;

constexpr std::uint32_t batch = 64;

/// A batch of reserves, then their releases, over `shows` shows. Returns: false when one was refused.
bool reserve_and_release(World& world, const std::vector<Command>& commands, std::vector<Reply>& replies) {
  bool good = true;
  for (std::size_t i = 0; i < commands.size(); ++i) {
    replies[i] = Reply{};
    world.shard().execute(commands[i], bench_now, replies[i]);
    good = good && replies[i].refusal == Refusal::none;
  }
  world.round();
  for (std::size_t i = 0; i < commands.size(); ++i) {
    Command release;
    name_in(release, commands[i], replies[i]);
    Reply reply;
    world.shard().execute(release, bench_now, reply);
    good = good && reply.refusal == Refusal::none;
  }
  world.round();
  return good;
}

void actor_allocations(benchmark::State& state) {
  constexpr std::uint32_t shows = 100;
  World world(shows);
  std::vector<Command> commands;
  std::vector<Reply> replies(batch);
  for (std::uint32_t i = 0; i < batch; ++i) commands.push_back(reserve_of(i % shows + 1, i, i + 1));
  // what grows to its working size does so before it is counted
  for (int i = 0; i < 100; ++i) {
    if (!reserve_and_release(world, commands, replies)) state.SkipWithError("refused");
  }
  std::uint64_t counted_allocations = 0;
  for (auto _ : state) {
    const std::uint64_t before = allocations.load(std::memory_order_relaxed);
    if (!reserve_and_release(world, commands, replies)) state.SkipWithError("refused");
    counted_allocations += allocations.load(std::memory_order_relaxed) - before;
  }
  state.counters["allocations_per_decision"] =
      static_cast<double>(counted_allocations) / static_cast<double>(state.iterations() * batch * 2);
}
BENCHMARK(actor_allocations);

}  // namespace
