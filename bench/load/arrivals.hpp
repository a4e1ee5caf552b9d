#pragma once
/// When people arrive in the open loop: a Poisson process, the same for the same rate and seed. Nothing that the server
/// does changes an intended start, so waiting for a slow answer counts (no coordinated omission). For one thread.

#include <chrono>
#include <cstdint>
#include <random>

namespace usher::bench {

class Arrivals {
 public:
  using Clock = std::chrono::steady_clock;

  /// Requires: rate_per_s > 0.
  Arrivals(double rate_per_s, std::uint64_t seed) : random_(seed), gap_s_(rate_per_s) {}

  void begin(Clock::time_point now) {
    next_ = now;
    advance();
  }
  [[nodiscard]] Clock::time_point next() const noexcept { return next_; }
  void advance() {
    next_ += std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(gap_s_(random_)));
  }

 private:
  std::mt19937_64 random_;
  std::exponential_distribution<double> gap_s_;
  Clock::time_point next_{};
};

}  // namespace usher::bench
