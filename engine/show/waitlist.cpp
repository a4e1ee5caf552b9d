#include "engine/show/waitlist.hpp"

#include <algorithm>
#include <array>

#include "engine/show/best_available.hpp"
#include "engine/show/show_actor.hpp"

namespace usher::engine {

bool apply_waitlisted(ShardState& state, SlabIndex show, const Event& event) {
  const auto found = state.waitlists.find(show);
  const Waitlist* list = found == state.waitlists.end() ? nullptr : &found->second;
  if (event.mask == 0 || event.mask > limits::seats_per_request_max || event.code > seat_type_count) return false;
  if (event.sequence != (list == nullptr ? 0 : list->sequence_next) || event.sequence == ~0U) return false;
  const bool fits =
      list == nullptr || (list->parties.size() < limits::waitlist_parties_max && list->find(event.user) == nullptr);
  if (!fits || state.shows[show].status != ShowStatus::scheduled) return false;
  Waitlist& to = state.waitlists[show];
  to.parties.push_back({event.user, event.random, event.sequence, static_cast<std::uint8_t>(event.mask), event.code});
  to.sequence_next = event.sequence + 1;
  state.shows[show].flags |= Show::waitlisted;
  return true;
}

bool apply_waitlist_left(ShardState& state, SlabIndex show, const Event& event) {
  const auto found = state.waitlists.find(show);
  if (found == state.waitlists.end()) return false;
  std::vector<Party>& parties = found->second.parties;
  const auto party =
      std::find_if(parties.begin(), parties.end(), [&](const Party& one) { return one.sequence == event.sequence; });
  if (party == parties.end()) return false;
  parties.erase(party);
  if (parties.empty()) state.shows[show].flags &= static_cast<std::uint8_t>(~Show::waitlisted);
  return true;
}

void end_waitlist(ShardState& state, SlabIndex show) {
  const auto found = state.waitlists.find(show);
  if (found == state.waitlists.end()) return;
  found->second.parties.clear();
  state.shows[show].flags &= static_cast<std::uint8_t>(~Show::waitlisted);
}

// ---- commands ----

void ShowActor::join_waitlist(const Command& command, Reply& reply) {
  if ((reply.refusal = check_selling()) != Refusal::none) return;
  if (command.seat_count == 0) return void(reply.refusal = Refusal::no_seats);
  if (command.seat_count > show_.terms->policy.seats_per_reservation)
    return void(reply.refusal = Refusal::too_many_seats);
  const auto found = state_.waitlists.find(index_);
  const Waitlist* list = found == state_.waitlists.end() ? nullptr : &found->second;
  if (list != nullptr && list->find(command.user) != nullptr) return read_waitlist(command, reply);
  if ((reply.refusal = check_user(command, reply)) != Refusal::none) return;
  SeatWish wish{command.seat_count, std::nullopt, false};
  if (command.seat_type < seat_type_count) wish.type = static_cast<SeatType>(command.seat_type);
  if (best_available(*show_.layout, state_.planes(show_), wish).count != 0)
    return void(reply.refusal = Refusal::seats_still_available);
  if (list != nullptr && list->parties.size() >= limits::waitlist_parties_max)
    return void(reply.refusal = Refusal::waitlist_full);
  Event event{};
  event.type = EventType::waitlisted;
  event.sequence = list == nullptr ? 0 : list->sequence_next;
  event.user = command.user;
  event.random = command.random;
  event.mask = command.seat_count;
  event.code = wish.type ? static_cast<std::uint8_t>(1U + command.seat_type) : std::uint8_t{0};
  emit(event);
  read_waitlist(command, reply);
  reply.queue.fresh = true;
}

/// The answer is a place on the list, or the reservation that it has brought.
void ShowActor::read_waitlist(const Command& command, Reply& reply) {
  const auto found = state_.waitlists.find(index_);
  if (found != state_.waitlists.end()) {
    const std::vector<Party>& parties = found->second.parties;
    for (std::size_t at = 0; at < parties.size(); ++at) {
      if (parties[at].user != command.user) continue;
      reply.user = command.user;
      reply.seat_count = parties[at].seat_count;
      reply.queue.ahead = static_cast<std::uint32_t>(at);
      reply.queue.waiting = static_cast<std::uint32_t>(parties.size());
      reply.queue.state = PlaceState::waiting;
      return;
    }
  }
  const SlabIndex user = state_.find_user(index_, command.user);
  SlabIndex at = user == 0 ? 0 : state_.users[user].reservations;
  while (at != 0 && !state_.reservations[at].handed) at = state_.reservations[at].user_next;
  if (at == 0) return void(reply.refusal = Refusal::not_on_waitlist);
  fill(reply, at);
  reply.queue.state = PlaceState::admitted;
}

void ShowActor::leave_waitlist(const Command& command, Reply& reply) {
  const auto found = state_.waitlists.find(index_);
  const Party* party = found == state_.waitlists.end() ? nullptr : found->second.find(command.user);
  if (party == nullptr) return void(reply.refusal = Refusal::not_on_waitlist);
  Event event{};
  event.type = EventType::waitlist_left;
  event.sequence = party->sequence;
  event.code = static_cast<std::uint8_t>(PartyEnd::gave_up);
  emit(event);
}

// ---- handing over ----

/// The rules of a reserve hold for a party too; who breaks one now is passed over and keeps the place.
bool ShowActor::may_be_handed(const Party& party) const noexcept {
  const SlabIndex found = state_.find_user(index_, party.user);
  if (found == 0) return true;
  const UserOnShow& user = state_.users[found];
  const std::uint8_t live_max = show_.terms->policy.reservations_per_user_and_show;
  return user.cooldown_until <= record_.now && (live_max == 0 || user.live < live_max);
}

void ShowActor::hand_over() {
  if (!freed_) return;
  freed_ = false;
  if ((show_.flags & Show::waitlisted) == 0 || check_selling() != Refusal::none) return;
  // what was not to be had for one party is not to be had for the next: seats only become fewer here
  std::array<std::uint64_t, seat_type_count + 1> in_vain{};
  std::vector<Party>& parties = state_.waitlists.find(index_)->second.parties;
  for (std::size_t at = 0; at < parties.size() && show_.free_seats > 0;) {
    const Party party = parties[at];
    const std::uint64_t bit = std::uint64_t{1} << party.seat_count;
    if (party.seat_count > show_.free_seats || (in_vain[party.seat_type] & bit) != 0 || !may_be_handed(party)) {
      ++at;
      continue;
    }
    SeatWish wish{party.seat_count, std::nullopt, false};
    if (party.seat_type != 0) wish.type = static_cast<SeatType>(party.seat_type - 1);
    const SeatChoice choice = best_available(*show_.layout, state_.planes(show_), wish);
    if (choice.count == 0) {
      in_vain[party.seat_type] |= bit;
      ++at;
      continue;
    }
    const std::uint32_t sequence = next_sequence();
    if (sequence > limits::sequence_max) return;
    hand_to(sequence, party, choice.seats.data(), choice.count);  // takes the party out of the list
  }
}

void ShowActor::hand_to(std::uint32_t sequence, const Party& party, const SeatIndex* seats, std::uint32_t count) {
  emit_reserved(sequence, party.user, party.random, seats, count, 1);
  Event served{};
  served.type = EventType::waitlist_left;
  served.sequence = party.sequence;
  served.code = static_cast<std::uint8_t>(PartyEnd::served);
  emit(served);
}

}  // namespace usher::engine
