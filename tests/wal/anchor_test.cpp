#include "wal/anchor.hpp"

#include <doctest/doctest.h>

#include "tests/wal/support.hpp"
#include "wal/rocksdb_store.hpp"

namespace usher::wal {
namespace {

Anchor make_anchor(Store& store, std::size_t shard_total) {
  AnchorState state;
  state.shards.resize(shard_total);
  return Anchor(store, std::move(state));
}

TEST_CASE("anchor: sizes: 65 shards in one page, 102 in two") {
  CHECK(anchor_slot_bytes(65) == 4'096);
  CHECK(anchor_slot_bytes(101) == 4'096);
  CHECK(anchor_slot_bytes(102) == 8'192);
  CHECK(anchor_slot_bytes(1'025) == 45'056);
}

TEST_CASE("anchor: never written: not found") {
  SimDisk disk;
  SimStore store(disk);
  const auto read = read_anchor(store, 3);
  REQUIRE_FALSE(read);
  CHECK(read.error().code == ErrorCode::not_found);
}

TEST_CASE(
    "anchor: synced writes alternate between the slots: the newer one counts, and the older one when that is torn") {
  SimDisk disk;
  SimStore store(disk);
  Anchor anchor = make_anchor(store, 3);
  for (Lsn lsn = 1; lsn <= 7; ++lsn) {
    anchor.set(1, lsn, ChainHash{static_cast<std::uint8_t>(lsn)});
    REQUIRE(anchor.write());
    anchor.settle();
    const auto read = read_anchor(store, 3);
    REQUIRE(read);
    CHECK(read.value().counter == lsn);
    CHECK(read.value().shards[1] == AnchorEntry{lsn, ChainHash{static_cast<std::uint8_t>(lsn)}});
    CHECK_FALSE(read.value().slot_torn);
  }
  disk.edit_anchor([](std::string(&slots)[2]) { slots[1][30] = static_cast<char>(slots[1][30] ^ 1); });
  const auto older = read_anchor(store, 3);
  REQUIRE(older);
  CHECK(older.value().counter == 6);
  CHECK(older.value().slot_torn);
  disk.edit_anchor([](std::string(&slots)[2]) { slots[0].resize(100); });
  const auto none = read_anchor(store, 3);
  REQUIRE_FALSE(none);
  CHECK(none.error().code == ErrorCode::corrupt);
}

TEST_CASE("anchor: what is not synced is written over: however it is torn, the slot before it counts") {
  SimDisk disk;
  SimStore store(disk);
  Anchor anchor = make_anchor(store, 3);
  anchor.set(1, 1, {});
  REQUIRE(anchor.write());
  anchor.settle();
  for (Lsn lsn = 2; lsn <= 6; ++lsn) {
    anchor.set(1, lsn, {});
    REQUIRE(anchor.write());
    const auto read = read_anchor(store, 3);
    REQUIRE(read);
    CHECK(read.value().shards[1].lsn == lsn);
    disk.edit_anchor([](std::string(&slots)[2]) { slots[0][40] = static_cast<char>(slots[0][40] ^ 1); });
    const auto synced = read_anchor(store, 3);
    REQUIRE(synced);
    CHECK(synced.value().shards[1].lsn == 1);
    CHECK(synced.value().slot_torn);
  }
}

TEST_CASE("anchor: every bit flipped in the used part: that slot never counts") {
  SimDisk disk;
  SimStore store(disk);
  Anchor anchor = make_anchor(store, 2);
  anchor.set(0, 5, {});
  REQUIRE(anchor.write());
  for (std::size_t bit = 0; bit < (24 + 2 * 40) * 8; ++bit) {
    const auto flip = [bit](std::string(&slots)[2]) {
      slots[1][bit / 8] = static_cast<char>(slots[1][bit / 8] ^ (1 << (bit % 8)));
    };
    disk.edit_anchor(flip);
    REQUIRE_FALSE(read_anchor(store, 2));
    disk.edit_anchor(flip);
  }
  CHECK(read_anchor(store, 2));
  CHECK_FALSE(read_anchor(store, 3));
}

TEST_CASE("anchor: in a file: the same after the store is opened again") {
  const test::TempDir directory;
  RocksDbOptions options;
  options.directory = directory.path();
  options.write_buffer_bytes = 1 << 20;
  for (const std::size_t shard_total : {std::size_t{65}, std::size_t{300}}) {
    std::filesystem::remove(directory.path() + "/anchor");
    {
      auto store = open_rocksdb_store(options);
      REQUIRE(store);
      Anchor anchor = make_anchor(*store.value(), shard_total);
      for (Lsn lsn = 1; lsn <= 3; ++lsn) {
        anchor.set(static_cast<ShardIndex>(shard_total - 1), lsn, {});
        REQUIRE(anchor.write());
        REQUIRE(store.value()->sync_anchor());
        anchor.settle();
      }
      REQUIRE(store.value()->close());
    }
    auto store = open_rocksdb_store(options);
    REQUIRE(store);
    const auto read = read_anchor(*store.value(), shard_total);
    REQUIRE(read);
    CHECK(read.value().counter == 3);
    CHECK(read.value().shards.back().lsn == 3);
    CHECK_FALSE(read.value().slot_torn);
  }
}

}  // namespace
}  // namespace usher::wal
