#include "engine/show/show_actor.hpp"

#include <algorithm>

#include "engine/show/best_available.hpp"
#include "usher/assert.hpp"
#include "usher/mutant.hpp"

namespace usher::engine {

void ShowActor::decide(const Command& command, Reply& reply) {
  sweep();
  if (answer_by_key(command, reply)) return;
  record_.idempotency = command.idempotency;
  dispatch(command, reply);
  hand_over();
  // a refusal changed nothing and is decided anew when it is asked for again
  const bool unlogged = USHER_MUTANT(6, "the idempotency key is not logged with its effect");
  if (effect_of(record_) == nullptr || unlogged) record_.idempotency = {};
}

void ShowActor::dispatch(const Command& command, Reply& reply) {
  switch (command.type) {
    case CommandType::reserve:
      return reserve(command, reply);
    case CommandType::reserve_best:
      return reserve_best(command, reply);
    case CommandType::release:
      return release(command, reply);
    case CommandType::read_reservation:
      return read_reservation(command, reply);
    case CommandType::start_payment:
      return start_payment(command, reply);
    case CommandType::finish_payment:
      return finish_payment(command, reply);
    case CommandType::read_booking:
      return read_booking(command, reply);
    case CommandType::preview_cancel:
    case CommandType::cancel:
      return cancel(command, reply);
    case CommandType::finish_refund:
      return finish_refund(command, reply);
    case CommandType::check_in:
      return check_in(command, reply);
    case CommandType::cancel_show:
      return cancel_show(reply);
    case CommandType::block_seats:
      return block(command, reply, EventType::seats_blocked);
    case CommandType::unblock_seats:
      return block(command, reply, EventType::seats_unblocked);
    case CommandType::join_waitlist:
      return join_waitlist(command, reply);
    case CommandType::read_waitlist:
      return read_waitlist(command, reply);
    case CommandType::leave_waitlist:
      return leave_waitlist(command, reply);
    case CommandType::join_queue:
    case CommandType::read_queue:
    case CommandType::leave_queue:
    case CommandType::note_admission:
      reply.refusal = Refusal::no_waiting_room;  // theirs to answer are rooms, not shows
      return;
  }
}

bool ShowActor::answer_by_key(const Command& command, Reply& reply) {
  // the gateway's word is no repetition of anything; finish_payment() finds the key of the request that it ends
  if (!command.idempotency.given() || command.type == CommandType::finish_payment) return false;
  if (const SlabIndex found = state_.find_key(command.idempotency); found != 0) {
    const IdempotencyEntry& entry = state_.keys[found];
    if (entry.created + ShardState::key_lifetime > record_.now) {
      if (entry.tag.body != command.idempotency.body && !USHER_MUTANT(7, "a key is answered whatever is asked")) {
        reply.refusal = Refusal::idempotency_key_reused;
      } else if (entry.in_flight) {
        reply.refusal = Refusal::idempotency_in_flight;
      } else {
        const ReplyTo to = reply.to;
        reply = entry.effect;
        reply.to = to;
        reply.now = record_.now;
        reply.replayed = true;
      }
      return true;
    }
  }
  const SlabIndex person = state_.find_person(command.user);
  if (person != 0 && state_.people[person].live_keys >= limits::idempotency_keys_per_user_max) {
    reply.refusal = Refusal::idempotency_keys_exhausted;
    return true;
  }
  return false;
}

// ---- seats ----

Refusal ShowActor::check_selling() const noexcept {
  if (show_.status == ShowStatus::cancelled) return Refusal::show_cancelled;
  if (show_.status == ShowStatus::completed) return Refusal::show_completed;
  if (record_.now >= show_.start) return Refusal::show_started;
  return Refusal::none;
}

Refusal ShowActor::check_seats(const Command& command, std::uint32_t count_max) const noexcept {
  if (command.seat_count == 0) return Refusal::no_seats;
  if (command.seat_count > count_max) return Refusal::too_many_seats;
  for (std::uint32_t i = 0; i < command.seat_count; ++i) {
    if (i > 0 && command.seats[i] <= command.seats[i - 1]) return Refusal::duplicate_seat;
  }
  if (command.seats[command.seat_count - 1U] >= show_.layout->seat_count()) return Refusal::unknown_seat;
  return Refusal::none;
}

Refusal ShowActor::check_user(const Command& command, Reply& reply) {
  const SlabIndex found = state_.find_user(index_, command.user);
  if (found == 0) return Refusal::none;
  const UserOnShow& user = state_.users[found];
  if (user.cooldown_until > record_.now) {
    reply.retry_at = user.cooldown_until;
    return Refusal::cooldown;
  }
  const std::uint8_t live_max = show_.terms->policy.reservations_per_user_and_show;
  return live_max != 0 && user.live >= live_max + (USHER_MUTANT(8, "one reservation too many per user") ? 1 : 0)
             ? Refusal::reservation_limit
             : Refusal::none;
}

Refusal ShowActor::check_companions(const SeatIndex* seats, std::uint32_t count) const noexcept {
  if (show_.layout->count(SeatType::companion) == 0) return Refusal::none;
  const auto wanted = [&](SeatIndex seat) {
    return seat != seat_none && std::binary_search(seats, seats + count, seat);
  };
  for (std::uint32_t i = 0; i < count; ++i) {
    if (show_.layout->type(seats[i]) != SeatType::companion) continue;
    const Layout::Beside beside = show_.layout->accessible_beside(seats[i]);
    if (!beside.none() && !wanted(beside.left) && !wanted(beside.right)) return Refusal::companion_rule;
  }
  return Refusal::none;
}

void ShowActor::reserve(const Command& command, Reply& reply) {
  const Policy& policy = show_.terms->policy;
  if ((reply.refusal = check_selling()) != Refusal::none) return;
  if ((show_.flags & Show::guarded) != 0 && (reply.refusal = check_admission(command)) != Refusal::none) return;
  if ((reply.refusal = check_seats(command, policy.seats_per_reservation)) != Refusal::none) return;
  if ((reply.refusal = check_user(command, reply)) != Refusal::none) return;
  const SeatPlanes planes = state_.planes(show_);
  for (std::uint32_t i = 0; i < command.seat_count; ++i) {
    if (planes.taken(command.seats[i])) reply.seats[reply.seat_count++] = command.seats[i];
  }
  if (reply.seat_count != 0) {
    reply.refusal = Refusal::seats_unavailable;
    return count_refusal(command);
  }
  const SeatIndex* seats = command.seats.data();
  if ((reply.refusal = check_companions(seats, command.seat_count)) != Refusal::none) return;
  if (policy.orphan_rule == OrphanRule::all && orphans_made(*show_.layout, planes, seats, command.seat_count) != 0) {
    reply.refusal = Refusal::orphan_rule;
    return;
  }
  take_seats(command, seats, command.seat_count, reply);
}

void ShowActor::reserve_best(const Command& command, Reply& reply) {
  if ((reply.refusal = check_selling()) != Refusal::none) return;
  if ((show_.flags & Show::guarded) != 0 && (reply.refusal = check_admission(command)) != Refusal::none) return;
  if (command.seat_count == 0) return void(reply.refusal = Refusal::no_seats);
  if (command.seat_count > show_.terms->policy.seats_per_reservation)
    return void(reply.refusal = Refusal::too_many_seats);
  if ((reply.refusal = check_user(command, reply)) != Refusal::none) return;
  SeatWish wish{command.seat_count, std::nullopt, command.split};
  if (command.seat_type < seat_type_count) wish.type = static_cast<SeatType>(command.seat_type);
  const SeatChoice choice = best_available(*show_.layout, state_.planes(show_), wish);
  if (choice.count == 0) {
    reply.refusal = Refusal::no_adjacent_seats;
    return count_refusal(command);
  }
  take_seats(command, choice.seats.data(), choice.count, reply);
}

std::uint32_t ShowActor::next_sequence() const {
  for (std::uint32_t tries = 0; tries <= limits::sequence_max; ++tries) {
    const std::uint32_t sequence = (show_.sequence_next + tries) & limits::sequence_max;
    if (state_.find_reservation(index_, sequence) == 0) return sequence;
  }
  return limits::sequence_max + 1;
}

void ShowActor::take_seats(const Command& command, const SeatIndex* seats, std::uint32_t count, Reply& reply) {
  const std::uint32_t sequence = next_sequence();
  if (sequence > limits::sequence_max) return void(reply.refusal = Refusal::show_full);
  emit_reserved(sequence, command.user, command.random, seats, count, 0);
  fill(reply, show_.live.last);  // the youngest of the living
  if ((show_.flags & Show::guarded) != 0) note_admission(command, count);
}

void ShowActor::emit_reserved(std::uint32_t sequence, UserNumber user, std::uint64_t random, const SeatIndex* seats,
                              std::uint32_t count, std::uint8_t code) {
  Event event{};
  event.type = EventType::reserved;
  event.code = code;
  event.sequence = sequence;
  event.user = user;
  event.random = random;
  event.at = record_.now + show_.terms->policy.reservation_ttl;
  event.seat_first = static_cast<std::uint32_t>(record_.seats.size());
  event.seat_count = static_cast<std::uint16_t>(count);
  for (std::uint32_t i = 0; i < count; ++i) event.amount += show_.terms->price(show_.layout->type(seats[i]));
  record_.seats.insert(record_.seats.end(), seats, seats + count);
  emit(event);
}

Refusal ShowActor::check_admission(const Command& command) const noexcept {
  const Admission& shown = command.admission;
  const bool lets_in = shown.room == state_.guards.find(index_)->second.room && shown.expires_at > record_.now;
  return lets_in ? Refusal::none : Refusal::admission_required;
}

/// The first use of an admission is an event that the room is told of.
void ShowActor::note_admission(const Command& command, std::uint32_t seats) {
  if (state_.guards.find(index_)->second.used(command.admission)) return;
  Event event{};
  event.type = EventType::admission_used;
  event.user = command.user;
  event.mask = command.admission.room;
  event.sequence = command.admission.sequence;
  event.attempt = command.admission.attempt;
  event.code = static_cast<std::uint8_t>(seats);
  event.at = command.admission.expires_at;
  emit(event);
}

void ShowActor::count_refusal(const Command& command) {
  const Policy& policy = show_.terms->policy;
  if (policy.cooldown_after_refusals == 0) return;
  const std::uint64_t who = ShardState::user_hash(index_, command.user);
  RefusalCounter& counter = state_.refusal_counters[who % state_.refusal_counters.size()];
  if (counter.who != who || record_.now - counter.since >= std::chrono::minutes{1}) counter = {who, record_.now, 0};
  if (++counter.count < policy.cooldown_after_refusals) return;
  counter = {};
  Event event{};
  event.type = EventType::cooldown_started;
  event.user = command.user;
  event.at = record_.now + policy.cooldown;
  emit(event);
}

void ShowActor::release(const Command& command, Reply& reply) {
  SlabIndex found = 0;
  if ((reply.refusal = find_reservation(command, found)) != Refusal::none) return;
  fill(reply, found);
  switch (state_.reservations[found].state) {
    case ReservationState::reserved:
      emit_for(EventType::released, found);
      return;
    case ReservationState::paying:
      reply.refusal = Refusal::payment_in_flight;
      return;
    case ReservationState::expired:
    case ReservationState::lapsed:
      reply.refusal = Refusal::unknown_reservation;
      return;
    default:
      reply.refusal = Refusal::already_booked;
      return;
  }
}

void ShowActor::read_reservation(const Command& command, Reply& reply) {
  SlabIndex found = 0;
  if ((reply.refusal = find_reservation(command, found)) != Refusal::none) return;
  const ReservationState state = state_.reservations[found].state;
  if (state == ReservationState::expired || state == ReservationState::lapsed) {
    reply.refusal = Refusal::unknown_reservation;
    return;
  }
  fill(reply, found);
}

void ShowActor::block(const Command& command, Reply& reply, EventType type) {
  if (show_.status != ShowStatus::scheduled) return void(reply.refusal = check_selling());
  if ((reply.refusal = check_seats(command, limits::seats_per_request_max)) != Refusal::none) return;
  const SeatPlanes planes = state_.planes(show_);
  for (std::uint32_t i = 0; i < command.seat_count && type == EventType::seats_blocked; ++i) {
    if (planes.taken(command.seats[i])) reply.seats[reply.seat_count++] = command.seats[i];
  }
  if (reply.seat_count != 0) return void(reply.refusal = Refusal::seats_unavailable);
  Event event{};
  event.type = type;
  event.seat_first = static_cast<std::uint32_t>(record_.seats.size());
  event.seat_count = command.seat_count;
  record_.seats.insert(record_.seats.end(), command.seats.begin(), command.seats.begin() + command.seat_count);
  emit(event);
}

void ShowActor::cancel_show(Reply& reply) {
  if (show_.status == ShowStatus::cancelled) return;  // asked for again: it is cancelled
  if ((reply.refusal = check_selling()) != Refusal::none) return;
  Event event{};
  event.type = EventType::show_cancelled;
  emit(event);
}

bool ShowActor::cancel_some() {
  std::size_t budget = limits::bulk_events_per_record_max;
  while (show_.live.first != 0) {
    if (budget-- == 0) return false;
    // a payment in flight lapses: when the gateway says that it was charged, it is refunded
    const bool paying = state_.reservations[show_.live.first].state == ReservationState::paying;
    emit_for(paying ? EventType::expired : EventType::released, show_.live.first);
  }
  for (SlabIndex at = show_.settled.first; at != 0; at = state_.reservations[at].next) {
    const Reservation& reservation = state_.reservations[at];
    if (reservation.state != ReservationState::booked) continue;
    if (budget-- == 0) return false;
    emit_cancellation(at, reservation.all_mask() & ~state_.bookings[reservation.booking].cancelled, 100);
  }
  return true;
}

// ---- time ----

Instant deadline_of(const ShardState& state, const Reservation& reservation) noexcept {
  if (reservation.state != ReservationState::paying || USHER_MUTANT(11, "no grace while paying"))
    return reservation.expires_at;
  return reservation.expires_at + state.shows[reservation.show].terms->policy.payment_grace;
}

void ShowActor::sweep() {
  if (USHER_MUTANT(5, "a command does not log the expiry it meets")) return;
  if (show_.earliest > record_.now) return;
  Instant earliest = Instant::max();
  for (SlabIndex at = show_.live.first; at != 0;) {
    const SlabIndex next = state_.reservations[at].next;
    // all of a show live equally long: whoever comes later in the chain dies no earlier
    if (const Instant expires_at = state_.reservations[at].expires_at; expires_at > record_.now) {
      earliest = std::min(earliest, expires_at);
      break;
    }
    const Instant deadline = deadline_of(state_, state_.reservations[at]);
    if (deadline > record_.now) {
      earliest = std::min(earliest, deadline);
    } else {
      expire(at);
      const bool waited_for = (show_.flags & Show::waitlisted) != 0;
      if (record_.events.size() >= (waited_for ? Waitlist::freeing_events_max : limits::bulk_events_per_record_max)) {
        hand_over();
        sink_.flush(record_);
      }
    }
    at = next;
  }
  // a party may have come to the end of the chain meanwhile
  if (earliest == Instant::max() && show_.live.first != 0) earliest = state_.reservations[show_.live.first].expires_at;
  show_.earliest = earliest;
  hand_over();
}

void ShowActor::expire(SlabIndex reservation) {
  const UserNumber user = state_.reservations[reservation].user;
  const bool handed = state_.reservations[reservation].handed;
  const Instant deadline = deadline_of(state_, state_.reservations[reservation]);
  emit_for(EventType::expired, reservation);
  const Policy& policy = show_.terms->policy;
  const SlabIndex on_show = state_.find_user(index_, user);
  if (policy.cooldown_after_abandoned == 0 || on_show == 0 || handed) return;
  if (state_.users[on_show].abandoned < policy.cooldown_after_abandoned) return;
  Event event{};
  event.type = EventType::cooldown_started;
  event.user = user;
  event.at = (USHER_MUTANT(9, "a late wheel prolongs the cool-down") ? record_.now : deadline) +
             policy.cooldown;  // counted from the expiry itself: a late wheel prolongs nothing
  emit(event);
}

void ShowActor::on_reservation_timer(SlabIndex index) {
  Reservation& reservation = state_.reservations[index];
  reservation.timer = 0;
  if (reservation.live()) {
    USHER_ASSERT(deadline_of(state_, reservation) <= record_.now);
    expire(index);
    hand_over();
  } else if (reservation.state == ReservationState::expired) {
    state_.by_sequence.erase(ShardState::sequence_hash(index_, reservation.sequence), index);
    state_.reservations.release(index);
  }
}

void ShowActor::on_show_end() {
  show_.end_timer = 0;
  if (show_.status != ShowStatus::scheduled) return;
  sweep();
  Event event{};
  event.type = EventType::show_completed;
  emit(event);
}

// ---- common ----

Refusal ShowActor::find_reservation(const Command& command, SlabIndex& found) const noexcept {
  found = state_.find_reservation(index_, command.sequence);
  if (found == 0 || state_.reservations[found].random != command.id_random) return Refusal::unknown_reservation;
  const bool anybody = command.staff || USHER_MUTANT(10, "anybody may act on a reservation");
  if (!anybody && state_.reservations[found].user != command.user) return Refusal::not_owner;
  return Refusal::none;
}

void ShowActor::emit(const Event& event) {
  if (record_.events.empty()) sink_.before_change(index_);
  record_.events.push_back(event);
  const bool applied = apply_event(state_, index_, record_, record_.events.back());
  USHER_ASSERT(applied);
  freed_ = freed_ || frees_seats(event.type);
}

void ShowActor::emit_for(EventType type, SlabIndex reservation) {
  Event event{};
  event.type = type;
  event.sequence = state_.reservations[reservation].sequence;
  event.attempt = state_.reservations[reservation].attempt;
  emit(event);
}

void ShowActor::fill(Reply& reply, SlabIndex reservation) const noexcept {
  fill_reply(state_, reservation, reply);
}

void fill_reply(const ShardState& state, SlabIndex index, Reply& reply) noexcept {
  const Reservation& reservation = state.reservations[index];
  const Show& show = state.shows[reservation.show];
  reply.state = reservation.state;
  reply.seat_count = reservation.seat_count;
  reply.sequence = reservation.sequence;
  reply.id_random = reservation.random;
  reply.attempt = reservation.attempt;
  reply.user = reservation.user;
  reply.reserved_at = reservation.reserved_at;
  reply.expires_at = reservation.expires_at;
  reply.total = {reservation.amount, show.terms->currency};
  std::copy_n(reservation.seats.begin(), reservation.seat_count, reply.seats.begin());
  if (reservation.booking == 0) return;
  const Booking& booking = state.bookings[reservation.booking];
  reply.ticket_random = booking.ticket_random;
  reply.booked_at = booking.booked_at;
  reply.cancelled_mask = booking.cancelled;
  reply.used_mask = booking.used;
  reply.refunded = 0;
  for (SlabIndex at = booking.refunds; at != 0; at = state.refunds[at].next) {
    if (state.refunds[at].state == Refund::State::settled) reply.refunded += state.refunds[at].amount;
  }
  reply.payment_ref_size = booking.payment_ref_size;
  std::copy_n(booking.payment_ref.begin(), booking.payment_ref_size, reply.payment_ref.begin());
}

}  // namespace usher::engine
