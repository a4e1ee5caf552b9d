#include "wal/reader.hpp"

#include <doctest/doctest.h>

#include "tests/wal/support.hpp"

namespace usher::wal {
namespace {

using test::Collector;

Until until_lsn(Lsn lsn) {
  Until until;
  until.lsn = lsn;
  return until;
}
Until until_time(Instant time) {
  Until until;
  until.time = time;
  return until;
}

void make_directory(const std::string& directory) {
  auto log = open(test::disk_options(directory), {});
  REQUIRE(log);
  auto lane = log.value()->make_lane({0}, {});
  for (std::uint32_t round = 0; round < 4; ++round) {
    for (std::uint32_t n = 0; n < 5; ++n) {
      Record record = test::reserve(0, round * 5 + n);
      (void)lane->append(record);
    }
    test::commit_gathered(*lane);
  }
  REQUIRE(log.value()->try_checkpoint({{0, 1, 1, 12, {9}}}));
  log.value()->checkpoint_complete(0, 12);
  lane.reset();
  REQUIRE(log.value()->close());
}

TEST_CASE("reader: a stopped directory: all, up to an LSN, up to an instant, from checkpoints") {
  const test::TempDir directory;
  make_directory(directory.path());
  auto reader = LogReader::open(directory.path());
  REQUIRE(reader);
  CHECK(reader.value()->shard_count() == 2);
  const auto replay = [&reader](const Until& until, bool use_checkpoints, Collector& fed) {
    const auto end = reader.value()->replay(0, until, use_checkpoints, fed);
    REQUIRE(end);
    return end.value();
  };
  {
    Collector fed;
    CHECK(replay({}, false, fed).lsn == 20);
    CHECK(fed.records.size() == 20);
    CHECK(fed.rows.empty());
  }
  for (const Lsn lsn : {Lsn{0}, Lsn{1}, Lsn{4}, Lsn{5}, Lsn{6}, Lsn{20}, Lsn{21}}) {
    Collector fed;
    const ReplayEnd end = replay(until_lsn(lsn), true, fed);
    CHECK(end.lsn == std::min<Lsn>(lsn, 20));
    CHECK(fed.records.size() == std::min<Lsn>(lsn, 20));
  }
  for (const std::uint32_t n : {0U, 7U, 19U}) {
    Collector fed;
    const Instant time = test::reserve(0, n).now;
    CHECK(replay(until_time(time), false, fed).now == time);
    CHECK(fed.records.size() == n + 1);
    Collector before;
    CHECK(replay(until_time(time - Duration{1}), false, before).records == n);
  }
  {
    Collector fed;
    CHECK(replay({}, true, fed).records == 8);
    CHECK(fed.rows.size() == 1);
    REQUIRE(fed.records.size() == 8);
    CHECK(fed.records[0].lsn == 13);
  }
  Collector fed;
  CHECK(replay({}, true, fed).lsn == 20);
  const auto empty = reader.value()->replay(1, {}, false, fed);
  REQUIRE(empty);
  CHECK(empty.value().records == 0);
}

TEST_CASE("reader: nothing there: not found") {
  const test::TempDir directory;
  const auto reader = LogReader::open(directory.path());
  REQUIRE_FALSE(reader);
  CHECK(reader.error().code == ErrorCode::not_found);
}

TEST_CASE("reader: a living log: time travel over what is durable") {
  SimDisk disk;
  auto log = test::open_sim(disk, test::sim_options());
  REQUIRE(log);
  auto lane = log.value()->make_lane({0}, {});
  test::write_rounds(*lane, 0, 0, 6);
  Collector fed;
  const auto end = log.value()->replay(0, until_time(test::reserve(0, 3).now), fed);
  REQUIRE(end);
  CHECK(end.value().lsn == 4);
  CHECK(fed.records.size() == 4);
}

TEST_CASE("reader: the beginning trimmed: log_trimmed with the oldest instant; from checkpoints it still works") {
  SimDisk disk;
  LogOptions options = test::sim_options();
  options.retain = false;
  options.segment_bytes = 500;
  auto log = test::open_sim(disk, options);
  REQUIRE(log);
  auto lane = log.value()->make_lane({0}, {});
  for (std::uint32_t n = 0; n < 20; ++n) {
    test::write_rounds(*lane, 0, n, 1);
    log.value()->do_work();
  }
  log.value()->checkpoint_complete(0, 15);
  log.value()->do_work();
  REQUIRE(log.value()->segments_dropped() > 0);
  Collector fed;
  const auto end = log.value()->replay(0, until_lsn(18), fed);
  REQUIRE_FALSE(end);
  CHECK(end.error().code == ErrorCode::log_trimmed);
  CHECK(end.error().detail.find("oldest instant") != std::string::npos);
  SimStore store(disk);
  const auto meta = read_meta(store);
  REQUIRE(meta);
  const auto all = replay_shard(store, meta.value(), 0, {}, true, fed);
  REQUIRE(all);
  CHECK(all.value().lsn == 20);
  CHECK(fed.records.front().lsn == 16);
}

TEST_CASE("reader: damage: corrupt with the place") {
  SimDisk disk;
  auto log = test::open_sim(disk, test::sim_options());
  REQUIRE(log);
  auto lane = log.value()->make_lane({0}, {});
  test::write_rounds(*lane, 0, 0, 6);
  disk.edit({Table::log, 1}, [](SimDisk::Rows& rows) { std::next(rows.begin(), 3)->second[20] ^= 1; });
  Collector fed;
  const auto end = log.value()->replay(0, {}, fed);
  REQUIRE_FALSE(end);
  CHECK(end.error().code == ErrorCode::corrupt);
  CHECK(end.error().detail.find("LSN 4") != std::string::npos);
  CHECK(fed.records.size() == 3);
}

}  // namespace
}  // namespace usher::wal
