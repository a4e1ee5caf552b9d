#include "wal/codec.hpp"

#include <array>
#include <cstring>

#include "usher/assert.hpp"
#include "usher/limits.hpp"

namespace usher::wal {
namespace {

constexpr std::uint8_t flag_show = 1;
constexpr std::uint8_t flag_actor = 2;
constexpr std::uint8_t flag_idempotency = 4;
constexpr std::uint8_t flag_reserved = 8;
constexpr unsigned count_shift = 4;
constexpr std::uint8_t fields_named = 0x80;
constexpr std::uint32_t no_such_type = 0xffffffffU;
constexpr SeatIndex seat_max = static_cast<SeatIndex>(limits::seats_per_show_max - 1);

// Upper bounds of what is written beside seats and text: flags 1, show 5, now 10, actor 10, idempotency 24, count 2.
constexpr std::size_t record_head_bytes_max = 52;
// type 1, fields 2, code 1, seat count 3, sequence, attempt, mask and text size 5 each, user 10, random 8, amount 10,
// at 10.
constexpr std::size_t event_head_bytes_max = 65;
constexpr std::size_t seat_bytes_max = 3;

constexpr std::array<std::uint32_t, 128> make_fields_by_type() noexcept {
  using namespace field;
  std::array<std::uint32_t, 128> table{};
  for (auto& fields : table) fields = no_such_type;
  const auto set = [&table](EventType type, std::uint32_t fields) { table[static_cast<std::size_t>(type)] = fields; };
  set(EventType::layout_defined, text);
  set(EventType::catalog_changed, text);
  set(EventType::show_opened, text);
  set(EventType::show_cancelled, 0);
  set(EventType::show_completed, 0);
  set(EventType::seats_blocked, seats);
  set(EventType::seats_unblocked, seats);
  set(EventType::reserved, seats | sequence | user | random | amount | at);
  set(EventType::released, sequence);
  set(EventType::expired, sequence);
  set(EventType::payment_started, sequence | attempt | at);
  set(EventType::payment_declined, code | sequence | attempt);
  set(EventType::booked, sequence | attempt | text | random);
  set(EventType::refund_due, sequence | attempt | text | amount);
  set(EventType::payment_unknown, sequence | attempt);
  set(EventType::seats_cancelled, code | sequence | attempt | mask | amount);
  set(EventType::refund_settled, sequence | attempt | amount);
  set(EventType::refund_failed, sequence | attempt);
  set(EventType::ticket_used, code | sequence | mask | text | random | at);
  set(EventType::cooldown_started, user | at);
  return table;
}
constexpr std::array<std::uint32_t, 128> fields_by_type = make_fields_by_type();

constexpr std::uint64_t zigzag(std::int64_t value) noexcept {
  return (static_cast<std::uint64_t>(value) << 1U) ^ static_cast<std::uint64_t>(value >> 63);
}
/// Distances wrap: two instants may lie more than 2^63 ms apart when a record is nonsense, and that must not be
/// undefined.
constexpr std::int64_t distance(std::int64_t to, std::int64_t from) noexcept {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from));
}
constexpr std::int64_t moved(std::int64_t from, std::int64_t by) noexcept {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(from) + static_cast<std::uint64_t>(by));
}

/// Writes where enough room was reserved.
struct RawWriter {
  std::uint8_t* at;

  void u8(std::uint8_t value) noexcept { *at++ = value; }
  void varint(std::uint64_t value) noexcept {
    while (value >= 0x80U) {
      *at++ = static_cast<std::uint8_t>(value | 0x80U);
      value >>= 7U;
    }
    *at++ = static_cast<std::uint8_t>(value);
  }
  void signed_varint(std::int64_t value) noexcept { varint(zigzag(value)); }
  void u64(std::uint64_t value) noexcept { raw(&value, sizeof value); }
  void raw(const void* data, std::size_t size) noexcept {
    if (size != 0) std::memcpy(at, data, size);
    at += size;
  }
};

