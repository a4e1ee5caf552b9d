/// Seat bitmaps: is a seat taken, and which seats the house would choose.

#include <benchmark/benchmark.h>

#include <array>
#include <random>
#include <vector>

#include "bench/micro/show_world.hpp"
#include "engine/show/best_available.hpp"
#include "engine/show/seat_planes.hpp"

namespace {

using namespace usher;
using namespace usher::engine;

/// Planes of `seats` seats, `percent` of which are reserved.
std::vector<std::uint64_t> planes_with(std::uint32_t seats, unsigned percent) {
  std::vector<std::uint64_t> words(std::size_t{SeatPlanes::words_for(seats)} * SeatPlanes::plane_count);
  std::mt19937 dice(7);
  SeatPlanes planes(words.data(), seats);
  for (std::uint32_t seat = 0; seat < seats; ++seat) {
    if (dice() % 100 < percent) SeatPlanes::set(planes.reserved(), static_cast<SeatIndex>(seat));
  }
  return words;
}

void bitmap_taken_of_10_seats(benchmark::State& state) {
  std::vector<std::uint64_t> words = planes_with(20'000, 50);
  const SeatPlanes planes(words.data(), 20'000);
  std::uint32_t first = 0;
  for (auto _ : state) {
    bool taken = false;
    for (std::uint32_t i = 0; i < 10; ++i) taken |= planes.taken(static_cast<SeatIndex>(first + i));
    benchmark::DoNotOptimize(taken);
    first = (first + 997) % 19'000;
  }
}
BENCHMARK(bitmap_taken_of_10_seats);

void bitmap_best_available(benchmark::State& state) {
  const Layout hall = usher::bench::make_hall(10, 20);
  std::vector<std::uint64_t> words = planes_with(200, static_cast<unsigned>(state.range(0)));
  const SeatPlanes planes(words.data(), 200);
  SeatWish wish;
  wish.count = 3;
  for (auto _ : state) benchmark::DoNotOptimize(best_available(hall, planes, wish));
}
BENCHMARK(bitmap_best_available)->Arg(0)->Arg(50)->Arg(90);

void bitmap_find_label(benchmark::State& state) {
  const Layout hall = usher::bench::make_hall(10, 20);
  constexpr std::array<std::string_view, 4> labels{"A1", "J20", "F12", "C7"};
  std::size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(hall.find(labels[i++ % labels.size()]));
}
BENCHMARK(bitmap_find_label);

}  // namespace
