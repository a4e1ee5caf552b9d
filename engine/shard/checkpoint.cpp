#include "engine/shard/checkpoint.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "engine/catalog/hash.hpp"
#include "engine/catalog/show_terms.hpp"
#include "engine/show/show_actor.hpp"
#include "usher/assert.hpp"
#include "usher/mutant.hpp"

namespace usher::engine {
namespace {

constexpr std::uint8_t version = 1;
/// Bits over version 1, each only where there is such a thing: a show without them has the bytes, and the digest, that
/// it always had. With uses: which tickets were used, behind all else, and at the end of each remembered answer.
/// Extended: its waiting room and waiting list, behind that.
constexpr std::uint8_t with_uses_bit = 1;
constexpr std::uint8_t extended_bit = 2;

[[nodiscard]] std::int64_t read_amount(ByteReader& in) noexcept {
  return static_cast<std::int64_t>(in.varint_max(std::uint64_t{1} << 62U));
}

void write_seats(ByteWriter& out, const SeatIndex* seats, std::uint32_t count) {
  SeatIndex previous = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    out.varint(static_cast<std::uint64_t>(seats[i]) - previous);
    previous = seats[i];
  }
}

/// Reads `count` ascending seats below `limit`.
void read_seats(ByteReader& in, SeatIndex* seats, std::uint32_t count, std::uint32_t limit) {
  std::uint64_t previous = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint64_t gap = in.varint_max(limit);
    const std::uint64_t seat = previous + gap;
    if (seat >= limit || (i > 0 && gap == 0)) return in.fail();
    seats[i] = static_cast<SeatIndex>(seat);
    previous = seat;
  }
}

// ---- writing ----

void write_reservation(ByteWriter& out, const Reservation& r) {
  out.varint(r.sequence);
  out.fixed(r.random);
  out.fixed(to_value(r.user));
  out.varint(ms(r.reserved_at));
  out.signed_varint((r.expires_at - r.reserved_at).count());
  out.varint(static_cast<std::uint64_t>(r.amount));
  out.u8(static_cast<std::uint8_t>(r.state));
  out.varint(r.attempt);
  out.u8(r.seat_count);
  write_seats(out, r.seats.data(), r.seat_count);
}

void write_booking(const ShardState& state, ByteWriter& out, Bytes& raw, SlabIndex index) {
  out.u8(index == 0 ? 0 : 1);
  if (index == 0) return;
  const Booking& b = state.bookings[index];
  out.fixed(b.ticket_random);
  out.varint(ms(b.booked_at));
  out.varint(static_cast<std::uint64_t>(b.captured));
  encode(b.terms->policy, raw);
  out.raw(b.terms->currency.code.data(), 3);
  out.varint(static_cast<std::uint64_t>(b.terms->price_standard));
  out.varint(static_cast<std::uint64_t>(b.terms->price_premium));
  out.varint(b.cancelled);
  out.u8(b.seats_lost ? 1 : 0);
  out.text({b.payment_ref.data(), b.payment_ref_size});
  out.varint(b.refund_count);
  for (SlabIndex at = b.refunds; at != 0; at = state.refunds[at].next) {
    const Refund& refund = state.refunds[at];
    out.varint(static_cast<std::uint64_t>(refund.amount));
    out.varint(refund.mask);
    out.varint(refund.number);
    out.u8(refund.percent);
    out.u8(static_cast<std::uint8_t>(refund.state));
  }
}

void write_chain(const ShardState& state, const Chain& chain, ByteWriter& out, Bytes& bytes, bool settled) {
  std::uint64_t count = 0;
  for (SlabIndex at = chain.first; at != 0; at = state.reservations[at].next) ++count;
  out.varint(count);
  for (SlabIndex at = chain.first; at != 0; at = state.reservations[at].next) {
    write_reservation(out, state.reservations[at]);
    if (settled) write_booking(state, out, bytes, state.reservations[at].booking);
  }
}

void write_blocked(const ShardState& state, const Show& show, ByteWriter& out) {
  std::vector<SeatIndex> blocked;
  const auto plane = state.planes(show).blocked();
  for (std::uint32_t seat = 0; seat < show.layout->seat_count(); ++seat) {
    if (SeatPlanes::test(plane, static_cast<SeatIndex>(seat))) blocked.push_back(static_cast<SeatIndex>(seat));
  }
  out.varint(blocked.size());
  write_seats(out, blocked.data(), static_cast<std::uint32_t>(blocked.size()));
}

