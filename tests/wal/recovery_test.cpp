#include "wal/recovery.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <fstream>

#include "tests/wal/support.hpp"
#include "wal/checkpoint_row.hpp"
#include "wal/codec.hpp"
#include "wal/keys.hpp"

namespace usher::wal {
namespace {

using test::Collectors;

/// Ten records in ten blobs of shard 0 and three of shard 1, closed in order: the anchor stands at the end.
void make_log(SimDisk& disk) {
  auto log = test::open_sim(disk, test::sim_options());
  REQUIRE(log);
  auto lane = log.value()->make_lane({0, 1, 2}, {});
  test::write_rounds(*lane, 0, 0, 10);
  test::write_rounds(*lane, 1, 0, 3);
  lane.reset();
  REQUIRE(log.value()->close());
}

/// The same, but killed right after the writes: the anchor has seen only the first record of shard 0.
void make_log_without_anchor(SimDisk& disk) {
  LogOptions options = test::sim_options();
  options.monotonic_ns = [] { return std::uint64_t{1}; };  // the anchor falls due once
  auto log = test::open_sim(disk, options);
  REQUIRE(log);
  auto lane = log.value()->make_lane({0, 1, 2}, {});
  test::write_rounds(*lane, 0, 0, 10);
  test::write_rounds(*lane, 1, 0, 3);
  lane.reset();
}

void damage(SimDisk& disk, ShardIndex shard, Lsn lsn, const std::function<void(std::string&)>& change) {
  disk.edit({Table::log, 1}, [&](SimDisk::Rows& rows) {
    const auto row = rows.find(log_key(shard, lsn).view());
    REQUIRE(row != rows.end());
    change(row->second);
  });
}
void flip(std::string& bytes) {
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 4);
}
void erase(SimDisk& disk, ShardIndex shard, Lsn lsn) {
  disk.edit({Table::log, 1},
            [&](SimDisk::Rows& rows) { REQUIRE(rows.erase(std::string(log_key(shard, lsn).view())) == 1); });
}

Error refusal(SimDisk& disk) {
  const auto log = test::open_sim(disk, test::sim_options());
  REQUIRE_FALSE(log);
  return log.error();
}
void check_refused(SimDisk& disk, const std::vector<std::string>& words) {
  const Error error = refusal(disk);
  CHECK(error.code == ErrorCode::corrupt);
  for (const std::string& word : words) {
    CHECK_MESSAGE(error.detail.find(word) != std::string::npos, error.detail << " says nothing of " << word);
  }
}

TEST_CASE("recovery: an empty log: made, and found again") {
  SimDisk disk;
  const auto log = test::open_sim(disk, test::sim_options());
  REQUIRE(log);
  CHECK(log.value()->report().created);
  CHECK(log.value()->report().records == 0);
  CHECK(log.value()->report().tails.size() == 3);
}

TEST_CASE("recovery: a whole log: counts, ends, highest instant") {
  SimDisk disk;
  make_log(disk);
  Collectors fed;
  const auto log = test::open_sim(disk, test::sim_options(), &fed);
  REQUIRE(log);
  const RecoveryReport& report = log.value()->report();
  CHECK(report.records == 13);
  CHECK(report.blobs == 13);
  CHECK(report.cut.empty());
  CHECK(report.tails[0].last_lsn == 10);
  CHECK(report.tails[1].last_lsn == 3);
  CHECK(report.tails[2].last_lsn == 0);
  CHECK(report.highest_now == test::reserve(0, 9).now);
  CHECK(fed.shards[0].records.size() == 10);
}

TEST_CASE("recovery: a blob in the middle damaged: refused with shard, LSN, segment and what is wrong") {
  SimDisk disk;
  make_log(disk);
  damage(disk, 0, 5, flip);
  check_refused(disk, {"shard 0", "LSN 5", "log.1", "checksum"});
}

TEST_CASE("recovery: the last blob damaged, and the anchor has seen it: refused") {
  SimDisk disk;
  make_log(disk);
  damage(disk, 1, 3, [](std::string& bytes) { bytes.resize(bytes.size() / 2); });
  check_refused(disk, {"shard 1", "LSN 3", "log.1"});
}

TEST_CASE("recovery: the last blob missing, and the anchor has seen it: refused, with how far it reached") {
  SimDisk disk;
  make_log(disk);
  erase(disk, 0, 10);
  check_refused(disk, {"shard 0", "LSN 10", "anchor", "log.1"});
}

TEST_CASE("recovery: a blob in the middle missing: refused") {
  SimDisk disk;
  make_log(disk);
  erase(disk, 0, 4);
  check_refused(disk, {"shard 0", "LSN 4", "found 5", "missing"});
}

TEST_CASE("recovery: the whole segment gone: refused") {
  SimDisk disk;
  make_log(disk);
  disk.edit({Table::log, 1}, [](SimDisk::Rows& rows) { rows.clear(); });
  check_refused(disk, {"shard 0", "LSN 1", "anchor"});
}

TEST_CASE("recovery: a blob replaced by another true one with a good checksum: the chain says so") {
  SimDisk disk;
  make_log(disk);
  // The history edited by somebody who knows the format: amount and checksum changed, the hash of it is in the next.
  damage(disk, 0, 5, [](std::string& bytes) {
    BlobHeader header;
    REQUIRE(read_blob_header(bytes, header) == BlobFault::none);
    Record record;
    RecordReader reader{bytes, header};
    REQUIRE(reader.next(record));
    record.events[0].amount = 1;
    BlobBuffer blob;
    (void)blob.reserve(blob_header_bytes);
    blob.advance(blob_header_bytes);
    encode_record(record, header.base, blob);
    seal_blob(header, blob);
    bytes = blob.view();
  });
  check_refused(disk, {"shard 0", "LSN 6", "chain"});
}

TEST_CASE("recovery: the last blob edited with a good checksum: the anchor says so") {
  SimDisk disk;
  make_log(disk);
  damage(disk, 0, 10, [](std::string& bytes) {
    BlobHeader header;
    REQUIRE(read_blob_header(bytes, header) == BlobFault::none);
    header.epoch = 0;
    BlobBuffer blob;
    blob.append(bytes.data(), bytes.size());
    seal_blob(header, blob);
    bytes = blob.view();
  });
  check_refused(disk, {"shard 0", "LSN 10", "epoch"});
}

TEST_CASE("recovery: blobs of two shards swapped: refused") {
  SimDisk disk;
  make_log(disk);
  disk.edit({Table::log, 1}, [](SimDisk::Rows& rows) {
    std::swap(rows.find(log_key(0, 2).view())->second, rows.find(log_key(1, 2).view())->second);
  });
  check_refused(disk, {"LSN 2", "key does not fit"});
}

TEST_CASE("recovery: a blob doubled under a later key: refused") {
  SimDisk disk;
  make_log(disk);
  disk.edit({Table::log, 1}, [](SimDisk::Rows& rows) {
    rows[std::string(log_key(0, 11).view())] = rows.find(log_key(0, 10).view())->second;
  });
  check_refused(disk, {"shard 0", "LSN 11"});
}

TEST_CASE("recovery: damage above the anchor with intact blobs behind it: was acknowledged, so refused") {
  SimDisk disk;
  make_log_without_anchor(disk);
  damage(disk, 0, 5, flip);
  check_refused(disk, {"shard 0", "LSN 5"});
}

TEST_CASE("recovery: a torn tail above the anchor: cut, reported, gone for good, and the log goes on") {
  SimDisk disk;
  make_log_without_anchor(disk);
  damage(disk, 0, 10, [](std::string& bytes) { bytes.resize(bytes.size() / 2); });
  {
    Collectors fed;
    const auto log = test::open_sim(disk, test::sim_options(), &fed);
    REQUIRE(log);
    const RecoveryReport& report = log.value()->report();
    REQUIRE(report.cut.size() == 1);
    CHECK(report.cut[0].damage.shard == 0);
    CHECK(report.cut[0].damage.lsn == 10);
    CHECK(report.cut[0].blobs == 1);
    CHECK(fed.shards[0].records.size() == 9);
    CHECK(fed.shards[1].records.size() == 3);
    disk.power_cut();  // the cut itself must be durable
  }
  {
    const auto log = test::open_sim(disk, test::sim_options());
    REQUIRE(log);
    CHECK(log.value()->report().cut.empty());
    auto lane = log.value()->make_lane({0}, {});
    CHECK(lane->last_lsn(0) == 9);
    test::write_rounds(*lane, 0, 9, 1);
  }
  Collectors fed;
  REQUIRE(test::open_sim(disk, test::sim_options(), &fed));
  CHECK(fed.shards[0].records.size() == 10);
}

TEST_CASE("recovery: every unsynced batch kept or not, torn or not: durable records are all there") {
  for (std::size_t kept = 0; kept <= 1; ++kept) {
    for (const bool torn : {false, true}) {
      SimDisk disk;
      {
        LogOptions options = test::sim_options();
        options.fatal = [](const std::string&) {};
        auto log = test::open_sim(disk, options);
        REQUIRE(log);
        auto lane = log.value()->make_lane({0, 1}, {});
        test::write_rounds(*lane, 0, 0, 5);
        disk.fail_sync_after(0);
        Record a = test::reserve(0, 5);
        Record b = test::reserve(1, 0);
        (void)lane->append(a);
        (void)lane->append(b);
        CHECK_FALSE(lane->submit_inline());
      }
      disk.power_cut(kept, torn);
      Collectors fed;
      const auto log = test::open_sim(disk, test::sim_options(), &fed);
      REQUIRE(log);
      CHECK(fed.shards[0].records.size() == 5 + kept);
      CHECK(fed.shards[1].records.size() == (kept == 1 && !torn ? 1 : 0));
      CHECK(log.value()->report().cut.size() == (kept == 1 && torn ? 1 : 0));
    }
  }
}

TEST_CASE("recovery: the anchor lost: refused, unless told to accept it") {
  SimDisk disk;
  make_log(disk);
  disk.edit_anchor([](std::string(&slots)[2]) { slots[0] = slots[1] = ""; });
  check_refused(disk, {"anchor"});
  LogOptions options = test::sim_options();
  options.accept_lost_anchor = true;
  REQUIRE(test::open_sim(disk, options));
}

TEST_CASE("recovery: the database lost, the anchor there: refused, not begun anew") {
  SimDisk disk;
  make_log(disk);
  disk.edit({Table::log, 1}, [](SimDisk::Rows& rows) { rows.clear(); });
  disk.edit({Table::meta, 0}, [](SimDisk::Rows& rows) { rows.clear(); });
  check_refused(disk, {"anchor", "lost"});
}

TEST_CASE("recovery: a power cut while the log was made left anything in the anchor's first page: made anew") {
  SimDisk disk;
  REQUIRE(test::open_sim(disk, test::sim_options()));
  std::string first;
  disk.edit_anchor([&first](std::string(&slots)[2]) { first = slots[1]; });
  REQUIRE(first.size() == anchor_page_bytes);
  const auto leave = [](SimDisk& cut, const std::string& zero, const std::string& one) {
    cut.edit_anchor([&](std::string(&slots)[2]) {
      slots[0] = zero;
      slots[1] = one;
    });
  };
  for (const std::string& left : {std::string(), first, first.substr(0, 700), std::string(anchor_page_bytes, '\x5a')}) {
    SimDisk cut;
    leave(cut, "", left);
    CHECK(test::open_sim(cut, test::sim_options()));
  }
  SimDisk lived;
  leave(lived, std::string(anchor_page_bytes, '\x5a'), first);
  check_refused(lived, {"anchor", "lost"});
}

TEST_CASE("recovery: the meta rows lost, records there: refused") {
  SimDisk disk;
  make_log(disk);
  disk.edit({Table::meta, 0}, [](SimDisk::Rows& rows) { rows.clear(); });
  disk.edit_anchor([](std::string(&slots)[2]) { slots[0] = slots[1] = ""; });
  check_refused(disk, {"format"});
}

TEST_CASE("recovery: a newer format, a newer blob: refused as version") {
  SimDisk disk;
  make_log(disk);
  disk.edit({Table::meta, 0}, [](SimDisk::Rows& rows) { rows["format"] = encode_number(2); });
  CHECK(refusal(disk).code == ErrorCode::version);
  disk.edit({Table::meta, 0}, [](SimDisk::Rows& rows) { rows["format"] = encode_number(1); });
  damage(disk, 0, 10, [](std::string& bytes) {
    BlobHeader header;
    REQUIRE(read_blob_header(bytes, header) == BlobFault::none);
    header.version = 2;
    BlobBuffer blob;
    blob.append(bytes.data(), bytes.size());
    seal_blob(header, blob);
    bytes = blob.view();
  });
  CHECK(refusal(disk).code == ErrorCode::version);
}

TEST_CASE("recovery: an epoch that was never begun: refused") {
  SimDisk disk;
  make_log(disk);
  disk.edit({Table::meta, 0}, [](SimDisk::Rows& rows) { rows["epoch"] = encode_number(0); });
  check_refused(disk, {"epoch"});
}

TEST_CASE("recovery: a target that refuses a record: its error comes out") {
  struct Refusing final : ReplayTarget {
    Status restore(const CheckpointRow&) override { return Done{}; }
    Status replay(const Record& record) override {
      if (record.lsn < 3) return Done{};
      return make_error(ErrorCode::corrupt, "no such show");
    }
  };
  SimDisk disk;
  make_log(disk);
  Refusing target;
  const auto log = open_on(std::make_unique<SimStore>(disk), test::sim_options(),
                           [&](std::size_t shards) { return std::vector<ReplayTarget*>(shards + 1, &target); });
  REQUIRE_FALSE(log);
  CHECK(log.error().detail == "no such show");
}

TEST_CASE("recovery: many threads and progress: the same as on one") {
  SimDisk disk;
  LogOptions options = test::sim_options(20);
  {
    auto log = test::open_sim(disk, options);
    REQUIRE(log);
    auto lane = log.value()->make_lane(test::all_shards(*log.value()), {});
    for (ShardIndex shard = 0; shard <= 20; ++shard) test::write_rounds(*lane, shard, 0, shard + 1U);
  }
  std::vector<Progress> shown;
  options.own_threads = true;
  options.recovery_threads = 4;
  options.progress = [&shown](const Progress& progress) { shown.push_back(progress); };
  Collectors fed;
  auto log = test::open_sim(disk, options, &fed);
  REQUIRE(log);
  for (std::size_t shard = 0; shard <= 20; ++shard) CHECK(fed.shards[shard].records.size() == shard + 1);
  REQUIRE_FALSE(shown.empty());
  CHECK(shown.back().fraction == doctest::Approx(1.0));
  CHECK(shown.back().records == 231);
}

/// The largest write-ahead log of RocksDB in a directory.
std::filesystem::path wal_of(const std::string& directory) {
  std::filesystem::path found;
  for (const auto& entry : std::filesystem::directory_iterator(directory + "/log")) {
    if (entry.path().extension() != ".log") continue;
    if (found.empty() || entry.file_size() > std::filesystem::file_size(found)) found = entry.path();
  }
  REQUIRE_FALSE(found.empty());
  return found;
}
void copy_directory(const std::string& from, const std::string& to) {
  std::filesystem::remove_all(to);
  std::filesystem::copy(from, to, std::filesystem::copy_options::recursive);
}

TEST_CASE("recovery: on RocksDB, its write-ahead log cut at every 97th byte: what the anchor has seen, or refused") {
  for (const bool every_commit : {false, true}) {
    const test::TempDir directory;
    LogOptions options = test::disk_options(directory.path() + "/whole", 2);
    options.anchor_every_commit = every_commit;
    {
      auto log = open(options, {});
      REQUIRE(log);
      auto lane = log.value()->make_lane({0}, {});
      test::write_rounds(*lane, 0, 0, 20);
    }  // killed
    const std::filesystem::path wal = wal_of(options.directory);
    const std::uintmax_t size = std::filesystem::file_size(wal);
    LogOptions copy = options;
    copy.directory = directory.path() + "/copy";
    int refused = 0;
    for (std::uintmax_t cut = 0; cut < size; cut += 97) {
      copy_directory(options.directory, copy.directory);
      std::filesystem::resize_file(copy.directory + "/log/" + wal.filename().string(), cut);
      Collectors fed;
      const auto log = open(copy, fed.factory());
      if (log) {
        // At the least the first record; the stated exception of RELIABILITY is the last 10 ms.
        REQUIRE(fed.shards[0].records.size() >= (every_commit ? 20U : 1U));
      } else {
        ++refused;
        CHECK(log.error().code == ErrorCode::corrupt);
      }
    }
    CHECK(refused > 0);
  }
}

TEST_CASE(
    "recovery: on RocksDB with the anchor at every commit, one flipped bit anywhere in the log: never fewer records") {
  const test::TempDir directory;
  LogOptions options = test::disk_options(directory.path() + "/whole", 1);
  options.anchor_every_commit = true;
  {
    auto log = open(options, {});
    REQUIRE(log);
    auto lane = log.value()->make_lane({0}, {});
    test::write_rounds(*lane, 0, 0, 10);
  }
  const std::filesystem::path wal = wal_of(options.directory);
  const std::uintmax_t size = std::filesystem::file_size(wal);
  int refused = 0;
  for (std::uintmax_t at = 3; at < size; at += 61) {
    LogOptions copy = options;
    copy.directory = directory.path() + "/copy";
    copy_directory(options.directory, copy.directory);
    {
      std::fstream file(copy.directory + "/log/" + wal.filename().string(),
                        std::ios::in | std::ios::out | std::ios::binary);
      file.seekg(static_cast<std::streamoff>(at));
      const int byte = file.get();
      file.seekp(static_cast<std::streamoff>(at));
      file.put(static_cast<char>(byte ^ 0x10));
    }
    Collectors fed;
    const auto log = open(copy, fed.factory());
    if (!log) {
      ++refused;
    } else {
      CHECK(fed.shards[0].records.size() == 10);
    }
  }
  CHECK(refused > 0);
}

TEST_CASE("recovery: on RocksDB, its live write-ahead log deleted, or its whole directory: refused") {
  const test::TempDir directory;
  const LogOptions options = test::disk_options(directory.path() + "/whole", 1);
  {
    auto log = open(options, {});
    REQUIRE(log);
    auto lane = log.value()->make_lane({0}, {});
    test::write_rounds(*lane, 0, 0, 10);
  }
  LogOptions copy = options;
  copy.directory = directory.path() + "/copy";
  copy_directory(options.directory, copy.directory);
  SUBCASE("the log file") {
    std::filesystem::remove(wal_of(copy.directory));
  }
  SUBCASE("the directory") {
    std::filesystem::remove_all(copy.directory + "/log");
  }
  const auto log = open(copy, {});
  REQUIRE_FALSE(log);
  CHECK(log.error().code == ErrorCode::corrupt);
}

TEST_CASE("recovery: on RocksDB, garbage behind the last record, as power loss leaves it: opened, and told") {
  const test::TempDir directory;
  LogOptions options = test::disk_options(directory.path() + "/whole", 1);
  options.anchor_every_commit = true;
  {
    auto log = open(options, {});
    REQUIRE(log);
    auto lane = log.value()->make_lane({0}, {});
    test::write_rounds(*lane, 0, 0, 10);
    std::filesystem::copy(options.directory + "/anchor", directory.path() + "/anchor");
    test::write_rounds(*lane, 0, 10, 1);
  }
  // The anchor is that of ten records; the eleventh, written but never synced, has a flipped bit.
  std::filesystem::copy(directory.path() + "/anchor", options.directory + "/anchor",
                        std::filesystem::copy_options::overwrite_existing);
  const std::filesystem::path wal = wal_of(options.directory);
  {
    std::fstream file(wal, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(-10, std::ios::end);
    file.put('?');
  }
  for (int start = 0; start < 2; ++start) {
    Collectors fed;
    const auto log = open(options, fed.factory());
    REQUIRE_MESSAGE(log, (log ? "" : log.error().detail));
    CHECK(fed.shards[0].records.size() == 10);
    CHECK(log.value()->report().store_damage.empty() == (start == 1));
  }
}

}  // namespace
}  // namespace usher::wal
