#include "engine/admission/room_checkpoint.hpp"

#include <algorithm>
#include <cstring>

#include "engine/catalog/hash.hpp"
#include "engine/catalog/show_terms.hpp"
#include "engine/shard/checkpoint.hpp"

namespace usher::engine {
namespace {

constexpr std::uint8_t version = 1;
constexpr std::size_t beacon_bytes_max = 4'096;
constexpr std::uint8_t flag_frozen = 1;
constexpr std::uint8_t flag_drawn = 2;
constexpr std::uint8_t flag_sold_out = 4;

[[nodiscard]] std::uint32_t read_u32(ByteReader& in, std::uint64_t max = 0xffffffffU) noexcept {
  return static_cast<std::uint32_t>(in.varint_max(max));
}

void write_head(const Room& room, Bytes& bytes) {
  ByteWriter out(bytes);
  out.u8(version);
  Bytes settings;
  encode(room.settings, settings);
  out.text({reinterpret_cast<const char*>(settings.data()), settings.size()});
  out.u8(static_cast<std::uint8_t>(room.status));
  out.u8(static_cast<std::uint8_t>((room.frozen ? flag_frozen : 0U) | (room.drawn ? flag_drawn : 0U) |
                                   (room.sold_out ? flag_sold_out : 0U)));
  out.varint(ms(room.created));
  out.varint(ms(room.frozen_at));
  out.varint(ms(room.closed_at));
  out.varint(room.places.size());
  out.varint(room.line.length());
  out.varint(room.list_count);
  out.varint(room.list_end);
  out.raw(room.list_hash.data(), room.list_hash.size());
  out.text(room.beacon);
  out.varint(room.buyers.count);
  out.varint(room.buyers.next);
  out.raw(room.buyers.seats.data(), room.buyers.seats.size());
  out.varint(ms(room.rate_from));
  out.varint(room.rate_used);
  out.varint(room.admitted_total);
  out.varint(room.finished_total);
  out.varint(room.lapsed_total);
  out.varint(room.left_total);
}

[[nodiscard]] std::uint32_t part_end(const Room& room, std::uint32_t part) noexcept {
  return std::min((part + 1) << PlaceList::part_bits, room.places.size());
}

void write_part(const Room& room, std::uint32_t part, Bytes& bytes) {
  ByteWriter out(bytes);
  const std::uint32_t first = part << PlaceList::part_bits;
  const std::uint32_t end = part_end(room, part);
  out.u8(version);
  out.varint(end - first);
  for (std::uint32_t sequence = first; sequence < end; ++sequence) {
    const Place& place = room.places[sequence];
    out.fixed(to_value(place.user));
    out.fixed(place.random);
    out.varint(std::uint64_t{place.spot + 1});
    out.varint(place.joined);
    out.varint(place.until);
    out.varint(std::uint64_t{place.drawn + 1});
    out.u8(static_cast<std::uint8_t>(place.state));
    out.u8(place.attempt);
    out.u8(place.seats);
    out.u8(static_cast<std::uint8_t>(place.end));
  }
}

void read_buyers(BuyerWindow& buyers, ByteReader& in) {
  buyers.count = read_u32(in, BuyerWindow::size);
  buyers.next = read_u32(in, BuyerWindow::size - 1);
  const std::string_view seats = in.raw(buyers.seats.size());
  if (!in.ok()) return;
  std::memcpy(buyers.seats.data(), seats.data(), seats.size());
  for (const std::uint8_t bought : buyers.seats) buyers.sum += bought;
}

/// What follows from the places: the line, the counts, who is admitted until when.
void stand_all(Room& room) {
  for (std::uint32_t sequence = 0; sequence < room.places.size(); ++sequence) {
    const Place& place = room.places[sequence];
    if (place.state == PlaceState::waiting) {
      ++room.waiting;
    } else if (place.state == PlaceState::admitted) {
      ++room.outstanding;
      room.admitted.push_back(sequence);
    }
    const bool standing = place.spot != Line::none && room.line.taken(place.spot);
    if (place.spot != Line::none && (!standing || place.state == PlaceState::waiting)) {
      room.by_spot[place.spot] = sequence;
    }
  }
  std::sort(room.admitted.begin(), room.admitted.end(), [&](std::uint32_t a, std::uint32_t b) {
    const Place& left = room.places[a];
    const Place& right = room.places[b];
    return left.until != right.until ? left.until < right.until : left.spot < right.spot;
  });
}

[[nodiscard]] bool read_place(Room& room, Place& place, ByteReader& in) {
  place.user = static_cast<UserNumber>(in.fixed<std::uint64_t>());
  place.random = in.fixed<std::uint64_t>();
  place.spot = read_u32(in) - 1;
  place.joined = read_u32(in);
  place.until = read_u32(in);
  place.drawn = read_u32(in) - 1;
  place.state = static_cast<PlaceState>(in.u8());
  place.attempt = in.u8();
  place.seats = in.u8();
  place.end = static_cast<PlaceEnd>(in.u8());
  const bool known = place.state == PlaceState::waiting || place.state == PlaceState::admitted ||
                     place.state == PlaceState::finished || place.state == PlaceState::left;
  const bool stands = place.spot != Line::none;
  if (!known || place.end > PlaceEnd::lapsed_twice || (stands && place.spot >= room.line.length())) in.fail();
  if (place.state == PlaceState::waiting && stands == room.awaits_draw()) in.fail();
  return in.ok();
}

}  // namespace

bool is_whole(const Room& room) noexcept {
  return room.places.size() >= room.places_expected;
}

void collect_room(Room& room, ShardIndex shard, std::vector<CheckpointRow>& rows) {
  const bool removed = room.status == RoomStatus::removed;
  for (std::uint32_t part = 0; part < room.part_dirty.size(); ++part) {
    if (!room.part_dirty[part]) continue;
    room.part_dirty[part] = false;
    const auto kind = static_cast<std::uint8_t>(CheckpointKind::room_part);
    if (removed) {
      for (const std::uint8_t slot : {std::uint8_t{0}, std::uint8_t{1}}) {
        rows.push_back({shard, kind, part_key(room.number, part, slot), room.lsn, {}});
      }
      continue;
    }
    room.part_slots[part] ^= 1U;
    rows.push_back({shard, kind, part_key(room.number, part, room.part_slots[part]), room.lsn, {}});
    write_part(room, part, rows.back().state);
  }
  CheckpointRow row{shard, static_cast<std::uint8_t>(CheckpointKind::room), room.number, room.lsn, {}};
  write_head(room, row.state);
  ByteWriter out(row.state);
  out.varint(removed ? 0 : room.places.part_count());
  if (!removed) out.raw(room.part_slots.data(), room.places.part_count());
  rows.push_back(std::move(row));
}

Status restore_room(Room& room, std::uint32_t number, Lsn lsn, const Bytes& bytes) {
  const auto corrupt = [&](const std::string& what) {
    return make_error(ErrorCode::corrupt, "checkpoint of room " + std::to_string(number) + ": " + what);
  };
  ByteReader in(bytes);
  if (in.u8() != version) return make_error(ErrorCode::version, "checkpoint of a room: unknown version");
  const std::string_view settings_bytes = in.text(16'384);
  Result<RoomSettings> settings = decode_settings(settings_bytes);
  if (!settings) return settings.error();
  room.number = number;
  room.lsn = lsn;
  room.settings = std::move(settings).value();
  room.status = static_cast<RoomStatus>(in.varint_max(static_cast<std::uint64_t>(RoomStatus::removed)));
  const std::uint64_t flags = in.varint_max(flag_frozen | flag_drawn | flag_sold_out);
  room.frozen = (flags & flag_frozen) != 0;
  room.drawn = (flags & flag_drawn) != 0;
  room.sold_out = (flags & flag_sold_out) != 0;
  room.created = read_instant(in);
  room.frozen_at = read_instant(in);
  room.closed_at = read_instant(in);
  room.places_expected = read_u32(in, limits::places_per_room_max);
  const std::uint32_t spots = read_u32(in, std::uint64_t{2} * limits::places_per_room_max);
  room.list_count = read_u32(in, room.places_expected);
  room.list_end = read_u32(in, room.places_expected);
  const std::string_view list_hash = in.raw(room.list_hash.size());
  if (in.ok()) std::memcpy(room.list_hash.data(), list_hash.data(), list_hash.size());
  room.beacon = in.text(beacon_bytes_max);
  read_buyers(room.buyers, in);
  room.rate_from = read_instant(in);
  for (std::uint64_t* count :
       {&room.rate_used, &room.admitted_total, &room.finished_total, &room.lapsed_total, &room.left_total}) {
    *count = in.varint();
  }
  const std::uint32_t parts = read_u32(in, (limits::places_per_room_max >> PlaceList::part_bits) + 1);
  const std::string_view slots = in.raw(parts);
  if (!in.complete() || parts != (room.places_expected + PlaceList::part_size - 1) / PlaceList::part_size)
    return corrupt("damaged");
  room.part_slots.assign(slots.begin(), slots.end());
  room.part_dirty.assign(parts, false);
  room.line.reset(spots);
  room.by_spot.assign(spots, 0);
  return Done{};
}

Status restore_part(Room& room, std::uint64_t key, const Bytes& bytes) {
  const auto part = static_cast<std::uint32_t>(key >> 1U & 0x7fffffffU);
  if (part >= room.part_slots.size() || room.part_slots[part] != (key & 1U)) return Done{};
  ByteReader in(bytes);
  const auto corrupt = [&] {
    return make_error(ErrorCode::corrupt, "checkpoint of room " + std::to_string(room.number) + ", part " +
                                              std::to_string(part) + ": damaged");
  };
  const std::uint32_t first = part << PlaceList::part_bits;
  if (in.u8() != version || room.places.size() != first) return corrupt();
  const std::uint32_t count = read_u32(in, PlaceList::part_size);
  if (count != std::min(PlaceList::part_size, room.places_expected - first)) return corrupt();
  for (std::uint32_t sequence = first; sequence < first + count; ++sequence) {
    Place place;
    if (!read_place(room, place, in)) return corrupt();
    // two waiting people on one spot, which only damaged bytes can tell of
    const bool stands = place.state == PlaceState::waiting && place.spot != Line::none;
    if (stands && room.line.taken(place.spot)) return corrupt();
    if (stands) room.line.take(place.spot);
    if (const std::uint32_t old = room.find_user(place.user); old != Line::none) {
      room.by_user.erase(mix64(to_value(place.user)), old + 1);
    }
    room.places.push() = place;
    room.by_user.insert(mix64(to_value(place.user)), sequence + 1);
  }
  if (!in.complete()) return corrupt();
  if (is_whole(room)) stand_all(room);
  return Done{};
}

std::uint64_t digest_of(const Room& room) {
  Bytes bytes;
  write_head(room, bytes);
  std::uint64_t digest = hash_bytes({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  for (std::uint32_t part = 0; part < room.places.part_count(); ++part) {
    bytes.clear();
    write_part(room, part, bytes);
    digest = mix64(digest ^ hash_bytes({reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
  }
  return digest;
}

}  // namespace usher::engine
