#pragma once
/// Hall: one show's seats as a person at the map sees them, and how a group chooses among them. For one thread.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/flash_sale/arrivals.hpp"

namespace usher::flash {

enum class SeatState : std::uint8_t { available, reserved, booked };

class Hall {
 public:
  /// Reads a whole seat map: places, types and states. Returns: false when it is no seat map.
  [[nodiscard]] bool learn(std::string_view seat_map);
  /// Reads the states alone; cheap, since the seats of one server's maps stand at one distance from another. A map
  /// that looks different is learnt anew. Returns: false when it is no seat map.
  [[nodiscard]] bool update(std::string_view seat_map);

  [[nodiscard]] bool known() const noexcept { return !labels_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return labels_.size(); }
  [[nodiscard]] const std::string& label(std::size_t seat) const { return labels_[seat]; }
  [[nodiscard]] SeatState state(std::size_t seat) const { return states_[seat]; }
  [[nodiscard]] std::uint32_t available() const noexcept { return available_; }
  [[nodiscard]] std::int64_t price(std::size_t seat) const { return prices_[seat]; }
  [[nodiscard]] std::int64_t start_ms() const noexcept { return start_ms_; }

  /// A free group of `count` seats side by side: the nearest to the best place of the hall is taken with probability
  /// `centre`, else the next nearest, and so on. A smaller group where there is none of that size.
  /// Returns: the seats, ascending; none when nothing is free.
  [[nodiscard]] std::vector<std::uint32_t> choose(std::size_t count, double centre, Random& random) const;

 private:
  /// Groups of one size, the nearest to the focal point first; by their first seat.
  void rank();
  [[nodiscard]] bool free(std::uint32_t first, std::size_t count) const noexcept;
  [[nodiscard]] bool scan_states(std::string_view seat_map);
  [[nodiscard]] bool read_states(std::string_view seats);

  static constexpr std::size_t group_max = 10;

  std::vector<std::string> labels_;
  std::vector<std::string> rows_;
  std::vector<double> x_;
  std::vector<double> y_;
  std::vector<bool> ordinary_;  ///< neither accessible nor companion: those are left to who needs them
  std::vector<std::int64_t> prices_;
  std::vector<SeatState> states_;
  std::vector<std::size_t> state_at_;  ///< bytes from the begin of the seats to the first letter of each state
  std::vector<std::vector<std::uint32_t>> ranked_;
  double focal_x_ = 0;
  double focal_y_ = 0;
  std::uint32_t available_ = 0;
  std::int64_t start_ms_ = 0;
};

/// Returns: milliseconds since 1970 of an RFC 3339 time in UTC such as 2026-11-24T18:30:00.250Z; 0 for anything else.
[[nodiscard]] std::int64_t parse_time_ms(std::string_view text);

}  // namespace usher::flash
