#include "wal/trim.hpp"

#include <doctest/doctest.h>

#include "tests/wal/support.hpp"

namespace usher::wal {
namespace {

using test::Collectors;

LogOptions small_segments(bool retain) {
  LogOptions options = test::sim_options();
  options.retain = retain;
  options.segment_bytes = 1'000;
  return options;
}

/// Five segments of about ten records each, in shard 0; shard 1 has one record in the first.
std::unique_ptr<OpenedLog> make_segments(SimDisk& disk, const LogOptions& options) {
  auto log = test::open_sim(disk, options);
  REQUIRE(log);
  auto lane = log.value()->make_lane({0, 1}, {});
  test::write_rounds(*lane, 1, 0, 1);
  for (std::uint32_t n = 0; n < 50; ++n) {
    test::write_rounds(*lane, 0, n, 1);
    log.value()->do_work();
  }
  return std::move(log).value();
}

TEST_CASE("trim: segments rotate by size: the log goes on over them") {
  SimDisk disk;
  auto log = make_segments(disk, small_segments(true));
  CHECK(log->rotations() >= 4);
  SimStore look(disk);
  CHECK(look.segments().size() == log->rotations() + 1);
  log.reset();
  Collectors fed;
  const auto again = test::open_sim(disk, small_segments(true), &fed);
  REQUIRE(again);
  REQUIRE(fed.shards[0].records.size() == 50);
  CHECK(fed.shards[0].records.back().lsn == 50);
  CHECK(fed.shards[1].records.size() == 1);
}

TEST_CASE("trim: segments rotate by age, but never an empty one") {
  SimDisk disk;
  std::uint64_t now = 1;
  LogOptions options = test::sim_options();
  options.segment_age = std::chrono::seconds{60};
  options.monotonic_ns = [&now] { return now; };
  auto log = test::open_sim(disk, options);
  REQUIRE(log);
  now += 61'000'000'000;
  log.value()->do_work();
  CHECK(log.value()->rotations() == 0);
  auto lane = log.value()->make_lane({0}, {});
  test::write_rounds(*lane, 0, 0, 1);
  log.value()->do_work();
  CHECK(log.value()->rotations() == 1);
  test::write_rounds(*lane, 0, 1, 1);
  now += 59'000'000'000;
  log.value()->do_work();
  CHECK(log.value()->rotations() == 1);
  now += 1'000'000'000;
  log.value()->do_work();
  CHECK(log.value()->rotations() == 2);
}

TEST_CASE("trim: retain on: nothing goes, whatever is covered") {
  SimDisk disk;
  auto log = make_segments(disk, small_segments(true));
  log->checkpoint_complete(0, 50);
  log->checkpoint_complete(1, 1);
  log->do_work();
  CHECK(log->segments_dropped() == 0);
}

TEST_CASE("trim: retain off: goes below the lowest covered LSN of all shards, and the chain goes on from there") {
  SimDisk disk;
  auto log = make_segments(disk, small_segments(false));
  SimStore look(disk);
  const std::size_t segments = look.segments().size();
  log->checkpoint_complete(0, 35);
  log->do_work();
  CHECK(log->segments_dropped() == 0);  // shard 1 has a record in the first that nothing covers
  log->checkpoint_complete(1, 1);
  log->do_work();
  CHECK(log->segments_dropped() >= 2);
  CHECK(look.segments().size() == segments - log->segments_dropped());
  log->checkpoint_complete(0, 20);  // an older one changes nothing
  log->do_work();
  log.reset();

  for (int start = 0; start < 2; ++start) {
    Collectors fed;
    auto again = test::open_sim(disk, small_segments(false), &fed);
    REQUIRE_MESSAGE(again, (again ? "" : again.error().detail));
    REQUIRE_FALSE(fed.shards[0].records.empty());
    CHECK(fed.shards[0].records.front().lsn <= 36);
    CHECK(fed.shards[0].records.back().lsn == 50);
    // Nothing is left of shard 1 but where it ended.
    CHECK(fed.shards[1].records.empty());
    CHECK(again.value()->report().tails[1].last_lsn == 1);
    CHECK(again.value()->report().tails[1].highest_now == test::reserve(1, 0).now);
  }
  auto again = test::open_sim(disk, small_segments(false));
  REQUIRE(again);
  auto lane = again.value()->make_lane({0, 1}, {});
  test::write_rounds(*lane, 1, 1, 1);
  CHECK(lane->durable_lsn(1) == 2);
  lane.reset();
  again.value().reset();
  Collectors fed;
  REQUIRE(test::open_sim(disk, small_segments(false), &fed));
  REQUIRE(fed.shards[1].records.size() == 1);
  CHECK(fed.shards[1].records[0].lsn == 2);
}

TEST_CASE("trim: a crash between the base rows and the drop: the old segment is still there, and all is well") {
  SimDisk disk;
  auto log = make_segments(disk, small_segments(false));
  SimDisk::Rows first;
  disk.edit({Table::log, 1}, [&first](SimDisk::Rows& rows) { first = rows; });
  log->checkpoint_complete(0, 15);
  log->checkpoint_complete(1, 1);
  log->do_work();
  REQUIRE(log->segments_dropped() == 1);
  log.reset();
  disk.edit({Table::log, 1}, [&first](SimDisk::Rows& rows) { rows = first; });
  Collectors fed;
  REQUIRE(test::open_sim(disk, small_segments(false), &fed));
  REQUIRE_FALSE(fed.shards[0].records.empty());
  CHECK(fed.shards[0].records.front().lsn == 16);
}

TEST_CASE("trim: verify_segment: finds a damaged blob and says where") {
  SimDisk disk;
  { auto log = make_segments(disk, small_segments(true)); }
  SimStore store(disk);
  CHECK(verify_segment(store, 2));
  disk.edit({Table::log, 2}, [](SimDisk::Rows& rows) { rows.begin()->second.back() ^= 1; });
  const Status damaged = verify_segment(store, 2);
  REQUIRE_FALSE(damaged);
  CHECK(damaged.error().detail.find("log.2") != std::string::npos);
  CHECK(damaged.error().detail.find("shard 0") != std::string::npos);
}

TEST_CASE("trim: on RocksDB with threads: rotates and drops while the sale goes on; nothing acknowledged is missing") {
  const test::TempDir directory;
  LogOptions options = test::disk_options(directory.path());
  options.retain = false;
  options.segment_bytes = 4'000;
  {
    auto log = open(options, {});
    REQUIRE(log);
    auto lane = log.value()->make_lane({0}, {});
    for (std::uint32_t n = 0; n < 10; ++n) {
      test::write_rounds(*lane, 0, n * 50, 50);
      log.value()->checkpoint_complete(0, lane->durable_lsn(0) - 10);
    }
    lane.reset();
    REQUIRE(log.value()->close());
    CHECK(log.value()->rotations() > 0);
  }
  Collectors fed;
  const auto log = open(options, fed.factory());
  REQUIRE_MESSAGE(log, (log ? "" : log.error().detail));
  REQUIRE(fed.shards[0].records.size() == 10);
  CHECK(fed.shards[0].records.back().lsn == 500);
}

}  // namespace
}  // namespace usher::wal
