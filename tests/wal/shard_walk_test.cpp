#include "wal/shard_walk.hpp"

#include <doctest/doctest.h>

#include "tests/wal/support.hpp"

namespace usher::wal {
namespace {

/// Shard 0: 12 records over three segments; shard 1: one record in the second.
void make_log(SimDisk& disk) {
  LogOptions options = test::sim_options();
  options.segment_bytes = 400;
  auto log = test::open_sim(disk, options);
  REQUIRE(log);
  auto lane = log.value()->make_lane({0, 1}, {});
  for (std::uint32_t n = 0; n < 12; ++n) {
    test::write_rounds(*lane, 0, n, 1);
    if (n == 6) test::write_rounds(*lane, 1, 0, 1);
    log.value()->do_work();
  }
  REQUIRE(log.value()->rotations() >= 2);
}

std::vector<Lsn> walk(Store& store, const WalkStart& start) {
  ShardWalk walk(store, store.segments(), start);
  std::vector<Lsn> lsns;
  while (walk.next() == ShardWalk::Step::blob) lsns.push_back(walk.header().first_lsn);
  return lsns;
}

TEST_CASE("shard walk: from the front, from each record, from beyond: begins with the blob that holds it") {
  SimDisk disk;
  make_log(disk);
  SimStore store(disk);
  CHECK(walk(store, {0, 0, {}}).size() == 12);
  for (Lsn from = 1; from <= 12; ++from) {
    const auto lsns = walk(store, {0, from, {}});
    REQUIRE(lsns.size() == 13 - from);
    CHECK(lsns.front() == from);
  }
  CHECK(walk(store, {0, 100, {}}) == std::vector<Lsn>{12});
  CHECK(walk(store, {1, 0, {}}) == std::vector<Lsn>{1});
  CHECK(walk(store, {2, 0, {}}).empty());
  CHECK(walk(store, {2, 7, {}}).empty());
}

TEST_CASE("shard walk: no segments: ends at once") {
  SimDisk disk;
  SimStore store(disk);
  ShardWalk walk(store, {}, {0, 0, {}});
  CHECK(walk.next() == ShardWalk::Step::end);
  CHECK(walk.last_segment() == 0);
}

TEST_CASE("shard walk: an epoch above the highest begun: damaged") {
  SimDisk disk;
  make_log(disk);
  SimStore store(disk);
  ShardWalk walk(store, store.segments(), {0, 0, {}, 0});
  REQUIRE(walk.next() == ShardWalk::Step::damaged);
  CHECK(walk.damage().text.find("epoch") != std::string::npos);
}

TEST_CASE("shard walk: damage: says expected and found, and what lies behind") {
  SimDisk disk;
  make_log(disk);
  SimStore store(disk);
  disk.edit({Table::log, store.segments()[0]},
            [](SimDisk::Rows& rows) { rows.erase(std::string(log_key(0, 2).view())); });
  ShardWalk walk(store, store.segments(), {0, 0, {}});
  REQUIRE(walk.next() == ShardWalk::Step::blob);
  REQUIRE(walk.next() == ShardWalk::Step::damaged);
  CHECK(walk.damage().lsn == 2);
  CHECK(walk.damage().lsn_found == 3);
  CHECK(walk.damage().intact);
  CHECK(walk.last_lsn() == 1);
  const auto rest = walk.rest();
  REQUIRE(rest);
  CHECK(rest.value().intact_blob);
  CHECK(rest.value().keys.size() == 10);
}

}  // namespace
}  // namespace usher::wal
