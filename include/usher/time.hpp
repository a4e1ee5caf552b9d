#pragma once
/// Time as types. Decisions know one resolution: milliseconds since the Unix epoch, UTC, without leap seconds.

#include <chrono>
#include <cstdint>

namespace usher {

using Duration = std::chrono::milliseconds;
using Instant = std::chrono::sys_time<std::chrono::milliseconds>;

[[nodiscard]] constexpr Instant instant_from_ms(std::int64_t ms) noexcept {
  return Instant{Duration{ms}};
}
[[nodiscard]] constexpr std::int64_t to_ms(Instant instant) noexcept {
  return instant.time_since_epoch().count();
}

/// Where time comes from. One reading per loop cycle, handed down from there; nothing in engine/ reads a clock.
/// Implementations are for one thread each.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Never goes back (DESIGN 4.6).
  [[nodiscard]] virtual Instant now() noexcept = 0;
};

}  // namespace usher
