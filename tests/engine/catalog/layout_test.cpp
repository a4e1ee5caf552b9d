#include "engine/catalog/layout.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "engine/catalog/layout_table.hpp"
#include "tests/engine/catalog/halls.hpp"

using namespace usher;
using namespace usher::engine;
using usher::testing::hall;

namespace {

Layout built(const LayoutSpec& spec) {
  Result<Layout> layout = Layout::make(spec);
  REQUIRE(layout.ok());
  return std::move(layout).value();
}

std::string bytes_of(const Layout& layout) {
  Bytes bytes;
  layout.encode(bytes);
  return {bytes.begin(), bytes.end()};
}

std::string first_error(const LayoutSpec& spec) {
  const std::vector<PathError> errors = check_layout(spec);
  CHECK(Layout::make(spec).ok() == errors.empty());
  return errors.empty() ? "" : errors.front().path + ": " + errors.front().rule;
}

}  // namespace

TEST_CASE("layout: a small hall: every seat is found by its label and knows its neighbours") {
  // P premium, S standard, A accessible, C companion, O obstructed, space = aisle
  const Layout layout = built(hall({"SS SS", "PPPPP", "CAC O"}));
  CHECK(layout.seat_count() == 13);
  CHECK(layout.row_count() == 3);
  CHECK(layout.find("A1") == 0);
  CHECK(layout.find("B5") == 8);
  CHECK(layout.find("C4") == 12);
  CHECK(layout.find("C5") == seat_none);
  CHECK(layout.find("") == seat_none);
  CHECK(layout.find("a-label-that-is-far-too-long") == seat_none);
  CHECK(layout.label(8) == "B5");
  CHECK(layout.row_name(layout.row(8)) == "B");
  CHECK(layout.right_of(0) == 1);
  CHECK(layout.right_of(1) == seat_none);  // the aisle
  CHECK(layout.left_of(2) == seat_none);
  CHECK(layout.right_of(3) == seat_none);  // the end of the row
  CHECK(layout.left_of(4) == seat_none);
  CHECK(layout.type(4) == SeatType::premium);
  CHECK(layout.count(SeatType::premium) == 5);
  CHECK(layout.type_plane(SeatType::premium)[0] == 0b1'1111'0000U);
  CHECK(layout.joined_plane()[0] == 0b0110'1111'0101U);
  CHECK(layout.companions_of(10).left == 9);
  CHECK(layout.companions_of(10).right == 11);
  CHECK(layout.accessible_beside(9).right == 10);
  CHECK(layout.accessible_beside(9).left == seat_none);
  CHECK(layout.companions_of(0).none());
}

TEST_CASE("layout: encode and decode: the same layout, bytes and hash") {
  LayoutSpec spec = hall({"SS SS", "PPPPP", "CAC O"});
  spec.focal_x = 25;
  spec.focal_y = -30;
  spec.rows[1].seats[2].label = "VIP";
  spec.rows[2].seats[0].number = 40;
  spec.rows[2].seats[1].y = -7;
  const Layout layout = built(spec);
  const std::string bytes = bytes_of(layout);
  const Result<Layout> again = Layout::decode(bytes);
  REQUIRE(again.ok());
  CHECK(again.value().to_spec() == layout.to_spec());
  CHECK(again.value().hash() == layout.hash());
  CHECK(bytes_of(again.value()) == bytes);
  CHECK(again.value().focal_y() == -30);
  CHECK(again.value().y(10) == -7);
}

TEST_CASE("layout: a usual hall: one byte per seat in the log") {
  const Layout layout = built(testing::rectangle(20, 30));
  CHECK(bytes_of(layout).size() < 20 * 30 + 20 * 6 + 8);
}

TEST_CASE("layout: damaged bytes: decode refuses or yields what encodes to the same bytes") {
  const std::string bytes = bytes_of(built(hall({"SS SS", "PPPPP", "CAC O"})));
  for (std::size_t size = 0; size < bytes.size(); ++size) CHECK_FALSE(Layout::decode(bytes.substr(0, size)).ok());
  CHECK_FALSE(Layout::decode(bytes + '\0').ok());
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (unsigned value = 0; value < 256; ++value) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(value);
      const Result<Layout> layout = Layout::decode(damaged);
      if (layout.ok()) CHECK(bytes_of(layout.value()) == damaged);
    }
  }
}

