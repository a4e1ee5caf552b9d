#pragma once
/// Durations in nanoseconds, counted log-linearly: each octave has 64 equal buckets, so that a bucket is at most 1/64
/// (1.6 %) wide, and recording is a shift and an addition. The scheme is that of Gil Tene's HdrHistogram.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "server/metrics/count.hpp"

namespace usher::server::metrics {

namespace histogram {

inline constexpr unsigned sub_bits = 6;
inline constexpr std::size_t per_octave = std::size_t{1} << sub_bits;
/// Longest duration told from longer ones: 2^37 ns, about 137 s.
inline constexpr unsigned value_bits = 37;
inline constexpr std::size_t bucket_count = (value_bits - sub_bits + 1) * per_octave;

/// Which bucket a value falls into; values that are too large fall into the last.
[[nodiscard]] constexpr std::size_t bucket_of(std::uint64_t value) noexcept {
  if (value < per_octave) return static_cast<std::size_t>(value);
  if (value >> value_bits != 0) return bucket_count - 1;
  const auto shift = static_cast<unsigned>(std::bit_width(value)) - 1U - sub_bits;
  return (std::size_t{shift} << sub_bits) + static_cast<std::size_t>(value >> shift);
}
/// The least value of a bucket; of `bucket_count`, the first that is too large.
[[nodiscard]] constexpr std::uint64_t lower_bound(std::size_t bucket) noexcept {
  if (bucket < per_octave) return bucket;
  const std::size_t shift = (bucket >> sub_bits) - 1U;
  return ((bucket & (per_octave - 1U)) + per_octave) << shift;
}

}  // namespace histogram

/// The sum of histograms at a scrape. Plain data.
struct HistogramTotals {
  std::array<std::uint64_t, histogram::bucket_count> buckets{};
  std::uint64_t count = 0;
  std::uint64_t sum = 0;  ///< nanoseconds

  /// The value that a share of `quantile` (0 to 1) of all does not exceed, within 1.6 %. 0 when nothing was recorded.
  [[nodiscard]] std::uint64_t quantile(double quantile) const noexcept;
  /// How many were less than `bound`. Exact where `bound` is a bucket's lower bound.
  [[nodiscard]] std::uint64_t count_below(std::uint64_t bound) const noexcept;
};

/// One thread records, any thread may add it to totals. 16 KiB, of which only the buckets in use are ever touched.
class Histogram {
 public:
  void record(std::uint64_t nanoseconds) noexcept {
    buckets_[histogram::bucket_of(nanoseconds)].add();
    sum_.add(nanoseconds);
  }
  void add_to(HistogramTotals& totals) const noexcept;

 private:
  std::array<Count, histogram::bucket_count> buckets_;
  Count sum_;
};

}  // namespace usher::server::metrics
