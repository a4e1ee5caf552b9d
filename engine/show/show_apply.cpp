/// Applying events: the only place where the state of a show changes, live and at replay alike. Nothing here trusts the
/// event: what comes from the disk may be anything, so each function checks before it changes and answers false.

#include <algorithm>
#include <bit>

#include "engine/catalog/show_terms.hpp"
#include "engine/show/show_actor.hpp"
#include "usher/mutant.hpp"

namespace usher::engine {
namespace {

/// What a checkpoint can hold.
constexpr std::int64_t amount_max = std::int64_t{1} << 62U;

/// One event about to be applied, with what it is about.
struct Applying {
  ShardState& state;
  Show& show;
  SlabIndex show_index;
  const Record& record;
  const Event& event;

  [[nodiscard]] SlabIndex reservation() const noexcept { return state.find_reservation(show_index, event.sequence); }
};

void set_timer(ShardState& state, SlabIndex index, Instant deadline) {
  Reservation& reservation = state.reservations[index];
  if (reservation.timer != 0) state.wheel.cancel(reservation.timer);
  reservation.timer = state.wheel.add(deadline, TimerKind::reservation, index);
}

void clear_timer(ShardState& state, Reservation& reservation) {
  if (reservation.timer != 0) state.wheel.cancel(reservation.timer);
  reservation.timer = 0;
}

void free_seats(ShardState& state, Show& show, std::span<std::uint64_t> plane, const Reservation& reservation,
                std::uint32_t mask) {
  const SeatPlanes planes = state.planes(show);
  for (std::uint32_t position = 0; position < reservation.seat_count; ++position) {
    if (((mask >> position) & 1U) == 0) continue;
    SeatPlanes::clear(plane, reservation.seats[position]);
    if (!planes.taken(reservation.seats[position])) ++show.free_seats;
  }
}

/// Takes a reservation out of the chains of the living: of its show and of its user.
void leave_living(ShardState& state, Show& show, SlabIndex index, Instant now) {
  Reservation& reservation = state.reservations[index];
  chain_remove(state.reservations, show.live, index);
  UserOnShow& user = state.users[reservation.on_show];
  SlabIndex* link = &user.reservations;
  while (*link != index) link = &state.reservations[*link].user_next;
  *link = reservation.user_next;
  --user.live;
  const SlabIndex on_show = reservation.on_show;
  reservation.user_next = 0;
  reservation.on_show = 0;
  clear_timer(state, reservation);
  state.tidy_user(on_show, now);
}

void forget(ShardState& state, SlabIndex show, SlabIndex index) {
  state.by_sequence.erase(ShardState::sequence_hash(show, state.reservations[index].sequence), index);
  state.reservations.release(index);
}

void forget_expired(ShardState& state, SlabIndex show, SlabIndex index) {
  clear_timer(state, state.reservations[index]);
  forget(state, show, index);
}

/// At replay: what the wheel would have forgotten by now is not kept until it turns.
void forget_expired_of(ShardState& state, SlabIndex show, const Record& record) {
  for (const Event& event : record.events) {
    if (event.type != EventType::expired && event.type != EventType::payment_declined) continue;
    const SlabIndex index = state.find_reservation(show, event.sequence);
    if (index != 0 && state.reservations[index].state == ReservationState::expired) forget_expired(state, show, index);
  }
}

/// Keeps an expired reservation for a while, so that its owner hears 410 and not 404.
void remember_expired(const Applying& a, SlabIndex index) {
  a.state.reservations[index].state = ReservationState::expired;
  set_timer(a.state, index, a.record.now + ShardState::expired_memory);
}

[[nodiscard]] bool fits(Instant at) noexcept {
  return to_ms(at) >= 0 && to_ms(at) <= instant_ms_max;
}
[[nodiscard]] bool fits(std::int64_t amount) noexcept {
  return amount >= 0 && amount <= amount_max;
}

[[nodiscard]] bool seats_fit(const Applying& a) noexcept {
  const Event& event = a.event;
  if (event.seat_count == 0 || std::size_t{event.seat_first} + event.seat_count > a.record.seats.size()) return false;
  const SeatIndex* seats = a.record.seats_of(event);
  for (std::uint32_t i = 1; i < event.seat_count; ++i) {
    if (seats[i] <= seats[i - 1]) return false;
  }
  return seats[event.seat_count - 1U] < a.show.layout->seat_count();
}

bool apply_reserved(const Applying& a) {
  const Event& event = a.event;
  if (!seats_fit(a) || event.seat_count > limits::seats_per_request_max || event.sequence > limits::sequence_max)
    return false;
  if (!fits(event.at) || !fits(event.amount)) return false;
  SeatPlanes planes = a.state.planes(a.show);
  const SeatIndex* seats = a.record.seats_of(event);
  if (std::any_of(seats, seats + event.seat_count, [&](SeatIndex seat) { return planes.taken(seat); })) return false;
  if (const SlabIndex old = a.reservation(); old != 0) {
    if (a.state.reservations[old].state != ReservationState::expired) return false;
    forget_expired(a.state, a.show_index, old);  // sequences come again after 16 million
  }

  const SlabIndex index = a.state.reservations.allocate();
  Reservation& reservation = a.state.reservations[index];
  reservation.random = event.random;
  reservation.user = event.user;
  reservation.expires_at = event.at;
  reservation.reserved_at = a.record.now;
  reservation.amount = event.amount;
  reservation.show = a.show_index;
  reservation.sequence = event.sequence;
  reservation.state = ReservationState::reserved;
  reservation.seat_count = static_cast<std::uint8_t>(event.seat_count);
  for (std::uint32_t i = 0; i < event.seat_count; ++i) {
    reservation.seats[i] = seats[i];
    SeatPlanes::set(planes.reserved(), seats[i]);
  }
  a.show.free_seats = static_cast<std::uint16_t>(a.show.free_seats - event.seat_count);
  chain_append(a.state.reservations, a.show.live, index);
  a.state.by_sequence.insert(ShardState::sequence_hash(a.show_index, event.sequence), index);
  reservation.on_show = a.state.make_user(a.show_index, event.user);
  UserOnShow& user = a.state.users[reservation.on_show];
  reservation.user_next = user.reservations;
  user.reservations = index;
  ++user.live;
  reservation.timer = a.state.wheel.add(event.at, TimerKind::reservation, index);
  a.show.earliest = std::min(a.show.earliest, event.at);
  a.show.sequence_next = (event.sequence + 1) & limits::sequence_max;
  return true;
}

bool apply_released(const Applying& a) {
  const SlabIndex index = a.reservation();
  if (index == 0 || a.state.reservations[index].state != ReservationState::reserved) return false;
  Reservation& reservation = a.state.reservations[index];
  free_seats(a.state, a.show, a.state.planes(a.show).reserved(), reservation, reservation.all_mask());
  leave_living(a.state, a.show, index, a.record.now);
  forget(a.state, a.show_index, index);
  return true;
}

bool apply_expired(const Applying& a) {
  const SlabIndex index = a.reservation();
  if (index == 0 || !a.state.reservations[index].live()) return false;
  Reservation& reservation = a.state.reservations[index];
  free_seats(a.state, a.show, a.state.planes(a.show).reserved(), reservation, reservation.all_mask());
  const bool was_paying = reservation.state == ReservationState::paying;
  UserOnShow& user = a.state.users[reservation.on_show];
  const bool counts = a.show.terms->policy.cooldown_after_abandoned != 0 && user.abandoned != 0xff;
  if (!was_paying && counts) ++user.abandoned;
  leave_living(a.state, a.show, index, a.record.now);
  if (was_paying) {
    reservation.state = ReservationState::lapsed;
    chain_append(a.state.reservations, a.show.settled, index);
  } else {
    remember_expired(a, index);
  }
  return true;
}

bool apply_payment_started(const Applying& a) {
  const SlabIndex index = a.reservation();
  if (index == 0 || a.state.reservations[index].state != ReservationState::reserved || a.event.attempt > 0xffff)
    return false;
  Reservation& reservation = a.state.reservations[index];
  reservation.state = ReservationState::paying;
  reservation.attempt = static_cast<std::uint16_t>(a.event.attempt);
  reservation.key = 0;  // that of an earlier attempt, if any; finish_record() notes this one's
  set_timer(a.state, index, deadline_of(a.state, reservation));
  return true;
}

bool apply_payment_declined(const Applying& a) {
  const SlabIndex index = a.reservation();
  if (index == 0 || a.event.code >= static_cast<std::uint8_t>(PaymentDecline::count_)) return false;
  Reservation& reservation = a.state.reservations[index];
  if (reservation.state == ReservationState::paying) {
    reservation.state = ReservationState::reserved;
    a.show.earliest = std::min(a.show.earliest, reservation.expires_at);  // it dies earlier again
    set_timer(a.state, index, reservation.expires_at);
    return true;
  }
  if (reservation.state != ReservationState::lapsed) return false;
  chain_remove(a.state.reservations, a.show.settled, index);
  remember_expired(a, index);
  return true;
}

void link_booking(ShardState& state, SlabIndex index) {
  Reservation& reservation = state.reservations[index];
  const SlabIndex person = state.make_person(reservation.user);
  Booking& booking = state.bookings[reservation.booking];
  booking.user_next = state.people[person].bookings;
  if (booking.user_next != 0) state.bookings[state.reservations[booking.user_next].booking].user_previous = index;
  state.people[person].bookings = index;
}

/// Makes the booking that belongs to a charge and moves the reservation to the settled ones.
[[nodiscard]] Booking* settle(const Applying& a, SlabIndex index) {
  if (a.event.text_size > limits::payment_ref_bytes_max || !text_fits(a.record, a.event)) return nullptr;
  const Reservation& charged = a.state.reservations[index];
  if (a.event.amount != charged.amount || a.event.attempt != charged.attempt) return nullptr;
  Reservation& reservation = a.state.reservations[index];
  if (reservation.live()) {
    leave_living(a.state, a.show, index, a.record.now);
  } else {
    chain_remove(a.state.reservations, a.show.settled, index);
  }
  chain_append(a.state.reservations, a.show.settled, index);
  reservation.booking = a.state.bookings.allocate();
  Booking& booking = a.state.bookings[reservation.booking];
  booking.ticket_random = a.event.random;
  booking.booked_at = a.record.now;
  booking.captured = a.event.amount;
  booking.terms = a.show.terms;
  const std::string_view text = a.record.text_of(a.event);
  std::copy(text.begin(), text.end(), booking.payment_ref.begin());
  booking.payment_ref_size = static_cast<std::uint8_t>(text.size());
  return &booking;
}

[[nodiscard]] bool payable(const Reservation& reservation) noexcept {
  return reservation.state == ReservationState::paying || reservation.state == ReservationState::lapsed;
}

bool apply_booked(const Applying& a) {
  const SlabIndex index = a.reservation();
  if (index == 0 || !payable(a.state.reservations[index])) return false;
  Reservation& reservation = a.state.reservations[index];
  SeatPlanes planes = a.state.planes(a.show);
  const bool pinned = reservation.state == ReservationState::paying;
  for (std::uint32_t i = 0; i < reservation.seat_count && !pinned; ++i) {
    if (planes.taken(reservation.seats[i])) return false;
  }
  if (settle(a, index) == nullptr) return false;
  for (std::uint32_t i = 0; i < reservation.seat_count; ++i) {
    SeatPlanes::clear(planes.reserved(), reservation.seats[i]);
    SeatPlanes::set(planes.booked(), reservation.seats[i]);
  }
  if (!pinned) a.show.free_seats = static_cast<std::uint16_t>(a.show.free_seats - reservation.seat_count);
  reservation.state = ReservationState::booked;
  link_booking(a.state, index);
  return true;
}

void owe(ShardState& state, Booking& booking, std::int64_t amount, std::uint32_t mask, std::uint8_t percent) {
  const SlabIndex index = state.refunds.allocate();
  Refund& refund = state.refunds[index];
  refund.amount = amount;
  refund.mask = mask;
  refund.percent = percent;
  refund.number = ++booking.refund_count;
  refund.state = amount > 0 ? Refund::State::owed : Refund::State::settled;
  refund.next = booking.refunds;
  booking.refunds = index;
}

void update_refunded(ShardState& state, Reservation& reservation) {
  const Booking& booking = state.bookings[reservation.booking];
  if (booking.cancelled != reservation.all_mask()) return;
  bool owed = false;
  for (SlabIndex at = booking.refunds; at != 0; at = state.refunds[at].next) {
    owed = owed || state.refunds[at].state != Refund::State::settled;
  }
  reservation.state = owed ? ReservationState::cancelled : ReservationState::refunded;
}

bool apply_refund_due(const Applying& a) {
  const SlabIndex index = a.reservation();
  if (index == 0) return false;
  Reservation& reservation = a.state.reservations[index];
  if (reservation.state != ReservationState::lapsed) return false;
  Booking* booking = settle(a, index);
  if (booking == nullptr) return false;
  booking->seats_lost = true;
  booking->cancelled = reservation.all_mask();
  owe(a.state, *booking, a.event.amount, reservation.all_mask(), 100);
  update_refunded(a.state, reservation);
  return true;
}

bool apply_seats_cancelled(const Applying& a) {
  const SlabIndex index = a.reservation();
  if (index == 0 || a.state.reservations[index].state != ReservationState::booked || a.event.code > 100) return false;
  Reservation& reservation = a.state.reservations[index];
  Booking& booking = a.state.bookings[reservation.booking];
  if (a.event.mask == 0 || (a.event.mask & (booking.cancelled | ~reservation.all_mask())) != 0) return false;
  if (!fits(a.event.amount) || a.event.attempt != booking.refund_count + 1) return false;
  booking.cancelled |= a.event.mask;
  if (!USHER_MUTANT(12, "cancelled seats stay booked")) {
    free_seats(a.state, a.show, a.state.planes(a.show).booked(), reservation, a.event.mask);
  }
  owe(a.state, booking, a.event.amount, a.event.mask, a.event.code);
  update_refunded(a.state, reservation);
  return true;
}

bool apply_refund_ended(const Applying& a, Refund::State ended) {
  const SlabIndex index = a.reservation();
  if (index == 0 || a.state.reservations[index].booking == 0) return false;
  Reservation& reservation = a.state.reservations[index];
  SlabIndex at = a.state.bookings[reservation.booking].refunds;
  while (at != 0 && a.state.refunds[at].number != a.event.attempt) at = a.state.refunds[at].next;
  if (at == 0 || a.state.refunds[at].state == Refund::State::settled) return false;
  a.state.refunds[at].state = ended;
  update_refunded(a.state, reservation);
  return true;
}

bool apply_ticket_used(const Applying& a) {
  const SlabIndex index = a.reservation();
  const Event& event = a.event;
  if (index == 0 || a.state.reservations[index].booking == 0 || event.text_size > limits::gate_id_bytes_max)
    return false;
  if (!text_fits(a.record, event) || !fits(event.at) || (event.code != use_entry && event.code != use_exit))
    return false;
  if (!std::has_single_bit(event.mask) || (event.mask & ~a.state.reservations[index].all_mask()) != 0) return false;
  Booking& booking = a.state.bookings[a.state.reservations[index].booking];
  const auto position = static_cast<std::uint32_t>(std::countr_zero(event.mask));
  SlabIndex at = find_use(a.state, booking, position);
  if (at == 0) {
    at = a.state.uses.allocate();
    a.state.uses[at].position = position;
    a.state.uses[at].next = booking.uses;
    booking.uses = at;
  }
  TicketUse& use = a.state.uses[at];
  const bool entry = event.code == use_entry;
  (entry ? use.in_at : use.out_at) = event.at;
  (entry ? use.in_nonce : use.out_nonce) = event.random;
  if (entry) booking.used |= event.mask;
  const std::string_view gate = a.record.text_of(event);
  use.gate_size = static_cast<std::uint8_t>(gate.size());
  std::copy(gate.begin(), gate.end(), use.gate.begin());
  return true;
}

bool apply_blocked(const Applying& a, bool blocked) {
  if (!seats_fit(a)) return false;
  SeatPlanes planes = a.state.planes(a.show);
  const SeatIndex* seats = a.record.seats_of(a.event);
  const auto taken = [&](SeatIndex seat) { return planes.taken(seat); };
  if (blocked && std::any_of(seats, seats + a.event.seat_count, taken)) return false;
  for (std::uint32_t i = 0; i < a.event.seat_count; ++i) {
    const bool was_taken = planes.taken(seats[i]);
    blocked ? SeatPlanes::set(planes.blocked(), seats[i]) : SeatPlanes::clear(planes.blocked(), seats[i]);
    const bool is_taken = planes.taken(seats[i]);
    if (was_taken && !is_taken) ++a.show.free_seats;
    if (!was_taken && is_taken) --a.show.free_seats;
  }
  return true;
}

bool apply_ended(const Applying& a, ShowStatus status) {
  if (a.show.status != ShowStatus::scheduled) return false;
  a.show.status = status;
  if (a.show.end_timer != 0) a.state.wheel.cancel(a.show.end_timer);
  a.show.end_timer = 0;
  return true;
}

bool apply_cooldown(const Applying& a) {
  if (!fits(a.event.at)) return false;
  const SlabIndex index = a.state.make_user(a.show_index, a.event.user);
  UserOnShow& user = a.state.users[index];
  user.abandoned = 0;
  user.cooldown_until = std::max(user.cooldown_until, a.event.at);
  if (user.timer != 0) a.state.wheel.cancel(user.timer);
  user.timer = a.state.wheel.add(user.cooldown_until, TimerKind::cooldown, index);
  return true;
}

[[nodiscard]] SlabIndex make_key(ShardState& state, SlabIndex show_index, const Record& record) {
  const SlabIndex index = state.keys.allocate();
  IdempotencyEntry& entry = state.keys[index];
  entry.tag = record.idempotency;
  entry.user = record.actor;
  entry.created = record.now;
  entry.show = show_index;
  entry.next = state.shows[show_index].keys;
  if (entry.next != 0) state.keys[entry.next].previous = index;
  state.shows[show_index].keys = index;
  entry.timer = state.wheel.add(record.now + ShardState::key_lifetime, TimerKind::idempotency, index);
  state.by_key.insert(entry.tag.key_low, index);
  ++state.people[state.make_person(entry.user)].live_keys;
  return index;
}

/// What is said again to who asks again.
void fill_effect(const Event& effect, Reply& reply) {
  switch (effect.type) {
    case EventType::reserved:
      reply.type = CommandType::reserve;
      break;
    case EventType::released:
      reply.type = CommandType::release;
      break;
    case EventType::payment_declined:
      reply.type = CommandType::finish_payment;
      reply.refusal = Refusal::payment_declined;
      reply.decline = static_cast<PaymentDecline>(effect.code);
      break;
    case EventType::refund_due:
      reply.type = CommandType::finish_payment;
      reply.refusal = Refusal::seats_lost;
      break;
    case EventType::seats_cancelled:
      reply.type = CommandType::cancel;
      reply.percent = effect.code;
      reply.refund = effect.amount;
      reply.attempt = effect.attempt;
      break;
    default:
      reply.type = CommandType::finish_payment;
      break;
  }
}

void store_effect(ShardState& state, SlabIndex show_index, const Record& record, const Event& effect) {
  const SlabIndex reservation = state.find_reservation(show_index, effect.sequence);
  const bool in_flight = effect.type == EventType::payment_started;
  SlabIndex index = state.find_key(record.idempotency);
  // the word of the gateway ends the payment that its key began; any other use of a key that is over begins it anew
  const bool ends = index != 0 && reservation != 0 && state.reservations[reservation].key == index && !in_flight;
  if (index != 0 && !ends && state.keys[index].created + ShardState::key_lifetime <= record.now) {
    state.forget_key(index);
    index = 0;
  }
  if (index == 0) {
    const bool lost = USHER_MUTANT(13, "a restart forgets the idempotency keys") && record.now <= state.born;
    if (!in_flight && (record.now + ShardState::key_lifetime <= state.born || lost)) return;
    index = make_key(state, show_index, record);
  }
  IdempotencyEntry& entry = state.keys[index];
  entry.in_flight = in_flight;
  entry.effect = Reply{};
  Reply& reply = entry.effect;
  reply.shard = state.index;
  reply.show = record.show;
  reply.lsn = record.lsn;
  reply.sequence = effect.sequence;
  if (reservation != 0) {
    fill_reply(state, reservation, reply);
    state.reservations[reservation].key = in_flight ? index : 0;
  }
  fill_effect(effect, reply);
}

}  // namespace

bool apply_event(ShardState& state, SlabIndex show, const Record& record, const Event& event) {
  const Applying a{state, state.shows[show], show, record, event};
  switch (event.type) {
    case EventType::reserved:
      return apply_reserved(a);
    case EventType::released:
      return apply_released(a);
    case EventType::expired:
      return apply_expired(a);
    case EventType::payment_started:
      return apply_payment_started(a);
    case EventType::payment_declined:
      return apply_payment_declined(a);
    case EventType::payment_unknown:
      return a.reservation() != 0;
    case EventType::booked:
      return apply_booked(a);
    case EventType::refund_due:
      return apply_refund_due(a);
    case EventType::seats_cancelled:
      return apply_seats_cancelled(a);
    case EventType::refund_settled:
      return apply_refund_ended(a, Refund::State::settled);
    case EventType::refund_failed:
      return apply_refund_ended(a, Refund::State::failed);
    case EventType::ticket_used:
      return apply_ticket_used(a);
    case EventType::seats_blocked:
      return apply_blocked(a, true);
    case EventType::seats_unblocked:
      return apply_blocked(a, false);
    case EventType::show_cancelled:
      return apply_ended(a, ShowStatus::cancelled);
    case EventType::show_completed:
      return apply_ended(a, ShowStatus::completed);
    case EventType::cooldown_started:
      return apply_cooldown(a);
    case EventType::show_opened:
    case EventType::layout_defined:
    case EventType::catalog_changed:
      return false;
  }
  return false;
}

const Event* effect_of(const Record& record) noexcept {
  for (auto event = record.events.rbegin(); event != record.events.rend(); ++event) {
    switch (event->type) {
      case EventType::reserved:
      case EventType::released:
      case EventType::payment_started:
      case EventType::payment_declined:
      case EventType::booked:
      case EventType::refund_due:
      case EventType::seats_cancelled:
        return &*event;
      default:
        break;
    }
  }
  return nullptr;
}

void finish_record(ShardState& state, SlabIndex show, const Record& record) {
  for (const Event& event : record.events) {
    if (event.type != EventType::seats_cancelled) continue;
    const SlabIndex index = state.find_reservation(show, event.sequence);
    state.bookings[state.reservations[index].booking].cancelled_lsn = record.lsn;
    state.revoked.push_back({record.lsn, index});
  }
  state.shows[show].lsn = record.lsn;
  state.shows[show].flags |= Show::to_checkpoint;
  state.last_now = std::max(state.last_now, record.now);
  if (record.idempotency.given()) {
    if (const Event* effect = effect_of(record); effect != nullptr) store_effect(state, show, record, *effect);
  }
  if (record.now + ShardState::expired_memory <= state.born) forget_expired_of(state, show, record);
}

SlabIndex open_show(ShardState& state, ShowNumber number, std::string_view terms_bytes) {
  // a number that another shard has is not this one's to open
  if (to_value(number) == 0 || state.shared.directory.find(number) != nullptr) return 0;
  if (to_value(number) >= ShowDirectory::shows_max) return 0;
  const Result<ShowTerms> terms = decode_terms(terms_bytes);
  if (!terms) return 0;
  const LayoutTable::Entry layout = state.shared.layouts.find(terms.value().layout_hash);
  if (layout.layout == nullptr) return 0;
  const SlabIndex index = state.shows.allocate();
  Show& show = state.shows[index];
  show.layout = layout.layout;
  const ShowTerms& t = terms.value();
  show.terms = state.shared.terms.intern({t.currency, t.price_standard, t.price_premium, t.policy});
  show.start = t.start;
  show.end = t.end;
  show.earliest = Instant::max();
  show.number = number;
  show.status = ShowStatus::scheduled;
  show.free_seats = layout.layout->seat_count();
  show.planes = state.arena.allocate(state.plane_words(show));
  show.end_timer = state.wheel.add(show.end, TimerKind::show_end, index);
  ShowDirectory::Entry& entry = state.shared.directory.make(number);
  entry.slot.store(index, std::memory_order_relaxed);
  entry.available.store(show.free_seats, std::memory_order_relaxed);
  entry.status.store(static_cast<std::uint8_t>(show.status), std::memory_order_relaxed);
  // release: pairs with the acquire in ShowDirectory::find()
  entry.shard.store(state.index, std::memory_order_release);
  return index;
}

}  // namespace usher::engine