void write_users(const ShardState& state, const Show& show, Instant as_of, ByteWriter& out) {
  std::vector<SlabIndex> found;
  for (SlabIndex at = show.users; at != 0; at = state.users[at].next) {
    if (state.users[at].abandoned != 0 || state.users[at].cooldown_until > as_of) found.push_back(at);
  }
  std::sort(found.begin(), found.end(),
            [&](SlabIndex a, SlabIndex b) { return state.users[a].user < state.users[b].user; });
  out.varint(found.size());
  for (const SlabIndex at : found) {
    out.fixed(to_value(state.users[at].user));
    out.u8(USHER_MUTANT(18, "checkpoints forget what users abandoned") ? 0 : state.users[at].abandoned);
    out.varint(state.users[at].cooldown_until > as_of ? ms(state.users[at].cooldown_until) : 0);
  }
}

/// The refusals that are effects, by their numbers in the format: those of the enum change when one is declared before
/// them.
constexpr std::array<std::pair<std::uint8_t, Refusal>, 3> effect_refusals{
    {{std::uint8_t{0}, Refusal::none},
     {std::uint8_t{26}, Refusal::seats_lost},
     {std::uint8_t{29}, Refusal::payment_declined}}};

[[nodiscard]] std::uint8_t number_of(Refusal refusal) noexcept {
  for (const auto& [number, known] : effect_refusals) {
    if (known == refusal) return number;
  }
  USHER_ASSERT(false);
  return 0;
}

[[nodiscard]] Refusal read_refusal(ByteReader& in) noexcept {
  const std::uint8_t number = in.u8();
  for (const auto& [known, refusal] : effect_refusals) {
    if (known == number) return refusal;
  }
  in.fail();
  return Refusal::none;
}

void write_effect(ByteWriter& out, const Reply& effect, bool with_uses) {
  out.u8(static_cast<std::uint8_t>(effect.type));
  out.u8(number_of(effect.refusal));
  out.u8(static_cast<std::uint8_t>(effect.state));
  out.u8(static_cast<std::uint8_t>(effect.decline));
  out.u8(effect.percent);
  out.varint(effect.lsn);
  out.varint(effect.sequence);
  out.fixed(effect.id_random);
  out.fixed(effect.ticket_random);
  out.varint(effect.attempt);
  out.varint(effect.cancelled_mask);
  out.fixed(to_value(effect.user));
  out.varint(ms(effect.reserved_at));
  out.varint(ms(effect.expires_at));
  out.varint(ms(effect.booked_at));
  out.varint(static_cast<std::uint64_t>(effect.total.amount));
  out.raw(effect.total.currency.code.data(), 3);
  out.varint(static_cast<std::uint64_t>(effect.refund));
  out.varint(static_cast<std::uint64_t>(effect.refunded));
  out.u8(effect.seat_count);
  write_seats(out, effect.seats.data(), effect.seat_count);
  out.text(effect.payment());
  if (with_uses) out.varint(effect.used_mask);
}

void write_keys(const ShardState& state, const Show& show, Instant as_of, bool with_uses, ByteWriter& out) {
  const auto lives = [&](SlabIndex at) {
    return state.keys[at].created + ShardState::key_lifetime > as_of || state.keys[at].in_flight;
  };
  std::uint64_t count = 0;
  for (SlabIndex at = show.keys; at != 0; at = state.keys[at].next) count += lives(at) ? 1U : 0U;
  out.varint(count);
  for (SlabIndex at = show.keys; at != 0; at = state.keys[at].next) {
    if (!lives(at)) continue;
    const IdempotencyEntry& entry = state.keys[at];
    out.fixed(entry.tag.key_high);
    out.fixed(entry.tag.key_low);
    out.fixed(entry.tag.body);
    out.fixed(to_value(entry.user));
    out.varint(ms(entry.created));
    out.u8(entry.in_flight ? 1 : 0);
    write_effect(out, entry.effect, with_uses);
  }
}

// ---- waiting room and waiting list ----

[[nodiscard]] std::vector<std::uint32_t> handed_of(const ShardState& state, const Show& show) {
  std::vector<std::uint32_t> handed;
  for (SlabIndex at = show.live.first; at != 0; at = state.reservations[at].next) {
    if (state.reservations[at].handed) handed.push_back(state.reservations[at].sequence);
  }
  return handed;
}

