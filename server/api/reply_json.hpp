#pragma once
/// From the engine's answers to the JSON of DESIGN 7. Pure functions; any thread.

#include "server/api/catalog_view.hpp"
#include "server/http/response.hpp"
#include "server/json/writer.hpp"
#include "server/tickets/ticket_sheet.hpp"
#include "usher/command.hpp"

namespace usher::server::api {

/// Makes what stands on tickets as of `now`. Cheap to make and copy; what it refers to outlives the loops.
struct TicketMaker {
  const tickets::TicketKeys& keys;
  tickets::ValidityRule rule;
  Instant now{};

  /// The signed code of the ticket at `position` of the booking.
  [[nodiscard]] std::string code(const Reply& booking, const ShowRef& show, std::uint32_t position) const {
    return tickets::ticket_code(keys, rule, booking, *show.row, *show.layout, position, now);
  }
  [[nodiscard]] tickets::BookingFacts facts(const engine::Snapshot& snapshot, const Reply& booking,
                                            const ShowRef& show) const {
    return tickets::booking_facts(snapshot, keys, rule, booking, show.id, *show.row, *show.layout, now);
  }
};

/// 201 of reserve and 200 of GET /reservations/{id}.
void write_reservation(json::Writer& json, const Reply& reply, const ShowRef& show);
/// A booking with its tickets, each of which is signed.
void write_booking(json::Writer& json, const Reply& reply, const ShowRef& show, const TicketMaker& tickets);
/// 200 of cancel; `preview` leaves the status out and says what would come back.
void write_cancellation(json::Writer& json, const Reply& reply, const ShowRef& show, bool preview);
/// Any refusal as problem+json, with what belongs to it (unavailable_seats, retry_at, decline_code, expires_at).
/// `show` may be null where the show is not known.
void write_refusal(json::Writer& json, const Reply& reply, const ShowRef* show);

/// The wire's word for a booking: confirmed, cancelled or refunded.
[[nodiscard]] std::string_view booking_status(ReservationState state) noexcept;

/// The same for a reservation: reserved, paying, booked, cancelled, refunded or expired.
[[nodiscard]] std::string_view reservation_status(ReservationState state) noexcept;

/// The HTTP status of an answer.
[[nodiscard]] std::uint16_t status_of(const Reply& reply) noexcept;

}  // namespace usher::server::api
