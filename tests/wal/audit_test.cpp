#include "wal/audit.hpp"

#include <doctest/doctest.h>

#include "tests/wal/support.hpp"
#include "wal/blob.hpp"
#include "wal/checkpoint_row.hpp"
#include "wal/keys.hpp"

namespace usher::wal {
namespace {

void make_log(SimDisk& disk) {
  LogOptions options = test::sim_options();
  options.segment_bytes = 1'000;
  auto log = test::open_sim(disk, options);
  REQUIRE(log);
  auto lane = log.value()->make_lane({0, 1}, {});
  for (std::uint32_t n = 0; n < 30; ++n) {
    test::write_rounds(*lane, 0, n, 1);
    if (n % 10 == 0) test::write_rounds(*lane, 1, n / 10, 1);
    log.value()->do_work();
  }
  REQUIRE(log.value()->try_checkpoint({{0, 1, 7, 20, {1, 2, 3}}, {1, 2, 8, 3, {4}}}));
  log.value()->checkpoint_complete(0, 20);
  log.value()->do_work();
  lane.reset();
  REQUIRE(log.value()->close());
}

AuditReport run(SimDisk& disk, const AuditVisitor& visitor = {}) {
  SimStore store(disk);
  auto report = audit(store, visitor);
  REQUIRE(report);
  return std::move(report).value();
}

/// The findings that are errors, one per line.
std::string errors(const AuditReport& report) {
  std::string text;
  for (const Finding& finding : report.findings) {
    if (finding.severity == Severity::error) text += describe(finding) + "\n";
  }
  return text;
}
void check_found(SimDisk& disk, const std::vector<std::string>& words) {
  const AuditReport report = run(disk);
  CHECK_FALSE(report.clean());
  for (const std::string& word : words) {
    CHECK_MESSAGE(errors(report).find(word) != std::string::npos, errors(report) << "says nothing of " << word);
  }
}
SegmentNumber segment_with(SimDisk& disk, ShardIndex shard, Lsn lsn) {
  SimStore store(disk);
  for (const SegmentNumber segment : store.segments()) {
    if (store.get({Table::log, segment}, log_key(shard, lsn).view()).value()) return segment;
  }
  FAIL("there is no such blob");
  return 0;
}
void edit_blob(SimDisk& disk, ShardIndex shard, Lsn lsn,
               const std::function<void(SimDisk::Rows&, const std::string&)>& change) {
  disk.edit({Table::log, segment_with(disk, shard, lsn)},
            [&](SimDisk::Rows& rows) { change(rows, std::string(log_key(shard, lsn).view())); });
}

TEST_CASE("audit: a whole log: clean, and the visitor sees every record in order and every checkpoint") {
  SimDisk disk;
  make_log(disk);
  std::vector<std::pair<ShardIndex, Lsn>> seen;
  std::size_t rows = 0;
  const AuditReport report = run(disk, {[&seen](const Record& record) { seen.emplace_back(record.shard, record.lsn); },
                                        [&rows](const CheckpointRow&) { ++rows; }});
  CHECK(report.clean());
  CHECK(report.findings.empty());
  CHECK(report.records == 33);
  CHECK(report.segments >= 3);
  CHECK(report.checkpoint_rows == 2);
  CHECK(rows == 2);
  REQUIRE(seen.size() == 33);
  CHECK(std::is_sorted(seen.begin(), seen.end()));
}

TEST_CASE("audit: a flipped bit: found with shard, LSN and segment; what lies behind is still read") {
  SimDisk disk;
  make_log(disk);
  edit_blob(disk, 0, 12, [](SimDisk::Rows& rows, const std::string& key) { rows[key][40] ^= 1; });
  check_found(disk, {"shard 0, LSN 12", "log." + std::to_string(segment_with(disk, 0, 12)), "checksum"});
  CHECK(run(disk).records == 32);
}

TEST_CASE("audit: a blob missing, below what checkpoints cover too: found") {
  SimDisk disk;
  make_log(disk);
  edit_blob(disk, 0, 3, [](SimDisk::Rows& rows, const std::string& key) { rows.erase(key); });
  check_found(disk, {"shard 0, LSN 3", "records 3 to 3 are missing"});
}

TEST_CASE("audit: the last blob missing: the anchor tells") {
  SimDisk disk;
  make_log(disk);
  edit_blob(disk, 1, 3, [](SimDisk::Rows& rows, const std::string& key) { rows.erase(key); });
  check_found(disk, {"shard 1, LSN 3", "anchor proves"});
}

TEST_CASE("audit: a blob edited with a good checksum: the chain tells at the next") {
  SimDisk disk;
  make_log(disk);
  edit_blob(disk, 0, 5, [](SimDisk::Rows& rows, const std::string& key) {
    std::string& bytes = rows[key];
    BlobHeader header;
    REQUIRE(read_blob_header(bytes, header) == BlobFault::none);
    header.base += Duration{1};
    BlobBuffer blob;
    blob.append(bytes.data(), bytes.size());
    seal_blob(header, blob);
    bytes = blob.view();
  });
  check_found(disk, {"shard 0, LSN 6", "chain is broken"});
}

TEST_CASE("audit: a segment missing: found as such and by the chain") {
  SimDisk disk;
  make_log(disk);
  SimStore store(disk);
  REQUIRE(store.drop_segment(2));
  check_found(disk, {"segment log.2: the segment is missing", "are missing"});
}

TEST_CASE("audit: keys of a shard that does not exist, or of no form: found") {
  SimDisk disk;
  make_log(disk);
  disk.edit({Table::log, 1}, [](SimDisk::Rows& rows) {
    rows["odd"] = "x";
    rows[std::string(log_key(50, 1).view())] = "x";
  });
  check_found(disk, {"there is no such shard", "a key has 3 bytes"});
}

TEST_CASE("audit: damaged checkpoint, checkpoint above the log, checkpoint of no shard: each found") {
  SimDisk disk;
  make_log(disk);
  disk.edit({Table::checkpoints, 0}, [](SimDisk::Rows& rows) {
    rows[std::string(checkpoint_key({1, 0, 7}).view())].back() ^= 1;
    const auto put = [&rows](const CheckpointRow& row) {
      const auto key = checkpoint_key({row.kind, row.shard, row.key});
      encode_checkpoint(key.view(), row, rows[std::string(key.view())]);
    };
    put({1, 5, 99, 4, {1}});
    put({77, 6, 1, 1, {1}});
  });
  check_found(disk, {"kind 1, key 7: the row is damaged", "kind 5, key 99: it is of a record",
                     "kind 6, key 1: there is no such shard"});
}

TEST_CASE("audit: anchor gone: found; one slot torn, or the log ahead of it: only a note") {
  SimDisk disk;
  make_log(disk);
  SUBCASE("gone") {
    disk.edit_anchor([](std::string(&slots)[2]) { slots[0] = slots[1] = ""; });
    check_found(disk, {"anchor"});
  }
  SUBCASE("torn") {
    disk.edit_anchor([](std::string(&slots)[2]) { slots[1].resize(50); });
    const AuditReport report = run(disk);
    CHECK(report.clean());
    CHECK_FALSE(report.findings.empty());
  }
}

TEST_CASE("audit: of a stopped directory: clean; there is none: not found") {
  const test::TempDir directory;
  {
    auto log = open(test::disk_options(directory.path()), {});
    REQUIRE(log);
    auto lane = log.value()->make_lane({0}, {});
    test::write_rounds(*lane, 0, 0, 10);
  }
  const auto report = audit_directory(directory.path(), {});
  REQUIRE(report);
  CHECK(report.value().clean());
  CHECK(report.value().records == 10);
  const auto none = audit_directory(directory.path() + "/nothing", {});
  REQUIRE_FALSE(none);
  CHECK(none.error().code == ErrorCode::not_found);
}

}  // namespace
}  // namespace usher::wal
