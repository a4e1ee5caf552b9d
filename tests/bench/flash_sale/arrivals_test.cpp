#include "bench/flash_sale/arrivals.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace usher;
using namespace usher::flash;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

Scenario spiky() {
  Scenario scenario;
  scenario.time_scale = 60;
  scenario.arrivals = {60'000, std::chrono::hours{1}, 50, std::chrono::minutes{10}, std::chrono::minutes{5}};
  return scenario;
}

}  // namespace

TEST_CASE("arrivals: the curve: base load, the peak within a second, then its decay") {
  const Scenario scenario = spiky();
  CHECK(load_at(scenario, seconds{0}) == 1);
  CHECK(load_at(scenario, milliseconds{9'999}) == 1);
  CHECK(load_at(scenario, milliseconds{10'500}) == doctest::Approx(25.5));
  CHECK(load_at(scenario, seconds{11}) == doctest::Approx(50));
  CHECK(load_at(scenario, seconds{16}) == doctest::Approx(1 + 49 / 2.718281828));
}

TEST_CASE("arrivals: no spike: the load is level") {
  Scenario scenario = spiky();
  scenario.arrivals.spike_factor = 1;
  CHECK(load_at(scenario, seconds{30}) == 1);
}

TEST_CASE("arrivals: all people come, in order, within the time, and as the curve says") {
  const Scenario scenario = spiky();
  Random random(7);
  const auto arrivals = draw_arrivals(scenario, random);
  REQUIRE(arrivals.size() == 60'000);
  CHECK(std::is_sorted(arrivals.begin(), arrivals.end()));
  CHECK(arrivals.front().count() >= 0);
  CHECK(arrivals.back() < seconds{60});
  const auto within = [&](int from) {
    return std::count_if(arrivals.begin(), arrivals.end(),
                         [&](auto at) { return at >= seconds{from} && at < seconds{from + 1}; });
  };
  double before = 0;
  for (int second = 0; second < 10; ++second) before += static_cast<double>(within(second)) / 10;
  CHECK(static_cast<double>(within(11)) / before == doctest::Approx(45).epsilon(0.25));
  CHECK(static_cast<double>(within(59)) / before == doctest::Approx(1).epsilon(0.5));
}

TEST_CASE("arrivals: the same seed: the same people") {
  const Scenario scenario = spiky();
  Random one(3);
  Random two(3);
  Random other(4);
  const auto arrivals = draw_arrivals(scenario, one);
  CHECK(arrivals == draw_arrivals(scenario, two));
  CHECK(arrivals != draw_arrivals(scenario, other));
}
