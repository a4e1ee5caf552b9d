#include "server/catalog/seat_map.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <random>
#include <string>
#include <vector>

#include "server/catalog/zones.hpp"
#include "server/json/reader.hpp"
#include "server/json/writer.hpp"
#include "tests/engine/catalog/halls.hpp"

using namespace usher;
using namespace usher::server;
using namespace usher::server::catalog;
using engine::Layout;
using testing::hall;

namespace {

const SeatPrices euros{*parse_currency("EUR"), 1'000, 1'500};

struct State {
  std::vector<std::uint64_t> reserved;
  std::vector<std::uint64_t> booked;
  std::vector<std::uint64_t> blocked;
  explicit State(const Layout& layout)
      : reserved(layout.word_count()), booked(layout.word_count()), blocked(layout.word_count()) {}
  [[nodiscard]] SeatPlanes planes() const { return {reserved, booked, blocked}; }
};

bool has(const std::vector<std::uint64_t>& plane, std::size_t seat) {
  return (plane[seat / 64] >> (seat % 64) & 1U) != 0;
}
void set(std::vector<std::uint64_t>& plane, std::size_t seat) {
  plane[seat / 64] |= std::uint64_t{1} << (seat % 64);
}

SeatMapFacts facts_of_show() {
  SeatMapFacts facts;
  facts.show_id = "show-1";
  facts.time_zone = "Europe/Berlin";
  facts.start = *parse_instant("2026-12-01T19:00:00Z");
  facts.end = *parse_instant("2026-12-01T21:00:00Z");
  facts.lsn = 1'234'567;
  return facts;
}

std::string rendered(const SeatMapTemplate& map, const SeatMapFacts& facts, const State& state) {
  std::string text(map.bytes_max(facts), '?');
  text.resize(map.render(facts, state.planes(), text.data()));
  return text;
}

/// The same map, field by field, seat by seat. The padding behind a status is left out.
std::string slow(const Layout& layout, const SeatPrices& prices, const SeatMapFacts& facts, const State& state) {
  std::uint32_t reserved = 0;
  std::uint32_t booked = 0;
  const auto status = [&](std::size_t seat) {
    if (has(state.booked, seat) || has(state.blocked, seat)) return "booked";
    return has(state.reserved, seat) ? "reserved" : "available";
  };
  for (std::size_t seat = 0; seat < layout.seat_count(); ++seat) {
    reserved += status(seat) == std::string{"reserved"};
    booked += status(seat) == std::string{"booked"};
  }
  json::TextBuffer out;
  json::Writer writer{out};
  writer.begin_object();
  writer.field("show_id", facts.show_id);
  writer.field("lsn", facts.lsn);
  writer.field("status", facts.status);
  writer.field("start_time", facts.start);
  writer.field("end_time", facts.end);
  writer.field("time_zone", facts.time_zone);
  writer.field("total_seats", std::uint32_t{layout.seat_count()});
  writer.field("available_seats", layout.seat_count() - reserved - booked);
  writer.field("reserved_seats", reserved);
  writer.field("booked_seats", booked);
  writer.key("focal_point");
  writer.begin_object();
  writer.field("x", std::int32_t{layout.focal_x()});
  writer.field("y", std::int32_t{layout.focal_y()});
  writer.end_object();
  writer.key("seats");
  writer.begin_array();
  for (std::uint32_t at = 0; at < layout.seat_count(); ++at) {
    const auto seat = static_cast<SeatIndex>(at);
    const bool is_premium = layout.type(seat) == engine::SeatType::premium;
    writer.begin_object();
    writer.field("seat_id", layout.label(seat));
    writer.field("row", layout.row_name(layout.row(seat)));
    writer.field("number", std::uint32_t{layout.number(seat)});
    writer.field("type", to_string(layout.type(seat)));
    writer.field("x", std::int32_t{layout.x(seat)});
    writer.field("y", std::int32_t{layout.y(seat)});
    writer.field("price", Money{is_premium ? prices.premium : prices.standard, prices.currency});
    writer.field("status", status(seat));
    writer.end_object();
  }
  writer.end_array();
  writer.end_object();
  return std::string{out.view()};
}

std::string without_padding(std::string text) {
  for (std::size_t at = text.find("\" "); at != std::string::npos; at = text.find("\" ", at)) text.erase(at + 1, 1);
  return text;
}

}  // namespace

