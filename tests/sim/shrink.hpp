#pragma once
/// Makes a failure smaller: fewer commands, fewer faults, fewer shows, users and loops, as long as it still fails.

#include <string>

#include "tests/sim/world.hpp"

namespace usher::sim {

struct Shrunk {
  Cuts cuts;
  Outcome outcome;
};

/// The options of usher_sim that make these cuts, each with a blank in front.
[[nodiscard]] std::string command_line(const Cuts& cuts);

/// Greedy: each cut that still fails, in whatever way, is kept. Requires: `outcome` is a failure of the seed.
[[nodiscard]] Shrunk shrink(std::uint64_t seed, const Cuts& cuts, const Outcome& outcome);

}  // namespace usher::sim
