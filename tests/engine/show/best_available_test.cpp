#include "engine/show/best_available.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <tuple>
#include <vector>

#include "tests/engine/catalog/halls.hpp"

using namespace usher;
using namespace usher::engine;
using namespace usher::testing;

namespace {

/// A random hall with random seats taken.
struct RandomHall {
  explicit RandomHall(std::uint64_t seed) : random(seed), layout(make()), words(layout.word_count() * 3) {
    SeatPlanes view = planes();
    for (SeatIndex seat = 0; seat < layout.seat_count(); ++seat) {
      switch (random() % (2 + seed % 9)) {
        case 0:
          SeatPlanes::set(random() % 2 == 0 ? view.reserved() : view.blocked(), seat);
          break;
        case 1:
          if (seed % 2 == 0) SeatPlanes::set(view.booked(), seat);
          break;
        default:
          break;
      }
    }
  }
  Layout make() {
    std::vector<std::string> rows(1 + random() % 5);
    for (std::string& row : rows) {
      row.assign(1, 'S');
      for (std::uint64_t more = random() % 20; more > 0; --more) row.push_back("SSSSSPPOAC  "[random() % 12]);
      row.push_back('S');
    }
    std::vector<std::string_view> views(rows.begin(), rows.end());
    LayoutSpec spec = hall(views);
    spec.focal_x = static_cast<std::int16_t>(random() % 200);
    auto made = Layout::make(spec);
    REQUIRE(made.ok());
    return std::move(made).value();
  }
  SeatPlanes planes() { return {words.data(), layout.seat_count()}; }
  bool free(SeatIndex seat) { return seat != seat_none && !planes().taken(seat); }

  std::mt19937_64 random;
  Layout layout;
  std::vector<std::uint64_t> words;
};

bool eligible(RandomHall& hall, SeatIndex seat, const SeatWish& wish) {
  const SeatType type = hall.layout.type(seat);
  const bool special = type == SeatType::accessible || type == SeatType::companion;
  const bool wished = wish.type == SeatType::accessible || wish.type == SeatType::companion;
  return hall.free(seat) && special == wished;
}

/// Orphans by their definition: free seats that are alone afterwards and were not before, with all seats in hand.
std::uint32_t slow_orphans(RandomHall& hall, const std::vector<SeatIndex>& seats) {
  const auto taken = [&](SeatIndex seat) { return std::find(seats.begin(), seats.end(), seat) != seats.end(); };
  const auto alone = [&](SeatIndex seat, bool after) {
    for (const SeatIndex beside : {hall.layout.left_of(seat), hall.layout.right_of(seat)}) {
      if (hall.free(beside) && !(after && taken(beside))) return false;
    }
    return true;
  };
  std::uint32_t orphans = 0;
  for (SeatIndex seat = 0; seat < hall.layout.seat_count(); ++seat) {
    if (hall.free(seat) && !taken(seat) && alone(seat, true) && !alone(seat, false)) ++orphans;
  }
  return orphans;
}

using Score = std::tuple<std::uint32_t, std::uint32_t, std::int64_t, std::uint16_t, SeatIndex>;

/// Every group of `count` seats side by side, scored by the words of the design. Returns: the best, or nothing.
std::vector<SeatIndex> oracle(RandomHall& hall, const SeatWish& wish) {
  std::vector<SeatIndex> best;
  Score best_score{};
  const Layout& layout = hall.layout;
  for (std::uint32_t first = 0; first + wish.count <= layout.seat_count(); ++first) {
    std::vector<SeatIndex> group;
    std::uint32_t misfits = 0;
    bool fits = true;
    bool accessible = false;
    for (std::uint32_t i = 0; i < wish.count; ++i) {
      const auto seat = static_cast<SeatIndex>(first + i);
      fits = fits && eligible(hall, seat, wish) && (i == 0 || layout.left_of(seat) == seat - 1);
      misfits += (wish.type ? layout.type(seat) != *wish.type : layout.type(seat) == SeatType::obstructed) ? 1U : 0U;
      accessible = accessible || layout.type(seat) == SeatType::accessible;
      group.push_back(seat);
    }
    if (!fits || (wish.type == SeatType::accessible && !accessible)) continue;
    const std::int64_t dx = layout.x(group.front()) + layout.x(group.back()) - 2 * layout.focal_x();
    const std::int64_t dy = layout.y(group.front()) + layout.y(group.back()) - 2 * layout.focal_y();
    const Score score{slow_orphans(hall, group), misfits, dx * dx + dy * dy, layout.row(group[0]), group[0]};
    if (best.empty() || score < best_score) {
      best = group;
      best_score = score;
    }
  }
  return best;
}

SeatWish random_wish(std::mt19937_64& random) {
  SeatWish wish;
  wish.count = static_cast<std::uint32_t>(1 + random() % 6);
  if (random() % 2 == 0) wish.type = static_cast<SeatType>(random() % seat_type_count);
  return wish;
}

std::vector<SeatIndex> seats_of(const SeatChoice& choice) {
  return {choice.seats.begin(), choice.seats.begin() + choice.count};
}

}  // namespace

