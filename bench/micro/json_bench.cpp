/// Reading the body of a reserve: the short way, and the Reader that everything else goes through.

#include <benchmark/benchmark.h>

#include <string_view>

#include "server/json/reader.hpp"
#include "server/json/seat_ids.hpp"

namespace {

using namespace usher::server;

constexpr std::string_view body = R"({"seat_ids":["F12","F13","F14"]})";

void json_reserve_short_way(benchmark::State& state) {
  json::SeatIds seats;
  for (auto _ : state) {
    if (!json::read_seat_ids(body, seats)) state.SkipWithError("not read");
    benchmark::DoNotOptimize(seats.count);
  }
}
BENCHMARK(json_reserve_short_way);

void json_reserve_reader(benchmark::State& state) {
  json::Reader reader;
  for (auto _ : state) {
    json::Object root = reader.parse(body);
    json::Array seats = root.optional_array("seat_ids", 1, 32);
    while (seats.next()) benchmark::DoNotOptimize(seats.string({1, 15}).size());
    root.finish();
    if (!reader.ok()) state.SkipWithError("refused");
  }
}
BENCHMARK(json_reserve_reader);

}  // namespace