std::uint32_t fields_present(const Event& event) noexcept {
  std::uint32_t fields = 0;
  if (event.code != 0) fields |= field::code;
  if (event.seat_count != 0) fields |= field::seats;
  if (event.sequence != 0) fields |= field::sequence;
  if (event.attempt != 0) fields |= field::attempt;
  if (event.mask != 0) fields |= field::mask;
  if (event.text_size != 0) fields |= field::text;
  if (event.user != UserNumber::none) fields |= field::user;
  if (event.random != 0) fields |= field::random;
  if (event.amount != 0) fields |= field::amount;
  if (event.at != Instant{}) fields |= field::at;
  return fields;
}

void write_seats(RawWriter& out, const SeatIndex* seats, std::size_t count) noexcept {
  out.varint(count);
  std::int32_t before = 0;
  for (std::size_t at = 0; at < count; ++at) {
    const std::int32_t delta = std::int32_t{seats[at]} - before;
    USHER_ASSERT(seats[at] <= seat_max && (at == 0 || delta != 0));
    out.signed_varint(delta);
    before = seats[at];
  }
}

void write_event(RawWriter& out, const Record& record, const Event& event) noexcept {
  const auto type = static_cast<std::uint8_t>(event.type);
  std::uint32_t fields = fields_of(type);
  USHER_ASSERT(fields != no_such_type);
  const std::uint32_t present = fields_present(event);
  if ((present & ~fields) == 0) {
    out.u8(type);
  } else {
    fields = present;
    out.u8(type | fields_named);
    out.varint(fields);
  }
  if ((fields & field::code) != 0) out.u8(event.code);
  if ((fields & field::seats) != 0) write_seats(out, record.seats_of(event), event.seat_count);
  if ((fields & field::sequence) != 0) out.varint(event.sequence);
  if ((fields & field::attempt) != 0) out.varint(event.attempt);
  if ((fields & field::mask) != 0) out.varint(event.mask);
  if ((fields & field::text) != 0) {
    out.varint(event.text_size);
    out.raw(record.payload.data() + event.text_first, event.text_size);
  }
  if ((fields & field::user) != 0) out.varint(to_value(event.user) ^ to_value(record.actor));
  if ((fields & field::random) != 0) out.u64(event.random);
  if ((fields & field::amount) != 0) out.signed_varint(event.amount);
  if ((fields & field::at) != 0) out.signed_varint(distance(to_ms(event.at), to_ms(record.now)));
}

/// Checks what encode_record() requires of seats and text. Returns: how many bytes the record may take.
std::size_t checked_bytes_max(const Record& record) noexcept {
  std::size_t seats = 0;
  std::size_t text = 0;
  for (const Event& event : record.events) {
    USHER_ASSERT(event.seat_count == 0 || std::size_t{event.seat_first} + event.seat_count <= record.seats.size());
    USHER_ASSERT(event.text_size == 0 || std::size_t{event.text_first} + event.text_size <= record.payload.size());
    seats += event.seat_count;
    text += event.text_size;
  }
  // A seat or a byte that no event names would be missing after a restart.
  USHER_ASSERT(seats >= record.seats.size() && text >= record.payload.size());
  return record_head_bytes_max + record.events.size() * event_head_bytes_max + seats * seat_bytes_max + text;
}

void read_seats(ByteReader& in, Record& record, Event& event) {
  const std::uint64_t count = in.varint_max(limits::seats_per_show_max);
  if (count > in.left()) return in.fail();  // each takes a byte at least
  event.seat_count = static_cast<std::uint16_t>(count);
  if (count != 0) event.seat_first = static_cast<std::uint32_t>(record.seats.size());
  std::int64_t before = 0;
  for (std::uint64_t at = 0; at < count; ++at) {
    const std::int64_t delta = in.signed_varint();
    if (delta < -std::int64_t{seat_max} || delta > std::int64_t{seat_max} || (at != 0 && delta == 0)) return in.fail();
    before += delta;
    if (before < 0 || before > std::int64_t{seat_max}) return in.fail();
    record.seats.push_back(static_cast<SeatIndex>(before));
  }
}

void read_text(ByteReader& in, Record& record, Event& event) {
  const std::string_view text = in.text(limits::record_bytes_max);
  if (text.empty()) return;
  event.text_first = static_cast<std::uint32_t>(record.payload.size());
  event.text_size = static_cast<std::uint32_t>(text.size());
  const auto* first = reinterpret_cast<const std::uint8_t*>(text.data());
  record.payload.insert(record.payload.end(), first, first + text.size());
}

