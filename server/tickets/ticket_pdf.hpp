#pragma once
/// A ticket to print: one page in A4 with the QR code and what a person at the door wants to read, by libharu. Pure;
/// any thread, but for milliseconds: for the work pool.

#include <string>
#include <vector>

#include "server/tickets/ticket_sheet.hpp"
#include "usher/result.hpp"

namespace usher::server::tickets {

/// One page per ticket that is not cancelled; all tickets, crossed out in words, where all are.
/// Text is set in DejaVu Sans where the system has it (package fonts-dejavu-core), so that every title can be read;
/// else in Helvetica, and letters beyond Latin-1 become "?". Returns: `io` with libharu's error number.
[[nodiscard]] Result<std::string> tickets_pdf(const ShowFacts& show, const std::vector<TicketFacts>& tickets,
                                              const Id& booking);

}  // namespace usher::server::tickets
