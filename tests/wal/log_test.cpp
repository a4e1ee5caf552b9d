#include "wal/log.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "tests/wal/support.hpp"
#include "wal/rocksdb_store.hpp"

namespace usher::wal {
namespace {

using test::Collectors;

void check_reserves(const std::vector<Record>& records, ShardIndex shard, std::uint32_t count) {
  REQUIRE(records.size() == count);
  for (std::uint32_t n = 0; n < count; ++n) {
    CHECK(records[n].lsn == n + 1);
    CHECK(records[n].shard == shard);
    REQUIRE(test::same(records[n], test::reserve(shard, n)));
  }
}

TEST_CASE("log: written, closed and opened again in memory: every record comes back in order, and the log goes on") {
  SimDisk disk;
  for (std::uint32_t start = 0; start < 3; ++start) {
    Collectors fed;
    auto log = test::open_sim(disk, test::sim_options(2), &fed);
    REQUIRE(log);
    CHECK(log.value()->report().created == (start == 0));
    CHECK(log.value()->report().epoch == start + 1);
    CHECK(log.value()->shard_count() == 2);
    check_reserves(fed.shards[0].records, 0, start * 10);
    check_reserves(fed.shards[2].records, 2, start * 4);
    CHECK(fed.shards[1].records.empty());
    auto lane = log.value()->make_lane({0, 1, 2}, {});
    CHECK(lane->last_lsn(0) == start * 10);
    CHECK(lane->durable_lsn(2) == start * 4);
    test::write_rounds(*lane, 0, start * 10, 10);
    test::write_rounds(*lane, 2, start * 4, 4);
    CHECK(lane->durable_lsn(0) == start * 10 + 10);
    lane.reset();
    REQUIRE(log.value()->close());
  }
}

TEST_CASE("log: the number of shards of an existing directory: stays, whatever is asked for") {
  SimDisk disk;
  REQUIRE(test::open_sim(disk, test::sim_options(3)));
  const auto again = test::open_sim(disk, test::sim_options(7));
  REQUIRE(again);
  CHECK(again.value()->shard_count() == 3);
}

TEST_CASE("log: a power cut before the sync: only what was durable comes back") {
  SimDisk disk;
  {
    auto log = test::open_sim(disk, test::sim_options());
    REQUIRE(log);
    auto lane = log.value()->make_lane({0}, {});
    test::write_rounds(*lane, 0, 0, 5);
    Record record = test::reserve(0, 5);
    CHECK(lane->append(record) == 6);
    lane->submit();
    CHECK_FALSE(lane->collect());
    CHECK(lane->durable_lsn(0) == 5);
    CHECK(lane->last_lsn(0) == 6);
    log.value()->crash();
  }
  disk.power_cut();
  Collectors fed;
  REQUIRE(test::open_sim(disk, test::sim_options(), &fed));
  check_reserves(fed.shards[0].records, 0, 5);
}

TEST_CASE("log: do_work() of a log without threads: commits what all lanes submitted with one sync") {
  SimDisk disk;
  auto log = test::open_sim(disk, test::sim_options(3));
  REQUIRE(log);
  int wakes = 0;
  auto first = log.value()->make_lane({0, 1}, [&wakes] { ++wakes; });
  auto second = log.value()->make_lane({2}, [&wakes] { ++wakes; });
  for (std::uint32_t n = 0; n < 3; ++n) {
    Record a = test::reserve(0, n);
    Record b = test::reserve(1, n);
    Record c = test::reserve(2, n);
    (void)first->append(a);
    (void)first->append(b);
    (void)second->append(c);
  }
  const std::uint64_t syncs = disk.syncs();
  first->submit();
  second->submit();
  CHECK(first->in_flight());
  CHECK_FALSE(first->collect());
  log.value()->do_work();
  CHECK(disk.syncs() == syncs + 1);
  CHECK(wakes == 2);
  CHECK(first->collect());
  CHECK_FALSE(first->collect());
  CHECK(second->collect());
  CHECK(first->durable_lsn(1) == 3);
  const CommitCounters& counters = log.value()->counters();
  CHECK(counters.rounds == 2);
  CHECK(counters.syncs == 1);
  CHECK(counters.blobs == 3);
  CHECK(counters.records == 9);
}

TEST_CASE("log: side writes: durable with their round, erased by an empty value") {
  SimDisk disk;
  auto log = test::open_sim(disk, test::sim_options());
  REQUIRE(log);
  auto lane = log.value()->make_lane({0}, {});
  SimStore look(disk);
  lane->append_side({"user/1", "ada"});
  CHECK(lane->gathered_bytes() == 9);
  REQUIRE(lane->submit_inline());
  REQUIRE(lane->collect());
  CHECK(look.get({Table::people, 0}, "user/1").value() == "ada");
  std::string people;
  REQUIRE(log.value()->for_each_person([&people](std::string_view key, std::string_view value) -> Status {
    people += std::string(key) + "=" + std::string(value) + ";";
    return Done{};
  }));
  CHECK(people == "user/1=ada;");
  lane->append_side({"user/1", ""});
  REQUIRE(lane->submit_inline());
  REQUIRE(lane->collect());
  CHECK_FALSE(look.get({Table::people, 0}, "user/1").value().has_value());
}

TEST_CASE("log: a failed sync: fatal is called once, nothing of the round or after it is acknowledged") {
  for (const bool inline_sync : {true, false}) {
    SimDisk disk;
    std::vector<std::string> fatal;
    LogOptions options = test::sim_options();
    options.fatal = [&fatal](const std::string& why) { fatal.push_back(why); };
    auto log = test::open_sim(disk, options);
    REQUIRE(log);
    auto lane = log.value()->make_lane({0}, {});
    auto other = log.value()->make_lane({1}, {});
    test::write_rounds(*lane, 0, 0, 3);
    disk.fail_sync_after(0);
    Record record = test::reserve(0, 3);
    (void)lane->append(record);
    if (inline_sync) {
      CHECK_FALSE(lane->submit_inline());
    } else {
      lane->submit();
      log.value()->do_work();
    }
    REQUIRE(fatal.size() == 1);
    CHECK(fatal[0].find("not known") != std::string::npos);
    disk.heal();
    Record after = test::reserve(1, 0);
    (void)other->append(after);
    other->submit();
    log.value()->do_work();
    CHECK_FALSE(lane->collect());
    CHECK_FALSE(other->collect());
    CHECK(lane->durable_lsn(0) == 3);
    CHECK(fatal.size() == 1);
    CHECK_FALSE(log.value()->close());
  }
}

TEST_CASE("log: more than a blob may hold in one round: split into blobs, and all of it comes back") {
  SimDisk disk;
  const std::string text(limits::record_bytes_max - 100, 'x');
  {
    auto log = test::open_sim(disk, test::sim_options());
    REQUIRE(log);
    auto lane = log.value()->make_lane({0}, {});
    for (int n = 0; n < 5; ++n) {
      Record record;
      test::add_text(record, test::add_event(record, EventType::layout_defined), text);
      (void)lane->append(record);
    }
    REQUIRE(lane->submit_inline());
    REQUIRE(lane->collect());
    CHECK(lane->durable_lsn(0) == 5);
    CHECK(log.value()->counters().blobs == 3);  // two, two and one: 8 MiB is the most
  }
  Collectors fed;
  REQUIRE(test::open_sim(disk, test::sim_options(), &fed));
  REQUIRE(fed.shards[0].records.size() == 5);
  CHECK(fed.shards[0].records[4].payload.size() == text.size());
}

TEST_CASE("log: a lane given up and made again: goes on where the shard ended") {
  SimDisk disk;
  auto log = test::open_sim(disk, test::sim_options());
  REQUIRE(log);
  for (std::uint32_t n = 0; n < 3; ++n) {
    auto lane = log.value()->make_lane({0}, {});
    CHECK(lane->last_lsn(0) == n * 4);
    test::write_rounds(*lane, 0, n * 4, 4);
    Record lost = test::reserve(0, 1'000);
    (void)lane->append(lost);  // never submitted: the next lane does not count it
  }
  Collectors fed;
  REQUIRE(test::open_sim(disk, test::sim_options(), &fed));
  check_reserves(fed.shards[0].records, 0, 12);
}

TEST_CASE("log: on RocksDB, closed or killed: every durable record comes back; a second opener is told") {
  const test::TempDir directory;
  for (std::uint32_t start = 0; start < 4; ++start) {
    Collectors fed;
    auto log = open(test::disk_options(directory.path()), fed.factory());
    REQUIRE_MESSAGE(log, (log ? "" : log.error().detail));
    check_reserves(fed.shards[1].records, 1, start * 20);
    const auto second = open(test::disk_options(directory.path()), {});
    REQUIRE_FALSE(second);
    CHECK(second.error().code == ErrorCode::busy);
    auto lane = log.value()->make_lane({1}, {});
    test::write_rounds(*lane, 1, start * 20, 20);
    lane.reset();
    if (start % 2 == 0) REQUIRE(log.value()->close());
  }
}

/// A loop as the server has it: appends while a round is in flight, waits for its wake-up.
struct Loop {
  std::mutex mutex;
  std::condition_variable woken;
  bool wake = false;

  void run(Log& log, ShardIndex shard, std::uint32_t count) {
    auto lane = log.make_lane({shard}, [this] {
      const std::lock_guard lock(mutex);
      wake = true;
      woken.notify_one();
    });
    Record record;
    std::uint32_t appended = 0;
    while (lane->durable_lsn(shard) < count) {
      for (int burst = 0; burst < 7 && appended < count; ++burst, ++appended) {
        test::fill_reserve(record, shard, appended);
        (void)lane->append(record);
      }
      if (!lane->in_flight()) {
        if (appended % 3 == 0) {
          (void)lane->submit_inline();
        } else {
          lane->submit();
        }
      }
      if (lane->collect()) continue;
      std::unique_lock lock(mutex);
      woken.wait(lock, [this] { return wake; });
      wake = false;
      lock.unlock();
      (void)lane->collect();
      // What gathered meanwhile goes with the next round.
      if (!lane->in_flight() && lane->gathered_bytes() == 0 && appended == count) break;
    }
  }
};

void run_loops(OpenedLog& log, std::uint32_t count) {
  std::vector<std::thread> threads;
  std::vector<Loop> loops(4);
  for (std::size_t at = 0; at < loops.size(); ++at) {
    threads.emplace_back([&, at] { loops[at].run(log, static_cast<ShardIndex>(at), count); });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_CASE("log: four loops at once, with inline and committer syncs, on memory: all there, dense, in order") {
  SimDisk disk;
  LogOptions options = test::sim_options(3);
  options.own_threads = true;
  {
    auto log = test::open_sim(disk, options);
    REQUIRE(log);
    run_loops(*log.value(), 2'000);
    CHECK(log.value()->counters().records == 8'000);
    CHECK(log.value()->counters().syncs <= log.value()->counters().rounds);
    REQUIRE(log.value()->close());
  }
  Collectors fed;
  REQUIRE(test::open_sim(disk, options, &fed));
  for (std::size_t shard = 0; shard < 4; ++shard) {
    check_reserves(fed.shards[shard].records, static_cast<ShardIndex>(shard), 2'000);
  }
}

TEST_CASE("log: four loops at once on RocksDB, with the anchor at every commit or not: all there") {
  for (const bool every_commit : {false, true}) {
    const test::TempDir directory;
    LogOptions options = test::disk_options(directory.path(), 3);
    options.anchor_every_commit = every_commit;
    {
      auto log = open(options, {});
      REQUIRE(log);
      run_loops(*log.value(), 300);
    }  // killed
    Collectors fed;
    auto log = open(options, fed.factory());
    REQUIRE(log);
    CHECK(log.value()->report().records == 1'200);
    for (std::size_t shard = 0; shard < 4; ++shard) {
      check_reserves(fed.shards[shard].records, static_cast<ShardIndex>(shard), 300);
    }
  }
}

}  // namespace
}  // namespace usher::wal