TEST_CASE("layout: a broken rule: refused with its path") {
  LayoutSpec spec = hall({"SSS", "SSS"});
  CHECK(first_error(spec) == "");
  SUBCASE("no rows") {
    spec.rows.clear();
    CHECK(first_error(spec) == "rows: must have 1 to 65535 seats in all");
  }
  SUBCASE("an empty row") {
    spec.rows[1].seats.clear();
    CHECK(first_error(spec) == "rows[1].seats: must have at least one seat");
  }
  SUBCASE("a label twice") {
    spec.rows[1].seats[2].label = "A1";
    CHECK(first_error(spec) == "rows[1].seats[2].label: \"A1\" is used twice");
  }
  SUBCASE("a label too long") {
    spec.rows[1].seats[2].label = "1234567890123456";
    CHECK(first_error(spec) == "rows[1].seats[2].label: must have at most 15 bytes");
  }
  SUBCASE("a label just long enough") {
    spec.rows[1].seats[2].label = "123456789012345";
    CHECK(first_error(spec) == "");
  }
  SUBCASE("a quote in a label") {
    spec.rows[0].seats[0].label = "A\"1";
    CHECK(first_error(spec) ==
          "rows[0].seats[0].label: must be text without quotes, backslashes and control characters");
  }
  SUBCASE("malformed UTF-8 in a row's name") {
    spec.rows[0].name = "\xc3";
    CHECK(first_error(spec) == "rows[0].name: must be text without quotes, backslashes and control characters");
  }
  SUBCASE("a neighbour beyond the row") {
    spec.rows[1].seats[2].joined = true;
    CHECK(first_error(spec) == "rows[1].seats[2].joined: the last seat of a row has no neighbour");
  }
}

TEST_CASE("layout: the largest one: 65,535 seats are found, one more is refused") {
  const LayoutSpec spec = testing::rectangle(255, 257);
  const Layout layout = built(spec);
  CHECK(layout.seat_count() == 65'535);
  bool all_found = true;
  for (std::uint32_t seat = 0; seat < 65'535; ++seat) {
    const auto index = static_cast<SeatIndex>(seat);
    all_found = all_found && layout.find(layout.label(index)) == index;
  }
  CHECK(all_found);
  LayoutSpec more = spec;
  more.rows.push_back({"Z", {SeatSpec{"", 1, 0, 0, SeatType::standard, false}}});
  CHECK(first_error(more) == "rows: must have 1 to 65535 seats in all");
}

TEST_CASE("layout: lookups: printed in ns") {
  const Layout layout = built(testing::rectangle(20, 25));
  const auto begin = std::chrono::steady_clock::now();
  std::uint64_t sum = 0;
  for (unsigned round = 0; round < 1'000; ++round) {
    for (std::uint32_t seat = 0; seat < 500; ++seat) sum += layout.find(layout.label(static_cast<SeatIndex>(seat)));
  }
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
  CHECK(sum == 1'000ULL * (499 * 500 / 2));
  MESSAGE("label lookup " << took.count() / 500'000 << " ns; 500 seats take " << layout.memory_bytes() << " bytes");
}

TEST_CASE("layout table: equal layouts: one entry, found by hash, index and bytes") {
  LayoutTable table;
  const Result<LayoutTable::Entry> first = table.intern(built(hall({"SSS"})));
  const Result<LayoutTable::Entry> second = table.intern(built(hall({"PPP"})));
  const Result<LayoutTable::Entry> again = table.intern_bytes(bytes_of(built(hall({"SSS"}))));
  REQUIRE(first.ok());
  REQUIRE(second.ok());
  REQUIRE(again.ok());
  CHECK(first.value().is_new);
  CHECK_FALSE(again.value().is_new);
  CHECK(again.value().layout == first.value().layout);
  CHECK(second.value().layout != first.value().layout);
  CHECK(table.size() == 2);
  CHECK(&table.at(second.value().index) == second.value().layout);
  CHECK(table.find(second.value().layout->hash()).layout == second.value().layout);
  CHECK(table.find(1).layout == nullptr);
  CHECK_FALSE(table.intern_bytes("nonsense").ok());
}

TEST_CASE("layout table: four threads intern the same halls: each hall once, all see the same one") {
  LayoutTable table;
  constexpr std::size_t hall_count = 1'500;  // more than one chunk of the table
  std::vector<std::vector<const Layout*>> seen(4, std::vector<const Layout*>(hall_count));
  std::vector<std::thread> threads;
  for (std::size_t thread = 0; thread < seen.size(); ++thread) {
    threads.emplace_back([&, thread] {
      for (std::size_t i = 0; i < hall_count; ++i) {
        LayoutSpec spec = hall({"SS"});
        spec.focal_x = static_cast<std::int16_t>(i);
        const Result<LayoutTable::Entry> entry = table.intern(Layout::make(spec).value());
        if (entry.ok()) seen[thread][i] = &table.at(entry.value().index);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(table.size() == hall_count);
  for (std::size_t thread = 1; thread < seen.size(); ++thread) CHECK(seen[thread] == seen[0]);
  CHECK(seen[0][7]->focal_x() == 7);
}
