#pragma once
/// What stands on a ticket, in words: the facts that PDF, calendar and mails are made from. Plain values, copied out of
/// a catalog snapshot, so that they may be used on any thread.

#include <cstdint>
#include <string>
#include <vector>

#include "engine/catalog/snapshot.hpp"
#include "server/tickets/ticket_keys.hpp"
#include "usher/command.hpp"

namespace usher::engine {
class Layout;
}

namespace usher::server::tickets {

/// When a ticket opens a gate.
struct ValidityRule {
  Duration before_start{};
  Duration after_end{};
};

/// The show of a booking.
struct ShowFacts {
  std::string show_id;
  std::string movie;
  std::string theater;
  std::string address;
  std::string screen;
  std::string time_zone;   ///< IANA name
  std::string local_time;  ///< "2026-11-26 19:30 CET"
  Instant start{};
  Instant end{};
};

struct TicketFacts {
  Id id;
  std::string seat;
  Money price;
  std::string code;  ///< what the QR says
  bool cancelled = false;
  bool used = false;
};

struct BookingFacts {
  Id id;
  ShowFacts show;
  Instant booked_at{};
  Money total;
  std::vector<TicketFacts> tickets;
  std::uint32_t changes = 0;  ///< grows with each cancellation: the calendar's SEQUENCE
  [[nodiscard]] bool cancelled() const noexcept;
};

[[nodiscard]] ShowFacts show_facts(const engine::Snapshot& snapshot, std::string_view show_id,
                                   const engine::ShowRow& row);

/// The code of the ticket at `position` of a booking. Signs, so it takes 30 us.
[[nodiscard]] std::string ticket_code(const TicketKeys& keys, const ValidityRule& rule, const Reply& booking,
                                      const engine::ShowRow& row, const engine::Layout& layout, std::uint32_t position,
                                      Instant now);

/// Everything of a booking. Signs each ticket.
[[nodiscard]] BookingFacts booking_facts(const engine::Snapshot& snapshot, const TicketKeys& keys,
                                         const ValidityRule& rule, const Reply& booking, std::string_view show_id,
                                         const engine::ShowRow& row, const engine::Layout& layout, Instant now);

/// "15.00 USD": with the minor units of ISO 4217.
[[nodiscard]] std::string money_text(const Money& money);

}  // namespace usher::server::tickets
