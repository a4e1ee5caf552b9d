#pragma once
/// ShardClock: the time that shards decide by (DESIGN 4.6): begins at the later of the wall clock and the highest time
/// in the log, runs with the monotonic clock, is slewed towards the wall clock by at most 500 ppm, and never goes back.
/// One per loop, for its thread.

#include <algorithm>
#include <cstdint>
#include <ctime>

#include "usher/mutant.hpp"
#include "usher/time.hpp"

namespace usher::server {

/// What a ShardClock reads. Tests give others.
struct ClockSources {
  std::int64_t (*monotonic_ns)() noexcept;
  std::int64_t (*wall_ns)() noexcept;
};

namespace detail {
inline std::int64_t read_clock(clockid_t id) noexcept {
  timespec now{};
  ::clock_gettime(id, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}
}  // namespace detail

/// CLOCK_BOOTTIME goes on while the machine sleeps: a reservation ages with the people who hold it.
inline constexpr ClockSources system_clocks{[]() noexcept { return detail::read_clock(CLOCK_BOOTTIME); },
                                            []() noexcept { return detail::read_clock(CLOCK_REALTIME); }};

class ShardClock final : public Clock {
 public:
  static constexpr std::int64_t slew_ppm = 500;

  explicit ShardClock(ClockSources sources = system_clocks) noexcept : sources_(sources) { start(Instant{}); }

  /// Begins anew, not before `logged`.
  void start(Instant logged) noexcept {
    monotonic_ns_ = sources_.monotonic_ns();
    time_ns_ = std::max(sources_.wall_ns(),
                        USHER_MUTANT(26, "time goes back with the wall clock") ? 0 : to_ms(logged) * 1'000'000);
  }

  [[nodiscard]] Instant now() noexcept override {
    const std::int64_t monotonic_ns = sources_.monotonic_ns();
    const std::int64_t elapsed = std::max<std::int64_t>(monotonic_ns - monotonic_ns_, 0);
    monotonic_ns_ = monotonic_ns;
    const std::int64_t behind = sources_.wall_ns() - (time_ns_ + elapsed);
    const std::int64_t slew_max = elapsed / (1'000'000 / slew_ppm);
    time_ns_ += elapsed + std::clamp(behind, -slew_max, slew_max);
    return instant_from_ms(time_ns_ / 1'000'000);
  }

 private:
  ClockSources sources_;
  std::int64_t monotonic_ns_ = 0;
  std::int64_t time_ns_ = 0;
};

/// How far the wall clock may lie behind the log without `--accept-clock`.
inline constexpr Duration clock_behind_max{std::chrono::minutes{5}};

}  // namespace usher::server