[[nodiscard]] bool is_extended(const ShardState& state, SlabIndex index) {
  return (state.shows[index].flags & Show::guarded) != 0 || state.waitlists.contains(index) ||
         !handed_of(state, state.shows[index]).empty();
}

void write_extension(const ShardState& state, SlabIndex index, ByteWriter& out) {
  const auto guard = state.guards.find(index);
  const bool guarded = guard != state.guards.end();
  out.varint(guarded ? guard->second.room : 0);
  out.varint(guarded ? guard->second.uses.size() : 0);
  for (std::size_t at = 0; guarded && at < guard->second.uses.size(); ++at) {
    const AdmissionUse& use = guard->second.uses[at];
    out.varint(use.room);
    out.varint(use.sequence);
    out.varint(use.attempt);
    out.fixed(to_value(use.user));
    out.u8(use.seats);
    out.varint(ms(use.until));
  }
  const auto list = state.waitlists.find(index);
  const bool listed = list != state.waitlists.end();
  out.varint(listed ? list->second.sequence_next : 0);
  out.varint(listed ? list->second.parties.size() : 0);
  for (std::size_t at = 0; listed && at < list->second.parties.size(); ++at) {
    const Party& party = list->second.parties[at];
    out.varint(party.sequence);
    out.fixed(to_value(party.user));
    out.fixed(party.random);
    out.u8(party.seat_count);
    out.u8(party.seat_type);
  }
  const std::vector<std::uint32_t> handed = handed_of(state, state.shows[index]);
  out.varint(handed.size());
  for (const std::uint32_t sequence : handed) out.varint(sequence);
}

void read_admission_uses(ShowGuard* guard, ByteReader& in) {
  for (std::uint64_t count = in.varint(); count > 0 && in.ok(); --count) {
    AdmissionUse use;
    use.room = static_cast<std::uint32_t>(in.varint_max(limits::rooms_max));
    use.sequence = static_cast<std::uint32_t>(in.varint_max(~0U));
    use.attempt = static_cast<std::uint32_t>(in.varint_max(~0U));
    use.user = static_cast<UserNumber>(in.fixed<std::uint64_t>());
    use.seats = in.u8();
    use.until = read_instant(in);
    if (guard == nullptr || use.seats > limits::seats_per_request_max) in.fail();
    if (in.ok()) guard->uses.push_back(use);
  }
}

void read_parties(ShardState& state, SlabIndex index, ByteReader& in) {
  const auto next = static_cast<std::uint32_t>(in.varint_max(~0U));
  const std::uint64_t count = in.varint_max(limits::waitlist_parties_max);
  if (next == 0) return count == 0 ? void() : in.fail();
  Waitlist& list = state.waitlists[index];
  list.sequence_next = next;
  for (std::uint64_t left = count; left > 0 && in.ok(); --left) {
    Party party;
    party.sequence = static_cast<std::uint32_t>(in.varint_max(next - 1));
    party.user = static_cast<UserNumber>(in.fixed<std::uint64_t>());
    party.random = in.fixed<std::uint64_t>();
    party.seat_count = in.u8();
    party.seat_type = in.u8();
    const bool known = party.seat_count > 0 && party.seat_count <= limits::seats_per_request_max;
    if (!known || party.seat_type > seat_type_count || list.find(party.user) != nullptr) in.fail();
    if (in.ok()) list.parties.push_back(party);
  }
  if (!list.parties.empty()) state.shows[index].flags |= Show::waitlisted;
}

void read_extension(ShardState& state, SlabIndex index, ByteReader& in) {
  const auto room = static_cast<std::uint32_t>(in.varint_max(limits::rooms_max));
  if (in.ok() && room != 0) attach_guard(state, index, room);
  read_admission_uses(room == 0 ? nullptr : &state.guards[index], in);
  if (in.ok()) read_parties(state, index, in);
  for (std::uint64_t count = in.varint_max(limits::seats_per_show_max); count > 0 && in.ok(); --count) {
    const auto sequence = static_cast<std::uint32_t>(in.varint_max(limits::sequence_max));
    const SlabIndex reservation = state.find_reservation(index, sequence);
    if (reservation == 0) return in.fail();
    state.reservations[reservation].handed = true;
  }
}