TEST_CASE("best available: thousands of random halls: equals the brute-force oracle") {
  int found = 0;
  for (std::uint64_t seed = 1; seed <= 4'000; ++seed) {
    RandomHall hall(seed);
    const SeatWish wish = random_wish(hall.random);
    const std::vector<SeatIndex> expected = oracle(hall, wish);
    CAPTURE(seed);
    REQUIRE(seats_of(best_available(hall.layout, hall.planes(), wish)) == expected);
    found += expected.empty() ? 0 : 1;
  }
  CHECK(found > 1'500);
}

TEST_CASE("best available: split: as many as wished, free, of the kinds that the wish may have, whole when it can be") {
  int split = 0;
  for (std::uint64_t seed = 1; seed <= 2'000; ++seed) {
    CAPTURE(seed);
    RandomHall hall(seed);
    SeatWish wish = random_wish(hall.random);
    const std::vector<SeatIndex> whole = oracle(hall, wish);
    wish.split = true;
    const std::vector<SeatIndex> seats = seats_of(best_available(hall.layout, hall.planes(), wish));
    if (!whole.empty()) REQUIRE(seats == whole);
    if (seats.empty()) {
      std::uint32_t possible = 0;
      bool accessible = wish.type != SeatType::accessible;
      for (SeatIndex seat = 0; seat < hall.layout.seat_count(); ++seat) {
        if (!eligible(hall, seat, wish)) continue;
        ++possible;
        accessible = accessible || hall.layout.type(seat) == SeatType::accessible;
      }
      REQUIRE((possible < wish.count || !accessible));
      continue;
    }
    REQUIRE(seats.size() == wish.count);
    REQUIRE(std::adjacent_find(seats.begin(), seats.end(), std::greater_equal<>{}) == seats.end());
    for (const SeatIndex seat : seats) REQUIRE(eligible(hall, seat, wish));
    split += whole.empty() ? 1 : 0;
  }
  CHECK(split > 50);
}

TEST_CASE("orphans: random choices: equals counting them one by one") {
  std::uint32_t total = 0;
  for (std::uint64_t seed = 1; seed <= 3'000; ++seed) {
    CAPTURE(seed);
    RandomHall hall(seed);
    std::vector<SeatIndex> seats;
    for (SeatIndex seat = 0; seat < hall.layout.seat_count() && seats.size() < 32; ++seat) {
      if (hall.free(seat) && hall.random() % 3 == 0) seats.push_back(seat);
    }
    const std::uint32_t expected = slow_orphans(hall, seats);
    const auto count = static_cast<std::uint32_t>(seats.size());
    REQUIRE(orphans_made(hall.layout, hall.planes(), seats.data(), count) == expected);
    total += expected;
  }
  CHECK(total > 1'000);
}
