/// The mailbox: one command from push to drain, in batches as a loop sees them, and with a producer on another thread.

#include <benchmark/benchmark.h>

#include <atomic>
#include <cstdint>
#include <thread>

#include "engine/shard/mailbox.hpp"
#include "usher/command.hpp"

namespace {

using namespace usher;
using Box = engine::Mailbox<Command>;

void mailbox_push_drain(benchmark::State& state) {
  Box box;
  Box::Producer producer(box, 256);
  const Command command;
  const auto batch = static_cast<std::uint32_t>(state.range(0));
  for (auto _ : state) {
    for (std::uint32_t i = 0; i < batch; ++i) benchmark::DoNotOptimize(producer.try_push(command));
    box.drain([](const Command& got) { benchmark::DoNotOptimize(got.sequence); });
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * batch);
}
BENCHMARK(mailbox_push_drain)->Arg(1)->Arg(64);

/// A producer thread pushes as fast as it can; the measured thread drains.
void mailbox_across_threads(benchmark::State& state) {
  Box box;
  Box::Producer producer(box, 1'024);
  std::atomic<bool> stop{false};
  std::thread other([&] {
    const Command command;
    while (!stop.load(std::memory_order_relaxed)) {
      if (producer.try_push(command) == Box::Producer::Pushed::full) std::this_thread::yield();
    }
  });
  std::int64_t taken = 0;
  for (auto _ : state) taken += box.drain([](const Command& got) { benchmark::DoNotOptimize(got.sequence); });
  stop = true;
  other.join();
  box.drain([](const Command&) {});
  state.SetItemsProcessed(taken);
}
BENCHMARK(mailbox_across_threads)->UseRealTime();

}  // namespace
