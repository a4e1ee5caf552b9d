/// What a command must be answered: flat lists of the rules, in the order in which refusals are declared.

#include <algorithm>

#include "tests/sim/judge.hpp"

namespace usher::sim {
namespace {

[[nodiscard]] Refusal selling(const Facts& facts, const ShowState& state, Instant now) {
  if (state.stage == Stage::cancelled) return Refusal::show_cancelled;
  if (state.stage == Stage::completed) return Refusal::show_completed;
  if (now >= facts.start) return Refusal::show_started;
  return Refusal::none;
}

[[nodiscard]] Refusal seats_named(const Facts& facts, const Command& command, std::size_t most) {
  if (command.seat_count == 0) return Refusal::no_seats;
  if (command.seat_count > most) return Refusal::too_many_seats;
  for (std::size_t at = 1; at < command.seat_count; ++at) {
    if (command.seats[at] <= command.seats[at - 1]) return Refusal::duplicate_seat;
  }
  return command.seats[command.seat_count - 1U] >= facts.seats.size() ? Refusal::unknown_seat : Refusal::none;
}

[[nodiscard]] Refusal user_may(const Facts& facts, const ShowState& state, const Command& command, Instant now) {
  const Visitor* visitor = state.visitor(command.user);
  if (visitor != nullptr && visitor->cooldown_until > now) return Refusal::cooldown;
  const std::uint32_t limit = facts.policy.reservations_per_user_and_show;
  return limit != 0 && state.live_of(command.user) >= limit ? Refusal::reservation_limit : Refusal::none;
}

[[nodiscard]] bool wants(const Command& command, std::size_t seat) {
  const auto* end = command.seats.begin() + command.seat_count;
  return std::find(command.seats.begin(), end, static_cast<SeatIndex>(seat)) != end;
}

/// A companion seat goes with one of the accessible seats beside it, where there is one.
[[nodiscard]] bool companions_fit(const Facts& facts, const Command& command) {
  for (std::size_t at = 0; at < command.seat_count; ++at) {
    const SeatIndex seat = command.seats[at];
    if (facts.seats[seat] != 'C') continue;
    const bool left = facts.joined_left(seat) && facts.seats[seat - 1U] == 'A';
    const bool right = facts.joined[seat] && facts.seats[seat + 1U] == 'A';
    const bool with_left = left && wants(command, seat - 1U);
    const bool with_right = right && wants(command, seat + 1U);
    if ((left || right) && !with_left && !with_right) return false;
  }
  return true;
}

/// Would a free seat beside the wanted ones be left with nobody beside it?
[[nodiscard]] bool leaves_orphan(const Facts& facts, const ShowState& state, const Command& command) {
  const auto stays_free = [&](std::size_t seat) {
    return state.free(static_cast<SeatIndex>(seat)) && !wants(command, seat);
  };
  for (std::size_t seat = 0; seat < facts.seats.size(); ++seat) {
    if (!stays_free(seat)) continue;
    const bool has_left = facts.joined_left(static_cast<SeatIndex>(seat));
    const bool has_right = facts.joined[seat];
    const bool beside = (has_left && wants(command, seat - 1)) || (has_right && wants(command, seat + 1));
    const bool company = (has_left && stays_free(seat - 1)) || (has_right && stays_free(seat + 1));
    if (beside && !company) return true;
  }
  return false;
}

[[nodiscard]] Refusal reserve(const Facts& facts, const ShowState& state, const Command& command, Instant now) {
  if (const Refusal refusal = selling(facts, state, now); refusal != Refusal::none) return refusal;
  const std::size_t most = facts.policy.seats_per_reservation;
  if (const Refusal refusal = seats_named(facts, command, most); refusal != Refusal::none) return refusal;
  if (const Refusal refusal = user_may(facts, state, command, now); refusal != Refusal::none) return refusal;
  for (std::size_t at = 0; at < command.seat_count; ++at) {
    if (!state.free(command.seats[at])) return Refusal::seats_unavailable;
  }
  if (!companions_fit(facts, command)) return Refusal::companion_rule;
  const bool orphans = facts.policy.orphan_rule == OrphanRule::all && leaves_orphan(facts, state, command);
  return orphans ? Refusal::orphan_rule : Refusal::none;
}

[[nodiscard]] Refusal reserve_best(const Facts& facts, const ShowState& state, const Command& command, Instant now) {
  if (const Refusal refusal = selling(facts, state, now); refusal != Refusal::none) return refusal;
  if (command.seat_count == 0) return Refusal::no_seats;
  if (command.seat_count > facts.policy.seats_per_reservation) return Refusal::too_many_seats;
  if (const Refusal refusal = user_may(facts, state, command, now); refusal != Refusal::none) return refusal;
  return has_best(facts, state, command) ? Refusal::none : Refusal::no_adjacent_seats;
}

[[nodiscard]] Refusal whose(const Held* held, const Command& command) {
  if (held == nullptr || held->random != command.id_random) return Refusal::unknown_reservation;
  return !command.staff && held->user != command.user ? Refusal::not_owner : Refusal::none;
}

[[nodiscard]] Refusal of_reservation(const Facts& facts, const ShowState& state, const Command& command, Instant now) {
  const Held* held = state.find(command.sequence);
  if (const Refusal refusal = whose(held, command); refusal != Refusal::none) return refusal;
  const bool gone = held->state == ReservationState::expired || held->state == ReservationState::lapsed;
  const bool pays = command.type == CommandType::start_payment;
  if (gone && !pays) return Refusal::unknown_reservation;
  if (gone) return state.all_free(*held) ? Refusal::reservation_expired : Refusal::seats_lost;
  if (command.type == CommandType::read_reservation) return Refusal::none;
  if (held->state == ReservationState::paying) return Refusal::payment_in_flight;
  if (held->state != ReservationState::reserved) return Refusal::already_booked;
  return pays ? selling(facts, state, now) : Refusal::none;
}

[[nodiscard]] Refusal of_booking(const Facts& facts, const ShowState& state, const Command& command, Instant now) {
  const Held* held = state.find(command.sequence);
  const Refusal owner = whose(held, command);
  if (owner == Refusal::unknown_reservation || !held->paid || held->seats_lost) return Refusal::unknown_booking;
  if (owner != Refusal::none || command.type == CommandType::read_booking) return owner;
  bool all_known = true;
  bool again = held->cancelled == held->all_mask();
  for (std::size_t at = 0; at < command.seat_count; ++at) {
    const auto seat = std::find(held->seats.begin(), held->seats.end(), command.seats[at]);
    all_known = all_known && seat != held->seats.end();
    if (seat == held->seats.end()) continue;
    again = again || ((held->cancelled >> static_cast<unsigned>(seat - held->seats.begin())) & 1U) != 0;
  }
  if (again) return Refusal::already_cancelled;
  if (!all_known) return Refusal::unknown_seat_in_booking;
  if (refund_percent(facts, now) < 0 || state.stage == Stage::completed) return Refusal::cancellation_too_late;
  for (std::size_t at = 0; at < held->seats.size(); ++at) {
    const bool asked = command.seat_count == 0 || wants(command, held->seats[at]);
    if (asked && ((held->used_mask() & ~held->cancelled) >> at & 1U) != 0) return Refusal::ticket_used;
  }
  return Refusal::none;
}

[[nodiscard]] Refusal of_seats(const Facts& facts, const ShowState& state, const Command& command, Instant now) {
  if (state.stage != Stage::scheduled) return selling(facts, state, now);
  const Refusal refusal = seats_named(facts, command, limits::seats_per_request_max);
  if (refusal != Refusal::none || command.type == CommandType::unblock_seats) return refusal;
  for (std::size_t at = 0; at < command.seat_count; ++at) {
    if (!state.free(command.seats[at])) return Refusal::seats_unavailable;
  }
  return Refusal::none;
}

}  // namespace

bool has_best(const Facts& facts, const ShowState& state, const Command& command) {
  const bool wishes_accessible = command.seat_type == 2;  // SeatType::accessible
  const bool wishes_companion = command.seat_type == 3;
  std::size_t all = 0;
  std::size_t all_accessible = 0;
  std::size_t run = 0;
  std::size_t accessible_at = 0;  // the newest accessible seat of the run, counted from its end, 0 = none
  bool found = false;
  for (std::size_t seat = 0; seat < facts.seats.size(); ++seat) {
    const bool special = facts.seats[seat] == 'A' || facts.seats[seat] == 'C';
    const bool fits = state.free(static_cast<SeatIndex>(seat)) && special == (wishes_accessible || wishes_companion);
    if (!fits || !facts.joined_left(static_cast<SeatIndex>(seat))) run = accessible_at = 0;
    if (!fits) continue;
    ++run;
    ++all;
    if (accessible_at != 0) ++accessible_at;
    if (facts.seats[seat] == 'A') {
      accessible_at = 1;
      ++all_accessible;
    }
    const bool company = !wishes_accessible || (accessible_at != 0 && accessible_at <= command.seat_count);
    found = found || (run >= command.seat_count && company);
  }
  return found || (command.split && all >= command.seat_count && (!wishes_accessible || all_accessible > 0));
}

ScanVerdict expect_scan(const ShowState& state, const Command& command) {
  const Held* held = state.find(command.sequence);
  if (held == nullptr || !held->paid) return {};
  ScanVerdict verdict;
  for (; verdict.position < held->seats.size(); ++verdict.position) {
    const Id ticket = ticket_id(command.show, held->sequence, held->ticket_random, verdict.position);
    if (to_uuid(ticket) == to_uuid(Id{IdKind::ticket, command.show, command.sequence, command.id_random})) break;
  }
  if (verdict.position == held->seats.size() || state.stage == Stage::cancelled) return {};
  if (((held->cancelled >> verdict.position) & 1U) != 0) return {};
  const auto known = held->uses.find(verdict.position);
  verdict.scan =
      scan_of(known == held->uses.end() ? Use{} : known->second, command.exit, command.scanned_at, command.random);
  verdict.result = verdict.scan == Scan::refused   ? ScanResult::already_used
                   : verdict.scan == Scan::repeats ? ScanResult::valid
                                                   : command.window;
  return verdict;
}

Expected expect(const Model& model, const Facts& facts, const ShowState& state, const Command& command, Instant now) {
  if (command.idempotency.given()) {
    const Remembered* known = state.key(command.idempotency);
    if (known != nullptr && known->created + key_lifetime > now) {
      if (known->tag.body != command.idempotency.body) return {false, Refusal::idempotency_key_reused};
      return {!known->in_flight, known->in_flight ? Refusal::idempotency_in_flight : Refusal::none};
    }
  }
  (void)model;
  switch (command.type) {
    case CommandType::reserve:
      return {false, reserve(facts, state, command, now)};
    case CommandType::reserve_best:
      return {false, reserve_best(facts, state, command, now)};
    case CommandType::release:
    case CommandType::read_reservation:
    case CommandType::start_payment:
      return {false, of_reservation(facts, state, command, now)};
    case CommandType::read_booking:
    case CommandType::preview_cancel:
    case CommandType::cancel:
      return {false, of_booking(facts, state, command, now)};
    case CommandType::block_seats:
    case CommandType::unblock_seats:
      return {false, of_seats(facts, state, command, now)};
    case CommandType::cancel_show:
      return {false, state.stage == Stage::cancelled ? Refusal::none : selling(facts, state, now)};
    default:
      return {};
  }
}

}  // namespace usher::sim
