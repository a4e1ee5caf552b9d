#include "tests/sim/shrink.hpp"

namespace usher::sim {

std::string command_line(const Cuts& cuts) {
  std::string text;
  if (cuts.commands_max != ~0U) text += " --commands " + std::to_string(cuts.commands_max);
  std::string faults;
  for (std::size_t at = 0; at < fault_count; ++at) {
    if (!cuts.off(static_cast<Fault>(at))) continue;
    faults += faults.empty() ? " --without " : ",";
    faults += to_string(static_cast<Fault>(at));
  }
  text += faults;
  if (cuts.few_shows) text += " --few-shows";
  if (cuts.few_users) text += " --few-users";
  if (cuts.one_loop) text += " --one-loop";
  if (cuts.canary) text += " --canary";
  return text;
}

namespace {

/// Keeps the cuts if the seed still fails with them.
[[nodiscard]] bool keep_if_fails(std::uint64_t seed, const Cuts& cuts, Shrunk& best) {
  Outcome outcome = World(seed, cuts).run();
  if (outcome.wrong.empty()) return false;
  best.cuts = cuts;
  best.outcome = std::move(outcome);
  return true;
}

void cut_commands(std::uint64_t seed, Shrunk& best) {
  best.cuts.commands_max = best.outcome.commands;
  for (std::uint32_t step = best.outcome.commands / 2; step > 0;) {
    Cuts cuts = best.cuts;
    cuts.commands_max = best.cuts.commands_max > step ? best.cuts.commands_max - step : 0;
    if (!keep_if_fails(seed, cuts, best)) step /= 2;
    if (best.cuts.commands_max == 0) return;
  }
}

}  // namespace

Shrunk shrink(std::uint64_t seed, const Cuts& cuts, const Outcome& outcome) {
  Shrunk best{cuts, outcome};
  for (std::size_t at = 0; at < fault_count; ++at) {
    Cuts fewer = best.cuts;
    fewer.turn_off(static_cast<Fault>(at));
    (void)keep_if_fails(seed, fewer, best);
  }
  for (bool Cuts::*const flag : {&Cuts::one_loop, &Cuts::few_shows, &Cuts::few_users}) {
    Cuts fewer = best.cuts;
    fewer.*flag = true;
    (void)keep_if_fails(seed, fewer, best);
  }
  cut_commands(seed, best);
  return best;
}

}  // namespace usher::sim
