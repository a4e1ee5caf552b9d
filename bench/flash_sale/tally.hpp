#pragma once
/// Tally: counts and latencies of a sale, by kind of call and by second. For one thread.

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "bench/load/histogram.hpp"

namespace usher::flash {

enum class CallKind : std::uint8_t { browse, seat_map, queue, reserve, release, book, cancel, history, count_ };
inline constexpr std::array<std::string_view, static_cast<std::size_t>(CallKind::count_)> call_names{
    "browse", "seat_map", "queue", "reserve", "release", "book", "cancel", "history"};

/// How a person's visit ended.
enum class Outcome : std::uint8_t {
  booked,
  cancelled,   ///< booked, and cancelled all of it later
  abandoned,   ///< let the reservation expire
  released,    ///< gave the seats back
  declined,    ///< had no card that was taken
  sold_out,    ///< saw full houses only
  outrun,      ///< others were faster, again and again
  held_off,    ///< limits and cool-downs: 429
  overloaded,  ///< the server had no room: 503
  too_late,    ///< the reservation was over before the card
  failed,      ///< no answer, or one that makes no sense
  count_
};
inline constexpr std::array<std::string_view, static_cast<std::size_t>(Outcome::count_)> outcome_names{
    "booked", "cancelled", "abandoned",  "released", "declined", "sold_out",
    "outrun", "held_off",  "overloaded", "too_late", "failed"};

struct CallTally {
  bench::Histogram latency;  ///< from the intended start
  std::map<int, std::uint64_t> by_status;
  std::uint64_t lost = 0;
};

/// What happened in one second.
struct Second {
  std::uint32_t arrivals = 0;
  std::uint32_t answers = 0;
  std::uint32_t reserved = 0;   ///< 201 of reserve
  std::uint32_t booked = 0;     ///< 201 of book
  std::uint32_t conflicts = 0;  ///< 409
  std::uint32_t limited = 0;    ///< 429
  std::uint32_t refused = 0;    ///< 503
  std::uint32_t in_flight = 0;  ///< at its end, those in line too
  std::uint32_t seats_left = 0;
  std::uint32_t connections = 0;
  double reserve_p50_ms = 0;
  double reserve_p99_ms = 0;
  double p99_ms = 0;  ///< of all calls
};

class Tally {
 public:
  using Nanoseconds = std::chrono::nanoseconds;

  void arrival() noexcept { ++second_.arrivals; }
  void answer(CallKind kind, int status, Nanoseconds latency);
  void lost(CallKind kind) noexcept { ++calls_[static_cast<std::size_t>(kind)].lost; }
  void outcome(Outcome outcome) noexcept { ++outcomes_[static_cast<std::size_t>(outcome)]; }
  /// How much later than intended the generator itself got to something.
  void late(Nanoseconds by) noexcept { late_.add(static_cast<std::uint64_t>(by.count() > 0 ? by.count() : 0)); }

  /// Closes the second that is under way. Returns: what happened in it.
  const Second& next_second(std::uint32_t in_flight, std::uint32_t seats_left, std::uint32_t connections);

  [[nodiscard]] const CallTally& call(CallKind kind) const noexcept { return calls_[static_cast<std::size_t>(kind)]; }
  [[nodiscard]] std::uint64_t outcomes(Outcome outcome) const noexcept {
    return outcomes_[static_cast<std::size_t>(outcome)];
  }
  [[nodiscard]] std::uint64_t status(CallKind kind, int status) const;
  [[nodiscard]] std::uint64_t status(int status) const;
  [[nodiscard]] std::uint64_t finished() const noexcept;
  [[nodiscard]] std::uint64_t answers() const noexcept { return answers_; }
  [[nodiscard]] const std::vector<Second>& seconds() const noexcept { return seconds_; }
  [[nodiscard]] const bench::Histogram& lateness() const noexcept { return late_; }

 private:
  std::array<CallTally, static_cast<std::size_t>(CallKind::count_)> calls_;
  std::array<std::uint64_t, static_cast<std::size_t>(Outcome::count_)> outcomes_{};
  std::vector<Second> seconds_;
  Second second_;
  bench::Histogram second_latency_;
  bench::Histogram second_reserve_;
  bench::Histogram late_;
  std::uint64_t answers_ = 0;
};

[[nodiscard]] inline double to_ms(std::uint64_t nanoseconds) noexcept {
  return static_cast<double>(nanoseconds) / 1e6;
}

}  // namespace usher::flash
