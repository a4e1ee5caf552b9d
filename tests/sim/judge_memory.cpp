/// The program's memory beside the model: reservation by reservation. The one place that reads the engine's storage.

#include <algorithm>

#include "tests/sim/judge.hpp"

namespace usher::sim {
namespace {

using engine::ShardState;
using engine::SlabIndex;

[[nodiscard]] std::string compare_uses(const ShardState& state, const engine::Booking& booking, const Held& held) {
  std::size_t met = 0;
  for (SlabIndex at = booking.uses; at != 0; at = state.uses[at].next) {
    const engine::TicketUse& use = state.uses[at];
    const auto known = held.uses.find(use.position);
    if (known == held.uses.end()) return "a use too many";
    const Use& expected = known->second;
    if (use.in_at != expected.in_at || use.out_at != expected.out_at) return "a use at another time";
    if (use.in_nonce != expected.in_nonce || use.out_nonce != expected.out_nonce) return "another use";
    if (std::string_view(use.gate.data(), use.gate_size) != expected.gate) return "a use at another gate";
    ++met;
  }
  if (booking.used != held.used_mask()) return "other tickets are used";
  return met == held.uses.size() ? "" : "a use is missing";
}

[[nodiscard]] std::string compare(const ShardState& state, SlabIndex at, const Held& held) {
  const engine::Reservation& memory = state.reservations[at];
  const std::string who = "reservation " + std::to_string(held.sequence) + ": ";
  const auto seats = std::vector<SeatIndex>(memory.seats.begin(), memory.seats.begin() + memory.seat_count);
  if (memory.random != held.random || memory.user != held.user || seats != held.seats) return who + "another one";
  if (memory.state != held.state) return who + "another state";
  if (memory.attempt != held.attempt) return who + "another attempt";
  if (memory.expires_at != held.expires_at || memory.amount != held.amount) return who + "other terms";
  if ((memory.booking != 0) != held.paid) return who + "paid or not";
  if (memory.booking == 0) return "";
  const engine::Booking& booking = state.bookings[memory.booking];
  if (booking.cancelled != held.cancelled || booking.seats_lost != held.seats_lost) return who + "another booking";
  if (std::string_view(booking.payment_ref.data(), booking.payment_ref_size) != held.payment) return who + "payment";
  if (std::string wrong = compare_uses(state, booking, held); !wrong.empty()) return who + wrong;
  std::size_t left = held.repayments.size();
  for (SlabIndex refund = booking.refunds; refund != 0; refund = state.refunds[refund].next) {
    if (left == 0) return who + "a refund too many";
    const Repayment& expected = held.repayments[--left];
    const engine::Refund& given = state.refunds[refund];
    const bool same_state = static_cast<int>(given.state) == static_cast<int>(expected.state);
    if (given.amount != expected.amount || given.mask != expected.mask || !same_state) return who + "another refund";
  }
  return left == 0 ? "" : who + "a refund is missing";
}

[[nodiscard]] std::string compare_chain(const ShardState& state, SlabIndex first, const ShowState& model,
                                        std::size_t& met) {
  for (SlabIndex at = first; at != 0; at = state.reservations[at].next) {
    const Held* held = model.find(state.reservations[at].sequence);
    if (held == nullptr || held->state == ReservationState::expired) {
      return "reservation " + std::to_string(state.reservations[at].sequence) + ": it should not be there";
    }
    if (std::string wrong = compare(state, at, *held); !wrong.empty()) return wrong;
    ++met;
  }
  return "";
}

[[nodiscard]] std::string compare_users(const ShardState& state, const engine::Show& show, const ShowState& model,
                                        Instant now) {
  const auto of_interest = [&](const Visitor& visitor) {
    return visitor.abandoned != 0 || visitor.cooldown_until > now;
  };
  std::size_t met = 0;
  for (SlabIndex at = show.users; at != 0; at = state.users[at].next) {
    const engine::UserOnShow& user = state.users[at];
    if (user.abandoned == 0 && user.cooldown_until <= now) continue;
    const Visitor* visitor = model.visitor(user.user);
    if (visitor == nullptr || visitor->abandoned != user.abandoned) return "a user abandoned another number";
    const bool cools = user.cooldown_until > now || visitor->cooldown_until > now;
    if (cools && visitor->cooldown_until != user.cooldown_until) return "a user cools down until another time";
    ++met;
  }
  const auto expected = std::count_if(model.visitors.begin(), model.visitors.end(), of_interest);
  return met == static_cast<std::size_t>(expected) ? "" : "a user's past is forgotten";
}

[[nodiscard]] std::string compare_keys(const ShardState& state, const engine::Show& show, const ShowState& model,
                                       Instant now) {
  const auto lives = [&](Instant created, bool in_flight) { return created + key_lifetime > now || in_flight; };
  std::size_t met = 0;
  for (SlabIndex at = show.keys; at != 0; at = state.keys[at].next) {
    const engine::IdempotencyEntry& entry = state.keys[at];
    if (!lives(entry.created, entry.in_flight)) continue;
    const Remembered* known = model.key(entry.tag);
    if (known == nullptr || !(known->tag == entry.tag) || known->created != entry.created) return "a key is another";
    if (known->in_flight != entry.in_flight || known->lsn != entry.effect.lsn) return "a key has another effect";
    ++met;
  }
  const auto expected = std::count_if(model.keys.begin(), model.keys.end(),
                                      [&](const auto& key) { return lives(key->created, key->in_flight); });
  return met == static_cast<std::size_t>(expected) ? "" : "an idempotency key is forgotten";
}

}  // namespace

std::string Judge::memory(const ShardState& state, ShowNumber number, Instant now) {
  const ShowState* model = model_.now(number);
  const SlabIndex index = state.find_show(number);
  const std::string who = "memory of show " + std::to_string(to_value(number)) + ": ";
  if ((model != nullptr) != (index != 0)) return who + (index != 0 ? "it is open" : "it is not open");
  if (model == nullptr) return "";
  const engine::Show& show = state.shows[index];
  if (show.lsn != model->lsn) return who + "at LSN " + std::to_string(show.lsn) + ", not " + std::to_string(model->lsn);
  if (static_cast<int>(show.status) != static_cast<int>(model->stage)) return who + "another status";
  std::size_t met = 0;
  for (const SlabIndex first : {show.live.first, show.settled.first}) {
    if (std::string wrong = compare_chain(state, first, *model, met); !wrong.empty()) return who + wrong;
  }
  const auto expected = std::count_if(model->held.begin(), model->held.end(),
                                      [](const HeldPtr& held) { return held->state != ReservationState::expired; });
  if (met != static_cast<std::size_t>(expected)) return who + "a reservation is forgotten";
  const engine::SeatPlanes planes = state.planes(show);
  for (std::size_t seat = 0; seat < model->blocked.size(); ++seat) {
    if (planes.taken(static_cast<SeatIndex>(seat)) == model->free(static_cast<SeatIndex>(seat))) {
      return who + "seat " + std::to_string(seat) + " is taken here and free there";
    }
  }
  if (std::string wrong = compare_users(state, show, *model, now); !wrong.empty()) return who + wrong;
  const std::string wrong = compare_keys(state, show, *model, now);
  return wrong.empty() ? "" : who + wrong;
}

}  // namespace usher::sim
