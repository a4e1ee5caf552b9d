#include "tests/sim/judge.hpp"

#include <algorithm>

namespace usher::sim {
namespace {

[[nodiscard]] std::string place(const Command& command, const Reply& reply) {
  return "answer to command " + std::to_string(static_cast<int>(command.type)) + " of user " +
         std::to_string(to_value(command.user)) + " on show " + std::to_string(to_value(command.show)) + " at LSN " +
         std::to_string(reply.lsn) + ": ";
}

[[nodiscard]] std::string wrong_refusal(Refusal said, const Expected& expected) {
  const auto name = [](Refusal refusal) { return std::string(describe(refusal).code); };
  return "refused with " + name(said) + ", the rules say " + (expected.replays ? "again" : name(expected.refusal));
}

/// Compares what an answer says of a reservation.
[[nodiscard]] std::string differs(const Held& held, const Reply& reply) {
  if (reply.sequence != held.sequence || reply.id_random != held.random) return "another reservation";
  if (reply.user != held.user) return "another user";
  if (!std::equal(held.seats.begin(), held.seats.end(), reply.seats.begin(), reply.seats.begin() + reply.seat_count))
    return "other seats";
  if (reply.reserved_at != held.reserved_at || reply.expires_at != held.expires_at) return "other times";
  if (reply.total.amount != held.amount) return "another amount";
  if (reply.state != held.state) return "another state";
  if (!held.paid) return "";
  if (reply.payment() != held.payment || reply.ticket_random != held.ticket_random) return "other tickets";
  if (reply.booked_at != held.booked_at) return "another time of booking";
  if (reply.cancelled_mask != held.cancelled) return "other tickets are cancelled";
  if (reply.used_mask != held.used_mask()) return "other tickets are used";
  return reply.refunded != held.repaid() ? "another sum refunded" : "";
}

[[nodiscard]] bool is_effect(const Record& record, std::initializer_list<EventType> wanted) {
  for (auto event = record.events.rbegin(); event != record.events.rend(); ++event) {
    if (event->type == EventType::cooldown_started || event->type == EventType::expired) continue;
    return std::find(wanted.begin(), wanted.end(), event->type) != wanted.end();
  }
  return false;
}

[[nodiscard]] bool changes_nothing(const Record& record) {
  return std::all_of(record.events.begin(), record.events.end(), [](const Event& event) {
    return event.type == EventType::cooldown_started || event.type == EventType::expired;
  });
}

}  // namespace

void Judge::count(Refusal refusal) {
  switch (refusal) {
    case Refusal::seats_unavailable:
      return counters_.hit(Path::seats_refused);
    case Refusal::no_adjacent_seats:
      return counters_.hit(Path::best_refused);
    case Refusal::reservation_limit:
      return counters_.hit(Path::limit_refused);
    case Refusal::cooldown:
      return counters_.hit(Path::cooldown_refused);
    case Refusal::reservation_expired:
      return counters_.hit(Path::late_refused);
    case Refusal::seats_lost:
      return counters_.hit(Path::seats_lost_refused);
    case Refusal::ticket_used:
      return counters_.hit(Path::used_kept);
    case Refusal::idempotency_in_flight:
      return counters_.hit(Path::key_in_flight);
    case Refusal::idempotency_key_reused:
      return counters_.hit(Path::key_reused);
    default:
      return;
  }
}

std::string Judge::refused(const Command& command, const Reply& reply) {
  const Moment* moment = model_.as_of(command.show, reply.lsn);
  if (moment == nullptr) {
    const bool open = model_.now(command.show) != nullptr && reply.now > model_.opened_at(command.show);
    if (reply.refusal == Refusal::unknown_show) return open ? "the show is open" : "";
    ++counters_.unchecked;
    return "";
  }
  const Facts& facts = model_.facts(command.show);
  ShowState state = moment->state;
  const bool own = state.lsn == reply.lsn && moment->record.now == reply.now && moment->record.actor == command.user &&
                   changes_nothing(moment->record);
  if (let_die(state, facts, reply.now) != 0) return "decided as if something dead lived";
  Expected expected = expect(model_, facts, state, command, reply.now);
  if (own && expected.refusal != reply.refusal) {
    const Moment* before = model_.before(command.show, reply.lsn);
    if (before == nullptr) return "";
    state = before->state;
    (void)let_die(state, facts, reply.now);
    expected = expect(model_, facts, state, command, reply.now);
  }
  if (reply.refusal == Refusal::idempotency_keys_exhausted) {
    return model_.keys_of(facts.shard, command.user, reply.now) < limits::idempotency_keys_per_user_max - 5
               ? "keys are left"
               : "";
  }
  const Held* held = state.find(command.sequence);
  const bool forgotten =
      held != nullptr && held->state == ReservationState::expired &&
      (held->expired_at + expired_memory <= reply.now + Duration{1'000} || held->expired_at <= model_.born);
  if (forgotten && reply.refusal == Refusal::unknown_reservation) return "";
  if (expected.replays || expected.refusal != reply.refusal) return wrong_refusal(reply.refusal, expected);
  count(reply.refusal);
  if (reply.refusal != Refusal::seats_unavailable) return "";
  std::vector<SeatIndex> taken;
  std::copy_if(command.seats.begin(), command.seats.begin() + command.seat_count, std::back_inserter(taken),
               [&](SeatIndex seat) { return !state.free(seat); });
  return std::equal(taken.begin(), taken.end(), reply.seats.begin(), reply.seats.begin() + reply.seat_count)
             ? ""
             : "other seats are taken";
}

std::string Judge::effect(const Command& command, const Reply& reply, const Moment& moment) {
  const Record& record = moment.record;
  const auto has = [&](std::initializer_list<EventType> wanted) { return is_effect(record, wanted); };
  const bool one_of_gateway = reply.type == CommandType::finish_payment;
  if (!one_of_gateway && record.actor != command.user) return "the record is another's";
  if (!one_of_gateway && record.now != reply.now) return "the record is of another time";
  if (command.idempotency.given() && !(record.idempotency == command.idempotency)) {
    return "its idempotency key is not in the record of its effect";
  }
  switch (command.type) {
    case CommandType::reserve:
    case CommandType::reserve_best:
      return has({EventType::reserved}) ? "" : "nothing was reserved";
    case CommandType::release:
      return has({EventType::released}) ? "" : "nothing was released";
    case CommandType::start_payment:
      if (reply.refusal == Refusal::payment_declined) return has({EventType::payment_declined}) ? "" : "not declined";
      if (reply.refusal == Refusal::seats_lost) return has({EventType::refund_due}) ? "" : "no refund is due";
      return has({EventType::booked}) ? "" : "nothing was booked";
    case CommandType::cancel:
      if (!has({EventType::seats_cancelled})) return "nothing was cancelled";
      return record.events.back().amount == reply.refund ? "" : "another refund";
    case CommandType::block_seats:
      return has({EventType::seats_blocked}) ? "" : "nothing was blocked";
    case CommandType::unblock_seats:
      return has({EventType::seats_unblocked}) ? "" : "nothing was unblocked";
    default:
      return "";
  }
}

std::string Judge::done(const Command& command, const Reply& reply) {
  const bool reads = command.type == CommandType::read_reservation || command.type == CommandType::read_booking ||
                     command.type == CommandType::preview_cancel || command.type == CommandType::cancel_show;
  if (command.type == CommandType::start_payment && reply.lsn == 0) return "";  // the gateway has not told yet
  const Moment* moment = model_.as_of(command.show, reply.lsn);
  if (moment == nullptr) return ++counters_.unchecked, "";
  const Facts& facts = model_.facts(command.show);
  if (!reads) {
    if (moment->state.lsn != reply.lsn) return "no record is its effect";
    if (std::string wrong = effect(command, reply, *moment); !wrong.empty()) return wrong;
  }
  const Moment* base = reads ? moment : model_.before(command.show, reply.lsn);
  if (base != nullptr && reply.type == command.type) {
    ShowState state = base->state;
    if (let_die(state, facts, reply.now) != 0 && reads) return "read as if something dead lived";
    const Expected expected = expect(model_, facts, state, command, reply.now);
    const bool cancelled = command.type == CommandType::cancel_show;
    if (!cancelled && (expected.replays || expected.refusal != Refusal::none)) {
      return wrong_refusal(Refusal::none, expected);
    }
  }
  const Held* held = moment->state.find(reply.sequence);
  const bool gone = command.type == CommandType::release || command.type == CommandType::block_seats ||
                    command.type == CommandType::unblock_seats || command.type == CommandType::cancel_show;
  if (gone) return "";
  if (held == nullptr) return "of a reservation that is not there";
  if (std::string wrong = differs(*held, reply); !wrong.empty()) return wrong;
  if (command.type == CommandType::reserve_best) {
    if (reply.seat_count != command.seat_count) return "another number of seats than asked for";
    counters_.hit(Path::best_available);
    for (std::size_t at = 1; at < reply.seat_count && !command.split; ++at) {
      const bool beside = reply.seats[at] == reply.seats[at - 1] + 1 && facts.joined[reply.seats[at - 1]];
      if (!beside) return "seats that are not side by side";
    }
  }
  return "";
}

std::string Judge::scanned(const Command& command, const Reply& reply) {
  if (reply.refusal != Refusal::none) return refused(command, reply);
  const Moment* moment = model_.as_of(command.show, reply.lsn);
  if (moment == nullptr) return ++counters_.unchecked, "";
  const Event& last = moment->record.events.back();
  const bool own = moment->state.lsn == reply.lsn && !reply.replayed && last.type == EventType::ticket_used &&
                   last.sequence == command.sequence && last.random == command.random;
  const Moment* base = own ? model_.before(command.show, reply.lsn) : moment;
  if (base == nullptr) return ++counters_.unchecked, "";
  ShowState state = base->state;
  if (let_die(state, model_.facts(command.show), reply.now) != 0 && !own) return "decided as if something dead lived";
  const ScanVerdict expected = expect_scan(state, command);
  if (reply.scan != expected.result) {
    return "the gate is told " + std::string(scan_result_names[static_cast<std::size_t>(reply.scan)]) + ", not " +
           std::string(scan_result_names[static_cast<std::size_t>(expected.result)]);
  }
  const bool admits = expected.result == ScanResult::valid;
  if (reply.replayed != (admits && expected.scan == Scan::repeats)) return "it is the same scan, or it is not";
  if (own != (admits && expected.scan != Scan::repeats)) return "in the log, and counts not, or the reverse";
  if (reply.superseded != (admits && expected.scan == Scan::replaces)) return "an earlier entry, or not";
  if (reply.scan == ScanResult::cancelled) return counters_.hit(Path::cancelled_refused), "";
  if (reply.scan != ScanResult::valid && reply.scan != ScanResult::already_used) return "";
  counters_.hit(!admits ? Path::used_refused : reply.replayed ? Path::scanned_again : Path::let_in);
  const Held* held = moment->state.find(command.sequence);
  const Use& use = held->uses.at(expected.position);
  if (reply.scanned_at != (command.exit ? use.out_at : use.in_at)) return "another time counts";
  return reply.payment() == use.gate && reply.used_mask == held->used_mask() ? "" : "another gate, or other tickets";
}

std::string Judge::replayed(const Command& command, const Reply& reply) {
  const Moment* moment = model_.as_of(command.show, reply.lsn);
  if (moment == nullptr || moment->state.lsn != reply.lsn) return ++counters_.unchecked, "";
  const Remembered* known = moment->state.key(command.idempotency);
  if (known == nullptr || known->lsn != reply.lsn) return "said again, but never said";
  if (!(known->tag == command.idempotency)) return "said again to another request";
  if (known->created + key_lifetime <= reply.now) return "said again after its time";
  if (known->in_flight) return "said again while in flight";
  counters_.hit(Path::key_replayed);
  if (reply.lsn != 0 && known->created < model_.born) counters_.hit(Path::key_replayed_after_crash);
  const EventType type = known->effect.type;
  const Refusal refusal = type == EventType::payment_declined ? Refusal::payment_declined
                          : type == EventType::refund_due     ? Refusal::seats_lost
                                                              : Refusal::none;
  if (reply.refusal != refusal) return "said again with another refusal";
  if (type == EventType::seats_cancelled && reply.refund != known->effect.amount) return "said again, another refund";
  return known->held == nullptr ? "" : differs(*known->held, reply);
}

std::string Judge::answer(const Command& command, const Reply& reply) {
  std::string wrong;
  if (command.type == CommandType::check_in) {
    wrong = scanned(command, reply);
  } else if (reply.replayed) {
    wrong = replayed(command, reply);
  } else if (reply.refusal != Refusal::none && reply.type == command.type) {
    wrong = refused(command, reply);
  } else {
    wrong = done(command, reply);
  }
  return wrong.empty() ? "" : place(command, reply) + wrong;
}

std::string Judge::view(ShowNumber show, const engine::ShowView& view) {
  const Moment* moment = model_.as_of(show, view.lsn);
  if (moment == nullptr || moment->state.lsn != view.lsn) return ++counters_.unchecked, "";
  const ShowState& state = moment->state;
  if (model_.now(show)->lsn > view.lsn) counters_.hit(Path::view_behind_memory);
  std::uint32_t available = 0;
  for (std::size_t at = 0; at < state.blocked.size(); ++at) {
    const auto seat = static_cast<SeatIndex>(at);
    const Held* owner = state.owner(seat);
    const bool booked = owner != nullptr && !owner->live();
    const bool reserved = owner != nullptr && owner->live();
    if (engine::SeatPlanes::test(view.booked, seat) != booked ||
        engine::SeatPlanes::test(view.reserved, seat) != reserved ||
        engine::SeatPlanes::test(view.blocked, seat) != state.blocked[at]) {
      return "the seat map of show " + std::to_string(to_value(show)) + " at LSN " + std::to_string(view.lsn) +
             " is wrong about seat " + std::to_string(at);
    }
    available += state.free(seat) ? 1U : 0U;
  }
  return available == view.available ? "" : "the seat map counts its free seats wrong";
}

}  // namespace usher::sim
