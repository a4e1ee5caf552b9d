/// What a shard shows and hands over while its records are not durable yet.

#include "engine/shard/shard.hpp"

#include <doctest/doctest.h>

#include "tests/engine/catalog/halls.hpp"
#include "tests/support/test_shard.hpp"

using namespace usher;
using namespace usher::engine;
using namespace usher::testing;

namespace {

constexpr auto show_one = static_cast<ShowNumber>(1);

/// A show just opened, its round not even sealed.
struct Opening {
  Opening() {
    const Layout& layout = world.intern(rectangle(2, 5));
    world.shard.define_layout(layout, instant_from_ms(5));
    (void)world.shard.open_show(show_one, usual_terms(layout), instant_from_ms(5));
  }
  TestShard world;
};

}  // namespace

TEST_CASE("shard: a show whose opening is not durable: nobody sees its seats") {
  Opening opening;
  CHECK_FALSE(opening.world.shard.view(show_one).has_value());
  opening.world.commit();
  REQUIRE(opening.world.shard.view(show_one).has_value());
  CHECK(opening.world.shard.view(show_one)->lsn == 2);
}

TEST_CASE("shard: a checkpoint row of a layout: waits for the record that defines it") {
  Opening opening;
  (void)opening.world.shard.begin_checkpoint();
  std::vector<CheckpointRow> rows;
  (void)opening.world.shard.collect_rows(1'000'000, rows);
  REQUIRE(rows.size() == 3);
  CHECK(rows[1].kind == static_cast<std::uint8_t>(CheckpointKind::layout));
  CHECK(rows[1].lsn >= 1);  // else the row could outlive a crash that takes the record
}

TEST_CASE("shard: a checkpoint has the clock as of which it forgets; a shard restored from it starts no earlier") {
  Opening opening;
  opening.world.commit();
  const Instant later = instant_from_ms(to_ms(opening.world.state().last_now) + 90'000);
  while (!opening.world.shard.advance(later, 100)) {
  }
  (void)opening.world.shard.begin_checkpoint();
  std::vector<CheckpointRow> rows;
  (void)opening.world.shard.collect_rows(1'000'000, rows);
  REQUIRE(rows[0].kind == static_cast<std::uint8_t>(CheckpointKind::clock));
  SharedTables shared;
  Shard restored(0, shared, later);
  REQUIRE(restored.restore(rows[0]).ok());
  CHECK(restored.state().last_now == later);
  rows[0].state.pop_back();
  CHECK_FALSE(Shard(0, shared, later).restore(rows[0]).ok());
}
