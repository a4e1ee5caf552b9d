/// The part of a shard that waiting rooms live in: rooms whose home it is, and the guards of its shows.

#include <algorithm>

#include "engine/admission/room_actor.hpp"
#include "engine/admission/room_checkpoint.hpp"
#include "engine/catalog/show_terms.hpp"
#include "engine/shard/shard.hpp"
#include "usher/assert.hpp"

namespace usher::engine {

// ---- rooms ----

bool Shard::open_room(std::uint32_t number, const RoomSettings& settings, Instant now) {
  if (state_.rooms.contains(number)) return false;
  begin(ShowNumber::none, now, UserNumber::none);
  encode(settings, record_.payload);
  Event event{};
  event.type = EventType::room_opened;
  event.mask = number;
  event.text_size = static_cast<std::uint32_t>(record_.payload.size());
  record_.events.push_back(event);
  auto room = std::make_unique<Room>();
  const bool opened = engine::open_room(*room, record_, event);
  USHER_ASSERT(opened);
  flush_room(*(state_.rooms[number] = std::move(room)));
  return true;
}

bool Shard::change_room(std::uint32_t number, const RoomSettings& settings, Instant now) {
  Room* room = find_room(number);
  if (room == nullptr || room->status != RoomStatus::open) return false;
  begin(ShowNumber::none, now, UserNumber::none);
  RoomActor(*room, record_).change(settings);
  flush_room(*room);
  return true;
}

bool Shard::close_room(std::uint32_t number, Instant now) {
  Room* room = find_room(number);
  if (room == nullptr || room->status == RoomStatus::removed) return false;
  begin(ShowNumber::none, now, UserNumber::none);
  RoomActor(*room, record_).close();
  flush_room(*room);
  return true;
}

bool Shard::draw_room(std::uint32_t number, std::string_view beacon, Instant now) {
  Room* room = find_room(number);
  if (room == nullptr) return false;
  begin(ShowNumber::none, now, UserNumber::none);
  const bool drawn = RoomActor(*room, record_).draw(beacon);
  flush_room(*room);
  return drawn;
}

Room* Shard::find_room(std::uint32_t number) noexcept {
  const auto found = state_.rooms.find(number);
  return found == state_.rooms.end() ? nullptr : found->second.get();
}

const Room* Shard::room(std::uint32_t number) const noexcept {
  const auto found = state_.rooms.find(number);
  return found == state_.rooms.end() ? nullptr : found->second.get();
}

void Shard::execute_room(const Command& command, Instant now, Reply& reply) {
  Room* room = find_room(command.admission.room);
  if (room == nullptr) {
    reply.refusal = command.type == CommandType::join_queue ? Refusal::no_waiting_room : Refusal::unknown_place;
    return;
  }
  begin(ShowNumber::none, now, command.user);
  RoomActor(*room, record_).decide(command, reply);
  flush_room(*room);
  reply.lsn = room->lsn;
}

void Shard::flush_room(Room& room) {
  if (record_.events.empty()) return;
  room.lsn = lane_->append(record_);
  ++counters_.records;
  state_.last_now = std::max(state_.last_now, record_.now);
  if (room.status == RoomStatus::removed) state_.shared.rooms.forget(room.number);
  note_dirty(room);
}

void Shard::note_dirty(Room& room) {
  if (room.to_checkpoint) return;
  room.to_checkpoint = true;
  dirty_rooms_.push_back(room.number);
}

void Shard::advance_rooms(Instant now) {
  if (now < next_room_tick_) return;
  next_room_tick_ = now + RoomActor::tick_interval;
  for (const auto& [number, room] : state_.rooms) {
    if (room->status == RoomStatus::removed) continue;
    if (room->inventories.size() != room->settings.shows.size()) {
      room->inventories.clear();
      for (const ShowNumber show : room->settings.shows) {
        if (const Inventory* found = state_.shared.guards.find(show)) room->inventories.push_back(found);
      }
    }
    begin(ShowNumber::none, now, UserNumber::none);
    RoomActor(*room, record_).tick(facts_of(*room, now));
    flush_room(*room);
  }
}

// ---- guards of shows ----

bool Shard::emit_alone(SlabIndex show, const Event& event) {
  before_change(show);
  record_.events.push_back(event);
  const bool applied = apply_event(state_, show, record_, event);
  USHER_ASSERT(applied);
  flush(record_);
  return true;
}

bool Shard::guard(ShowNumber number, std::uint32_t room, Instant now) {
  const SlabIndex show = state_.find_show(number);
  if (show == 0) return false;
  if (const auto found = state_.guards.find(show); found != state_.guards.end()) return found->second.room == room;
  begin(number, now, UserNumber::none);
  Event event{};
  event.type = EventType::show_guarded;
  event.mask = room;
  return emit_alone(show, event);
}

bool Shard::unguard(ShowNumber number, std::uint32_t room, Instant now) {
  const SlabIndex show = state_.find_show(number);
  if (show == 0) return false;
  const auto found = state_.guards.find(show);
  if (found == state_.guards.end() || found->second.room != room) return false;
  begin(number, now, UserNumber::none);
  Event event{};
  event.type = EventType::show_unguarded;
  event.mask = room;
  return emit_alone(show, event);
}

bool Shard::change_policy(ShowNumber number, const Policy& policy, Instant now) {
  const SlabIndex show = state_.find_show(number);
  if (show == 0 || !check_policy(policy).ok()) return false;
  const Policy& before = state_.shows[show].terms->policy;
  if (policy.reservation_ttl != before.reservation_ttl || policy.payment_grace != before.payment_grace) return false;
  if (policy == before) return true;
  begin(number, now, UserNumber::none);
  encode(policy, record_.payload);
  Event event{};
  event.type = EventType::policy_changed;
  event.text_size = static_cast<std::uint32_t>(record_.payload.size());
  return emit_alone(show, event);
}

/// What rooms read: the figures of the newest durable image.
void Shard::publish_inventory(SlabIndex index) {
  const Show& show = state_.shows[index];
  const Inventory* known = state_.guards.find(index)->second.inventory;
  Inventory& inventory = state_.shared.guards.make(show.number);
  USHER_ASSERT(&inventory == known);
  const std::uint64_t* words = show.planes;
  std::uint32_t free = show.free_seats;
  ShowStatus status = show.status;
  if (show.image != 0) {
    const SeatImage::State& durable = state_.images[show.image].durable;
    words = durable.planes;
    free = durable.free_seats;
    status = durable.status;
  }
  std::uint32_t held = 0;
  for (std::uint32_t word = 0; word < SeatPlanes::words_for(show.layout->seat_count()); ++word) {
    held += static_cast<std::uint32_t>(std::popcount(words[word]));  // the first plane is that of the reserved
  }
  const bool sells = status == ShowStatus::scheduled;
  inventory.free.store(sells ? free : 0, std::memory_order_relaxed);
  inventory.held.store(sells ? held : 0, std::memory_order_relaxed);
}

// ---- recovery ----

Status Shard::restore_room_row(const CheckpointRow& row) {
  if (static_cast<CheckpointKind>(row.kind) == CheckpointKind::room) {
    const auto number = static_cast<std::uint32_t>(row.key);
    if (row.key == 0 || row.key > limits::rooms_max || state_.rooms.contains(number)) {
      return make_error(ErrorCode::corrupt, "checkpoint of a room without a number of its own");
    }
    auto room = std::make_unique<Room>();
    if (Status status = restore_room(*room, number, row.lsn, row.state); !status) return status;
    note_room(*room);
    state_.rooms[number] = std::move(room);
    return Done{};
  }
  Room* room = find_room(static_cast<std::uint32_t>(row.key >> 32U));
  if (room == nullptr || room->status == RoomStatus::removed) return Done{};
  return restore_part(*room, row.key, row.state);
}

void Shard::note_room(const Room& room) {
  const bool gone = room.status == RoomStatus::removed;
  state_.shared.rooms.note(room.number, state_.index, gone ? std::string_view{} : std::string_view{room.settings.id});
}

Status Shard::replay_room(const Record& record) {
  const auto misfit = [&](const std::string& what) {
    return make_error(ErrorCode::corrupt,
                      "shard " + std::to_string(record.shard) + " LSN " + std::to_string(record.lsn) + ": " + what);
  };
  Room* room = find_room(record.events.front().mask);
  if (room != nullptr && record.lsn <= room->lsn) return Done{};  // its checkpoint has seen it
  for (const Event& event : record.events) {
    bool applied = false;
    if (event.type == EventType::room_opened && room == nullptr) {
      auto made = std::make_unique<Room>();
      applied = engine::open_room(*made, record, event);
      if (applied) room = (state_.rooms[event.mask] = std::move(made)).get();
      if (applied) note_room(*room);
    } else {
      applied =
          room != nullptr && event.mask == room->number && is_whole(*room) && apply_room_event(*room, record, event);
    }
    if (!applied) return misfit("an event of type " + std::to_string(static_cast<int>(event.type)) + " fits no room");
  }
  room->lsn = record.lsn;
  if (room->status == RoomStatus::removed) state_.shared.rooms.forget(room->number);
  note_dirty(*room);
  return Done{};
}

void Shard::finish_rooms() {
  for (const auto& [show, guard] : state_.guards) {
    for (const AdmissionUse& use : guard.uses) uses_.push_back(use);
  }
  for (const auto& [number, room] : state_.rooms) {
    // a part of its checkpoint is missing: nobody can be called up any more, so the sale goes on without it
    if (!is_whole(*room)) room->status = RoomStatus::closed;
  }
}

void Shard::collect_rooms(std::vector<CheckpointRow>& rows) {
  while (!checkpointing_rooms_.empty()) {
    Room* room = find_room(checkpointing_rooms_.back());
    checkpointing_rooms_.pop_back();
    room->to_checkpoint = false;
    collect_room(*room, state_.index, rows);
  }
}

}  // namespace usher::engine