[[nodiscard]] std::vector<std::pair<SlabIndex, SlabIndex>> uses_of(const ShardState& state, const Show& show) {
  std::vector<std::pair<SlabIndex, SlabIndex>> found;  // reservation, use
  for (SlabIndex at = show.settled.first; at != 0; at = state.reservations[at].next) {
    const SlabIndex booking = state.reservations[at].booking;
    if (booking == 0 || state.bookings[booking].uses == 0) continue;
    for (std::uint32_t position = 0; position < state.reservations[at].seat_count; ++position) {
      const SlabIndex use = find_use(state, state.bookings[booking], position);
      if (use != 0) found.emplace_back(at, use);
    }
  }
  return found;
}

void write_uses(const ShardState& state, const Show& show, ByteWriter& out) {
  const auto uses = uses_of(state, show);
  out.varint(uses.size());
  for (const auto& [reservation, at] : uses) {
    const TicketUse& use = state.uses[at];
    out.varint(state.reservations[reservation].sequence);
    out.varint(use.position);
    out.varint(ms(use.in_at));
    out.varint(ms(use.out_at));
    out.fixed(use.in_nonce);
    out.fixed(use.out_nonce);
    out.text({use.gate.data(), use.gate_size});
  }
}

[[nodiscard]] bool has_uses(const ShardState& state, const Show& show) {
  for (SlabIndex at = show.settled.first; at != 0; at = state.reservations[at].next) {
    const SlabIndex booking = state.reservations[at].booking;
    if (booking != 0 && state.bookings[booking].uses != 0) return true;
  }
  return false;
}

// ---- reading ----

[[nodiscard]] SlabIndex read_reservation(ShardState& state, SlabIndex show, ByteReader& in) {
  const SlabIndex index = state.reservations.allocate();
  Reservation& r = state.reservations[index];
  r.show = show;
  r.sequence = static_cast<std::uint32_t>(in.varint_max(limits::sequence_max));
  r.random = in.fixed<std::uint64_t>();
  r.user = static_cast<UserNumber>(in.fixed<std::uint64_t>());
  r.reserved_at = read_instant(in);
  const std::int64_t life_ms = in.signed_varint();
  const std::int64_t reserved_ms = to_ms(r.reserved_at);
  if (life_ms < -reserved_ms || life_ms > instant_ms_max - reserved_ms) in.fail();
  if (in.ok()) r.expires_at = r.reserved_at + Duration{life_ms};
  r.amount = read_amount(in);
  r.state = static_cast<ReservationState>(in.u8());
  r.attempt = static_cast<std::uint16_t>(in.varint_max(0xffff));
  r.seat_count = in.u8();
  if (r.seat_count == 0 || r.seat_count > limits::seats_per_request_max) in.fail();
  if (in.ok()) read_seats(in, r.seats.data(), r.seat_count, state.shows[show].layout->seat_count());
  if (!in.ok() || state.find_reservation(show, r.sequence) != 0) {
    in.fail();
    state.reservations.release(index);
    return 0;
  }
  state.by_sequence.insert(ShardState::sequence_hash(show, r.sequence), index);
  return index;
}

/// Marks the seats at the positions of `mask`. Fails the reader when one is marked already.
void mark_seats(ShardState& state, Show& show, std::span<std::uint64_t> plane, const Reservation& r, std::uint32_t mask,
                ByteReader& in) {
  const SeatPlanes planes = state.planes(show);
  for (std::uint32_t position = 0; position < r.seat_count; ++position) {
    if (((mask >> position) & 1U) == 0) continue;
    if (planes.taken(r.seats[position])) return in.fail();
    SeatPlanes::set(plane, r.seats[position]);
    --show.free_seats;
  }
}

void read_live(ShardState& state, SlabIndex show_index, ByteReader& in) {
  Show& show = state.shows[show_index];
  for (std::uint64_t count = in.varint_max(limits::seats_per_show_max); count > 0 && in.ok(); --count) {
    const SlabIndex index = read_reservation(state, show_index, in);
    if (index == 0) return;
    Reservation& r = state.reservations[index];
    if (!r.live()) return in.fail();
    mark_seats(state, show, state.planes(show).reserved(), r, r.all_mask(), in);
    chain_append(state.reservations, show.live, index);
    r.on_show = state.make_user(show_index, r.user);
    UserOnShow& user = state.users[r.on_show];
    r.user_next = user.reservations;
    user.reservations = index;
    ++user.live;
    const Instant deadline = deadline_of(state, r);
    r.timer = state.wheel.add(deadline, TimerKind::reservation, index);
    show.earliest = std::min(show.earliest, deadline);
  }
}

