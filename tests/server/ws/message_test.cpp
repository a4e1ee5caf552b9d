#include "server/ws/message.hpp"

#include <doctest/doctest.h>

#include <random>

#include "server/ws/frame.hpp"

using namespace usher;
using namespace usher::server::ws;

namespace {

SeatState state_of(std::uint64_t lsn, std::vector<SeatValue> values) {
  SeatState state;
  auto names = std::make_shared<SeatNames>();
  state.lsn = lsn;
  state.map.assign(SeatState::words_for(values.size()), 0);
  for (std::size_t seat = 0; seat < values.size(); ++seat) {
    names->add("F" + std::to_string(seat + 1));
    state.map[seat / 32] |= std::uint64_t{static_cast<std::uint8_t>(values[seat])} << (2 * (seat % 32));
  }
  state.names = names;
  return state;
}

constexpr SeatValue free_seat = SeatValue::available;
constexpr SeatValue held = SeatValue::reserved;
constexpr SeatValue sold = SeatValue::booked;
const Instant at = instant_from_ms(1'795'514'400'000);  // 2026-11-24T10:00:00Z

std::string payload_of(const SharedBytes& frame, std::size_t head_bytes) {
  return frame->substr(head_bytes);
}

}  // namespace

TEST_CASE("message: a snapshot: names every seat") {
  const SeatState state = state_of(7, {free_seat, held, sold});
  const std::string text =
      R"({"type":"snapshot","lsn":7,"prev_lsn":null,"server_time":"2026-11-24T10:00:00.000Z","status":"scheduled","seats":{"F1":"available","F2":"reserved","F3":"booked"}})";
  CHECK(payload_of(make_snapshot(Format::json, state, at), 4) == text);
  CHECK(*make_snapshot(Format::events, state, at) == "id: 7\ndata: " + text + "\n\n");
}

TEST_CASE("message: a delta: names what changed, and the status of the show if that did") {
  const SeatState before = state_of(7, {free_seat, held, sold});
  SeatState after = state_of(9, {held, held, free_seat});
  CHECK(
      payload_of(make_delta(Format::json, before, after, at), 2) ==
      R"({"type":"delta","lsn":9,"prev_lsn":7,"server_time":"2026-11-24T10:00:00.000Z","seats":{"F1":"reserved","F3":"available"}})");
  after = state_of(10, {free_seat, held, sold});
  after.status = ShowState::cancelled;
  CHECK(
      payload_of(make_delta(Format::json, before, after, at), 2) ==
      R"({"type":"delta","lsn":10,"prev_lsn":7,"server_time":"2026-11-24T10:00:00.000Z","status":"cancelled","seats":{}})");
}

TEST_CASE("message: labels that need escapes: stay JSON") {
  SeatNames names;
  names.add("a\"b\\c");
  CHECK(names.key(0) == R"("a\"b\\c":)");
}

TEST_CASE("message: binary: 32 bytes and two bits a seat, and reads back") {
  std::vector<SeatValue> values(35, free_seat);
  values[0] = sold;
  values[33] = held;
  values[34] = sold;
  SeatState state = state_of(0x0102030405060708U, values);
  state.status = ShowState::completed;
  const SharedBytes frame = make_snapshot(Format::binary, state, at);
  const std::string payload = payload_of(frame, 2);
  CHECK(frame->substr(0, 2) == "\x82\x29");
  REQUIRE(payload.size() == 32 + 9);
  CHECK(payload.substr(0, 16) == std::string{"\x01\x01\x02\x00\x23\x00\x00\x00\x08\x07\x06\x05\x04\x03\x02\x01", 16});
  CHECK(static_cast<unsigned char>(payload[32]) == 2);
  CHECK(static_cast<unsigned char>(payload[40]) == ((1U << 2U) | (2U << 4U)));
  const auto read = read_binary(payload, 35);
  REQUIRE(read.has_value());
  CHECK(read->snapshot);
  CHECK(read->state.lsn == state.lsn);
  CHECK(read->state.looks_like(state));
  const auto delta = read_binary(payload_of(make_delta(Format::binary, state_of(5, values), state, at), 2), 35);
  REQUIRE(delta.has_value());
  CHECK_FALSE(delta->snapshot);
  CHECK(delta->prev_lsn == 5);
  CHECK(delta->state.map == state.map);
}

TEST_CASE("message: binary that is none: is refused") {
  const std::string good = payload_of(make_snapshot(Format::binary, state_of(1, {free_seat, held, sold}), at), 2);
  REQUIRE(read_binary(good, 3).has_value());
  CHECK_FALSE(read_binary(good, 2).has_value());
  CHECK_FALSE(read_binary(good, 5).has_value());
  CHECK_FALSE(read_binary(good.substr(1), 3).has_value());
  CHECK_FALSE(read_binary({}, 3).has_value());
  for (const auto& [place, value] : {std::pair{0, 2}, {1, 0}, {1, 3}, {2, 3}, {4, 4}, {32, 3}}) {
    std::string wrong = good;
    wrong[static_cast<std::size_t>(place)] = static_cast<char>(value);
    CAPTURE(place);
    CHECK_FALSE(read_binary(wrong, 3).has_value());
  }
}

TEST_CASE("message: planes of 1 to 200 seats at random: the map says what they say") {
  std::mt19937_64 random(5);
  for (std::size_t seats = 1; seats <= 200; ++seats) {
    const std::size_t words = (seats + 63) / 64;
    std::vector<std::uint64_t> reserved(words);
    std::vector<std::uint64_t> booked(words);
    std::vector<std::uint64_t> blocked(words);
    for (std::size_t seat = 0; seat < seats; ++seat) {
      const std::uint64_t bit = std::uint64_t{1} << (seat % 64);
      const auto what = random() % 8;
      if ((what & 1U) != 0) reserved[seat / 64] |= bit;
      if (what == 2 || what == 3) booked[seat / 64] |= bit;
      if (what == 4 || what == 5) blocked[seat / 64] |= bit;
    }
    SeatState state;
    state.map = make_map(seats, reserved, booked, blocked);
    REQUIRE(state.map.size() == (seats + 31) / 32);
    for (std::size_t seat = 0; seat < seats; ++seat) {
      const auto is = [&](const std::vector<std::uint64_t>& plane) {
        return ((plane[seat / 64] >> (seat % 64)) & 1U) != 0;
      };
      const SeatValue expected = is(booked) || is(blocked) ? sold : is(reserved) ? held : free_seat;
      CHECK(state.value(static_cast<std::uint32_t>(seat)) == expected);
    }
  }
}
