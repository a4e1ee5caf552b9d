/// Applying events: the only place where the state of a waiting room changes, live and at replay alike.

#include <algorithm>

#include "engine/admission/room.hpp"
#include "engine/catalog/show_terms.hpp"
#include "usher/assert.hpp"

namespace usher::engine {

std::uint32_t Room::find_user(UserNumber user) const noexcept {
  const SlabIndex found =
      by_user.find(mix64(to_value(user)), [&](SlabIndex candidate) { return places[candidate - 1].user == user; });
  return found == 0 ? Line::none : found - 1;
}

bool Room::in_list(std::uint32_t sequence) const noexcept {
  return places[sequence].drawn != Line::none;
}

void Room::touch(std::uint32_t sequence) {
  const std::uint32_t part = sequence >> PlaceList::part_bits;
  if (part >= part_dirty.size()) {
    part_dirty.resize(part + 1);
    part_slots.resize(part + 1);
  }
  part_dirty[part] = true;
}

std::size_t Room::capacity_bytes() const noexcept {
  return sizeof(Room) + places.capacity_bytes() + line.capacity_bytes() + by_spot.capacity() * sizeof(by_spot[0]) +
         by_user.capacity_bytes() + admitted.size() * sizeof(admitted[0]);
}

namespace {

[[nodiscard]] bool text_fits(const Record& record, const Event& event) noexcept {
  return std::size_t{event.text_first} + event.text_size <= record.payload.size();
}

[[nodiscard]] bool fits(Instant at) noexcept {
  return to_ms(at) >= 0 && to_ms(at) <= instant_ms_max;
}

void stand(Room& room, std::uint32_t sequence) {
  room.places[sequence].spot = room.line.push();
  room.by_spot.push_back(sequence);
}

void leave_line(Room& room, std::uint32_t sequence) {
  const std::uint32_t spot = room.places[sequence].spot;
  if (spot != Line::none && room.line.taken(spot)) room.line.leave(spot);
}

/// Takes a waiting or admitted place out of the counts.
void uncount(Room& room, std::uint32_t sequence) {
  Place& place = room.places[sequence];
  if (place.state == PlaceState::waiting) {
    leave_line(room, sequence);
    --room.waiting;
  } else if (place.state == PlaceState::admitted) {
    --room.outstanding;
  }
}

bool apply_taken(Room& room, const Record& record, const Event& event) {
  if (room.status != RoomStatus::open || event.sequence != room.places.size()) return false;
  if (room.places.size() >= limits::places_per_room_max || event.user == UserNumber::none) return false;
  if (const std::uint32_t old = room.find_user(event.user); old != Line::none) {
    const PlaceState state = room.places[old].state;
    if (state == PlaceState::waiting || state == PlaceState::admitted) return false;
    room.by_user.erase(mix64(to_value(event.user)), old + 1);
  }
  Place& place = room.places.push();
  place.user = event.user;
  place.random = event.random;
  place.joined = room.tenths(record.now);
  room.by_user.insert(mix64(to_value(event.user)), event.sequence + 1);
  ++room.waiting;
  if (!room.awaits_draw()) stand(room, event.sequence);
  room.touch(event.sequence);
  return true;
}

bool apply_left(Room& room, const Event& event) {
  if (event.sequence >= room.places.size() || event.code == 0 ||
      event.code > static_cast<std::uint8_t>(PlaceEnd::lapsed_twice))
    return false;
  Place& place = room.places[event.sequence];
  if (place.state != PlaceState::waiting && place.state != PlaceState::admitted) return false;
  uncount(room, event.sequence);
  place.state = PlaceState::left;
  place.end = static_cast<PlaceEnd>(event.code);
  ++room.left_total;
  room.touch(event.sequence);
  return true;
}

/// What may be admitted in one second is never saved up for later.
void use_rate(Room& room, Instant now, std::uint32_t count) {
  const std::uint32_t rate = room.settings.rate_per_minute;
  const auto credit = static_cast<std::uint64_t>((now - room.rate_from).count()) * rate / 60'000;
  if (now - room.rate_from > std::chrono::hours{1} || credit > room.rate_used + std::max(rate / 60, 1U)) {
    room.rate_from = now - std::chrono::seconds{1};
    room.rate_used = 0;
  }
  room.rate_used += count;
}

void note_pace(Room& room, Instant now, std::uint32_t count) {
  const std::int64_t second = to_ms(now) / 1'000;
  const auto size = static_cast<std::int64_t>(room.paced.size());
  for (std::int64_t at = std::max(room.paced_second + 1, second - size + 1); at <= second; ++at) {
    room.paced[static_cast<std::size_t>(at % size)] = 0;
  }
  room.paced_second = std::max(room.paced_second, second);
  room.paced[static_cast<std::size_t>(second % size)] += count;
}

bool apply_admitted(Room& room, const Record& record, const Event& event) {
  if (room.status != RoomStatus::open || room.awaits_draw() || event.attempt > room.line.count()) return false;
  if (!fits(event.at) || event.at < record.now || record.now < room.rate_from) return false;
  const std::uint32_t until = room.tenths(event.at);
  for (std::uint32_t left = event.attempt; left > 0; --left) {
    const std::uint32_t spot = room.line.first();
    const std::uint32_t sequence = room.by_spot[spot];
    room.line.leave(spot);
    Place& place = room.places[sequence];
    place.state = PlaceState::admitted;
    place.until = until;
    if (place.attempt != 0xff) ++place.attempt;
    room.admitted.push_back(sequence);
    room.touch(sequence);
  }
  room.waiting -= event.attempt;
  room.outstanding += event.attempt;
  room.admitted_total += event.attempt;
  use_rate(room, record.now, event.attempt);
  note_pace(room, record.now, event.attempt);
  return true;
}

void forget_admitted(Room& room) {
  const auto over = [&](std::uint32_t sequence) { return room.places[sequence].state != PlaceState::admitted; };
  while (!room.admitted.empty() && over(room.admitted.front())) room.admitted.pop_front();
}

bool apply_finished(Room& room, const Event& event) {
  if (event.sequence >= room.places.size() || event.code > limits::seats_per_request_max) return false;
  Place& place = room.places[event.sequence];
  if (place.state == PlaceState::finished) return false;
  uncount(room, event.sequence);
  place.state = PlaceState::finished;
  place.seats = event.code;
  room.buyers.add(event.code);
  ++room.finished_total;
  forget_admitted(room);
  room.touch(event.sequence);
  return true;
}

bool apply_lapsed(Room& room, const Event& event) {
  if (event.sequence >= room.places.size()) return false;
  Place& place = room.places[event.sequence];
  if (place.state != PlaceState::admitted || place.attempt > 1) return false;
  --room.outstanding;
  ++room.waiting;
  place.state = PlaceState::waiting;
  stand(room, event.sequence);  // the tail
  ++room.lapsed_total;
  forget_admitted(room);
  room.touch(event.sequence);
  return true;
}

bool apply_frozen(Room& room, const Record& record, const Event& event) {
  if (!room.awaits_draw() || room.frozen || event.text_size != room.list_hash.size() || !text_fits(record, event))
    return false;
  const std::string_view hash = record.text_of(event);
  std::copy(hash.begin(), hash.end(), room.list_hash.begin());
  room.frozen = true;
  room.frozen_at = record.now;
  room.list_end = room.places.size();
  for (std::uint32_t sequence = 0; sequence < room.list_end; ++sequence) {
    if (room.places[sequence].state != PlaceState::waiting) continue;
    room.places[sequence].drawn = room.list_count++;  // in the order of the list until it is drawn
    room.touch(sequence);
  }
  return true;
}

bool apply_drawn(Room& room, const Record& record, const Event& event) {
  if (!room.awaits_draw() || !room.frozen || !text_fits(record, event)) return false;
  room.beacon = record.text_of(event);
  room.drawn = true;
  std::vector<std::uint32_t> list;
  list.reserve(room.list_count);
  for (std::uint32_t sequence = 0; sequence < room.list_end; ++sequence) {
    if (room.in_list(sequence)) list.push_back(sequence);
  }
  const std::vector<std::uint32_t> order =
      draw_order(seed_of(room.settings.secret, room.list_hash, room.beacon), room.list_count);
  room.line.reset(room.list_count);
  room.by_spot.resize(room.list_count);
  for (std::uint32_t spot = 0; spot < room.list_count; ++spot) {
    const std::uint32_t sequence = list[order[spot]];
    Place& place = room.places[sequence];
    place.drawn = spot;
    place.spot = spot;
    room.by_spot[spot] = sequence;
    if (place.state == PlaceState::waiting) room.line.take(spot);
    room.touch(sequence);
  }
  // who came between the freezing and the draw: first come, first served, behind all of them
  for (std::uint32_t sequence = room.list_end; sequence < room.places.size(); ++sequence) {
    if (room.places[sequence].state == PlaceState::waiting) stand(room, sequence);
    room.touch(sequence);
  }
  return true;
}

bool apply_changed(Room& room, const Record& record, const Event& event) {
  if (room.status != RoomStatus::open || !text_fits(record, event)) return false;
  Result<RoomSettings> settings = decode_settings(record.text_of(event));
  if (!settings) return false;
  const RoomSettings& to = settings.value();
  // what people have been promised stays
  if (to.id != room.settings.id || to.shows != room.settings.shows || to.order != room.settings.order ||
      to.secret != room.settings.secret || to.admission_ttl != room.settings.admission_ttl)
    return false;
  if (to.rate_per_minute != room.settings.rate_per_minute) {
    room.rate_from = record.now;
    room.rate_used = 0;
  }
  room.settings = std::move(settings).value();
  return true;
}

bool apply_closed(Room& room, const Record& record) {
  if (room.status != RoomStatus::open) return false;
  room.status = RoomStatus::closed;
  room.closed_at = record.now;
  return true;
}

bool apply_removed(Room& room) {
  if (room.status != RoomStatus::closed) return false;
  Room empty;
  empty.number = room.number;
  empty.created = room.created;
  empty.settings.id = room.settings.id;
  empty.settings.shows = room.settings.shows;
  empty.status = RoomStatus::removed;
  empty.part_slots = std::move(room.part_slots);
  empty.part_dirty.assign(empty.part_slots.size(), true);
  empty.to_checkpoint = room.to_checkpoint;
  room = std::move(empty);
  return true;
}

bool apply_sold_out(Room& room, const Event& event) {
  if (room.status != RoomStatus::open || event.code > 1) return false;
  room.sold_out = event.code == 1;
  return true;
}

}  // namespace

bool apply_room_event(Room& room, const Record& record, const Event& event) {
  if (room.status == RoomStatus::removed) return false;
  switch (event.type) {
    case EventType::place_taken:
      return apply_taken(room, record, event);
    case EventType::place_left:
      return apply_left(room, event);
    case EventType::people_admitted:
      return apply_admitted(room, record, event);
    case EventType::admission_finished:
      return apply_finished(room, event);
    case EventType::admission_lapsed:
      return apply_lapsed(room, event);
    case EventType::room_frozen:
      return apply_frozen(room, record, event);
    case EventType::room_drawn:
      return apply_drawn(room, record, event);
    case EventType::room_changed:
      return apply_changed(room, record, event);
    case EventType::room_sold_out:
      return apply_sold_out(room, event);
    case EventType::room_closed:
      return apply_closed(room, record);
    case EventType::room_removed:
      return apply_removed(room);
    default:
      return false;
  }
}

bool open_room(Room& room, const Record& record, const Event& event) {
  if (!text_fits(record, event) || event.mask == 0 || event.mask > limits::rooms_max || !fits(record.now)) return false;
  Result<RoomSettings> settings = decode_settings(record.text_of(event));
  if (!settings) return false;
  room.number = event.mask;
  room.settings = std::move(settings).value();
  room.created = record.now;
  room.rate_from = record.now;
  return true;
}

std::vector<std::string> check_room(const Room& room) {
  std::vector<std::string> broken;
  const auto require = [&](bool holds, const std::string& rule) {
    if (!holds) broken.push_back("room " + std::to_string(room.number) + ": " + rule);
  };
  std::uint32_t waiting = 0;
  std::uint32_t outstanding = 0;
  std::uint32_t standing = 0;
  for (std::uint32_t sequence = 0; sequence < room.places.size(); ++sequence) {
    const Place& place = room.places[sequence];
    const bool stands = place.spot != Line::none && room.line.taken(place.spot) && room.by_spot[place.spot] == sequence;
    const bool is_waiting = place.state == PlaceState::waiting;
    waiting += is_waiting ? 1U : 0U;
    outstanding += place.state == PlaceState::admitted ? 1U : 0U;
    standing += stands ? 1U : 0U;
    require(stands == (is_waiting && !room.awaits_draw()),
            "place " + std::to_string(sequence) + ": waiting and not in the line, or the reverse");
    const std::uint32_t newest = room.find_user(place.user);
    require(newest != Line::none && newest >= sequence,
            "place " + std::to_string(sequence) + ": its user is not found");
    if (newest != sequence) require(!is_waiting && place.state != PlaceState::admitted, "a user has two places");
  }
  require(waiting == room.waiting && outstanding == room.outstanding, "people are miscounted");
  require(standing == room.line.count() && room.line.length() == room.by_spot.size(), "the line is miscounted");
  if (room.frozen) {
    ListHash hash;
    for (std::uint32_t sequence = 0; sequence < room.list_end; ++sequence) {
      if (room.in_list(sequence)) hash.add({sequence, room.places[sequence].random});
    }
    require(hash.finish() == room.list_hash, "the list is not the one that its hash was published of");
  }
  return broken;
}

}  // namespace usher::engine
