#include "server/explain/place_history.hpp"

#include <algorithm>

namespace usher::server::explain {
namespace {

[[nodiscard]] std::string_view end_of(engine::PlaceEnd end) noexcept {
  switch (end) {
    case engine::PlaceEnd::absent:
      return "absent";
    case engine::PlaceEnd::lapsed_twice:
      return "lapsed_twice";
    default:
      return "gave_up";
  }
}

}  // namespace

Status PlaceHistory::replay(const Record& record) {
  if (Status done = past_.replay(record); !done) return done;
  const bool of_room = std::any_of(record.events.begin(), record.events.end(), [&](const Event& event) {
    return event.type >= EventType::room_opened && event.mask == room_;
  });
  const engine::Room* room = of_room ? past_.room(room_) : nullptr;
  if (room != nullptr) look(record, *room);
  return Done{};
}

void PlaceHistory::look(const Record& record, const engine::Room& room) {
  const std::uint32_t sequence = room.find_user(user_);
  if (sequence == engine::Line::none) return;
  if (sequence != sequence_) {  // the first time, or anew after the end of an earlier place
    sequence_ = sequence;
    drawn_ = false;
    attempt_ = 0;
    state_ = PlaceState::waiting;
    note(record, "joined");
  }
  look(record, room, sequence, room.places[sequence]);
  if (room.sold_out != sold_out_) note(record, room.sold_out ? "sold_out" : "seats_again");
  sold_out_ = room.sold_out;
  if (room.status != status_ && room.status == engine::RoomStatus::closed) note(record, "room_closed");
  status_ = room.status;
}

void PlaceHistory::look(const Record& record, const engine::Room& room, std::uint32_t sequence,
                        const engine::Place& place) {
  if (place.drawn != engine::Line::none) {
    if (!drawn_) note(record, "drawn");
    drawn_ = true;
    place_ = place.drawn + 1;
  } else {
    place_ = room.awaits_draw() ? 0 : sequence + 1;
  }
  if (place.attempt > attempt_) note(record, "admitted");
  if (place.state != state_ || place.attempt > attempt_) {
    if (place.state == PlaceState::waiting && state_ == PlaceState::admitted) note(record, "lapsed");
    if (place.state == PlaceState::finished) note(record, "finished");
    if (place.state == PlaceState::left) note(record, end_of(place.end));
  }
  attempt_ = place.attempt;
  state_ = place.state;
}

void PlaceHistory::note(const Record& record, std::string_view what) {
  const engine::Room* room = past_.room(room_);
  events_.push_back({what, record.lsn, record.now, room == nullptr ? 0 : room->admitted_total});
}

}  // namespace usher::server::explain
