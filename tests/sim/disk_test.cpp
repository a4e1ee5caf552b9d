/// The disk itself: what a power cut takes and keeps, and damage that can be taken back.

#include "tests/sim/disk.hpp"

#include <doctest/doctest.h>

using namespace usher;
using namespace usher::sim;
using wal::Place;
using wal::Table;

namespace {

constexpr Place meta{Table::meta, 0};

Status put(DiskStore& store, Place place, std::string_view key, std::string_view value, bool sync) {
  const auto batch = store.make_batch();
  batch->put(place, key, value);
  return store.write(*batch, sync);
}

std::string value_of(DiskStore& store, std::string_view key) {
  const auto row = store.get(meta, key);
  return row.ok() && row.value() ? *row.value() : "none";
}

struct World {
  Knobs knobs;
  Counters counters;
};

}  // namespace

TEST_CASE("disk: power cut: what is synced stays, and of the rest a prefix") {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    World world;
    world.knobs.seed = seed;
    Disk disk(world.knobs, world.counters, 1);
    DiskStore store(disk);
    REQUIRE(put(store, meta, "synced", "1", true).ok());
    REQUIRE(put(store, meta, "first", "1", false).ok());
    REQUIRE(put(store, meta, "second", "1", false).ok());
    disk.cut_power();
    CHECK_FALSE(put(store, meta, "third", "1", true).ok());
    disk.power_on();
    CHECK(value_of(store, "synced") == "1");
    CHECK((value_of(store, "second") == "none" || value_of(store, "first") == "1"));
    CHECK(value_of(store, "third") == "none");
  }
}

TEST_CASE("disk: a failed sync: lost, kept, or seen until the power goes") {
  World world;
  for (const IoFault fault : {IoFault::sync_lost, IoFault::sync_kept, IoFault::sync_cached}) {
    Disk disk(world.knobs, world.counters, 1);
    DiskStore store(disk);
    disk.arm(fault, 0);
    CHECK_FALSE(put(store, meta, "key", "1", true).ok());
    CHECK(disk.faults_struck() == 1);
    CHECK(value_of(store, "key") == (fault == IoFault::sync_lost ? "none" : "1"));
    disk.cut_power();
    disk.power_on();
    CHECK(value_of(store, "key") == (fault == IoFault::sync_kept ? "1" : "none"));
  }
}

TEST_CASE("disk: opening: what only the page cache has is written again") {
  World world;
  Disk disk(world.knobs, world.counters, 1);
  DiskStore store(disk);
  disk.arm(IoFault::sync_cached, 0);
  CHECK_FALSE(put(store, meta, "key", "1", true).ok());
  disk.open();
  disk.cut_power();
  disk.power_on();
  CHECK(value_of(store, "key") == "1");
}

TEST_CASE("disk: a lost segment: gone, and back when the damage is taken back") {
  World world;
  Disk disk(world.knobs, world.counters, 1);
  DiskStore store(disk);
  REQUIRE(store.create_segment(1).ok());
  REQUIRE(put(store, {Table::log, 1}, "key", "1", true).ok());
  CHECK(disk.lose_segment() == "segment 1");
  CHECK(store.segments().empty());
  disk.restore();
  CHECK(store.segments().size() == 1);
}
