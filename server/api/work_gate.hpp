#pragma once
/// WorkGate: whether a loop takes on a request, decided from its route alone, before its JSON is read (DESIGN 4.9). It
/// looks at how many answers wait for the log and how old those are that leave, and, where `server.work_limit` is set,
/// at a token bucket. Looking is given up before selling: it has caches in front of it, and its readers ask again. For
/// the loop's thread only.

#include <algorithm>
#include <cstdint>

#include "usher/time.hpp"

namespace usher::server::api {

enum class Work : std::uint8_t {
  free,     ///< health, metrics, the operators: always taken on
  selling,  ///< what a shard decides
  looking   ///< what only reads
};

struct WorkLimits {
  std::uint32_t waiting_max = 24'576;         ///< answers that wait: three quarters of the outbox
  std::uint32_t waiting_min = 4'096;          ///< below it age says nothing: one slow sync is no overload
  Duration age_max{std::chrono::seconds{1}};  ///< of the answers that leave
  double per_second = 0;                      ///< of this loop; 0: no limit
};

class WorkGate {
 public:
  explicit WorkGate(const WorkLimits& limits) noexcept : limits_(limits), tokens_(burst()) {}

  /// `waiting`: answers that wait for the log.
  [[nodiscard]] bool admit(Work work, Instant now, std::uint32_t waiting) noexcept {
    if (work == Work::free) return true;
    // looking may fill half of what selling may fill
    const std::uint32_t share = work == Work::looking ? 2 : 1;
    if (waiting > limits_.waiting_max / share) return false;
    if (waiting > limits_.waiting_min / share && age_us_ > age_max_us() / share) return false;
    return take(work, now);
  }
  /// An answer has left that was asked for so long ago.
  void note_age(std::uint32_t age_us) noexcept { age_us_ = age_us; }

 private:
  static constexpr double burst_seconds = 0.1;
  [[nodiscard]] double burst() const noexcept { return std::max(1.0, limits_.per_second * burst_seconds); }
  [[nodiscard]] std::uint32_t age_max_us() const noexcept {
    return static_cast<std::uint32_t>(std::min<std::int64_t>(limits_.age_max.count(), 60'000) * 1'000);
  }
  [[nodiscard]] bool take(Work work, Instant now) noexcept {
    if (limits_.per_second <= 0) return true;
    const double seconds = static_cast<double>((now - filled_).count()) / 1e3;
    if (seconds > 0) {
      tokens_ = std::min(burst(), tokens_ + seconds * limits_.per_second);
      filled_ = now;
    }
    // the last half of the bucket is for those who buy
    if (tokens_ < (work == Work::looking ? std::max(1.0, burst() / 2) : 1.0)) return false;
    tokens_ -= 1;
    return true;
  }

  const WorkLimits limits_;
  std::uint32_t age_us_ = 0;
  double tokens_;
  Instant filled_{};
};

}  // namespace usher::server::api
