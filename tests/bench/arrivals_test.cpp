#include "bench/load/arrivals.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cmath>

using usher::bench::Arrivals;

TEST_CASE("arrivals: 10,000 per second for ten seconds: as many as a Poisson process has") {
  Arrivals arrivals(10'000.0, 1);
  const Arrivals::Clock::time_point begin{};
  arrivals.begin(begin);
  int count = 0;
  int longer_than_mean = 0;
  Arrivals::Clock::time_point last = begin;
  while (arrivals.next() < begin + std::chrono::seconds(10)) {
    CHECK_MESSAGE(arrivals.next() >= last, "time goes on");
    if (arrivals.next() - last > std::chrono::microseconds(100)) ++longer_than_mean;
    last = arrivals.next();
    arrivals.advance();
    ++count;
  }
  CHECK(std::abs(count - 100'000) < 5 * 317);  // five standard deviations
  // of an exponential gap e^-1 are longer than the mean
  CHECK(std::abs(longer_than_mean / static_cast<double>(count) - std::exp(-1.0)) < 0.01);
}

TEST_CASE("arrivals: the same rate and seed: the same people") {
  Arrivals one(500.0, 42);
  Arrivals other(500.0, 42);
  one.begin({});
  other.begin({});
  for (int i = 0; i < 100; ++i) {
    CHECK(one.next() == other.next());
    one.advance();
    other.advance();
  }
}
