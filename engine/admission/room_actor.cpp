#include "engine/admission/room_actor.hpp"

#include <algorithm>

#include "usher/assert.hpp"

namespace usher::engine {
namespace {

/// Floor of the square root (Newton, from above).
[[nodiscard]] std::uint64_t root_of(std::uint64_t value) noexcept {
  if (value < 2) return value;
  std::uint64_t at = value;
  for (std::uint64_t next = value / 2 + 1; next < at; next = (at + value / at) / 2) at = next;
  return at;
}

/// Standard deviation of the seats that one buyer takes, in thousandths.
[[nodiscard]] std::uint32_t spread_of(const BuyerWindow& buyers) noexcept {
  std::uint64_t squares = 0;
  for (std::uint32_t i = 0; i < buyers.count; ++i) squares += std::uint64_t{buyers.seats[i]} * buyers.seats[i];
  const std::uint64_t sum = buyers.sum;
  // n * sum of squares - square of sum = n^2 * variance
  return static_cast<std::uint32_t>(root_of((buyers.count * squares - sum * sum) * 1'000'000) / buyers.count);
}

/// About half of the seats held come back while an admission lives, since reservations live twice as long. Of those as
/// many as are nearly certain: three standard deviations below the mean (wrong once in 700 times; two would be once in
/// forty), so that nobody is let in to nothing.
[[nodiscard]] std::uint32_t expected_returns(std::uint32_t held, std::uint32_t permille) noexcept {
  const std::uint64_t p = std::min(permille, 1'000U) / 2;
  const std::uint64_t mean = held * p;                              // in thousandths
  const std::uint64_t deviation = root_of(held * p * (1'000 - p));  // in thousandths
  return static_cast<std::uint32_t>(mean > 3 * deviation ? (mean - 3 * deviation) / 1'000 : 0);
}

}  // namespace

void encode(const AdmitInputs& inputs, Bytes& bytes) {
  ByteWriter out(bytes);
  for (const std::uint32_t value : {inputs.free, inputs.held, inputs.return_permille, inputs.returns,
                                    inputs.seats_per_buyer, inputs.seats_spread, inputs.outstanding}) {
    out.varint(value);
  }
}

RoomFacts facts_of(const Room& room, Instant now) noexcept {
  RoomFacts facts;
  std::uint64_t returning = 0;
  for (const Inventory* show : room.inventories) {
    if (show->room.load(std::memory_order_relaxed) != room.number || show->start_ms <= to_ms(now)) continue;
    ++facts.shows;
    const std::uint32_t held = show->held.load(std::memory_order_relaxed);
    facts.free += show->free.load(std::memory_order_relaxed);
    facts.held += held;
    returning += std::uint64_t{held} * show->return_permille.load(std::memory_order_relaxed);
  }
  if (facts.held > 0) facts.return_permille = static_cast<std::uint32_t>(returning / facts.held);
  return facts;
}

void RoomActor::emit(const Event& event) {
  record_.events.push_back(event);
  const bool applied = apply_room_event(room_, record_, record_.events.back());
  USHER_ASSERT(applied);
}

Event RoomActor::event_of(EventType type, std::uint32_t sequence) const noexcept {
  Event event{};
  event.type = type;
  event.mask = room_.number;
  event.sequence = sequence;
  return event;
}

void RoomActor::emit_text(EventType type, const Bytes& text) {
  Event event = event_of(type);
  event.text_first = static_cast<std::uint32_t>(record_.payload.size());
  event.text_size = static_cast<std::uint32_t>(text.size());
  record_.payload.insert(record_.payload.end(), text.begin(), text.end());
  emit(event);
}

// ---- people ----

void RoomActor::decide(const Command& command, Reply& reply) {
  switch (command.type) {
    case CommandType::join_queue:
      return join(command, reply);
    case CommandType::leave_queue:
      return leave(command, reply);
    case CommandType::note_admission:
      return note(command, reply);
    default: {
      std::uint32_t sequence = 0;
      if ((reply.refusal = find(command, sequence)) != Refusal::none) return;
      if (!command.staff) room_.places[sequence].seen = room_.tenths(record_.now);
      return fill(reply, sequence);
    }
  }
}

Refusal RoomActor::find(const Command& command, std::uint32_t& sequence) const noexcept {
  sequence = command.sequence;
  if (room_.status == RoomStatus::removed || sequence >= room_.places.size()) return Refusal::unknown_place;
  if (room_.places[sequence].random != command.id_random) return Refusal::unknown_place;
  if (!command.staff && room_.places[sequence].user != command.user) return Refusal::not_owner;
  return Refusal::none;
}

void RoomActor::join(const Command& command, Reply& reply) {
  if (room_.status != RoomStatus::open) return void(reply.refusal = Refusal::room_closed);
  std::uint32_t sequence = room_.find_user(command.user);
  const bool stands = sequence != Line::none && (room_.places[sequence].state == PlaceState::waiting ||
                                                 room_.places[sequence].state == PlaceState::admitted);
  if (!stands) {
    sequence = room_.places.size();
    if (sequence >= limits::places_per_room_max) return void(reply.refusal = Refusal::room_full);
    Event event = event_of(EventType::place_taken, sequence);
    event.user = command.user;
    event.random = command.random;
    emit(event);
  }
  room_.places[sequence].seen = room_.tenths(record_.now);
  fill(reply, sequence);
  reply.queue.fresh = !stands;
}

void RoomActor::leave(const Command& command, Reply& reply) {
  std::uint32_t sequence = 0;
  if ((reply.refusal = find(command, sequence)) != Refusal::none) return;
  const PlaceState state = room_.places[sequence].state;
  if (state == PlaceState::waiting || state == PlaceState::admitted) {
    Event event = event_of(EventType::place_left, sequence);
    event.code = static_cast<std::uint8_t>(PlaceEnd::gave_up);
    emit(event);
  }
  fill(reply, sequence);
}

void RoomActor::note(const Command& command, Reply& reply) {
  const std::uint32_t sequence = command.sequence;
  const bool known = sequence < room_.places.size() && room_.places[sequence].user == command.user;
  if (!known) return void(reply.refusal = Refusal::unknown_place);
  if (room_.places[sequence].state == PlaceState::finished) return;
  Event event = event_of(EventType::admission_finished, sequence);
  event.code = command.seat_count;
  emit(event);
}

void RoomActor::fill(Reply& reply, std::uint32_t sequence) const noexcept {
  const Place& place = room_.places[sequence];
  reply.sequence = sequence;
  reply.id_random = place.random;
  reply.user = place.user;
  reply.reserved_at = room_.instant_of(place.joined);
  reply.retry_at = room_.settings.opens_at;
  QueuePlace& queue = reply.queue;
  queue.room = room_.number;
  queue.waiting = room_.waiting;
  queue.attempt = place.attempt;
  queue.state = place.state;
  queue.end = static_cast<std::uint8_t>(place.end);
  queue.drawn = !room_.awaits_draw();
  queue.draw_place = room_.drawn ? place.drawn : Line::none;
  if (place.state == PlaceState::admitted) reply.expires_at = room_.instant_of(place.until);
  if (place.state == PlaceState::admitted && room_.status != RoomStatus::open) queue.state = PlaceState::closed;
  if (place.state != PlaceState::waiting) return;
  if (room_.status != RoomStatus::open) {
    queue.state = PlaceState::closed;
  } else if (room_.sold_out) {
    queue.state = PlaceState::sold_out;
  }
  if (!queue.drawn) return;
  queue.ahead = room_.line.ahead_of(place.spot);
  estimate(queue);
}

/// From the pace of the last minute: between two thirds and one and a half times what it would take.
void RoomActor::estimate(QueuePlace& place) const noexcept {
  const std::int64_t now_s = to_ms(record_.now) / 1'000;
  const std::int64_t open_s = to_ms(room_.settings.opens_at) / 1'000;
  const auto until_open = static_cast<std::uint32_t>(std::max<std::int64_t>(open_s - now_s, 0));
  std::uint64_t admitted = 0;
  std::int64_t seconds = 0;
  for (std::int64_t at = std::max(now_s - 59, open_s); at <= now_s; ++at, ++seconds) {
    const bool known = at <= room_.paced_second && at > room_.paced_second - std::int64_t{64};
    if (known) admitted += room_.paced[static_cast<std::size_t>(at % 64)];
  }
  if (admitted == 0 || seconds <= 0) {
    if (until_open > 0) place.low_s = place.high_s = until_open;
    return;
  }
  const std::uint64_t wait_s = (std::uint64_t{place.ahead} + 1) * static_cast<std::uint64_t>(seconds) / admitted;
  place.low_s = static_cast<std::uint32_t>(std::min<std::uint64_t>(wait_s * 2 / 3, 86'400));
  place.high_s = static_cast<std::uint32_t>(std::min<std::uint64_t>(wait_s * 3 / 2 + 1, 86'400));
}

// ---- time ----

void RoomActor::tick(const RoomFacts& facts) {
  if (room_.status == RoomStatus::closed && record_.now >= room_.closed_at + closed_memory) {
    return emit(event_of(EventType::room_removed));
  }
  if (room_.status != RoomStatus::open) return;
  if (room_.ready_at == Instant{}) room_.ready_at = record_.now;
  end_admissions();
  end_absent();
  if (record_.now < room_.settings.opens_at) return;
  if (room_.awaits_draw()) {
    if (!room_.frozen) return freeze();
    if (!room_.settings.awaits_beacon && record_.now >= room_.frozen_at + room_.settings.draw_delay) (void)draw({});
    return;
  }
  admit(facts);
}

void RoomActor::end_admissions() {
  while (!room_.admitted.empty() && !record_full()) {
    const std::uint32_t sequence = room_.admitted.front();
    const Place& place = room_.places[sequence];
    if (place.state == PlaceState::admitted) {
      if (room_.instant_of(place.until) + message_grace > record_.now) return;
      if (place.attempt <= 1) {
        emit(event_of(EventType::admission_lapsed, sequence));
        continue;
      }
      Event event = event_of(EventType::place_left, sequence);
      event.code = static_cast<std::uint8_t>(PlaceEnd::lapsed_twice);
      emit(event);
    }
    room_.admitted.pop_front();
  }
}

/// Looks at a slice: all of them within about ten seconds.
void RoomActor::end_absent() {
  const std::uint32_t size = room_.places.size();
  for (std::uint32_t left = size / 50 + 64; left > 0 && size > 0 && !record_full(); --left) {
    const std::uint32_t sequence = room_.scan++ % size;
    const Place& place = room_.places[sequence];
    if (place.state != PlaceState::waiting) continue;
    const Instant seen = std::max(room_.instant_of(std::max(place.seen, place.joined)), room_.ready_at);
    if (seen + room_.settings.absence_max > record_.now) continue;
    Event event = event_of(EventType::place_left, sequence);
    event.code = static_cast<std::uint8_t>(PlaceEnd::absent);
    emit(event);
  }
}

AdmitInputs RoomActor::inputs_of(const Room& room, const RoomFacts& facts) noexcept {
  AdmitInputs inputs;
  inputs.free = facts.free;
  inputs.held = facts.held;
  inputs.return_permille = facts.return_permille;
  inputs.returns = expected_returns(facts.held, facts.return_permille);
  inputs.outstanding = room.outstanding;
  const BuyerWindow& buyers = room.buyers;
  inputs.seats_per_buyer = room.settings.seats_per_buyer * 1'000U;
  inputs.seats_spread = inputs.seats_per_buyer / 2;
  if (buyers.count >= buyers_min) {
    inputs.seats_per_buyer = std::max((buyers.sum * 1'000 + buyers.count - 1) / buyers.count, 1'000U);
    inputs.seats_spread = spread_of(buyers);
  }
  return inputs;
}

/// As many people as will nearly certainly find seats: n people take n times the mean, and with three standard
/// deviations of their sum no more than n * mean + 3 * spread * sqrt(n), which must not exceed the seats.
std::uint32_t RoomActor::allowed(const AdmitInputs& inputs) noexcept {
  const std::uint64_t seats = std::uint64_t{inputs.free} + inputs.returns;
  const std::uint64_t mean = inputs.seats_per_buyer;
  const std::uint64_t margin = 3 * std::uint64_t{inputs.seats_spread};
  // the square root of n, in thousandths
  const std::uint64_t root = (root_of(margin * margin + 4 * mean * seats * 1'000) - margin) * 1'000 / (2 * mean);
  std::uint64_t people = margin == 0 ? seats * 1'000 / mean : root * root / 1'000'000;
  if (people == 0 && inputs.free > 0) people = 1;
  return static_cast<std::uint32_t>(people > inputs.outstanding ? people - inputs.outstanding : 0);
}

std::uint32_t RoomActor::rate_allows() const noexcept {
  const std::uint32_t rate = room_.settings.rate_per_minute;
  if (rate == 0) return ~0U;
  const Duration elapsed = std::min<Duration>(record_.now - room_.rate_from, std::chrono::hours{1});
  const std::uint64_t credit = static_cast<std::uint64_t>(std::max<std::int64_t>(elapsed.count(), 0)) * rate / 60'000;
  const std::uint64_t left = credit > room_.rate_used ? credit - room_.rate_used : 0;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(left, std::max(rate / 60, 1U)));
}

void RoomActor::admit(const RoomFacts& facts) {
  const bool sold_out = facts.shows > 0 && facts.free == 0 && facts.held == 0;
  if (sold_out != room_.sold_out && facts.shows > 0) {
    Event event = event_of(EventType::room_sold_out);
    event.code = sold_out ? 1 : 0;
    emit(event);
  }
  if (room_.settings.paused || room_.line.count() == 0 || facts.shows == 0) return;
  const AdmitInputs inputs = inputs_of(room_, facts);
  const std::uint32_t count = std::min({allowed(inputs), room_.line.count(), rate_allows(), admitted_per_record_max});
  if (count == 0) return;
  Bytes text;
  encode(inputs, text);
  Event event = event_of(EventType::people_admitted);
  event.attempt = count;
  event.at = room_.instant_of(room_.tenths(record_.now + room_.settings.admission_ttl));
  event.text_first = static_cast<std::uint32_t>(record_.payload.size());
  event.text_size = static_cast<std::uint32_t>(text.size());
  record_.payload.insert(record_.payload.end(), text.begin(), text.end());
  emit(event);
}

void RoomActor::freeze() {
  ListHash hash;
  for (std::uint32_t sequence = 0; sequence < room_.places.size(); ++sequence) {
    const Place& place = room_.places[sequence];
    if (place.state == PlaceState::waiting) hash.add({sequence, place.random});
  }
  const Hash list = hash.finish();
  emit_text(EventType::room_frozen, Bytes(list.begin(), list.end()));
}

bool RoomActor::draw(std::string_view beacon) {
  if (room_.status != RoomStatus::open || !room_.awaits_draw() || !room_.frozen) return false;
  emit_text(EventType::room_drawn, Bytes(beacon.begin(), beacon.end()));
  return true;
}

void RoomActor::change(const RoomSettings& settings) {
  Bytes text;
  encode(settings, text);
  emit_text(EventType::room_changed, text);
}

void RoomActor::close() {
  if (room_.status == RoomStatus::open) emit(event_of(EventType::room_closed));
}

}  // namespace usher::engine
