#include "bench/flash_sale/arrivals.hpp"

#include <algorithm>
#include <cmath>

namespace usher::flash {

namespace {

double seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

double load_at(const Scenario& scenario, std::chrono::nanoseconds at) {
  const double since = seconds(at - scenario.real(scenario.arrivals.spike_at));
  if (since < 0 || scenario.arrivals.spike_factor <= 1) return 1;
  const double rise = std::min(since, 1.0);
  const double decay = seconds(scenario.real(scenario.arrivals.spike_decay));
  const double fallen = decay > 0 ? std::exp(-std::max(since - 1, 0.0) / decay) : 0;
  return 1 + (scenario.arrivals.spike_factor - 1) * rise * (since <= 1 ? 1 : fallen);
}

std::vector<std::chrono::nanoseconds> draw_arrivals(const Scenario& scenario, Random& random) {
  const std::chrono::nanoseconds whole = scenario.real(scenario.arrivals.duration);
  // the integral of the curve in steps that are short beside the second in which a spike rises
  const auto steps = static_cast<std::size_t>(std::clamp(seconds(whole) * 200, 200.0, 200'000.0));
  std::vector<double> sum(steps + 1, 0);
  for (std::size_t i = 0; i < steps; ++i) {
    const double middle = (static_cast<double>(i) + 0.5) / static_cast<double>(steps);
    const auto at = static_cast<std::int64_t>(middle * static_cast<double>(whole.count()));
    sum[i + 1] = sum[i] + load_at(scenario, std::chrono::nanoseconds{at});
  }
  std::uniform_real_distribution<double> draw(0, sum.back());
  std::vector<std::chrono::nanoseconds> arrivals;
  arrivals.reserve(scenario.arrivals.people);
  for (std::uint32_t i = 0; i < scenario.arrivals.people; ++i) {
    const double wanted = draw(random);
    const auto above = std::upper_bound(sum.begin() + 1, sum.end() - 1, wanted);
    const auto step = static_cast<std::size_t>(above - sum.begin()) - 1;
    const double inside = (wanted - sum[step]) / (sum[step + 1] - sum[step]);
    const double share = (static_cast<double>(step) + inside) / static_cast<double>(steps);
    arrivals.emplace_back(static_cast<std::int64_t>(share * static_cast<double>(whole.count())));
  }
  std::sort(arrivals.begin(), arrivals.end());
  return arrivals;
}

}  // namespace usher::flash
