#include "engine/shard/engine.hpp"

#include <doctest/doctest.h>

#include "tests/engine/catalog/documents.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/memory_log.hpp"
#include "tests/support/test_shard.hpp"

using namespace usher;
using namespace usher::engine;
using namespace usher::testing;

namespace {

const Instant morning = evening - std::chrono::hours{10};

CatalogDocument document_with(std::size_t show_count) {
  CatalogDocument document = small_document();
  for (std::size_t i = 0; i < show_count; ++i) {
    const Instant start = evening + std::chrono::hours{3} * static_cast<std::int64_t>(i);
    document.shows.push_back(show_of("show" + std::to_string(i), "m1", "s1", start, static_cast<std::uint32_t>(i)));
  }
  return document;
}

ImportPlan plan_for(const Engine& engine, const CatalogDocument& document) {
  ImportOptions options = usual_options();
  options.shard_count = engine.shard_count();
  options.is_open = [&](ShowNumber number) { return engine.is_open(number); };
  ImportResult result = plan_import(*engine.snapshot(), document, morning, options);
  REQUIRE(result.ok());
  return std::move(result.plan);
}

struct World {
  explicit World(std::size_t loops, ShardIndex shards = 4)
      : clocks(loops, ManualClock{morning}), log(shards + 1U), engine(shards, pointers(), morning) {}
  std::vector<Clock*> pointers() {
    std::vector<Clock*> list;
    for (ManualClock& clock : clocks) list.push_back(&clock);
    return list;
  }
  /// Returns: whether `done` was called.
  bool import(const CatalogDocument& document) {
    bool done = false;
    engine.import(plan_for(engine, document), [&] { done = true; });
    engine.drive([] { return false; });
    return done;
  }

  std::vector<ManualClock> clocks;
  MemoryLog log;
  Engine engine;
};

}  // namespace

TEST_CASE("engine: import: the catalog first, then the shows, each in its shard, then the snapshot") {
  for (const std::size_t loops : {1U, 3U}) {
    CAPTURE(loops);
    World world(loops);
    world.engine.attach(world.log);
    REQUIRE(world.import(document_with(40)));
    CHECK(world.engine.snapshot()->data().show_count() == 40);
    for (std::uint32_t number = 1; number <= 40; ++number) {
      CHECK(world.engine.is_open(static_cast<ShowNumber>(number)));
      CHECK(world.engine.available(static_cast<ShowNumber>(number)) == 13);
    }
    CHECK_FALSE(world.engine.is_open(static_cast<ShowNumber>(41)));
    std::size_t open = 0;
    for (ShardIndex shard = 0; shard < 4; ++shard) open += world.engine.shard(shard).state().shows.size();
    CHECK(open == 40);
    const std::size_t records = world.log.record_count();
    REQUIRE(world.import(document_with(40)));
    CHECK(world.log.record_count() == records);  // twice changes nothing
  }
}

TEST_CASE("engine: recovery: from the log alone and from the checkpoint of an import, with the catalog") {
  World world(2);
  world.engine.attach(world.log);
  REQUIRE(world.import(document_with(25)));
  for (const bool with_rows : {false, true}) {
    CAPTURE(with_rows);
    World copy(1);
    const std::vector<ReplayTarget*> targets = copy.engine.replay_targets();
    REQUIRE(targets.size() == 5);
    if (with_rows) {
      CHECK(world.log.rows().size() > 25);
      for (const CheckpointRow& row : world.log.rows()) REQUIRE(targets[row.shard]->restore(row).ok());
    }
    for (ShardIndex shard = 0; shard < 5; ++shard) {
      const Lsn from = with_rows ? world.log.covered(shard) : 0;
      for (const Record& record : world.log.records(shard)) {
        if (record.lsn > from) REQUIRE(targets[shard]->replay(record).ok());
      }
    }
    copy.engine.finish_recovery();
    CHECK(copy.engine.snapshot()->data().digest() == world.engine.snapshot()->data().digest());
    CHECK(copy.engine.last_now() == morning);
    for (ShardIndex shard = 0; shard < 4; ++shard) {
      CHECK(digests_of(copy.engine.shard(shard).state(), morning) ==
            digests_of(world.engine.shard(shard).state(), morning));
    }
  }
}

TEST_CASE("engine: an import cut short after the catalog: run again, it opens what is missing") {
  World world(1);
  const std::vector<ReplayTarget*> targets = world.engine.replay_targets();
  const ImportPlan plan = plan_for(world.engine, document_with(3));
  Record record;
  record.shard = 4;
  record.now = morning;
  for (const Bytes& payload : plan.payloads) {
    ++record.lsn;
    record.payload = payload;
    Event event{};
    event.type = EventType::catalog_changed;
    event.text_size = static_cast<std::uint32_t>(payload.size());
    record.events = {event};
    REQUIRE(targets[4]->replay(record).ok());
  }
  world.engine.finish_recovery();
  world.engine.attach(world.log);
  CHECK(world.engine.snapshot()->data().show_count() == 3);
  CHECK_FALSE(world.engine.is_open(static_cast<ShowNumber>(1)));
  REQUIRE(world.import(document_with(3)));
  for (std::uint32_t number = 1; number <= 3; ++number) CHECK(world.engine.is_open(static_cast<ShowNumber>(number)));
}
