/// The timer wheel: most timers are cancelled, so that is what must be cheap; the rest fire in bursts.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <vector>

#include "engine/shard/timer_wheel.hpp"

namespace {

using namespace usher;
using engine::TimerHandle;
using engine::TimerKind;
using engine::TimerWheel;

constexpr Instant begin = instant_from_ms(1'800'000'000'000);
constexpr std::int64_t ttl_ms = 600'000;

void wheel_add_cancel(benchmark::State& state) {
  TimerWheel wheel(begin);
  std::vector<TimerHandle> standing;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    standing.push_back(wheel.add(begin + Duration{ttl_ms + i % 60'000}, TimerKind::reservation, 1));
  }
  std::size_t at = 0;
  for (auto _ : state) {
    wheel.cancel(standing[at]);
    standing[at] =
        wheel.add(begin + Duration{ttl_ms + static_cast<std::int64_t>(at % 60'000)}, TimerKind::reservation, 1);
    at = (at + 7'919) % standing.size();
  }
}
BENCHMARK(wheel_add_cancel)->Arg(1'000)->Arg(1'000'000);

/// Timers that are added, cascade down and fire, one advance a millisecond.
void wheel_add_fire(benchmark::State& state) {
  TimerWheel wheel(begin);
  Instant now = begin;
  std::uint64_t fired = 0;
  for (auto _ : state) {
    now += Duration{1};
    for (std::uint32_t i = 0; i < 10; ++i) {
      benchmark::DoNotOptimize(wheel.add(now + Duration{ttl_ms / 100}, TimerKind::reservation, i + 1));
    }
    wheel.advance(now, 1'000, [&](TimerKind, engine::SlabIndex) { ++fired; });
  }
  benchmark::DoNotOptimize(fired);
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * 10);
}
BENCHMARK(wheel_add_fire);

}  // namespace
