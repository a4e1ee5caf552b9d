#pragma once
/// From the engine's answers to the JSON of DESIGN 7. Pure functions; any thread.

#include "server/api/catalog_view.hpp"
#include "server/api/ticket_code.hpp"
#include "server/http/response.hpp"
#include "server/json/writer.hpp"
#include "usher/command.hpp"

namespace usher::server::api {

/// 201 of reserve and 200 of GET /reservations/{id}.
void write_reservation(json::Writer& json, const Reply& reply, const ShowRef& show);
/// A booking with its tickets.
void write_booking(json::Writer& json, const Reply& reply, const ShowRef& show, const TicketSigner& signer);
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