TEST_CASE("seat map: a small hall: what it says, word for word") {
  const Layout layout = Layout::make(hall({"SP A"})).value();
  State state{layout};
  set(state.reserved, 0);
  set(state.blocked, 2);
  const SeatMapTemplate map{layout, euros};
  CHECK(rendered(map, facts_of_show(), state) ==
        R"({"show_id":"show-1","lsn":1234567,"status":"scheduled","start_time":"2026-12-01T19:00:00.000Z",)"
        R"("end_time":"2026-12-01T21:00:00.000Z","time_zone":"Europe/Berlin","total_seats":3,"available_seats":1,)"
        R"("reserved_seats":1,"booked_seats":1,"focal_point":{"x":15,"y":-30},"seats":[)"
        R"({"seat_id":"A1","row":"A","number":1,"type":"standard","x":0,"y":0,)"
        R"("price":{"amount":1000,"currency":"EUR"},"status":"reserved" },)"
        R"({"seat_id":"A2","row":"A","number":2,"type":"premium","x":10,"y":0,)"
        R"("price":{"amount":1500,"currency":"EUR"},"status":"available"},)"
        R"({"seat_id":"A3","row":"A","number":3,"type":"accessible","x":30,"y":0,)"
        R"("price":{"amount":1000,"currency":"EUR"},"status":"booked"   }]})");
}

TEST_CASE("seat map: random states of many halls: equal to the slow rendering, and JSON") {
  std::mt19937_64 random{7};
  json::Reader reader{std::size_t{64} << 20U};
  for (const std::size_t columns : {1U, 3U, 21U, 64U, 65U, 200U}) {
    const Layout layout = Layout::make(testing::rectangle(1 + columns / 3, columns)).value();
    const SeatMapTemplate map{layout, euros};
    for (int round = 0; round < 20; ++round) {
      State state{layout};
      for (std::size_t seat = 0; seat < layout.seat_count(); ++seat) {
        if (random() % 3 == 0) set(state.reserved, seat);
        if (random() % 4 == 0) set(state.booked, seat);
        if (random() % 9 == 0) set(state.blocked, seat);
      }
      SeatMapFacts facts = facts_of_show();
      facts.lsn = random();
      const std::string text = rendered(map, facts, state);
      CHECK(text.size() <= map.bytes_max(facts));
      CHECK(without_padding(text) == slow(layout, euros, facts, state));
      static_cast<void>(reader.parse_copy(text));
      CHECK(reader.ok());
    }
  }
}

TEST_CASE("seat map: the longest facts and the largest numbers: fit in what is promised") {
  const Layout layout = Layout::make(testing::rectangle(255, 257)).value();
  const SeatMapTemplate map{layout, {*parse_currency("KRW"), engine::seat_price_max, engine::seat_price_max}};
  SeatMapFacts facts = facts_of_show();
  const std::string id(64, 'x');
  facts.show_id = id;
  facts.lsn = UINT64_MAX;
  State state{layout};
  CHECK(rendered(map, facts, state).size() <= map.bytes_max(facts));
}

TEST_CASE("seat map cache: the same layout and prices: one template, until the bound of memory") {
  const Layout small = Layout::make(hall({"SSS"})).value();
  const Layout large = Layout::make(testing::rectangle(20, 20)).value();
  SeatMapCache cache{100'000};
  const auto first = cache.get(small, euros);
  CHECK(cache.get(small, euros) == first);
  SeatPrices dearer = euros;
  dearer.premium += 1;
  CHECK(cache.get(small, dearer) != first);
  for (std::int64_t price = 0; price < 10; ++price) {
    CHECK(cache.get(large, {euros.currency, price, price}) != nullptr);
    CHECK(cache.memory_bytes() <= 100'000);
  }
  CHECK(cache.get(small, euros) != first);  // pushed out meanwhile; who held it still may
  CHECK(first->memory_bytes() > 0);
}

TEST_CASE("seat map: 200 seats: time printed") {
  const Layout layout = Layout::make(testing::rectangle(10, 20)).value();
  SeatMapCache cache;
  State state{layout};
  for (std::size_t seat = 0; seat < 200; ++seat) {
    if (seat % 3 == 0) set(state.booked, seat);
    if (seat % 7 == 1) set(state.reserved, seat);
  }
  const SeatMapFacts facts = facts_of_show();
  std::string buffer(cache.get(layout, euros)->bytes_max(facts), '\0');
  constexpr int rounds = 20'000;
  std::size_t bytes = 0;
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < rounds; ++i) bytes = cache.get(layout, euros)->render(facts, state.planes(), buffer.data());
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
  std::string copy(bytes, '\0');
  const auto copy_begin = std::chrono::steady_clock::now();
  for (int i = 0; i < rounds; ++i) {
    copy[static_cast<std::size_t>(i) % bytes] = static_cast<char>(i);
    buffer.replace(0, bytes, copy);
  }
  const std::chrono::duration<double, std::nano> copy_took = std::chrono::steady_clock::now() - copy_begin;
  CHECK(bytes > 200 * 80);
  MESSAGE("a map of 200 seats: " << took.count() / rounds << " ns for " << bytes
                                 << " bytes; copying as many: " << copy_took.count() / rounds << " ns");
}
