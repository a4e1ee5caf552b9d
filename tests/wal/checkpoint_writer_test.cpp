#include "wal/checkpoint_writer.hpp"

#include <doctest/doctest.h>

#include "tests/wal/support.hpp"
#include "wal/checkpoint_row.hpp"

namespace usher::wal {
namespace {

using test::Collectors;

CheckpointRow row(ShardIndex shard, std::uint8_t kind, std::uint64_t key, Lsn lsn, std::string_view state) {
  return {shard, kind, key, lsn, Bytes(state.begin(), state.end())};
}
std::vector<CheckpointRow> rows(std::size_t count, std::size_t state_bytes) {
  std::vector<CheckpointRow> made;
  for (std::size_t n = 0; n < count; ++n) made.push_back(row(0, 1, n, 1, std::string(state_bytes, 's')));
  return made;
}

TEST_CASE("checkpoint row: every truncation and every flipped bit, and another key: refused") {
  const auto key = checkpoint_key({2, 3, 4});
  std::string value;
  encode_checkpoint(key.view(), row(3, 2, 4, 77, "state"), value);
  CheckpointRow read;
  REQUIRE(decode_checkpoint(key.view(), value, read) == RowFault::none);
  CHECK(read.lsn == 77);
  CHECK(read.state == Bytes{'s', 't', 'a', 't', 'e'});
  for (std::size_t size = 0; size < value.size(); ++size) {
    CHECK(decode_checkpoint(key.view(), value.substr(0, size), read) != RowFault::none);
  }
  for (std::size_t bit = 0; bit < value.size() * 8; ++bit) {
    std::string flipped = value;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    CHECK(decode_checkpoint(key.view(), flipped, read) != RowFault::none);
  }
  CHECK(decode_checkpoint(checkpoint_key({2, 3, 5}).view(), value, read) == RowFault::checksum);
}

TEST_CASE("checkpoint writer: rows go down unsynced in small batches, a completion is one sync") {
  SimDisk disk;
  SimStore store(disk);
  CheckpointWriter writer(store, {std::size_t{64} << 20U, 10'000});
  REQUIRE(writer.try_push(rows(30, 1'000)));
  writer.push_complete(0, 5);
  writer.push_complete(1, 6);
  int row_steps = 0;
  for (;;) {
    const auto step = writer.step();
    REQUIRE(step);
    if (!step.value().covered.empty()) {
      CHECK(step.value().covered.size() == 2);
      break;
    }
    ++row_steps;
    CHECK(disk.syncs() == 0);
  }
  CHECK(row_steps == 3);
  CHECK(disk.syncs() == 1);
  CHECK(disk.unsynced_batches() == 0);
  CHECK(writer.idle());
  CHECK_FALSE(writer.step().value().worked);
}

TEST_CASE("checkpoint writer: a full queue: says no and leaves the rows; takes them later") {
  SimDisk disk;
  SimStore store(disk);
  CheckpointWriter writer(store, {10'000, 1'000'000});
  REQUIRE(writer.try_push(rows(5, 1'000)));
  auto more = rows(5, 1'000);
  CHECK_FALSE(writer.try_push(std::move(more)));
  CHECK(more.size() == 5);
  REQUIRE(writer.step());
  CHECK(writer.try_push(std::move(more)));
  SUBCASE("one hand-over above the limit: taken when nothing else waits") {
    REQUIRE(writer.step());
    CHECK(writer.try_push(rows(20, 1'000)));
    CHECK_FALSE(writer.try_push(rows(1, 1)));
  }
}

TEST_CASE("checkpoints: restored first, in order of kind and key, each to its shard; then only records above") {
  SimDisk disk;
  {
    auto log = test::open_sim(disk, test::sim_options());
    REQUIRE(log);
    auto lane = log.value()->make_lane({0, 1}, {});
    test::write_rounds(*lane, 0, 0, 10);
    test::write_rounds(*lane, 1, 0, 4);
    REQUIRE(log.value()->try_checkpoint({row(0, 9, 1, 7, "d"), row(0, 1, 300, 8, "b"), row(0, 1, 2, 8, "a"),
                                         row(1, 1, 5, 4, "e"), row(0, 4, 0, 8, "c")}));
    log.value()->checkpoint_complete(0, 7);
    log.value()->do_work();
  }
  Collectors fed;
  auto log = test::open_sim(disk, test::sim_options(), &fed);
  REQUIRE(log);
  const auto& restored = fed.shards[0].rows;
  REQUIRE(restored.size() == 4);
  std::string order;
  for (const CheckpointRow& one : restored) order += static_cast<char>(one.state[0]);
  CHECK(order == "abcd");
  CHECK(fed.shards[1].rows.size() == 1);
  CHECK(fed.shards[1].records.size() == 4);
  REQUIRE(fed.shards[0].records.size() == 3);
  CHECK(fed.shards[0].records[0].lsn == 8);
  CHECK(log.value()->report().checkpoint_rows == 5);
  CHECK(log.value()->report().covered[0] == 7);
  CHECK(log.value()->report().tails[0].last_lsn == 10);

  // A row with an empty state is gone.
  REQUIRE(log.value()->try_checkpoint({row(0, 1, 2, 10, "")}));
  log.value()->checkpoint_complete(0, 10);
  log.value()->do_work();
  REQUIRE(log.value()->close());
  log.value().reset();
  REQUIRE(test::open_sim(disk, test::sim_options(), &fed));
  CHECK(fed.shards[0].rows.size() == 3);
  CHECK(fed.shards[0].records.empty());
}

TEST_CASE("checkpoints: of records that the log does not have: refused") {
  SimDisk disk;
  {
    auto log = test::open_sim(disk, test::sim_options());
    REQUIRE(log);
    REQUIRE(log.value()->try_checkpoint({row(0, 1, 2, 5, "a")}));
    log.value()->do_work();
  }
  const auto log = test::open_sim(disk, test::sim_options());
  REQUIRE_FALSE(log);
  CHECK(log.error().code == ErrorCode::corrupt);
  CHECK(log.error().detail.find("checkpoints reach up to LSN 5") != std::string::npos);
}

TEST_CASE("checkpoints: a damaged row: refused with its name") {
  SimDisk disk;
  {
    auto log = test::open_sim(disk, test::sim_options());
    REQUIRE(log);
    auto lane = log.value()->make_lane({0}, {});
    test::write_rounds(*lane, 0, 0, 5);
    REQUIRE(log.value()->try_checkpoint({row(0, 3, 42, 5, "abc")}));
    log.value()->do_work();
  }
  disk.edit({Table::checkpoints, 0}, [](SimDisk::Rows& all) { all.begin()->second.back() ^= 1; });
  const auto log = test::open_sim(disk, test::sim_options());
  REQUIRE_FALSE(log);
  CHECK(log.error().detail.find("kind 3, key 42") != std::string::npos);
}

TEST_CASE("checkpoints: with threads on RocksDB, while the sale goes on: covered after a kill") {
  const test::TempDir directory;
  {
    auto log = open(test::disk_options(directory.path()), {});
    REQUIRE(log);
    auto lane = log.value()->make_lane({0}, {});
    for (std::uint32_t n = 0; n < 20; ++n) {
      test::write_rounds(*lane, 0, n * 5, 5);
      REQUIRE(log.value()->try_checkpoint({row(0, 1, n, lane->durable_lsn(0), "state")}));
    }
    log.value()->checkpoint_complete(0, 100);
    lane.reset();
    REQUIRE(log.value()->close());
  }
  Collectors fed;
  const auto log = open(test::disk_options(directory.path()), fed.factory());
  REQUIRE(log);
  CHECK(fed.shards[0].rows.size() == 20);
  CHECK(fed.shards[0].records.empty());
  CHECK(log.value()->report().tails[0].last_lsn == 100);
}

}  // namespace
}  // namespace usher::wal
