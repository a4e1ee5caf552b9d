/// DESIGN 5: an idle show of 200 seats costs 256 bytes or less in all.

#include <doctest/doctest.h>

#include <memory>
#include <vector>

#include "engine/shard/engine.hpp"
#include "tests/engine/catalog/halls.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/test_shard.hpp"

using namespace usher;
using namespace usher::engine;
using namespace usher::testing;

TEST_CASE("memory: 100,000 idle shows of 200 seats in 64 shards: at most 256 bytes each") {
  constexpr std::uint32_t show_count = 100'000;
  constexpr ShardIndex shard_count = 64;
  SharedTables shared;
  auto made = Layout::make(rectangle(10, 20));
  REQUIRE(made.ok());
  const auto layout = shared.layouts.intern(std::move(made).value());
  REQUIRE(layout.ok());
  MemoryLog log(shard_count);
  log.set_keep(false);
  std::vector<std::unique_ptr<Shard>> shards;
  std::vector<std::unique_ptr<LogLane>> lanes;
  for (ShardIndex index = 0; index < shard_count; ++index) {
    shards.push_back(std::make_unique<Shard>(index, shared, Instant{}));
    lanes.push_back(log.make_lane({index}, {}));
    shards.back()->attach(*lanes.back());
  }
  const ShowTerms terms = usual_terms(*layout.value().layout);
  for (std::uint32_t number = 1; number <= show_count; ++number) {
    REQUIRE(shards[number % shard_count]->open_show(static_cast<ShowNumber>(number), terms, {}));
  }
  std::size_t bytes = show_count * sizeof(ShowDirectory::Entry);
  for (const auto& shard : shards) bytes += shard->state().capacity_bytes();
  const double each = static_cast<double>(bytes) / show_count;
  MESSAGE("bytes per idle show of 200 seats: " << each << " and " << sizeof(Shard) << " bytes per shard once");
  CHECK(each <= 256.0);
}
