#pragma once
/// A booking as a calendar entry (RFC 5545). Pure; any thread.

#include <string>

#include "server/tickets/ticket_sheet.hpp"

namespace usher::server::tickets {

/// One VEVENT whose UID is the booking's id, so that a later fetch updates the entry instead of adding one: SEQUENCE
/// grows with each cancelled ticket, and when none is left STATUS and METHOD say that it is cancelled (RFC 5546
/// section 3.2.5). Times are UTC; lines are folded at 75 bytes and end in CR LF.
[[nodiscard]] std::string booking_calendar(const BookingFacts& booking, Instant now);

}  // namespace usher::server::tickets