void read_event(ByteReader& in, Record& record, Event& event) {
  const std::uint8_t type = in.u8();
  std::uint32_t fields = fields_of(type & 0x7fU);
  if (fields == no_such_type) return in.fail();
  event.type = static_cast<EventType>(type & 0x7fU);
  if ((type & fields_named) != 0) fields = static_cast<std::uint32_t>(in.varint_max(field::all));
  if ((fields & field::code) != 0) event.code = in.u8();
  if ((fields & field::seats) != 0) read_seats(in, record, event);
  if ((fields & field::sequence) != 0) event.sequence = static_cast<std::uint32_t>(in.varint_max(0xffffffffU));
  if ((fields & field::attempt) != 0) event.attempt = static_cast<std::uint32_t>(in.varint_max(0xffffffffU));
  if ((fields & field::mask) != 0) event.mask = static_cast<std::uint32_t>(in.varint_max(0xffffffffU));
  if ((fields & field::text) != 0) read_text(in, record, event);
  if ((fields & field::user) != 0) event.user = static_cast<UserNumber>(in.varint() ^ to_value(record.actor));
  if ((fields & field::random) != 0) event.random = in.fixed<std::uint64_t>();
  if ((fields & field::amount) != 0) event.amount = in.signed_varint();
  if ((fields & field::at) != 0) event.at = instant_from_ms(moved(to_ms(record.now), in.signed_varint()));
}

}  // namespace

std::uint32_t fields_of(std::uint8_t type) noexcept {
  return type < 128 ? fields_by_type[type] : no_such_type;
}

void encode_record(const Record& record, Instant base, BlobBuffer& out) {
  const std::size_t events = record.events.size();
  USHER_ASSERT(events >= 1 && events <= events_per_record_max);
  const bool tagged = record.idempotency != IdempotencyTag{};
  std::uint8_t flags = static_cast<std::uint8_t>((events < 16 ? events : 0U) << count_shift);
  if (record.show != ShowNumber::none) flags |= flag_show;
  if (record.actor != UserNumber::none) flags |= flag_actor;
  if (tagged) flags |= flag_idempotency;

  std::uint8_t* const first = out.reserve(checked_bytes_max(record));
  RawWriter writer{first};
  writer.u8(flags);
  if ((flags & flag_show) != 0) writer.varint(to_value(record.show));
  writer.signed_varint(distance(to_ms(record.now), to_ms(base)));
  if ((flags & flag_actor) != 0) writer.varint(to_value(record.actor));
  if (tagged) {
    writer.u64(record.idempotency.key_high);
    writer.u64(record.idempotency.key_low);
    writer.u64(record.idempotency.body);
  }
  if (events >= 16) writer.varint(events);
  for (const Event& event : record.events) write_event(writer, record, event);
  out.advance(static_cast<std::size_t>(writer.at - first));
}

bool decode_record(ByteReader& in, Instant base, Record& record) {
  const std::uint8_t flags = in.u8();
  if ((flags & flag_reserved) != 0) return false;
  record.seats.clear();
  record.payload.clear();
  record.events.clear();
  record.show = (flags & flag_show) != 0 ? static_cast<ShowNumber>(in.varint_max(0xffffffffU)) : ShowNumber::none;
  record.now = instant_from_ms(moved(to_ms(base), in.signed_varint()));
  record.actor = (flags & flag_actor) != 0 ? static_cast<UserNumber>(in.varint()) : UserNumber::none;
  record.idempotency = {};
  if ((flags & flag_idempotency) != 0) {
    record.idempotency.key_high = in.fixed<std::uint64_t>();
    record.idempotency.key_low = in.fixed<std::uint64_t>();
    record.idempotency.body = in.fixed<std::uint64_t>();
  }
  std::uint64_t count = flags >> count_shift;
  if (count == 0) count = in.varint_max(events_per_record_max);
  if (count == 0 || count > in.left()) return false;  // each takes a byte at least
  record.events.resize(count);
  for (Event& event : record.events) read_event(in, record, event);
  return in.ok();
}

}  // namespace usher::wal
