#include "wal/codec.hpp"

#include <doctest/doctest.h>

#include <array>
#include <limits>
#include <random>

#include "tests/wal/support.hpp"
#include "usher/limits.hpp"

namespace usher::wal {
namespace {

using test::add_event;
using test::add_seats;
using test::add_text;
using test::same;

constexpr std::array all_types{
    EventType::layout_defined, EventType::catalog_changed, EventType::show_opened,     EventType::show_cancelled,
    EventType::show_completed, EventType::seats_blocked,   EventType::seats_unblocked, EventType::reserved,
    EventType::released,       EventType::expired,         EventType::payment_started, EventType::payment_declined,
    EventType::booked,         EventType::refund_due,      EventType::payment_unknown, EventType::seats_cancelled,
    EventType::refund_settled, EventType::refund_failed,   EventType::ticket_used,     EventType::cooldown_started};

Record round_trip(const Record& record, Instant base) {
  BlobBuffer out;
  encode_record(record, base, out);
  ByteReader in{out.view()};
  Record decoded;
  REQUIRE(decode_record(in, base, decoded));
  CHECK(in.complete());
  return decoded;
}

/// Fills all fields of an event that `fields` names.
void fill(Record& record, Event& event, std::uint32_t fields, std::mt19937_64& random) {
  if ((fields & field::code) != 0) event.code = static_cast<std::uint8_t>(random() | 1U);
  if ((fields & field::seats) != 0) add_seats(record, event, {7, 8, 65'534, 0, 3});
  if ((fields & field::sequence) != 0) event.sequence = static_cast<std::uint32_t>(random() | 1U);
  if ((fields & field::attempt) != 0) event.attempt = static_cast<std::uint32_t>(random() | 1U);
  if ((fields & field::mask) != 0) event.mask = static_cast<std::uint32_t>(random() | 1U);
  if ((fields & field::text) != 0) add_text(record, event, "pi_3MtwBwLkdIwHu7ix28a3tqPa");
  if ((fields & field::user) != 0) event.user = static_cast<UserNumber>(random() | 1U);
  if ((fields & field::random) != 0) event.random = random() | 1U;
  if ((fields & field::amount) != 0) event.amount = static_cast<std::int64_t>(random() | 1U);
  if ((fields & field::at) != 0) event.at = instant_from_ms(static_cast<std::int64_t>(random() | 1U));
}

TEST_CASE("codec: a reserve of three seats: small, and the same again") {
  const Record record = test::reserve(3, 77);
  BlobBuffer out;
  encode_record(record, record.now, out);
  CHECK(out.size() <= 40);
  CHECK(same(round_trip(record, record.now), record));
}

TEST_CASE("codec: each type with its own fields: the same again") {
  std::mt19937_64 random(1);
  for (const EventType type : all_types) {
    CAPTURE(static_cast<int>(type));
    Record record;
    record.show = static_cast<ShowNumber>(5);
    record.now = instant_from_ms(1'000);
    fill(record, add_event(record, type), fields_of(static_cast<std::uint8_t>(type)), random);
    CHECK(same(round_trip(record, instant_from_ms(2'000)), record));
  }
}

TEST_CASE("codec: each type with each field alone, also those it does not list: the same again") {
  std::mt19937_64 random(2);
  for (const EventType type : all_types) {
    for (std::uint32_t fields = 1; fields < field::all; fields <<= 1U) {
      CAPTURE(static_cast<int>(type));
      CAPTURE(fields);
      Record record;
      record.actor = static_cast<UserNumber>(9);
      fill(record, add_event(record, type), fields, random);
      REQUIRE(same(round_trip(record, Instant{}), record));
    }
  }
}

TEST_CASE("codec: extreme numbers: the same again") {
  Record record;
  record.show = static_cast<ShowNumber>(0xffffffffU);
  record.now = instant_from_ms(std::numeric_limits<std::int64_t>::min());
  record.actor = static_cast<UserNumber>(~std::uint64_t{0});
  record.idempotency = {~std::uint64_t{0}, 0, 1};
  Event& event = add_event(record, EventType::refund_due);
  event.sequence = event.attempt = event.mask = 0xffffffffU;
  event.amount = std::numeric_limits<std::int64_t>::min();
  event.at = instant_from_ms(std::numeric_limits<std::int64_t>::max());
  event.user = static_cast<UserNumber>(1);
  event.random = ~std::uint64_t{0};
  event.code = 255;
  CHECK(same(round_trip(record, instant_from_ms(std::numeric_limits<std::int64_t>::max())), record));
}

TEST_CASE("codec: 15, 16, 100 and the most events: the same again") {
  for (const std::size_t count :
       {std::size_t{1}, std::size_t{15}, std::size_t{16}, std::size_t{100}, events_per_record_max}) {
    Record record;
    for (std::size_t at = 0; at < count; ++at)
      add_event(record, EventType::expired).sequence = static_cast<std::uint32_t>(at);
    CHECK(same(round_trip(record, Instant{}), record));
  }
}

TEST_CASE("codec: a payload of the greatest size and all seats of the greatest show: the same again") {
  Record record;
  add_text(record, add_event(record, EventType::layout_defined), std::string(limits::record_bytes_max, 'x'));
  std::vector<SeatIndex> seats;
  for (std::size_t seat = 0; seat < limits::seats_per_show_max; ++seat) seats.push_back(static_cast<SeatIndex>(seat));
  add_seats(record, add_event(record, EventType::seats_blocked), seats);
  CHECK(same(round_trip(record, Instant{}), record));
}

TEST_CASE("codec: 20,000 random records in one buffer: all the same again") {
  std::mt19937_64 random(3);
  std::vector<Record> records(20'000);
  BlobBuffer out;
  const Instant base = instant_from_ms(1'795'000'000'000);
  for (Record& record : records) {
    if (random() % 8 != 0) record.show = static_cast<ShowNumber>(random() % 100'000);
    record.now = base + Duration{static_cast<std::int64_t>(random() % 1'000)};
    if (random() % 4 != 0) record.actor = static_cast<UserNumber>(random());
    if (random() % 2 != 0) record.idempotency = {random(), random(), random()};
    for (std::uint64_t left = 1 + random() % 20; left > 0; --left) {
      Event& event = add_event(record, all_types[random() % all_types.size()]);
      const auto own = fields_of(static_cast<std::uint8_t>(event.type));
      fill(record, event, random() % 8 != 0 ? own : static_cast<std::uint32_t>(random()) & field::all, random);
    }
    encode_record(record, base, out);
  }
  ByteReader in{out.view()};
  Record decoded;
  for (const Record& record : records) {
    REQUIRE(decode_record(in, base, decoded));
    REQUIRE(same(decoded, record));
  }
  CHECK(in.complete());
}

TEST_CASE("codec: every truncation: refused") {
  Record record = test::reserve(1, 5);
  record.idempotency = {1, 2, 3};
  add_text(record, add_event(record, EventType::booked), "pay_1");
  BlobBuffer out;
  encode_record(record, record.now, out);
  for (std::size_t size = 0; size < out.size(); ++size) {
    ByteReader in{out.view().substr(0, size)};
    Record decoded;
    CHECK_FALSE(decode_record(in, record.now, decoded));
  }
}

TEST_CASE("codec: every bit flipped, and random bytes: never more memory than the bytes allow") {
  Record record = test::reserve(1, 5);
  add_text(record, add_event(record, EventType::booked), "pay_1");
  BlobBuffer out;
  encode_record(record, record.now, out);
  const std::string whole{out.view()};
  const auto bounded = [](std::string_view bytes) {
    ByteReader in{bytes};
    Record decoded;
    (void)decode_record(in, Instant{}, decoded);
    return decoded.events.capacity() <= 2 * bytes.size() && decoded.seats.capacity() <= 2 * bytes.size() &&
           decoded.payload.capacity() <= 2 * bytes.size();
  };
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    CHECK(bounded(flipped));
  }
  std::mt19937_64 random(4);
  for (int round = 0; round < 200'000; ++round) {
    std::string bytes(random() % 64, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    REQUIRE(bounded(bytes));
  }
}

TEST_CASE("codec: unknown type, no events, reserved flag, doubled seat, seat 65,535, count beyond the bytes: refused") {
  const auto refused = [](std::initializer_list<int> list) {
    std::string bytes;
    for (const int byte : list) bytes += static_cast<char>(byte);
    ByteReader in{bytes};
    Record record;
    return !decode_record(in, Instant{}, record);
  };
  CHECK_FALSE(refused({0x10, 0, 11}));                       // show_cancelled: fine
  CHECK(refused({0x10, 0, 99}));                             // no such type
  CHECK(refused({0x00, 0, 0}));                              // event_count 0
  CHECK(refused({0x18, 0, 11}));                             // bit 3
  CHECK_FALSE(refused({0x10, 0, 13, 2, 2, 2}));              // seats 1, 2
  CHECK(refused({0x10, 0, 13, 2, 2, 0}));                    // seats 1, 1
  CHECK(refused({0x10, 0, 13, 2, 2, 3}));                    // seats 1, -1
  CHECK_FALSE(refused({0x10, 0, 13, 1, 0xfc, 0xff, 0x07}));  // seat 65,534
  CHECK(refused({0x10, 0, 13, 1, 0xfe, 0xff, 0x07}));        // seat 65,535
  CHECK(refused({0x10, 0, 13, 0xff, 0xff, 0x03, 2, 2}));     // 65,535 seats in 2 bytes
  CHECK(refused({0x00, 0, 0xff, 0x1f, 11}));                 // 4,095 events in one byte
  CHECK(refused({0x10, 0, 0x80 | 11, 0x80, 0x08}));          // field bit 10
}

}  // namespace
}  // namespace usher::wal
