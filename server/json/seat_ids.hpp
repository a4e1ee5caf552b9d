#pragma once
/// The short way for what a sale is made of: {"seat_ids":["F12","F13"]}, and a reserve's line of /commands. A single
/// pass without a parser, allocation or copy. It never refuses: whatever it does not recognise (an escape, another
/// field, a label that is too long) is left to the Reader, which finds the words for it.

#include <array>
#include <cstddef>
#include <string_view>

#include "usher/limits.hpp"

namespace usher::server::json {

struct SeatIds {
  std::array<std::string_view, limits::seats_per_request_max> labels;
  std::size_t count = 0;
};

/// Returns: true when `body` is exactly an object with the one field `seat_ids`, an array of 1 to 32 strings of 1 to 15
/// printable ASCII bytes without escapes; `out` then has views into `body`. False says nothing about the body.
[[nodiscard]] bool read_seat_ids(std::string_view body, SeatIds& out) noexcept;

/// A line of /commands that reserves seats.
struct ReserveLine {
  std::string_view user_id;  ///< empty: not given
  std::string_view show_id;
  SeatIds seats;
};

/// Returns: true when `line` is exactly an object of `command` "reserve", `show_id`, `seat_ids`, and perhaps `user_id`,
/// each once and in any order, all strings as above and within their limits. False says nothing about the line.
[[nodiscard]] bool read_reserve_line(std::string_view line, ReserveLine& out) noexcept;

}  // namespace usher::server::json
