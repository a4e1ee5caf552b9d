#include "engine/shard/index_table.hpp"

#include <doctest/doctest.h>

#include <random>
#include <unordered_map>
#include <vector>

using namespace usher::engine;

namespace {

/// Keys are stored beside the table, as the engine does it.
struct Keyed {
  std::vector<std::uint64_t> key_of{0};
  IndexTable table{4};

  SlabIndex insert(std::uint64_t hash) {
    key_of.push_back(hash);
    const auto index = static_cast<SlabIndex>(key_of.size() - 1);
    table.insert(hash, index);
    return index;
  }
  [[nodiscard]] SlabIndex find(std::uint64_t hash) const {
    return table.find(hash, [&](SlabIndex at) { return key_of[at] == hash; });
  }
};

}  // namespace

TEST_CASE("index table: random use: equals std::unordered_map") {
  for (const std::uint64_t spread : {std::uint64_t{16}, std::uint64_t{300}, ~std::uint64_t{0}}) {
    CAPTURE(spread);
    Keyed keyed;
    std::unordered_map<std::uint64_t, SlabIndex> model;
    std::mt19937_64 random(spread);
    for (int step = 0; step < 30'000; ++step) {
      const std::uint64_t hash = random() % spread % 5'000;
      const auto known = model.find(hash);
      REQUIRE(keyed.find(hash) == (known == model.end() ? 0 : known->second));
      if (known == model.end()) {
        model[hash] = keyed.insert(hash);
      } else if (random() % 2 == 0) {
        keyed.table.erase(hash, known->second);
        model.erase(known);
      }
      REQUIRE(keyed.table.size() == model.size());
    }
    for (const auto& [hash, index] : model) REQUIRE(keyed.find(hash) == index);
  }
}

TEST_CASE("index table: deletion across the end of the table: what lies behind it is still found") {
  // 16 slots; homes 14, 15, 15, 0, 14 make one run over the end: 14 15 0 1 2
  const std::vector<std::uint64_t> hashes{14, 15, 31, 16, 30};
  for (std::size_t gone = 0; gone < hashes.size(); ++gone) {
    IndexTable table(16);
    const auto find = [&](std::size_t at) {
      return table.find(hashes[at], [&](SlabIndex index) { return index == at + 1; });
    };
    for (std::size_t at = 0; at < hashes.size(); ++at) table.insert(hashes[at], static_cast<SlabIndex>(at + 1));
    table.erase(hashes[gone], static_cast<SlabIndex>(gone + 1));
    for (std::size_t at = 0; at < hashes.size(); ++at) CHECK(find(at) == (at == gone ? 0 : at + 1));
  }
}

TEST_CASE("index table: equal hashes: told apart by the object") {
  IndexTable table;
  table.insert(5, 1);
  table.insert(5, 2);
  table.insert(5, 3);
  table.erase(5, 2);
  CHECK(table.find(5, [](SlabIndex at) { return at == 3; }) == 3);
  CHECK(table.find(5, [](SlabIndex at) { return at == 2; }) == 0);
  CHECK(table.find(5, [](SlabIndex at) { return at == 1; }) == 1);
}

TEST_CASE("index table: steady population: takes no more memory") {
  Keyed keyed;
  std::mt19937_64 random(3);
  std::vector<std::uint64_t> live;
  for (int i = 0; i < 1'000; ++i) {
    live.push_back(random());
    (void)keyed.insert(live.back());
  }
  const std::size_t before = keyed.table.capacity_bytes();
  for (int step = 0; step < 20'000; ++step) {
    std::uint64_t& victim = live[random() % live.size()];
    keyed.table.erase(victim, keyed.find(victim));
    victim = random();
    (void)keyed.insert(victim);
  }
  CHECK(keyed.table.capacity_bytes() == before);
}
