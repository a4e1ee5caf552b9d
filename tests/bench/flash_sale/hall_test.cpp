#include "bench/flash_sale/hall.hpp"

#include <doctest/doctest.h>

#include <map>

using namespace usher::flash;

namespace {

/// Rows of 8 seats with an aisle in the middle; seat 2 of row A is accessible.
std::string seat_map(int rows, const std::map<std::string, std::string>& states = {}, int lsn = 1) {
  std::string text = R"({"show_id":"s","lsn":)" + std::to_string(lsn) +
                     R"(,"start_time":"2026-12-01T18:00:00.500Z","focal_point":{"x":4.5,"y":1},"seats":[)";
  for (int row = 0; row < rows; ++row) {
    for (int number = 1; number <= 8; ++number) {
      const std::string label = std::string(1, static_cast<char>('A' + row)) + std::to_string(number);
      const auto found = states.find(label);
      std::string state = "\"" + (found == states.end() ? "available" : found->second) + "\"";
      state.resize(11, ' ');
      text += (text.back() == '[' ? "" : ",") + std::string(R"({"seat_id":")") + label + R"(","row":")" + label[0] +
              R"(","number":)" + std::to_string(number) + R"(,"type":")" + (label == "A2" ? "accessible" : "standard") +
              R"(","x":)" + std::to_string(number <= 4 ? number : number + 1) + R"(,"y":)" + std::to_string(row) +
              R"(,"price":{"amount":1500,"currency":"EUR"},"status":)" + state + "}";
    }
  }
  return text + "]}";
}

std::vector<std::string> labels(const Hall& hall, const std::vector<std::uint32_t>& seats) {
  std::vector<std::string> labels;
  for (const std::uint32_t seat : seats) labels.push_back(hall.label(seat));
  return labels;
}

}  // namespace

TEST_CASE("hall: a seat map: seats, prices, states and the start are read") {
  Hall hall;
  REQUIRE(hall.learn(seat_map(2, {{"A3", "reserved"}, {"B8", "booked"}})));
  CHECK(hall.size() == 16);
  CHECK(hall.available() == 14);
  CHECK(hall.label(2) == "A3");
  CHECK(hall.state(2) == SeatState::reserved);
  CHECK(hall.state(15) == SeatState::booked);
  CHECK(hall.price(0) == 1500);
  CHECK(hall.start_ms() == 1'796'148'000'500);
}

TEST_CASE("hall: newer maps: states are taken over, with a longer head too") {
  Hall hall;
  REQUIRE(hall.update(seat_map(2)));
  REQUIRE(hall.update(seat_map(2, {{"A1", "booked"}}, 123'456)));
  CHECK(hall.state(0) == SeatState::booked);
  CHECK(hall.available() == 15);
  REQUIRE(hall.update(seat_map(2)));
  CHECK(hall.available() == 16);
}

TEST_CASE("hall: a map of another shape: learnt anew") {
  Hall hall;
  REQUIRE(hall.update(seat_map(3)));
  REQUIRE(hall.update(seat_map(2)));
  CHECK(hall.size() == 16);
}

TEST_CASE("hall: what is no seat map: refused") {
  Hall hall;
  CHECK_FALSE(hall.update("{}"));
  CHECK_FALSE(hall.update("oh no"));
  CHECK_FALSE(hall.update(R"({"seats":[{"seat_id":"A1","status":"lost"}]})"));
}

TEST_CASE("hall: a group that is sure of itself: takes the best free place, never across the aisle") {
  Hall hall;
  REQUIRE(hall.learn(seat_map(3)));
  Random random(1);
  CHECK(labels(hall, hall.choose(2, 1, random)) == std::vector<std::string>{"B3", "B4"});
  REQUIRE(hall.update(seat_map(3, {{"B4", "reserved"}})));
  CHECK(labels(hall, hall.choose(2, 1, random)) == std::vector<std::string>{"A3", "A4"});
  CHECK(hall.choose(4, 1, random).size() == 4);
}

TEST_CASE("hall: no place for the whole group: fewer go; none free: nobody does") {
  std::map<std::string, std::string> states;
  for (const char row : {'A', 'B'}) {
    for (int number = 1; number <= 8; ++number) states[std::string(1, row) + std::to_string(number)] = "booked";
  }
  states.erase("B7");
  Hall hall;
  REQUIRE(hall.learn(seat_map(2, states)));
  Random random(1);
  CHECK(labels(hall, hall.choose(3, 0.3, random)) == std::vector<std::string>{"B7"});
  states["B7"] = "reserved";
  states.erase("A2");  // for those who need it
  REQUIRE(hall.update(seat_map(2, states)));
  CHECK(hall.choose(1, 0.3, random).empty());
}

TEST_CASE("hall: many choosers: the centre is wanted most, and not all want the same") {
  Hall hall;
  REQUIRE(hall.learn(seat_map(3)));
  Random random(5);
  std::map<std::string, int> wanted;
  for (int i = 0; i < 1'000; ++i) ++wanted[labels(hall, hall.choose(1, 0.35, random)).front()];
  CHECK(wanted["B4"] + wanted["B5"] > 400);
  CHECK(wanted["B4"] + wanted["B5"] < 800);
  CHECK(wanted.size() > 8);
}

TEST_CASE("parse_time_ms: RFC 3339 in UTC, with and without milliseconds; else 0") {
  CHECK(parse_time_ms("1970-01-01T00:00:01.002Z") == 1'002);
  CHECK(parse_time_ms("2026-12-01T18:00:00Z") == 1'796'148'000'000);
  CHECK(parse_time_ms("2026-13-01T18:00:00Z") == 0);
  CHECK(parse_time_ms("yesterday") == 0);
}
