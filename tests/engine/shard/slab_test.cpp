#include "engine/shard/slab.hpp"

#include <doctest/doctest.h>

#include <random>
#include <set>

using namespace usher::engine;

namespace {

struct Thing {
  std::uint64_t value = 7;
  SlabIndex other = 0;
};

}  // namespace

TEST_CASE("slab: allocate: from 1, value-initialised, the last freed first") {
  Slab<Thing> slab;
  CHECK(slab.allocate() == 1);
  CHECK(slab.allocate() == 2);
  CHECK(slab[1].value == 7);
  slab[1].value = 8;
  slab[2].value = 9;
  slab.release(1);
  slab.release(2);
  CHECK(slab.size() == 0);
  CHECK(slab.allocate() == 2);
  CHECK(slab[2].value == 7);
  CHECK(slab.allocate() == 1);
  CHECK(slab[1].value == 7);
  CHECK(slab.allocate() == 3);
}

TEST_CASE("slab: random use: no index is given twice, objects stay where they are and what they were") {
  Slab<Thing> slab;
  std::mt19937_64 random(1);
  std::set<SlabIndex> used;
  for (int step = 0; step < 20'000; ++step) {
    if (used.empty() || random() % 5 < 3) {
      const SlabIndex index = slab.allocate();
      REQUIRE(used.insert(index).second);
      REQUIRE(slab[index].value == 7);
      slab[index].value = std::uint64_t{index} * 3;
    } else {
      auto victim = used.begin();
      std::advance(victim, static_cast<std::ptrdiff_t>(random() % std::min<std::size_t>(used.size(), 8)));
      REQUIRE(slab[*victim].value == std::uint64_t{*victim} * 3);
      slab.release(*victim);
      used.erase(victim);
    }
    REQUIRE(slab.size() == used.size());
  }
  std::size_t seen = 0;
  slab.for_each([&](const Thing& thing) {
    ++seen;
    CHECK(used.count(static_cast<SlabIndex>(thing.value / 3)) == 1);
  });
  CHECK(seen == used.size());
}

TEST_CASE("slab: steady population: takes no more memory") {
  Slab<Thing> slab;
  for (SlabIndex index = 1; index <= 1'000; ++index) REQUIRE(slab.allocate() == index);
  const std::size_t before = slab.capacity_bytes();
  for (int round = 0; round < 10; ++round) {
    for (SlabIndex index = 1; index <= 1'000; ++index) slab.release(index);
    for (SlabIndex index = 1; index <= 1'000; ++index) (void)slab.allocate();
  }
  CHECK(slab.capacity_bytes() == before);
}
