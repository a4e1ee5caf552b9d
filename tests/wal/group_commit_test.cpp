#include "wal/group_commit.hpp"

#include <doctest/doctest.h>

#include "tests/wal/support.hpp"
#include "wal/blob.hpp"
#include "wal/codec.hpp"
#include "wal/keys.hpp"

namespace usher::wal {
namespace {

/// A group commit on one thread, over a disk in memory and a clock that the test moves.
struct Fixture {
  SimDisk disk;
  SimStore store{disk};
  std::uint64_t now = 1'000'000'000;
  std::vector<std::string> fatal;
  std::unique_ptr<GroupCommit> commit;

  explicit Fixture(bool every_commit = false) {
    REQUIRE(store.create_segment(1));
    REQUIRE(store.create_segment(2));
    GroupCommitOptions options;
    options.own_thread = false;
    options.anchor_every_commit = every_commit;
    options.fatal = [this](const std::string& why) { fatal.push_back(why); };
    options.monotonic_ns = [this] { return now; };
    AnchorState anchor;
    anchor.shards.resize(2);
    commit = std::make_unique<GroupCommit>(store, Anchor(store, std::move(anchor)), 1, std::move(options));
  }
  void fill(LaneSlot& slot, ShardIndex shard, Lsn lsn) {
    SealedBlob blob;
    blob.shard = shard;
    blob.first_lsn = lsn;
    blob.count = 1;
    blob.bytes.append("blob", 4);
    slot.durable = false;
    slot.round.blobs.clear();
    slot.round.blobs.push_back(std::move(blob));
  }
  void commit_one(LaneSlot& slot, ShardIndex shard, Lsn lsn) {
    fill(slot, shard, lsn);
    REQUIRE(commit->submit_inline(slot));
  }
  [[nodiscard]] Lsn anchored(ShardIndex shard) {
    const auto read = read_anchor(store, 2);
    return read ? read.value().shards[shard].lsn : 0;
  }
};

TEST_CASE("group commit: the anchor: at once after a quiet time, then every 10 ms, never left behind") {
  Fixture fixture;
  LaneSlot& slot = *fixture.commit->add_lane({});
  fixture.commit_one(slot, 0, 1);
  CHECK(fixture.anchored(0) == 1);
  fixture.now += 1'000'000;
  fixture.commit_one(slot, 0, 2);
  fixture.commit_one(slot, 0, 3);
  CHECK(fixture.anchored(0) == 1);
  fixture.now += 8'999'999;
  fixture.commit->do_work();
  CHECK(fixture.anchored(0) == 1);
  fixture.now += 1;
  fixture.commit->do_work();
  CHECK(fixture.anchored(0) == 3);
  const std::uint64_t writes = fixture.commit->counters().anchor_writes;
  fixture.now += 1'000'000'000;
  fixture.commit->do_work();
  CHECK(fixture.commit->counters().anchor_writes == writes);  // nothing new, nothing written
}

TEST_CASE("group commit: the anchor at every commit: synced before the answer") {
  Fixture fixture(true);
  LaneSlot& slot = *fixture.commit->add_lane({});
  for (Lsn lsn = 1; lsn < 5; ++lsn) {
    fixture.commit_one(slot, 1, lsn);
    fixture.disk.power_cut();
    CHECK(fixture.anchored(1) == lsn);
  }
}

TEST_CASE("group commit: sync_anchor: a power cut does not take it back") {
  Fixture fixture;
  LaneSlot& slot = *fixture.commit->add_lane({});
  fixture.commit_one(slot, 0, 1);
  fixture.commit_one(slot, 0, 2);
  fixture.commit->sync_anchor();
  fixture.disk.power_cut();
  CHECK(fixture.anchored(0) == 2);
}

TEST_CASE("group commit: submit_inline while another round waits: queued behind it, both with one sync") {
  Fixture fixture;
  int wakes = 0;
  LaneSlot& first = *fixture.commit->add_lane([&wakes] { ++wakes; });
  LaneSlot& second = *fixture.commit->add_lane([&wakes] { ++wakes; });
  fixture.fill(first, 0, 1);
  fixture.fill(second, 1, 1);
  fixture.commit->submit(first);
  CHECK_FALSE(fixture.commit->submit_inline(second));
  CHECK(fixture.disk.syncs() == 0);
  fixture.commit->do_work();
  CHECK(fixture.disk.syncs() == 1);
  CHECK(first.durable);
  CHECK(second.durable);
  CHECK(wakes == 2);
  CHECK(fixture.commit->counters().syncs_inline == 0);
}

TEST_CASE("group commit: an inline sync wakes nobody") {
  Fixture fixture;
  int wakes = 0;
  LaneSlot& slot = *fixture.commit->add_lane([&wakes] { ++wakes; });
  fixture.commit_one(slot, 0, 1);
  CHECK(wakes == 0);
  CHECK(fixture.commit->counters().syncs_inline == 1);
}

TEST_CASE("group commit: switch_segment: the next round goes there, and the size starts anew") {
  Fixture fixture;
  LaneSlot& slot = *fixture.commit->add_lane({});
  fixture.commit_one(slot, 0, 1);
  CHECK(fixture.commit->segment_bytes() == 4);
  fixture.commit->switch_segment(2);
  CHECK(fixture.commit->segment_bytes() == 0);
  fixture.commit_one(slot, 0, 2);
  CHECK(fixture.commit->segment() == 2);
  CHECK(fixture.store.get({Table::log, 1}, log_key(0, 1).view()).value().has_value());
  CHECK(fixture.store.get({Table::log, 2}, log_key(0, 2).view()).value().has_value());
  CHECK_FALSE(fixture.store.get({Table::log, 1}, log_key(0, 2).view()).value().has_value());
}

TEST_CASE("group commit: every sync that can fail, failed: fatal once, and never more acknowledged than synced") {
  for (std::uint64_t fails_at = 0; fails_at < 6; ++fails_at) {
    Fixture fixture;
    LaneSlot& slot = *fixture.commit->add_lane({});
    fixture.disk.fail_sync_after(fails_at);
    Lsn acknowledged = 0;
    for (Lsn lsn = 1; lsn <= 6 && fixture.fatal.empty(); ++lsn) {
      fixture.fill(slot, 0, lsn);
      if (fixture.commit->submit_inline(slot)) acknowledged = lsn;
    }
    CHECK(acknowledged == fails_at);
    CHECK(fixture.fatal.size() == 1);
    CHECK(fixture.commit->failed());
    CHECK(fixture.anchored(0) <= fails_at);
  }
}

TEST_CASE("group commit: the histogram of syncs: each is in its power of two") {
  Fixture fixture;
  LaneSlot& slot = *fixture.commit->add_lane({});
  fixture.commit_one(slot, 0, 1);  // the clock stands still: 0 ns
  CHECK(fixture.commit->counters().sync_ns_log2[0] == 1);
  CHECK(fixture.commit->counters().records == 1);
  CHECK(fixture.commit->counters().bytes == 4);
}

}  // namespace
}  // namespace usher::wal
