#include "engine/shard/plane_arena.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>

using namespace usher::engine;

TEST_CASE("plane arena: blocks of any size: zeroed, apart from each other, used again") {
  PlaneArena arena;
  std::mt19937_64 random(5);
  std::map<std::uint64_t*, std::uint32_t> blocks;  // each filled with its own address
  for (int step = 0; step < 5'000; ++step) {
    if (blocks.size() < 100 || random() % 2 == 0) {
      const std::uint32_t words = random() % 50 == 0 ? 3'072 : static_cast<std::uint32_t>(3 + random() % 4 * 3);
      std::uint64_t* block = arena.allocate(words);
      REQUIRE(std::all_of(block, block + words, [](std::uint64_t word) { return word == 0; }));
      std::fill(block, block + words, reinterpret_cast<std::uint64_t>(block));
      REQUIRE(blocks.emplace(block, words).second);
    } else {
      auto victim = blocks.begin();
      std::advance(victim, static_cast<std::ptrdiff_t>(random() % blocks.size()));
      const auto [block, words] = *victim;
      REQUIRE(std::all_of(block, block + words,
                          [b = block](std::uint64_t word) { return word == reinterpret_cast<std::uint64_t>(b); }));
      arena.release(block, words);
      blocks.erase(victim);
    }
  }
}

TEST_CASE("plane arena: steady population: takes no more memory") {
  PlaneArena arena;
  arena.release(arena.allocate(12), 12);
  const std::size_t before = arena.capacity_bytes();
  for (int i = 0; i < 10'000; ++i) arena.release(arena.allocate(12), 12);
  CHECK(arena.capacity_bytes() == before);
}
