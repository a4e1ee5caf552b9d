#pragma once

#include <cstdint>
#include <iosfwd>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "usher/result.hpp"

/// A recorded history: what clients asked of shows and were told, with when they asked and when they were told.
///
/// As text, one operation a line, in any order; `#` opens a comment. Times are integers in one unit of one clock, for
/// which invoked <= returned; a `-` in the place of `returned` is "never".
/// ```
/// history   = line*
/// line      = "show" NAME seat_count | INVOKED RETURNED CLIENT SHOW operation
/// operation = "reserve" R SEATS ("ok" | "unknown")        R names the reservation from here on
///           | "refused" SEATS SEATS                       409: what was asked for, and all of it that was taken
///           | "release" R ("ok" | "gone" | "unknown")     gone: R is not reserved
///           | "book" R ("ok" | "declined" | "gone" | "unknown")    declined: R stays reserved
///           | "cancel" R ("ok" | "gone" | "unknown")      of a booking; gone: R is not booked
///           | "read" R ("reserved" | "booked" | "gone")
///           | "expire" R                                  the deadline falls into this interval; nothing if R is
///           booked or gone | "map" STATES                                one of F, R, B per seat: free, reserved,
///           booked
/// SEATS     = seat index, from 0, joined by commas
/// ```
/// `unknown` with a time in `returned`: it took effect by then or never (the server died then); with `-`: at any time
/// later, or never.
namespace usher::history {

using Time = std::int64_t;
inline constexpr Time never = std::numeric_limits<Time>::max();

enum class Kind : std::uint8_t { reserve, refused, release, book, cancel, read, expire, map };
enum class Outcome : std::uint8_t { ok, unknown, declined, gone, reserved, booked };

struct Operation {
  Time invoked = 0;
  Time returned = never;
  std::uint32_t show = 0;
  std::uint32_t reservation = 0;  // index into History::reservations, of all kinds but `refused` and `map`
  std::uint32_t first = 0;        // of its seats (refused: those taken) or states, in History::seats or ::states
  std::uint32_t count = 0;
  std::uint32_t also_first = 0;  // refused: all that were asked for
  std::uint32_t also_count = 0;
  std::uint32_t client = 0;
  Kind kind = Kind::map;
  Outcome outcome = Outcome::ok;
};

struct Show {
  std::string name;
  std::uint32_t seat_count = 0;
};

struct History {
  std::vector<Show> shows;
  std::vector<Operation> operations;
  std::vector<std::string> reservations;  // their names
  std::vector<std::string> clients;
  std::vector<std::uint32_t> seats;
  std::string states;
};

/// Reads the text form. Errors name line and rule.
[[nodiscard]] Result<History> read_history(std::string_view text);

/// The line of one operation, as read_history() takes it, without its line feed.
[[nodiscard]] std::string line_of(const History& history, const Operation& operation);

void write_history(const History& history, std::ostream& out);

}  // namespace usher::history
