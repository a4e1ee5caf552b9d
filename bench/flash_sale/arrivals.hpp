#pragma once
/// When each of the people comes: a base load, a spike that is there within one real second, and its decay. Pure.

#include <chrono>
#include <cstdint>
#include <random>
#include <vector>

#include "bench/flash_sale/scenario.hpp"

namespace usher::flash {

using Random = std::mt19937_64;

/// Returns: the load at `at` (real time from the start), as a multiple of the base load: 1 before the spike, within one
/// second `spike_factor`, then falling back exponentially with `spike_decay`.
[[nodiscard]] double load_at(const Scenario& scenario, std::chrono::nanoseconds at);

/// Returns: one instant for each of the people, ascending, from the start in real time: independent draws from the
/// curve (a Poisson process, given how many come).
[[nodiscard]] std::vector<std::chrono::nanoseconds> draw_arrivals(const Scenario& scenario, Random& random);

}  // namespace usher::flash
