#include "wal/store.hpp"

#include <doctest/doctest.h>

#include <fstream>

#include "tests/wal/support.hpp"
#include "wal/rocksdb_store.hpp"

namespace usher::wal {
namespace {

/// What every Store must do: run against both.
void check_contract(Store& store) {
  REQUIRE(store.create_segment(1));
  REQUIRE(store.create_segment(2));
  REQUIRE(store.create_segment(10));
  CHECK(store.segments() == std::vector<SegmentNumber>{1, 2, 10});
  const auto batch = store.make_batch();
  for (const char* key : {"b", "d", "f"}) batch->put({Table::log, 2}, key, std::string("value ") + key);
  batch->put({Table::people, 0}, "p", "person");
  CHECK(batch->size_bytes() > 0);
  REQUIRE(store.write(*batch, true));

  CHECK(store.get({Table::log, 2}, "d").value() == "value d");
  CHECK_FALSE(store.get({Table::log, 1}, "d").value().has_value());
  CHECK(store.get({Table::people, 0}, "p").value() == "person");

  auto opened = store.cursor({Table::log, 2});
  REQUIRE(opened);
  StoreCursor& cursor = *opened.value();
  cursor.seek("c");
  REQUIRE(cursor.valid());
  CHECK(cursor.key() == "d");
  cursor.seek_back("c");
  REQUIRE(cursor.valid());
  CHECK(cursor.key() == "b");
  cursor.seek_back("d");
  CHECK(cursor.key() == "d");
  cursor.seek_back("a");
  CHECK_FALSE(cursor.valid());
  CHECK(cursor.status());
  std::string keys;
  for (cursor.seek({}); cursor.valid(); cursor.next()) keys += cursor.key();
  CHECK(keys == "bdf");

  batch->clear();
  batch->erase({Table::log, 2}, "d");
  batch->put({Table::log, 2}, "g", "");
  REQUIRE(store.write(*batch, false));
  cursor.seek("d");
  CHECK(cursor.key() == "d");  // it sees what was there when it was made
  CHECK_FALSE(store.get({Table::log, 2}, "d").value().has_value());
  CHECK(store.segment_bytes(2) > 0);
  CHECK(store.segment_bytes(99) == 0);

  REQUIRE(store.flush_segment(2));
  CHECK(store.get({Table::log, 2}, "f").value() == "value f");
  opened.value().reset();
  REQUIRE(store.drop_segment(2));
  CHECK(store.segments() == std::vector<SegmentNumber>{1, 10});
  const auto gone = store.cursor({Table::log, 2});
  REQUIRE_FALSE(gone);
  CHECK(gone.error().code == ErrorCode::not_found);

  CHECK(store.read_anchor_slot(0, 4'096).value().empty());
  REQUIRE(store.write_anchor_slot(1, std::string(4'096, 'a')));
  CHECK(store.read_anchor_slot(0, 4'096).value().empty());
  CHECK(store.read_anchor_slot(1, 4'096).value() == std::string(4'096, 'a'));
  REQUIRE(store.sync_anchor());
  REQUIRE(store.close());
}

TEST_CASE("store: in memory: keeps the contract") {
  SimDisk disk;
  SimStore store(disk);
  check_contract(store);
}

TEST_CASE("store: on RocksDB: keeps the contract, and it is all there when opened again or read-only") {
  const test::TempDir directory;
  RocksDbOptions options;
  options.directory = directory.path() + "/made/on/the/way";
  options.write_buffer_bytes = 1 << 20;
  {
    auto store = open_rocksdb_store(options);
    REQUIRE(store);
    check_contract(*store.value());
  }
  for (const auto mode : {RocksDbOptions::Mode::live, RocksDbOptions::Mode::read_only}) {
    options.mode = mode;
    auto store = open_rocksdb_store(options);
    REQUIRE(store);
    CHECK(store.value()->segments() == std::vector<SegmentNumber>{1, 10});
    CHECK(store.value()->get({Table::people, 0}, "p").value() == "person");
    CHECK(store.value()->read_anchor_slot(1, 4'096).value() == std::string(4'096, 'a'));
  }
}

TEST_CASE("rocksdb store: opened twice: busy, in words; read-only of nothing: not found") {
  const test::TempDir directory;
  RocksDbOptions options;
  options.directory = directory.path();
  options.write_buffer_bytes = 1 << 20;
  const auto first = open_rocksdb_store(options);
  REQUIRE(first);
  const auto second = open_rocksdb_store(options);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::busy);
  CHECK(second.error().detail.find("another process") != std::string::npos);
  options.directory += "/nothing";
  options.mode = RocksDbOptions::Mode::read_only;
  const auto none = open_rocksdb_store(options);
  REQUIRE_FALSE(none);
  CHECK(none.error().code == ErrorCode::not_found);
}

TEST_CASE("rocksdb store: a directory that cannot be made: io, with its name") {
  const test::TempDir directory;
  { const auto file = std::ofstream(directory.path() + "/file"); }
  RocksDbOptions options;
  options.directory = directory.path() + "/file/below";
  const auto store = open_rocksdb_store(options);
  REQUIRE_FALSE(store);
  CHECK(store.error().code == ErrorCode::io);
  CHECK(store.error().detail.find("/file/below") != std::string::npos);
}

TEST_CASE("sim store: a power cut: what is synced stays, then as many batches as told, the last value torn") {
  for (const std::size_t kept : {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{9}}) {
    for (const bool torn : {false, true}) {
      SimDisk disk;
      SimStore store(disk);
      const auto put = [&store](std::string_view key, bool sync) {
        const auto batch = store.make_batch();
        batch->put({Table::meta, 0}, key, "12345678");
        return store.write(*batch, sync);
      };
      REQUIRE(put("synced", true));
      REQUIRE(put("first", false));
      REQUIRE(put("second", false));
      disk.power_cut(kept, torn);
      CHECK(store.get({Table::meta, 0}, "synced").value() == "12345678");
      const auto first = store.get({Table::meta, 0}, "first").value();
      const auto second = store.get({Table::meta, 0}, "second").value();
      CHECK(first.has_value() == (kept >= 1));
      CHECK(second.has_value() == (kept >= 2));
      if (kept == 1) CHECK(*first == (torn ? "1234" : "12345678"));
      if (kept >= 2) CHECK(*second == (torn ? "1234" : "12345678"));
      CHECK(disk.unsynced_batches() == 0);
    }
  }
}

TEST_CASE("sim store: a failed sync: fails from then on, and the write may or may not be there after the cut") {
  for (const std::size_t kept : {std::size_t{0}, std::size_t{1}}) {
    SimDisk disk;
    SimStore store(disk);
    disk.fail_sync_after(1);
    const auto batch = store.make_batch();
    batch->put({Table::meta, 0}, "a", "1");
    REQUIRE(store.write(*batch, true));
    batch->put({Table::meta, 0}, "b", "2");
    CHECK_FALSE(store.write(*batch, true));
    CHECK_FALSE(store.write(*batch, true));
    disk.power_cut(kept);
    CHECK(store.get({Table::meta, 0}, "a").value().has_value());
    CHECK(store.get({Table::meta, 0}, "b").value().has_value() == (kept == 1));
    CHECK(store.write(*batch, true));
  }
}

}  // namespace
}  // namespace usher::wal
