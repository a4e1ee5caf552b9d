/// The part of ShowActor that deals with money: payment, booking, cancellation, refund. The state machine of DESIGN 5:
/// reserved -> paying -> booked -> cancelled -> refunded, with declined (back to reserved), expired, lapsed (expired
/// with a payment in flight) and refund due (charged, but the seats are gone).

#include <algorithm>

#include "engine/booking/refund_policy.hpp"
#include "engine/show/show_actor.hpp"
#include "usher/assert.hpp"
#include "usher/mutant.hpp"

namespace usher::engine {
namespace {

/// What a reservation's 16 bits can count; a person has long given up.
constexpr std::uint16_t attempts_max = 0xffff;

}  // namespace

bool ShowActor::all_free(const Reservation& reservation) const noexcept {
  const SeatPlanes planes = state_.planes(show_);
  return std::none_of(reservation.seats.begin(), reservation.seats.begin() + reservation.seat_count,
                      [&](SeatIndex seat) { return planes.taken(seat); });
}

void ShowActor::start_payment(const Command& command, Reply& reply) {
  SlabIndex found = 0;
  if ((reply.refusal = find_reservation(command, found)) != Refusal::none) return;
  fill(reply, found);
  const Reservation& reservation = state_.reservations[found];
  switch (reservation.state) {
    case ReservationState::reserved:
      break;
    case ReservationState::paying:
      reply.refusal = Refusal::payment_in_flight;
      return;
    case ReservationState::lapsed:
    case ReservationState::expired:
      reply.refusal = all_free(reservation) ? Refusal::reservation_expired : Refusal::seats_lost;
      return;
    default:
      reply.refusal = Refusal::already_booked;
      return;
  }
  if ((reply.refusal = check_selling()) != Refusal::none) return;
  if (reservation.attempt == attempts_max) {
    reply.refusal = Refusal::payment_declined;
    reply.decline = PaymentDecline::gateway_refused;
    return;
  }
  Event event{};
  event.type = EventType::payment_started;
  event.sequence = reservation.sequence;
  event.attempt = reservation.attempt + 1U;
  event.at = reservation.expires_at + show_.terms->policy.payment_grace;
  emit(event);
  fill(reply, found);
}

void ShowActor::finish_payment(const Command& command, Reply& reply) {
  SlabIndex found = 0;
  record_.idempotency = {};  // the gateway's word ends the request that began the payment, and no other
  if ((reply.refusal = find_reservation(command, found)) != Refusal::none) return;
  const SlabIndex key = state_.reservations[found].key;
  if (key != 0 && command.attempt == state_.reservations[found].attempt) record_.idempotency = state_.keys[key].tag;
  switch (command.payment) {
    case PaymentOutcome::captured:
      finish_captured(command, found, reply);
      break;
    case PaymentOutcome::declined:
      finish_declined(command, found, reply);
      break;
    case PaymentOutcome::unknown:
      if (state_.reservations[found].state == ReservationState::paying) emit_for(EventType::payment_unknown, found);
      fill(reply, found);
      break;
  }
}

void ShowActor::finish_captured(const Command& command, SlabIndex found, Reply& reply) {
  const Reservation& reservation = state_.reservations[found];
  const bool pinned = reservation.state == ReservationState::paying && reservation.attempt == command.attempt;
  const bool lapsed = reservation.state == ReservationState::lapsed && reservation.attempt == command.attempt;
  if (!pinned && !lapsed) {
    // the same word twice, or a second charge of what is booked already: the gateway's key makes the latter impossible
    return fill(reply, found);
  }
  const bool selling = show_.status == ShowStatus::scheduled;
  const bool book =
      pinned || ((all_free(reservation) || USHER_MUTANT(14, "a late charge books lost seats")) && selling);
  Event event{};
  event.type = book ? EventType::booked : EventType::refund_due;
  event.sequence = reservation.sequence;
  event.attempt = command.attempt;
  event.random = command.random;
  event.amount = reservation.amount;
  event.text_first = static_cast<std::uint32_t>(record_.payload.size());
  event.text_size = command.payment_ref_size;
  record_.payload.insert(record_.payload.end(), command.payment_ref.begin(),
                         command.payment_ref.begin() + command.payment_ref_size);
  emit(event);
  fill(reply, found);
  if (!book) reply.refusal = Refusal::seats_lost;
}

void ShowActor::finish_declined(const Command& command, SlabIndex found, Reply& reply) {
  const Reservation& reservation = state_.reservations[found];
  reply.refusal = Refusal::payment_declined;
  reply.decline = command.decline;
  if (reservation.attempt != command.attempt) return fill(reply, found);
  if (reservation.state != ReservationState::paying && reservation.state != ReservationState::lapsed) {
    return fill(reply, found);
  }
  const bool was_paying = reservation.state == ReservationState::paying;
  Event event{};
  event.type = EventType::payment_declined;
  event.sequence = reservation.sequence;
  event.attempt = command.attempt;
  event.code = static_cast<std::uint8_t>(command.decline);
  emit(event);
  // the timer ran on while the card was tried
  if (was_paying && reservation.expires_at <= record_.now && !USHER_MUTANT(15, "a declined card revives"))
    expire(found);
  fill(reply, found);
}

// ---- bookings ----

Refusal ShowActor::find_booking(const Command& command, SlabIndex& found) const noexcept {
  const Refusal refusal = find_reservation(command, found);
  if (refusal == Refusal::unknown_reservation) return Refusal::unknown_booking;
  const Reservation& reservation = state_.reservations[found];
  if (reservation.booking == 0 || state_.bookings[reservation.booking].seats_lost) return Refusal::unknown_booking;
  return refusal;
}

void ShowActor::read_booking(const Command& command, Reply& reply) {
  SlabIndex found = 0;
  if ((reply.refusal = find_booking(command, found)) == Refusal::none) fill(reply, found);
}

std::int64_t ShowActor::refund_for(const Reservation& reservation, std::uint32_t mask,
                                   std::uint8_t percent) const noexcept {
  const SaleTerms& terms = *state_.bookings[reservation.booking].terms;
  std::int64_t amount = 0;
  for (std::uint32_t position = 0; position < reservation.seat_count; ++position) {
    if (((mask >> position) & 1U) == 0) continue;
    amount += refund_amount(terms.price(show_.layout->type(reservation.seats[position])), percent);
  }
  return amount;
}

namespace {

/// Notes the positions of the command's seats in the reservation. Returns: whether it has them all.
[[nodiscard]] bool mask_of(const Command& command, const Reservation& reservation, std::uint32_t& mask) noexcept {
  if (command.seat_count > command.seats.size()) return false;
  bool all_known = true;
  for (std::uint32_t i = 0; i < command.seat_count; ++i) {
    const auto* end = reservation.seats.begin() + reservation.seat_count;
    const auto* at = std::find(reservation.seats.begin(), end, command.seats[i]);
    all_known = all_known && at != end;
    if (at != end) mask |= 1U << static_cast<std::uint32_t>(at - reservation.seats.begin());
  }
  return all_known;
}

}  // namespace

void ShowActor::cancel(const Command& command, Reply& reply) {
  SlabIndex found = 0;
  if ((reply.refusal = find_booking(command, found)) != Refusal::none) return;
  fill(reply, found);
  const Reservation& reservation = state_.reservations[found];
  const Booking& booking = state_.bookings[reservation.booking];
  std::uint32_t mask = 0;
  const bool all_known = mask_of(command, reservation, mask);
  if (command.seat_count == 0) mask = reservation.all_mask() & ~booking.cancelled;
  const bool nothing_left = booking.cancelled == reservation.all_mask();
  if (nothing_left || (mask & booking.cancelled) != 0) return void(reply.refusal = Refusal::already_cancelled);
  if (!all_known) return void(reply.refusal = Refusal::unknown_seat_in_booking);
  const std::optional<std::uint8_t> percent = refund_percent(booking.terms->policy, record_.now, show_.start);
  if (!percent || show_.status == ShowStatus::completed) return void(reply.refusal = Refusal::cancellation_too_late);
  if ((mask & booking.used) != 0) return void(reply.refusal = Refusal::ticket_used);
  const std::int64_t refund = refund_for(reservation, mask, *percent);
  if (command.type == CommandType::cancel) {
    emit_cancellation(found, mask, *percent);
    fill(reply, found);
    reply.attempt = booking.refund_count;
  }
  reply.percent = *percent;
  reply.refund = refund;
}

void ShowActor::emit_cancellation(SlabIndex index, std::uint32_t mask, std::uint8_t percent) {
  const Reservation& reservation = state_.reservations[index];
  Event event{};
  event.type = EventType::seats_cancelled;
  event.sequence = reservation.sequence;
  event.mask = mask;
  event.code = percent;
  event.attempt = state_.bookings[reservation.booking].refund_count + 1;
  event.amount = refund_for(reservation, mask, percent);
  emit(event);
}

void ShowActor::finish_refund(const Command& command, Reply& reply) {
  SlabIndex found = 0;
  if ((reply.refusal = find_reservation(command, found)) != Refusal::none) return;
  const SlabIndex booking = state_.reservations[found].booking;
  SlabIndex refund = booking == 0 ? 0 : state_.bookings[booking].refunds;
  while (refund != 0 && state_.refunds[refund].number != command.attempt) refund = state_.refunds[refund].next;
  if (refund == 0) return void(reply.refusal = Refusal::unknown_booking);
  const auto wanted = command.refund_settled ? Refund::State::settled : Refund::State::failed;
  if (state_.refunds[refund].state != Refund::State::settled && state_.refunds[refund].state != wanted) {
    Event event{};
    event.type = command.refund_settled ? EventType::refund_settled : EventType::refund_failed;
    event.sequence = command.sequence;
    event.attempt = command.attempt;
    event.amount = state_.refunds[refund].amount;
    emit(event);
  }
  fill(reply, found);
}

}  // namespace usher::engine
