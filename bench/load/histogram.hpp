#pragma once
/// Latencies in log-linear buckets: 64 linear steps per power of two, so a percentile is off by at most 1.6 %. For one
/// thread; merge() joins those of several.

#include <array>
#include <bit>
#include <cstdint>

namespace usher::bench {

class Histogram {
 public:
  void add(std::uint64_t nanoseconds) noexcept {
    ++counts_[bucket_of(nanoseconds)];
    ++total_;
    if (nanoseconds > max_) max_ = nanoseconds;
  }
  void merge(const Histogram& other) noexcept {
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
    total_ += other.total_;
    if (other.max_ > max_) max_ = other.max_;
  }
  /// Returns: the lower bound of the bucket that holds the `fraction` quantile, in nanoseconds; 0 when empty.
  [[nodiscard]] std::uint64_t quantile(double fraction) const noexcept {
    const auto wanted = static_cast<std::uint64_t>(fraction * static_cast<double>(total_));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen > wanted) return floor_of(i);
    }
    return max_;
  }
  [[nodiscard]] std::uint64_t max() const noexcept { return max_; }
  [[nodiscard]] std::uint64_t total() const noexcept { return total_; }

 private:
  static constexpr unsigned step_bits = 6;

  static std::size_t bucket_of(std::uint64_t value) noexcept {
    if (value < (1U << step_bits)) return static_cast<std::size_t>(value);
    const auto power = static_cast<unsigned>(std::bit_width(value)) - 1U;
    const std::uint64_t step = (value >> (power - step_bits)) & ((1U << step_bits) - 1U);
    return ((static_cast<std::size_t>(power) - step_bits + 1U) << step_bits) + static_cast<std::size_t>(step);
  }
  static std::uint64_t floor_of(std::size_t bucket) noexcept {
    if (bucket < (1U << step_bits)) return bucket;
    const std::size_t power = (bucket >> step_bits) + step_bits - 1U;
    const std::uint64_t step = bucket & ((1U << step_bits) - 1U);
    return (std::uint64_t{1} << power) + (step << (power - step_bits));
  }

  std::array<std::uint64_t, (64U - step_bits + 1U) << step_bits> counts_{};
  std::uint64_t total_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace usher::bench