void read_refunds(ShardState& state, Booking& booking, ByteReader& in) {
  SlabIndex* link = &booking.refunds;
  booking.refund_count = static_cast<std::uint32_t>(in.varint_max(limits::seats_per_request_max));
  for (std::uint32_t i = 0; i < booking.refund_count && in.ok(); ++i) {
    const SlabIndex index = state.refunds.allocate();
    Refund& refund = state.refunds[index];
    refund.amount = read_amount(in);
    refund.mask = static_cast<std::uint32_t>(in.varint_max(~0U));
    refund.number = static_cast<std::uint32_t>(in.varint_max(limits::seats_per_request_max));
    refund.percent = in.u8();
    refund.state = static_cast<Refund::State>(in.u8());
    if (refund.state > Refund::State::failed) in.fail();
    *link = index;
    link = &refund.next;
  }
}

void read_booking(ShardState& state, SlabIndex reservation, ByteReader& in) {
  if (in.u8() == 0) return;
  Reservation& r = state.reservations[reservation];
  r.booking = state.bookings.allocate();
  Booking& b = state.bookings[r.booking];
  b.ticket_random = in.fixed<std::uint64_t>();
  b.booked_at = read_instant(in);
  b.captured = read_amount(in);
  SaleTerms terms;
  terms.policy = read_policy(in);
  const std::string_view code = in.raw(3);
  if (const auto currency = parse_currency(code)) {
    terms.currency = *currency;
  } else {
    in.fail();
  }
  terms.price_standard = read_amount(in);
  terms.price_premium = read_amount(in);
  b.cancelled = static_cast<std::uint32_t>(in.varint_max(r.all_mask()));
  b.seats_lost = in.u8() != 0;
  const std::string_view payment = in.text(limits::payment_ref_bytes_max);
  std::copy(payment.begin(), payment.end(), b.payment_ref.begin());
  b.payment_ref_size = static_cast<std::uint8_t>(payment.size());
  read_refunds(state, b, in);
  if (!in.ok()) return;
  b.terms = state.shared.terms.intern(terms);
  if (b.seats_lost) return;
  const SlabIndex person = state.make_person(r.user);
  b.user_next = state.people[person].bookings;
  if (b.user_next != 0) state.bookings[state.reservations[b.user_next].booking].user_previous = reservation;
  state.people[person].bookings = reservation;
}

void read_settled(ShardState& state, SlabIndex show_index, ByteReader& in) {
  Show& show = state.shows[show_index];
  for (std::uint64_t count = in.varint_max(limits::sequence_max); count > 0 && in.ok(); --count) {
    const SlabIndex index = read_reservation(state, show_index, in);
    if (index == 0) return;
    chain_append(state.reservations, show.settled, index);
    read_booking(state, index, in);
    Reservation& r = state.reservations[index];
    const bool has_money = r.state == ReservationState::booked || r.state == ReservationState::cancelled ||
                           r.state == ReservationState::refunded;
    if (!in.ok() || has_money != (r.booking != 0) || (!has_money && r.state != ReservationState::lapsed))
      return in.fail();
    if (r.state == ReservationState::booked) {
      mark_seats(state, show, state.planes(show).booked(), r, r.all_mask() & ~state.bookings[r.booking].cancelled, in);
    }
  }
}

void read_users(ShardState& state, SlabIndex show, ByteReader& in) {
  for (std::uint64_t count = in.varint(); count > 0 && in.ok(); --count) {
    const auto user = static_cast<UserNumber>(in.fixed<std::uint64_t>());
    const std::uint8_t abandoned = in.u8();
    const Instant until = read_instant(in);
    if (!in.ok()) return;
    const SlabIndex index = state.make_user(show, user);
    state.users[index].abandoned = abandoned;
    if (to_ms(until) == 0) continue;
    state.users[index].cooldown_until = until;
    state.users[index].timer = state.wheel.add(until, TimerKind::cooldown, index);
  }
}

