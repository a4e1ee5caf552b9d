#include "engine/admission/show_guard.hpp"

#include <algorithm>

#include "engine/catalog/show_terms.hpp"
#include "engine/shard/shard_state.hpp"

namespace usher::engine {

void attach_guard(ShardState& state, SlabIndex index, std::uint32_t room) {
  Show& show = state.shows[index];
  ShowGuard& guard = state.guards[index];
  guard.room = room;
  guard.inventory = &state.shared.guards.make(show.number);
  guard.inventory->start_ms = to_ms(show.start);
  show.flags |= Show::guarded;
  state.shared.guards.set_room(*guard.inventory, room);
}

bool apply_guarded(ShardState& state, SlabIndex show, const Event& event) {
  if (event.mask == 0 || event.mask > limits::rooms_max) return false;
  if ((state.shows[show].flags & Show::guarded) != 0) return false;
  attach_guard(state, show, event.mask);
  return true;
}

bool apply_unguarded(ShardState& state, SlabIndex show, const Event& event) {
  const auto found = state.guards.find(show);
  if (found == state.guards.end() || found->second.room != event.mask) return false;
  state.shows[show].flags &= static_cast<std::uint8_t>(~Show::guarded);
  state.shared.guards.set_room(*found->second.inventory, 0);
  state.guards.erase(found);
  return true;
}

bool apply_admission_used(ShardState& state, SlabIndex show, const Record& record, const Event& event) {
  const auto found = state.guards.find(show);
  if (found == state.guards.end() || found->second.room != event.mask) return false;
  if (event.code > limits::seats_per_request_max || to_ms(event.at) < 0 || to_ms(event.at) > instant_ms_max)
    return false;
  std::vector<AdmissionUse>& uses = found->second.uses;
  const auto is_kept = [&](const AdmissionUse& use) { return use.until + ShowGuard::memory > record.now; };
  uses.erase(uses.begin(), std::find_if(uses.begin(), uses.end(), is_kept));
  uses.push_back({event.mask, event.sequence, event.attempt, event.user, event.code, event.at});
  return true;
}

void note_ended(ShardState& state, SlabIndex show, std::uint32_t seats, bool came_back) {
  ShowGuard& guard = state.guards.find(show)->second;
  guard.ended.add(seats, came_back);
  guard.inventory->return_permille.store(guard.ended.permille(), std::memory_order_relaxed);
}

}  // namespace usher::engine
