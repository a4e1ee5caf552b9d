#pragma once
/// Ledger: what the people of a sale were told, in the order in which they were told it. One JSON object per line when
/// written down. It knows nothing of the server but its answers. For one thread.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "usher/result.hpp"

namespace usher::flash {

/// What an answer meant, or that none came: then the request may or may not have had its effect.
enum class Told : std::uint8_t {
  reserved,         ///< 201: show, reservation, seats, amount, lsn, at, until
  released,         ///< 204: reservation
  booked,           ///< 201: reservation, booking, seats, amount, lsn
  declined,         ///< 402: reservation
  cancelled,        ///< 200: booking, seats (none: all), amount = refund, percent, lsn, at
  reserve_unknown,  ///< show, seats
  release_unknown,  ///< reservation
  book_unknown,     ///< reservation
  cancel_unknown,   ///< booking, seats (none: all)
  count_
};

struct Entry {
  Told told{};
  std::uint32_t person = 0;
  std::string show{};
  std::string reservation{};
  std::string booking{};
  std::vector<std::string> seats{};
  std::int64_t amount = 0;  ///< minor units
  std::uint32_t percent = 0;
  std::uint64_t lsn = 0;
  std::int64_t at_ms = 0;     ///< by the server's clock, since 1970
  std::int64_t until_ms = 0;  ///< expires_at
  bool operator==(const Entry&) const = default;
};

using Ledger = std::vector<Entry>;

[[nodiscard]] std::string_view to_string(Told told) noexcept;
/// One line without its end. Members that mean nothing for the entry are left out.
[[nodiscard]] std::string to_line(const Entry& entry);
/// Writes the lines to a file. Returns: io.
[[nodiscard]] Status write_ledger(const std::string& file, const Ledger& ledger);
/// Returns: not_found, or invalid with file and line.
[[nodiscard]] Result<Ledger> read_ledger(const std::string& file);

}  // namespace usher::flash
