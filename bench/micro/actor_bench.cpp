/// Deciding alone, without I/O: reserve and release of two seats, on one warm show and over very many cold ones.

#include <benchmark/benchmark.h>

#include <memory>
#include <vector>

#include "bench/micro/show_world.hpp"

namespace {

using namespace usher;
using namespace usher::bench;

constexpr std::uint32_t pairs = 100;  // in a hall of 200 seats
constexpr std::uint32_t batch = 32;   // commands in a round

/// As the runner does.
void prefetch(const World& world, const std::vector<Command>& commands) {
  for (const Command& command : commands) world.shard().prefetch_entry(command);
  for (const Command& command : commands) world.shard().prefetch_show(command);
  for (const Command& command : commands) world.shard().prefetch_state(command);
}

/// `batch` reserves, then the releases of all of them; each counts as one decision.
void run_batch(benchmark::State& state, World& world, const std::vector<Command>& commands,
               std::vector<Command>& releases, std::vector<Reply>& replies) {
  prefetch(world, commands);
  for (std::size_t i = 0; i < commands.size(); ++i) {
    replies[i] = Reply{};
    world.shard().execute(commands[i], bench_now, replies[i]);
    if (replies[i].refusal != Refusal::none) state.SkipWithError("a reserve was refused");
  }
  world.round();
  for (std::size_t i = 0; i < commands.size(); ++i) name_in(releases[i], commands[i], replies[i]);
  prefetch(world, releases);
  for (std::size_t i = 0; i < commands.size(); ++i) {
    Reply& reply = replies[i];
    reply = Reply{};
    world.shard().execute(releases[i], bench_now, reply);
    if (reply.refusal != Refusal::none) state.SkipWithError("a release was refused");
  }
  world.round();
}

void actor_reserve_release_warm(benchmark::State& state) {
  World world(1);
  std::vector<Command> commands;
  std::vector<Command> releases(batch);
  std::vector<Reply> replies(batch);
  for (std::uint32_t i = 0; i < batch; ++i) commands.push_back(reserve_of(1, i % pairs, i + 1));
  for (auto _ : state) run_batch(state, world, commands, releases, replies);
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * batch * 2);
}
BENCHMARK(actor_reserve_release_warm);

/// A refusal: the seats are taken.
void actor_refusal_warm(benchmark::State& state) {
  World world(1);
  Reply reply;
  world.shard().execute(reserve_of(1, 0, 1), bench_now, reply);
  world.round();
  std::uint64_t user = 2;
  for (auto _ : state) {
    Reply refused;
    world.shard().execute(reserve_of(1, 0, ++user), bench_now, refused);
    if (refused.refusal != Refusal::seats_unavailable) state.SkipWithError("not refused");
    benchmark::DoNotOptimize(refused);
  }
}
BENCHMARK(actor_refusal_warm);

void actor_reserve_release_cold(benchmark::State& state) {
  const auto shows = static_cast<std::uint32_t>(state.range(0));
  World world(shows);
  std::vector<Command> commands(batch);
  std::vector<Command> releases(batch);
  std::vector<Reply> replies(batch);
  std::uint64_t step = 0;
  for (auto _ : state) {
    for (Command& command : commands) {
      ++step;
      command = reserve_of(static_cast<std::uint32_t>(mix64(step) % shows) + 1,
                           static_cast<std::uint32_t>(step % pairs), step);
    }
    run_batch(state, world, commands, releases, replies);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * batch * 2);
}
BENCHMARK(actor_reserve_release_cold)->Arg(10'000)->Arg(1'000'000)->Unit(benchmark::kMicrosecond);

}  // namespace
