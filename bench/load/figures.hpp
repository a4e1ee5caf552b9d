#pragma once
/// How a client prints what it measured, so that all of them say it in the same words.

#include <cstdint>
#include <vector>

#include "bench/load/histogram.hpp"

namespace usher::bench {

/// Prints members of a JSON object, the last without a comma: `curve` (pairs of quantile and microseconds, finer
/// towards the end, as far as there are answers enough to tell), `timeline` (successes in each tenth of a second),
/// us_p50, us_p90, us_p99, us_p999, us_max, and this process' cpu_user_s and cpu_system_s so far.
void print_figures(const Histogram& latency, const std::vector<std::uint64_t>& timeline);

}  // namespace usher::bench
