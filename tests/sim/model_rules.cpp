/// What a record may say, event by event. Each function answers with what is not allowed, or "".

#include <algorithm>
#include <bit>

#include "tests/sim/model.hpp"

namespace usher::sim {

class Applying {
 public:
  Applying(Model& model, const Facts& facts, ShowState& state, const Record& record)
      : model_(model), facts_(facts), state_(state), record_(record) {}

  std::string run() {
    for (const Event& event : record_.events) {
      const std::string wrong = owed_cooldown_.user != UserNumber::none && event.type != EventType::cooldown_started
                                    ? "no cool-down follows the expiry that earns one"
                                    : apply(event);
      if (!wrong.empty()) return "event " + std::to_string(static_cast<int>(event.type)) + ": " + wrong;
    }
    if (owed_cooldown_.user != UserNumber::none) return "no cool-down follows the expiry that earns one";
    if (record_.idempotency.given()) remember();
    return check_dead();
  }

 private:
  std::string apply(const Event& event);
  std::string reserved(const Event& event);
  std::string check_request(const Event& event) const;
  std::string released(const Event& event);
  std::string expired(const Event& event);
  std::string payment_started(const Event& event);
  std::string payment_declined(const Event& event);
  std::string charged(const Event& event);
  std::string seats_cancelled(const Event& event);
  std::string refund_ended(const Event& event, bool settled);
  std::string ticket_used(const Event& event);
  std::string cooldown_started(const Event& event);
  std::string blocked(const Event& event, bool blocks);
  std::string check_payment_key(const Held& held) const;
  std::string check_dead() const;
  void remember();
  void hit(Path path) { model_.counters_.hit(path); }
  [[nodiscard]] Id id_of(const Held& held) const noexcept {
    return {IdKind::reservation, facts_.number, held.sequence, held.random};
  }

