#include "engine/admission/line.hpp"

#include <doctest/doctest.h>

#include <random>
#include <set>

using namespace usher::engine;

TEST_CASE("line: three come, the middle one leaves: the last one moves up, the next spot is a new one") {
  Line line;
  CHECK(line.first() == Line::none);
  CHECK(line.push() == 0);
  CHECK(line.push() == 1);
  CHECK(line.push() == 2);
  CHECK(line.ahead_of(2) == 2);
  line.leave(1);
  CHECK(line.ahead_of(2) == 1);
  CHECK(line.count() == 2);
  CHECK(line.push() == 3);
  line.leave(0);
  CHECK(line.first() == 2);
  CHECK(line.length() == 4);
}

TEST_CASE("line: random comings and goings: equal to a set, whatever its length") {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    Line line;
    std::set<std::uint32_t> model;
    if (seed % 2 == 0) {
      line.reset(static_cast<std::uint32_t>(random() % 1'000));
      for (std::uint32_t spot = 0; spot < line.length(); ++spot) {
        if (random() % 3 == 0) continue;
        line.take(spot);
        model.insert(spot);
      }
    }
    for (int step = 0; step < 6'000; ++step) {
      const std::uint64_t dice = random() % 10;
      if (dice < 6 || model.empty()) {
        model.insert(line.push());
      } else if (dice < 8) {
        const std::uint32_t first = line.first();
        REQUIRE(first == *model.begin());
        line.leave(first);
        model.erase(first);
      } else {
        auto at = model.lower_bound(static_cast<std::uint32_t>(random() % line.length()));
        if (at == model.end()) at = model.begin();
        line.leave(*at);
        model.erase(at);
      }
      REQUIRE(line.count() == model.size());
      const auto spot = static_cast<std::uint32_t>(random() % line.length());
      REQUIRE(line.taken(spot) == model.contains(spot));
      if (step % 50 == 0) {
        REQUIRE(line.ahead_of(spot) ==
                static_cast<std::uint32_t>(std::distance(model.begin(), model.lower_bound(spot))));
      }
    }
  }
}