[[nodiscard]] Reply read_effect(ByteReader& in, bool with_uses) {
  Reply e;
  e.type = static_cast<CommandType>(in.u8());
  e.refusal = read_refusal(in);
  e.state = static_cast<ReservationState>(in.u8());
  e.decline = static_cast<PaymentDecline>(in.u8());
  if (e.type > CommandType::unblock_seats || e.decline >= PaymentDecline::count_) in.fail();
  e.percent = in.u8();
  e.lsn = in.varint();
  e.sequence = static_cast<std::uint32_t>(in.varint_max(limits::sequence_max));
  e.id_random = in.fixed<std::uint64_t>();
  e.ticket_random = in.fixed<std::uint64_t>();
  e.attempt = static_cast<std::uint32_t>(in.varint_max(0xffff));
  e.cancelled_mask = static_cast<std::uint32_t>(in.varint_max(~0U));
  e.user = static_cast<UserNumber>(in.fixed<std::uint64_t>());
  e.reserved_at = read_instant(in);
  e.expires_at = read_instant(in);
  e.booked_at = read_instant(in);
  e.total.amount = read_amount(in);
  const std::string_view code = in.raw(3);
  std::copy(code.begin(), code.end(), e.total.currency.code.begin());
  e.refund = read_amount(in);
  e.refunded = read_amount(in);
  e.seat_count = in.u8();
  if (e.seat_count > limits::seats_per_request_max) in.fail();
  if (in.ok()) read_seats(in, e.seats.data(), e.seat_count, limits::seats_per_show_max);
  const std::string_view payment = in.text(limits::payment_ref_bytes_max);
  std::copy(payment.begin(), payment.end(), e.payment_ref.begin());
  e.payment_ref_size = static_cast<std::uint8_t>(payment.size());
  if (with_uses) e.used_mask = static_cast<std::uint32_t>(in.varint_max(~0U));
  return e;
}

void read_keys(ShardState& state, SlabIndex show, bool with_uses, ByteReader& in) {
  SlabIndex last = 0;
  for (std::uint64_t count = in.varint(); count > 0 && in.ok(); --count) {
    const SlabIndex index = state.keys.allocate();
    IdempotencyEntry& entry = state.keys[index];
    entry.tag.key_high = in.fixed<std::uint64_t>();
    entry.tag.key_low = in.fixed<std::uint64_t>();
    entry.tag.body = in.fixed<std::uint64_t>();
    entry.user = static_cast<UserNumber>(in.fixed<std::uint64_t>());
    entry.created = read_instant(in);
    entry.in_flight = in.u8() != 0;
    entry.effect = read_effect(in, with_uses);
    entry.effect.shard = state.index;
    entry.effect.show = state.shows[show].number;
    entry.show = show;
    entry.previous = last;
    (last != 0 ? state.keys[last].next : state.shows[show].keys) = index;
    last = index;
    if (!in.ok()) return;
    entry.timer = state.wheel.add(entry.created + ShardState::key_lifetime, TimerKind::idempotency, index);
    state.by_key.insert(entry.tag.key_low, index);
    ++state.people[state.make_person(entry.user)].live_keys;
    const SlabIndex reservation = entry.in_flight ? state.find_reservation(show, entry.effect.sequence) : 0;
    if (reservation != 0) state.reservations[reservation].key = index;
  }
}

void read_uses(ShardState& state, SlabIndex show, ByteReader& in) {
  for (std::uint64_t count = in.varint(); count > 0 && in.ok(); --count) {
    const SlabIndex found =
        state.find_reservation(show, static_cast<std::uint32_t>(in.varint_max(limits::sequence_max)));
    const auto position = static_cast<std::uint32_t>(in.varint_max(limits::seats_per_request_max - 1));
    const Instant in_at = read_instant(in);
    const Instant out_at = read_instant(in);
    const auto in_nonce = in.fixed<std::uint64_t>();
    const auto out_nonce = in.fixed<std::uint64_t>();
    const std::string_view gate = in.text(limits::gate_id_bytes_max);
    if (!in.ok() || found == 0 || state.reservations[found].booking == 0) return in.fail();
    Booking& booking = state.bookings[state.reservations[found].booking];
    if (position >= state.reservations[found].seat_count || find_use(state, booking, position) != 0) return in.fail();
    const SlabIndex index = state.uses.allocate();
    TicketUse& use = state.uses[index];
    use = {in_at, out_at, in_nonce, out_nonce, booking.uses, position, static_cast<std::uint8_t>(gate.size()), {}};
    std::copy(gate.begin(), gate.end(), use.gate.begin());
    booking.uses = index;
    if (in_at != Instant{}) booking.used |= 1U << position;
  }
}

