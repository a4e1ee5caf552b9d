#include "bench/load/histogram.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

using usher::bench::Histogram;

TEST_CASE("histogram: any quantile of mixed values: at most one step below the true one") {
  std::mt19937_64 random(7);
  std::lognormal_distribution<double> latency(13.0, 2.0);
  Histogram histogram;
  std::vector<std::uint64_t> values;
  for (int i = 0; i < 20'000; ++i) {
    values.push_back(static_cast<std::uint64_t>(latency(random)));
    histogram.add(values.back());
  }
  std::sort(values.begin(), values.end());
  for (const double quantile : {0.0, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999}) {
    const std::uint64_t exact = values[static_cast<std::size_t>(quantile * static_cast<double>(values.size()))];
    const std::uint64_t found = histogram.quantile(quantile);
    CHECK(found <= exact);
    CHECK(static_cast<double>(found) >= static_cast<double>(exact) * (1.0 - 1.0 / 64.0) - 1.0);
  }
  CHECK(histogram.max() == values.back());
}

TEST_CASE("histogram: two merged: as if one had seen all") {
  Histogram one;
  Histogram other;
  Histogram both;
  for (std::uint64_t i = 1; i < 5'000; ++i) {
    (i % 3 == 0 ? one : other).add(i * i);
    both.add(i * i);
  }
  one.merge(other);
  CHECK(one.total() == both.total());
  CHECK(one.max() == both.max());
  for (const double quantile : {0.0, 0.25, 0.5, 0.75, 0.99}) CHECK(one.quantile(quantile) == both.quantile(quantile));
}

TEST_CASE("histogram: nothing measured: zero") {
  const Histogram histogram;
  CHECK(histogram.quantile(0.5) == 0);
  CHECK(histogram.max() == 0);
}