  Model& model_;
  const Facts& facts_;
  ShowState& state_;
  const Record& record_;
  Visitor owed_cooldown_;  ///< user and until when; the next event must be it
  bool by_command_ = false;
};

std::string Applying::apply(const Event& event) {
  switch (event.type) {
    case EventType::reserved:
      return reserved(event);
    case EventType::released:
      return released(event);
    case EventType::expired:
      return expired(event);
    case EventType::payment_started:
      return payment_started(event);
    case EventType::payment_declined:
      return payment_declined(event);
    case EventType::booked:
    case EventType::refund_due:
      return charged(event);
    case EventType::seats_cancelled:
      return seats_cancelled(event);
    case EventType::refund_settled:
      return refund_ended(event, true);
    case EventType::refund_failed:
      return refund_ended(event, false);
    case EventType::ticket_used:
      return ticket_used(event);
    case EventType::cooldown_started:
      return cooldown_started(event);
    case EventType::seats_blocked:
      return blocked(event, true);
    case EventType::seats_unblocked:
      return blocked(event, false);
    case EventType::show_cancelled:
      hit(Path::show_cancelled);
      if (state_.stage != Stage::scheduled || record_.now >= facts_.start) return "this show cannot be cancelled";
      state_.stage = Stage::cancelled;
      return "";
    case EventType::show_completed:
      hit(Path::show_completed);
      if (state_.stage != Stage::scheduled || record_.now < facts_.end) return "the show is not over";
      state_.stage = Stage::completed;
      return "";
    default:
      return "the model does not know it";
  }
}

std::string Applying::check_request(const Event& event) const {
  if (state_.stage != Stage::scheduled || record_.now >= facts_.start) return "the show is not for sale";
  if (event.seat_count == 0 || event.seat_count > facts_.policy.seats_per_reservation) return "too many seats, or none";
  if (event.user != record_.actor) return "reserved for another than who asked";
  if (event.at != record_.now + facts_.policy.reservation_ttl) return "it lives for another time than the policy says";
  if (state_.find(event.sequence) != nullptr) return "its sequence is in use";
  const Visitor* visitor = state_.visitor(event.user);
  if (visitor != nullptr && visitor->cooldown_until > record_.now) return "the user cools down";
  const std::uint32_t limit = facts_.policy.reservations_per_user_and_show;
  if (limit != 0 && state_.live_of(event.user) >= limit) return "the user has as many as the policy allows";
  return "";
}

std::string Applying::reserved(const Event& event) {
  by_command_ = true;
  if (std::string wrong = check_request(event); !wrong.empty()) return wrong;
  auto held = std::make_shared<Held>();
  const SeatIndex* seats = record_.seats_of(event);
  held->seats.assign(seats, seats + event.seat_count);
  for (std::size_t at = 0; at < held->seats.size(); ++at) {
    const SeatIndex seat = held->seats[at];
    if (seat >= facts_.seats.size() || (at > 0 && seat <= held->seats[at - 1])) return "the seats are not in order";
    if (!state_.free(seat)) return "seat " + std::to_string(seat) + " is taken: it would be sold twice";
    held->amount += facts_.price(seat);
  }
  if (held->amount != event.amount) return "the amount is not that of the prices";
  held->sequence = event.sequence;
  held->random = event.random;
  held->user = event.user;
  held->reserved_at = record_.now;
  held->expires_at = event.at;
  state_.held.push_back(held);
  return "";
}

std::string Applying::released(const Event& event) {
  const Held* held = state_.find(event.sequence);
  if (held == nullptr || held->state != ReservationState::reserved) return "there is nothing to release";
  if (state_.stage == Stage::cancelled) {
    hit(Path::cancelled_in_bulk);
  } else {
    by_command_ = true;
    if (record_.actor != held->user && record_.actor != staff_user) return "released by somebody else";
  }
  std::erase_if(state_.held, [&](const HeldPtr& one) { return one->sequence == event.sequence; });
  return "";
}

std::string Applying::expired(const Event& event) {
  const Held* held = state_.find(event.sequence);
  if (held == nullptr || !held->live()) return "there is nothing to expire";
  const bool paying = held->state == ReservationState::paying;
  const bool bulk = state_.stage == Stage::cancelled && paying;
  const Instant deadline = deadline_of(*held, facts_);
  if (deadline > record_.now && !bulk) return "it dies before its time";
  hit(paying                              ? Path::expired_while_paying
      : record_.actor == UserNumber::none ? Path::expired_by_wheel
                                          : Path::expired_by_command);
  const UserNumber user = held->user;
  Held& dead = state_.change(event.sequence);
  dead.state = paying ? ReservationState::lapsed : ReservationState::expired;
  dead.expired_at = record_.now;
  if (paying || facts_.policy.cooldown_after_abandoned == 0) return "";
  Visitor& visitor = state_.make_visitor(user);
  if (++visitor.abandoned >= facts_.policy.cooldown_after_abandoned) {
    owed_cooldown_ = {user, 0, deadline + facts_.policy.cooldown};
  }
  return "";
}

std::string Applying::cooldown_started(const Event& event) {
  if (owed_cooldown_.user != UserNumber::none) {
    if (event.user != owed_cooldown_.user || event.at != owed_cooldown_.cooldown_until) return "another was due";
    owed_cooldown_ = {};
    hit(Path::cooldown_after_expiry);
  } else {
    std::uint32_t& tries = model_.tries_[{to_value(facts_.number), to_value(event.user)}];
    const std::uint32_t limit = facts_.policy.cooldown_after_refusals;
    if (limit == 0 || tries < limit) return "nobody was refused so often";
    if (event.at != record_.now + facts_.policy.cooldown) return "it ends at another time than the policy says";
    tries -= limit;  // others may be on their way already
    hit(Path::cooldown_after_refusals);
  }
  Visitor& visitor = state_.make_visitor(event.user);
  visitor.abandoned = 0;
  visitor.cooldown_until = std::max(visitor.cooldown_until, event.at);
  return "";
}

std::string Applying::payment_started(const Event& event) {
  by_command_ = true;
  const Held* held = state_.find(event.sequence);
  if (held == nullptr || held->state != ReservationState::reserved) return "this cannot be paid";
  if (state_.stage != Stage::scheduled || record_.now >= facts_.start) return "the show is not for sale";
  if (event.attempt != held->attempt + 1) return "attempts are not counted by one";
  if (event.at != held->expires_at + facts_.policy.payment_grace) return "it pins its seats for another time";
  Held& paying = state_.change(event.sequence);
  paying.state = ReservationState::paying;
  paying.attempt = event.attempt;
  paying.payment_key = record_.idempotency;
  return "";
}

std::string Applying::check_payment_key(const Held& held) const {
  if (held.payment_key == record_.idempotency) return "";
  return "the gateway's word is not tied to the idempotency key of its payment";
}

std::string Applying::payment_declined(const Event& event) {
  by_command_ = true;
  const Held* held = state_.find(event.sequence);
  const bool lapsed = held != nullptr && held->state == ReservationState::lapsed;
  if (held == nullptr || (!lapsed && held->state != ReservationState::paying)) return "no payment is in flight";
  if (event.attempt != held->attempt) return "another attempt is in flight";
  if (!model_.gateway_.charge_of(id_of(*held), event.attempt).empty()) return "declined, but the gateway has charged";
  if (std::string wrong = check_payment_key(*held); !wrong.empty()) return wrong;
  hit(lapsed ? Path::declined_after_expiry : Path::declined);
  if (static_cast<PaymentDecline>(event.code) == PaymentDecline::not_attempted) hit(Path::charge_not_attempted);
  Held& declined = state_.change(event.sequence);
  declined.state = lapsed ? ReservationState::expired : ReservationState::reserved;
  if (lapsed) declined.expired_at = record_.now;
  declined.payment_key = {};
  return "";
}

std::string Applying::charged(const Event& event) {
  by_command_ = true;
  const Held* held = state_.find(event.sequence);
  const bool lapsed = held != nullptr && held->state == ReservationState::lapsed;
  if (held == nullptr || (!lapsed && held->state != ReservationState::paying)) return "no payment is in flight";
  if (event.attempt != held->attempt) return "another attempt is in flight";
  if (event.amount != held->amount) return "another amount than reserved for";
  const std::string payment = model_.gateway_.charge_of(id_of(*held), event.attempt);
  if (payment.empty() || payment != record_.text_of(event)) return "the gateway knows of no such charge";
  if (model_.gateway_.charged(payment) != event.amount) return "the gateway charged another amount";
  if (std::string wrong = check_payment_key(*held); !wrong.empty()) return wrong;
  const bool fits = !lapsed || (state_.stage == Stage::scheduled && state_.all_free(*held));
  const bool books = event.type == EventType::booked;
  if (books != fits) return books ? "booked, and its seats are gone" : "refunded, and its seats are free";
  hit(!books ? Path::refund_due : lapsed ? Path::booked_after_lapse : Path::booked);
  Held& paid = state_.change(event.sequence);
  paid.paid = true;
  paid.payment = payment;
  paid.ticket_random = event.random;
  paid.booked_at = record_.now;
  paid.payment_key = {};
  paid.state = ReservationState::booked;
  if (books) return "";
  paid.seats_lost = true;
  paid.cancelled = paid.all_mask();
  paid.repayments.push_back(
      {1, event.amount, paid.cancelled, event.amount > 0 ? Repayment::State::owed : Repayment::State::settled});
  paid.state = event.amount > 0 ? ReservationState::cancelled : ReservationState::refunded;
  return "";
}

namespace {

void update_refunded(Held& held) {
  if (held.cancelled != held.all_mask()) return;
  const bool owed = std::any_of(held.repayments.begin(), held.repayments.end(), [](const Repayment& repayment) {
    return repayment.state != Repayment::State::settled;
  });
  held.state = owed ? ReservationState::cancelled : ReservationState::refunded;
}

}  // namespace

std::string Applying::seats_cancelled(const Event& event) {
  const Held* held = state_.find(event.sequence);
  if (held == nullptr || held->state != ReservationState::booked) return "there is no booking to cancel";
  if (event.mask == 0 || (event.mask & (held->cancelled | ~held->all_mask())) != 0) return "these seats are not booked";
  int percent = refund_percent(facts_, record_.now);
  if (state_.stage == Stage::cancelled && record_.actor == UserNumber::none) {
    percent = 100;
    hit(Path::cancelled_in_bulk);
  } else {
    by_command_ = true;
    if (record_.actor != held->user && record_.actor != staff_user) return "cancelled by somebody else";
    if (percent < 0 || state_.stage == Stage::completed) return "it is too late to cancel";
    if ((event.mask & held->used_mask()) != 0) return "a ticket that let somebody in is cancelled";
  }
  if (event.code != percent) return "another percentage than the policy's";
  if (event.amount != refund_amount(facts_, *held, event.mask, percent)) return "another amount than the policy's";
  if (event.attempt != held->repayments.size() + 1) return "refunds are not counted by one";
  Held& cancelled = state_.change(event.sequence);
  cancelled.cancelled |= event.mask;
  if (cancelled.cancelled != cancelled.all_mask()) hit(Path::cancelled_in_part);
  cancelled.repayments.push_back(
      {event.attempt, event.amount, event.mask, event.amount > 0 ? Repayment::State::owed : Repayment::State::settled});
  update_refunded(cancelled);
  return "";
}

std::string Applying::refund_ended(const Event& event, bool settled) {
  const Held* held = state_.find(event.sequence);
  if (held == nullptr || event.attempt == 0 || event.attempt > held->repayments.size()) return "no such refund";
  if (held->repayments[event.attempt - 1].state == Repayment::State::settled) return "it is settled already";
  if (!model_.gateway_.refund_is(id_of(*held), event.attempt, settled)) return "the gateway does not say so";
  hit(settled ? Path::refund_settled : Path::refund_failed);
  Held& repaid = state_.change(event.sequence);
  repaid.repayments[event.attempt - 1].state = settled ? Repayment::State::settled : Repayment::State::failed;
  update_refunded(repaid);
  return "";
}

std::string Applying::ticket_used(const Event& event) {
  by_command_ = true;
  const Held* held = state_.find(event.sequence);
  if (held == nullptr || !held->paid || !std::has_single_bit(event.mask) || (event.mask & ~held->all_mask()) != 0) {
    return "there is no such ticket";
  }
  if ((event.mask & held->cancelled) != 0 || state_.stage == Stage::cancelled) return "the ticket was cancelled";
  if (event.code != use_entry && event.code != use_exit) return "neither in nor out";
  const bool exit = event.code == use_exit;
  Use& use = state_.change(event.sequence).uses[static_cast<unsigned>(std::countr_zero(event.mask))];
  const Scan scan = scan_of(use, exit, event.at, event.random);
  if (scan != Scan::counts && scan != Scan::replaces) return "a scan that does not count is in the log";
  hit(scan == Scan::replaces ? Path::let_in_earlier : exit ? Path::let_out : Path::let_in);
  (exit ? use.out_at : use.in_at) = event.at;
  (exit ? use.out_nonce : use.in_nonce) = event.random;
  use.gate = record_.text_of(event);
  return "";
}

std::string Applying::blocked(const Event& event, bool blocks) {
  by_command_ = true;
  if (state_.stage != Stage::scheduled) return "the show is over";
  for (std::uint32_t at = 0; at < event.seat_count; ++at) {
    const SeatIndex seat = record_.seats_of(event)[at];
    if (blocks && !state_.free(seat)) return "a seat that is taken is blocked";
    state_.blocked[seat] = blocks;
  }
  return "";
}

/// Whoever decides on a command has let die what is dead (DESIGN 4.7).
std::string Applying::check_dead() const {
  if (!by_command_ || state_.stage == Stage::cancelled) return "";
  for (const HeldPtr& held : state_.held) {
    if (held->live() && deadline_of(*held, facts_) <= record_.now) {
      return "reservation " + std::to_string(held->sequence) + " is dead, and a command was decided as if it lived";
    }
  }
  return "";
}

void Applying::remember() {
  const auto has_effect = [](const Event& event) {
    return event.type == EventType::reserved || event.type == EventType::released ||
           event.type == EventType::payment_started || event.type == EventType::payment_declined ||
           event.type == EventType::booked || event.type == EventType::refund_due ||
           event.type == EventType::seats_cancelled;
  };
  const auto effect = std::find_if(record_.events.rbegin(), record_.events.rend(), has_effect);
  if (effect == record_.events.rend()) return;
  auto entry = std::make_shared<Remembered>();
  const Remembered* old = state_.key(record_.idempotency);
  const bool ends_payment = old != nullptr && old->in_flight && effect->type != EventType::payment_started;
  const bool kept = old != nullptr && (ends_payment || old->created + key_lifetime > record_.now);
  entry->tag = record_.idempotency;
  entry->user = kept ? old->user : record_.actor;
  entry->created = kept ? old->created : record_.now;
  entry->in_flight = effect->type == EventType::payment_started;
  entry->lsn = record_.lsn;
  entry->effect = *effect;
  for (const HeldPtr& held : state_.held) {
    if (held->sequence == effect->sequence) entry->held = held;
  }
  std::erase_if(state_.keys, [&](const auto& one) {
    return one->tag.key_high == entry->tag.key_high && one->tag.key_low == entry->tag.key_low;
  });
  state_.keys.push_back(std::move(entry));
}

std::string Model::on_record(const Record& record, Lsn durable) {
  ++counters_.records;
  End& end = shard_end(record.shard);
  const std::string place = "shard " + std::to_string(record.shard) + " LSN " + std::to_string(record.lsn) + ": ";
  if (record.lsn != end.lsn + 1) return place + "the number before was " + std::to_string(end.lsn);
  if (record.now < end.now) return place + "time goes back";
  end.lsn = record.lsn;
  end.now = record.now;
  if (record.show == ShowNumber::none) return "";
  const auto known = facts_.find(to_value(record.show));
  if (known == facts_.end()) return place + "of a show that nobody opened";
  History& history = histories_[to_value(record.show)];
  auto moment = std::make_shared<Moment>();
  moment->record = record;
  if (record.events.front().type == EventType::show_opened) {
    if (!history.empty()) return place + "the show is open already";
    opened_[known->first] = record.now;
    moment->state.blocked.resize(known->second.seats.size());
  } else {
    if (history.empty()) return place + "the show is not open";
    moment->state = history.back()->state;
    std::erase_if(moment->state.held, [&](const HeldPtr& held) {
      // the program forgets by its wheel, which may be late: somebody who is quick after a stall still meets it
      return held->state == ReservationState::expired && held->expired_at + expired_memory + key_lifetime < record.now;
    });
    const std::string wrong = Applying(*this, known->second, moment->state, record).run();
    if (!wrong.empty()) return place + "show " + std::to_string(known->first) + ", " + wrong;
  }
  moment->state.lsn = record.lsn;
  history.push_back(std::move(moment));
  if (history.size() > 512 && history[256]->state.lsn < durable) history.erase(history.begin(), history.begin() + 256);
  return "";
}

}  // namespace usher::sim
