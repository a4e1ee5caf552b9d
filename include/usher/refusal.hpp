#pragma once
/// A refusal is a command that changed nothing, with its reason. Declared in order of precedence: where several fit,
/// the first is given. One table maps each to its HTTP status and `code`; a test walks the enum and sees each produced.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace usher {

enum class Refusal : std::uint8_t {
  none = 0,
  // the server's state: nothing of the command was looked at
  mailbox_full,
  log_behind,
  disk_nearly_full,
  draining,
  // fair use: counted before anything else
  address_rate_limited,
  user_rate_limited,
  // idempotency
  idempotency_key_reused,
  idempotency_in_flight,
  idempotency_keys_exhausted,
  // what is named does not exist or is not theirs
  unknown_show,
  unknown_reservation,
  unknown_booking,
  unknown_place,
  not_owner,
  // the show
  show_cancelled,
  show_completed,
  show_started,
  // the waiting room
  no_waiting_room,
  room_closed,
  room_full,
  admission_required,
  // the request for seats
  no_seats,
  too_many_seats,
  duplicate_seat,
  unknown_seat,
  // the user on this show
  cooldown,
  reservation_limit,
  // the seats
  seats_unavailable,
  no_adjacent_seats,
  companion_rule,
  orphan_rule,
  // the waiting list
  seats_still_available,
  waitlist_full,
  not_on_waitlist,
  // the reservation
  reservation_expired,
  seats_lost,
  payment_in_flight,
  already_booked,
  payment_declined,
  // the booking
  already_cancelled,
  unknown_seat_in_booking,
  cancellation_too_late,
  ticket_used,
  // internal bounds
  show_full,
  count_  ///< how many there are; not a refusal
};

struct RefusalInfo {
  std::uint16_t status;    ///< HTTP
  std::string_view code;   ///< stable, on the wire
  std::string_view title;  ///< for people
};

/// In the order of the enum.
inline constexpr std::array<RefusalInfo, static_cast<std::size_t>(Refusal::count_)> refusal_table{{
    {200, "none", ""},
    {503, "mailbox_full", "The server has more work than it can queue"},
    {503, "log_behind", "The log is behind"},
    {503, "disk_nearly_full", "Disk space is short: no new reservations"},
    {503, "draining", "The server is shutting down"},
    {429, "address_rate_limited", "Too many requests from this address"},
    {429, "user_rate_limited", "Too many requests of this user"},
    {422, "idempotency_key_reused", "This Idempotency-Key was used with another request"},
    {409, "idempotency_in_flight", "The request with this Idempotency-Key is still in flight"},
    {429, "idempotency_keys_exhausted", "Too many live idempotency keys"},
    {404, "unknown_show", "No such show"},
    {404, "unknown_reservation", "No such reservation"},
    {404, "unknown_booking", "No such booking"},
    {404, "unknown_place", "No such place in a queue"},
    {403, "not_owner", "This belongs to somebody else"},
    {409, "show_cancelled", "The show is cancelled"},
    {409, "show_completed", "The show is over"},
    {409, "show_started", "The show has started"},
    {409, "no_waiting_room", "This show has no waiting room: reserve at once"},
    {409, "room_closed", "The waiting room is closed"},
    {503, "room_full", "The waiting room is full"},
    {403, "admission_required", "The show has a waiting room: take a place in its queue first"},
    {400, "no_seats", "No seats were named"},
    {400, "too_many_seats", "Too many seats in one reservation"},
    {400, "duplicate_seat", "A seat is named twice"},
    {400, "unknown_seat", "No such seat in this show"},
    {429, "cooldown", "Cooling down after abandoned reservations"},
    {429, "reservation_limit", "Too many live reservations for this show"},
    {409, "seats_unavailable", "Seats are not available"},
    {409, "no_adjacent_seats", "Not so many seats side by side"},
    {422, "companion_rule", "A companion seat goes with an accessible seat"},
    {422, "orphan_rule", "The choice would leave a single seat alone"},
    {409, "seats_still_available", "So many seats together are still to be had: reserve them"},
    {409, "waitlist_full", "The waiting list is full"},
    {404, "not_on_waitlist", "You are not on the waiting list of this show"},
    {410, "reservation_expired", "The reservation has expired"},
    {409, "seats_lost", "The reservation has expired and its seats are taken"},
    {409, "payment_in_flight", "A payment for this reservation is in flight"},
    {409, "already_booked", "The reservation is booked already"},
    {402, "payment_declined", "The payment was declined"},
    {409, "already_cancelled", "These tickets are cancelled already"},
    {400, "unknown_seat_in_booking", "The booking has no such seat"},
    {400, "cancellation_too_late", "Too late to cancel"},
    {409, "ticket_used", "A ticket was used already"},
    {503, "show_full", "The show has no free reservation number"},
}};

[[nodiscard]] constexpr const RefusalInfo& describe(Refusal refusal) noexcept {
  return refusal_table[static_cast<std::size_t>(refusal)];
}

/// Why a card was declined; on the wire as `decline_code`, in Stripe's words.
enum class PaymentDecline : std::uint8_t {
  generic = 0,
  insufficient_funds,
  expired_card,
  lost_card,
  not_attempted,    ///< the gateway knows of no charge
  gateway_refused,  ///< the gateway did not accept the request
  count_
};

inline constexpr std::array<std::string_view, static_cast<std::size_t>(PaymentDecline::count_)> payment_decline_names{
    "generic_decline", "insufficient_funds", "expired_card", "lost_card", "not_attempted", "gateway_refused"};

[[nodiscard]] constexpr std::string_view to_string(PaymentDecline decline) noexcept {
  return payment_decline_names[static_cast<std::size_t>(decline)];
}

}  // namespace usher
