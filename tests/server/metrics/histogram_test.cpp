#include "server/metrics/histogram.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

using namespace usher::server::metrics;

TEST_CASE("histogram: buckets: follow each other without gap or overlap, at most 1/64 wide") {
  for (std::size_t bucket = 0; bucket < histogram::bucket_count; ++bucket) {
    const std::uint64_t low = histogram::lower_bound(bucket);
    const std::uint64_t high = histogram::lower_bound(bucket + 1);
    REQUIRE(low < high);
    REQUIRE(histogram::bucket_of(low) == bucket);
    REQUIRE(histogram::bucket_of(high - 1) == bucket);
    REQUIRE((high - low - 1) * 64 <= low);
  }
  CHECK(histogram::lower_bound(histogram::bucket_count) == std::uint64_t{1} << histogram::value_bits);
  CHECK(histogram::bucket_of(~std::uint64_t{0}) == histogram::bucket_count - 1);
}

TEST_CASE("histogram: quantiles: within 1.6 percent of the sorted values") {
  const auto recorded = std::make_unique<Histogram>();
  std::vector<std::uint64_t> values;
  std::mt19937_64 random{7};
  for (int i = 0; i < 20'000; ++i) {
    values.push_back(std::uint64_t{1} << (random() % 36));
    values.back() += random() % values.back();
    recorded->record(values.back());
  }
  std::sort(values.begin(), values.end());
  const auto totals = std::make_unique<HistogramTotals>();
  recorded->add_to(*totals);
  CHECK(totals->count == values.size());
  for (const double quantile : {0.0, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    CAPTURE(quantile);
    const auto rank = std::max<std::size_t>(1, static_cast<std::size_t>(quantile * static_cast<double>(values.size())));
    const auto exact = static_cast<double>(values[rank - 1]);
    CHECK(static_cast<double>(totals->quantile(quantile)) >= exact);
    CHECK(static_cast<double>(totals->quantile(quantile)) <= exact * (1 + 1.0 / 64));
  }
}

TEST_CASE("histogram: count below: is exact at a bucket's bound") {
  Histogram recorded;
  for (const std::uint64_t value : {0U, 16'383U, 16'384U, 16'385U, 24'576U}) recorded.record(value);
  HistogramTotals totals;
  recorded.add_to(totals);
  CHECK(totals.count_below(16'384) == 2);
  CHECK(totals.count_below(24'576) == 4);
  CHECK(totals.count_below(0) == 0);
  CHECK(totals.sum == 73'728);
}

TEST_CASE("histogram: empty: every quantile is 0") {
  const HistogramTotals totals;
  CHECK(totals.quantile(0.5) == 0);
}
