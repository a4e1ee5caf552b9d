#include "bench/flash_sale/tally.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

using namespace usher::flash;
using std::chrono::milliseconds;
using usher::bench::Histogram;

TEST_CASE("histogram: quantiles of many values: within 1.6 % of the exact ones") {
  std::mt19937_64 random(9);
  std::lognormal_distribution<double> draw(14, 2);
  std::vector<std::uint64_t> values;
  Histogram histogram;
  for (int i = 0; i < 100'000; ++i) {
    values.push_back(static_cast<std::uint64_t>(draw(random)));
    histogram.add(values.back());
  }
  std::sort(values.begin(), values.end());
  for (const double quantile : {0.01, 0.5, 0.9, 0.99, 0.999}) {
    const auto exact = static_cast<double>(values[static_cast<std::size_t>(quantile * 100'000)]);
    CHECK(static_cast<double>(histogram.quantile(quantile)) == doctest::Approx(exact).epsilon(0.016));
  }
  CHECK(histogram.max() == values.back());
}

TEST_CASE("histogram: nothing, and the smallest and largest values: no surprise") {
  Histogram histogram;
  CHECK(histogram.quantile(0.5) == 0);
  histogram.add(0);
  CHECK(histogram.quantile(0.99) == 0);
  histogram.add(~0ULL);
  CHECK(histogram.max() == ~0ULL);
  CHECK(histogram.quantile(0.99) > ~0ULL / 100 * 98);
}

TEST_CASE("histogram: two halves merged: as if it had been one") {
  Histogram one;
  Histogram two;
  Histogram all;
  for (std::uint64_t value = 1; value < 10'000; ++value) {
    (value % 2 == 0 ? one : two).add(value * 1'000);
    all.add(value * 1'000);
  }
  one.merge(two);
  for (const double quantile : {0.1, 0.5, 0.99}) CHECK(one.quantile(quantile) == all.quantile(quantile));
}

TEST_CASE("tally: answers: counted by kind, status and second") {
  Tally tally;
  tally.arrival();
  tally.answer(CallKind::reserve, 201, milliseconds{5});
  tally.answer(CallKind::reserve, 409, milliseconds{7});
  tally.answer(CallKind::book, 201, milliseconds{9});
  tally.answer(CallKind::browse, 503, milliseconds{1});
  tally.lost(CallKind::book);
  const Second first = tally.next_second(4, 100, 7);
  CHECK(first.arrivals == 1);
  CHECK(first.answers == 4);
  CHECK(first.reserved == 1);
  CHECK(first.booked == 1);
  CHECK(first.conflicts == 1);
  CHECK(first.refused == 1);
  CHECK(first.in_flight == 4);
  CHECK(first.reserve_p50_ms == doctest::Approx(7).epsilon(0.02));
  CHECK(tally.next_second(0, 99, 7).answers == 0);
  CHECK(tally.seconds().size() == 2);
  CHECK(tally.status(CallKind::reserve, 201) == 1);
  CHECK(tally.status(201) == 2);
  CHECK(tally.status(429) == 0);
  CHECK(tally.call(CallKind::book).lost == 1);
}

TEST_CASE("tally: outcomes: who is gone is finished") {
  Tally tally;
  tally.outcome(Outcome::booked);
  tally.outcome(Outcome::outrun);
  tally.outcome(Outcome::outrun);
  CHECK(tally.outcomes(Outcome::outrun) == 2);
  CHECK(tally.finished() == 3);
}