/// Which cancellation had which LSN is forgotten: the show's own is no earlier, and a gate may be told twice.
void note_revoked(ShardState& state, const Show& show) {
  for (SlabIndex at = show.settled.first; at != 0; at = state.reservations[at].next) {
    const SlabIndex booking = state.reservations[at].booking;
    if (booking == 0 || state.bookings[booking].cancelled == 0 || state.bookings[booking].seats_lost) continue;
    state.bookings[booking].cancelled_lsn = show.lsn;
    state.revoked.push_back({show.lsn, at});
  }
}

void read_blocked(ShardState& state, Show& show, ByteReader& in) {
  std::vector<SeatIndex> seats(static_cast<std::size_t>(in.varint_max(show.layout->seat_count())));
  read_seats(in, seats.data(), static_cast<std::uint32_t>(seats.size()), show.layout->seat_count());
  for (const SeatIndex seat : seats) {
    SeatPlanes::set(state.planes(show).blocked(), seat);
    --show.free_seats;
  }
}

}  // namespace

void encode_show(const ShardState& state, SlabIndex index, Instant as_of, Bytes& bytes) {
  const Show& show = state.shows[index];
  ByteWriter out(bytes);
  const bool with_uses = has_uses(state, show);
  const bool extended = is_extended(state, index);
  out.u8(static_cast<std::uint8_t>(version + (with_uses ? with_uses_bit : 0) + (extended ? extended_bit : 0)));
  Bytes terms;
  encode(ShowTerms{show.layout->hash(), show.terms->currency, show.terms->price_standard, show.terms->price_premium,
                   show.start, show.end, show.terms->policy},
         terms);
  out.text({reinterpret_cast<const char*>(terms.data()), terms.size()});
  out.u8(static_cast<std::uint8_t>(show.status));
  out.varint(show.sequence_next);
  write_blocked(state, show, out);
  write_chain(state, show.live, out, bytes, false);
  write_chain(state, show.settled, out, bytes, true);
  write_users(state, show, as_of, out);
  write_keys(state, show, as_of, with_uses, out);
  if (with_uses) write_uses(state, show, out);
  if (extended) write_extension(state, index, out);
}

Status restore_show(ShardState& state, ShowNumber number, Lsn lsn, const Bytes& bytes) {
  ByteReader in(bytes);
  const std::uint8_t bits = in.u8() - version;
  if (bits > (with_uses_bit | extended_bit))
    return make_error(ErrorCode::version, "checkpoint of a show: unknown version");
  const SlabIndex index = open_show(state, number, in.text(4096));
  if (index == 0) return make_error(ErrorCode::corrupt, "checkpoint of a show: its terms do not fit");
  Show& show = state.shows[index];
  show.lsn = lsn;
  const auto status = static_cast<ShowStatus>(in.u8());
  if (status > ShowStatus::completed) in.fail();
  show.status = status;
  if (status != ShowStatus::scheduled) {
    state.wheel.cancel(show.end_timer);
    show.end_timer = 0;
  }
  show.sequence_next = static_cast<std::uint32_t>(in.varint_max(limits::sequence_max));
  if (in.ok()) read_blocked(state, show, in);
  if (in.ok()) read_live(state, index, in);
  if (in.ok()) read_settled(state, index, in);
  if (in.ok()) read_users(state, index, in);
  if (in.ok()) read_keys(state, index, (bits & with_uses_bit) != 0, in);
  if (in.ok() && (bits & with_uses_bit) != 0) read_uses(state, index, in);
  if (in.ok() && (bits & extended_bit) != 0) read_extension(state, index, in);
  if (in.ok()) note_revoked(state, show);
  if (!in.complete())
    return make_error(ErrorCode::corrupt, "checkpoint of show " + std::to_string(to_value(number)) + ": damaged");
  return Done{};
}

std::uint64_t digest_of(const ShardState& state, SlabIndex show, Instant as_of) {
  Bytes bytes;
  encode_show(state, show, as_of, bytes);
  return hash_bytes({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

}  // namespace usher::engine
