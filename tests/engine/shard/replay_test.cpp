/// State is a pure function of the log (DESIGN 4.5): random histories, replayed whole, from checkpoints, and damaged.

#include <doctest/doctest.h>

#include <cstring>
#include <map>
#include <random>

#include "tests/support/workload.hpp"

using namespace usher;
using namespace usher::engine;
using namespace usher::testing;

namespace {

using Rows = std::map<std::pair<std::uint8_t, std::uint64_t>, CheckpointRow>;

std::vector<CheckpointRow> in_order(const Rows& rows) {
  std::vector<CheckpointRow> list;
  for (const auto& [key, row] : rows) list.push_back(row);
  return list;
}

std::vector<Record> after(const std::vector<Record>& records, Lsn lsn) {
  return {records.begin() + static_cast<std::ptrdiff_t>(lsn), records.end()};
}

/// A slice of a checkpoint pass, as the checkpointer takes them while the sale goes on.
void checkpoint_some(Workload& work, Rows& rows, Lsn& covering, Lsn& covered) {
  Shard& shard = work.world.shard;
  if (covering == 0) {
    if (!shard.dirty()) return;
    covering = shard.begin_checkpoint();
  }
  std::vector<CheckpointRow> slice;
  const bool more = shard.collect_rows(1, slice);
  work.world.commit();  // rows wait until they are durable
  for (CheckpointRow& row : slice) rows[{row.kind, row.key}] = row;
  if (more) return;
  covered = covering;
  covering = 0;
}

}  // namespace

TEST_CASE(
    "replay: random histories: invariants at each step, equal digests from the log, from checkpoints, born late") {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    CAPTURE(seed);
    Workload work(seed);
    Rows rows;
    Lsn covering = 0;
    Lsn covered = 0;
    for (int step = 0; step < 2'500; ++step) {
      CAPTURE(step);
      REQUIRE(work.step() == "");
      if (work.random_() % 40 == 0) checkpoint_some(work, rows, covering, covered);
    }
    work.world.commit();
    const std::vector<Record>& records = work.world.log.records(0);
    CHECK(work.done > 300);
    CHECK(work.refused > 300);
    CHECK(covered > 0);
    CHECK(replay_differs(work.world.state(), work.now, records) == "");
    CHECK(replay_differs(work.world.state(), work.now, records, {}, work.now) == "");
    CHECK(replay_differs(work.world.state(), work.now, records, in_order(rows)) == "");
    CHECK(replay_differs(work.world.state(), work.now, after(records, covered), in_order(rows)) == "");
    CHECK(replay_differs(work.world.state(), work.now, after(records, covered), in_order(rows), work.now) == "");
  }
}

TEST_CASE("replay: a restart in the middle: what goes on from it is what would have gone on") {
  Workload work(77);
  for (int step = 0; step < 1'500; ++step) REQUIRE(work.step() == "");
  work.world.commit();
  SharedTables shared;
  Shard copy(0, shared, work.now);
  for (const Record& record : work.world.log.records(0)) REQUIRE(copy.replay(record).ok());
  copy.finish_recovery();
  MemoryLog log(1);
  const std::unique_ptr<LogLane> lane = log.make_lane({0}, {});
  copy.attach(*lane);
  const Instant later = work.now + std::chrono::hours{200};
  while (!copy.advance(later, 512)) {
  }
  work.world.advance(later);
  CHECK(check_invariants(copy.state()).empty());
  CHECK(digests_of(copy.state(), later) == digests_of(work.world.state(), later));
}

TEST_CASE("checkpoint: encode and restore: equal bytes again; damaged bytes are refused or make a whole state") {
  Workload work(5);
  for (int step = 0; step < 2'000; ++step) REQUIRE(work.step() == "");
  work.world.commit();
  Rows rows;
  std::vector<CheckpointRow> slice;
  (void)work.world.shard.begin_checkpoint();
  while (work.world.shard.collect_rows(1'000'000, slice)) {
  }
  for (CheckpointRow& row : slice) rows[{row.kind, row.key}] = row;
  CHECK(replay_differs(work.world.state(), work.world.state().last_now, {}, in_order(rows)) == "");
  std::mt19937_64 random(1);
  int refused = 0;
  for (int round = 0; round < 3'000; ++round) {
    SharedTables shared;
    Shard shard(0, shared, work.now);
    for (CheckpointRow row : in_order(rows)) {
      if (row.kind == static_cast<std::uint8_t>(CheckpointKind::show)) {
        for (std::uint64_t flips = 1 + random() % 3; flips > 0; --flips) {
          row.state[random() % row.state.size()] ^= static_cast<std::uint8_t>(1U << (random() % 8));
        }
        if (random() % 8 == 0) row.state.resize(random() % row.state.size());
      }
      if (!shard.restore(row).ok()) {
        ++refused;
        break;
      }
    }
  }
  CHECK(refused > 1'000);
}

namespace {

/// Overwrites some of an event, of the seats or of the header with anything.
void damage(Record& record, std::mt19937_64& random) {
  const auto flip = [&](void* at, std::size_t size) {
    auto* bytes = static_cast<unsigned char*>(at);
    bytes[random() % size] ^= static_cast<unsigned char>(random() % 4 == 0 ? random() : 1U << (random() % 8));
  };
  switch (random() % 8) {
    case 0:
      flip(&record.now, sizeof record.now);
      break;
    case 1:
      if (!record.seats.empty()) flip(record.seats.data(), record.seats.size() * sizeof(SeatIndex));
      break;
    case 2:
      record.show = static_cast<ShowNumber>(random() % 2 == 0 ? random() % 8 : random());
      break;
    case 3:
      if (!record.payload.empty()) flip(record.payload.data(), record.payload.size());
      break;
    case 4:
      record.payload.resize(record.payload.size() / 2);
      break;
    case 5:
      record.events[random() % record.events.size()].type = static_cast<EventType>(random() % 45);
      break;
    case 6:
      if (random() % 8 == 0) record.events.clear();
      break;
    default: {
      Event& event = record.events[random() % record.events.size()];
      flip(&event, sizeof event);
      break;
    }
  }
}

}  // namespace

TEST_CASE("apply: damaged and foreign records: refused or applied, never a crash, also when time goes on") {
  Workload work(9);
  for (int step = 0; step < 1'000; ++step) REQUIRE(work.step() == "");
  work.world.commit();
  const std::vector<Record>& good = work.world.log.records(0);
  std::mt19937_64 random(3);
  int refused = 0;
  for (int round = 0; round < 400; ++round) {
    SharedTables shared;
    Shard shard(0, shared, {});
    bool ok = true;
    for (std::size_t at = 0; at < good.size() && ok; ++at) {
      Record record = good[at];
      if (at >= 4 && random() % 40 == 0) damage(record, random);
      // a record that does not fit is skipped, so that the state goes further astray
      if (!shard.replay(record).ok()) ++refused;
    }
    shard.finish_recovery();
    MemoryLog log(1);
    const std::unique_ptr<LogLane> lane = log.make_lane({0}, {});
    shard.attach(*lane);
    const Instant later = work.now + std::chrono::hours{24 * 400};
    for (int turns = 0; turns < 10'000 && !shard.advance(later, 512); ++turns) {
    }
    for (const auto& [show, digest] : digests_of(shard.state(), later)) CHECK(show != 0);
  }
  CHECK(refused > 400);
}
