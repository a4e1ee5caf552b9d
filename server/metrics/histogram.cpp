#include "server/metrics/histogram.hpp"

#include <algorithm>
#include <cmath>

namespace usher::server::metrics {

std::uint64_t HistogramTotals::quantile(double quantile) const noexcept {
  if (count == 0) return 0;
  const double wanted = std::ceil(std::clamp(quantile, 0.0, 1.0) * static_cast<double>(count));
  const std::uint64_t rank = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(wanted));
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < buckets.size(); ++bucket) {
    seen += buckets[bucket];
    if (seen >= rank) return histogram::lower_bound(bucket + 1) - 1;
  }
  return histogram::lower_bound(histogram::bucket_count) - 1;
}

std::uint64_t HistogramTotals::count_below(std::uint64_t bound) const noexcept {
  std::uint64_t below = 0;
  const std::size_t end = histogram::bucket_of(bound);
  for (std::size_t bucket = 0; bucket < end; ++bucket) below += buckets[bucket];
  return below;
}

void Histogram::add_to(HistogramTotals& totals) const noexcept {
  for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
    const std::uint64_t amount = buckets_[bucket].value();
    totals.buckets[bucket] += amount;
    totals.count += amount;
  }
  totals.sum += sum_.value();
}

}  // namespace usher::server::metrics
