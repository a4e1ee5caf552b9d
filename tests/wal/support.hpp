#pragma once
/// What the tests of wal/ share: records, a target that remembers what it was fed, a directory that goes away.

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "wal/log.hpp"
#include "wal/sim_store.hpp"

namespace usher::wal::test {

class TempDir {
 public:
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "usher-wal-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

inline Event& add_event(Record& record, EventType type) {
  record.events.emplace_back();
  record.events.back().type = type;
  return record.events.back();
}
inline void add_seats(Record& record, Event& event, const std::vector<SeatIndex>& seats) {
  event.seat_first = static_cast<std::uint32_t>(record.seats.size());
  event.seat_count = static_cast<std::uint16_t>(seats.size());
  record.seats.insert(record.seats.end(), seats.begin(), seats.end());
}
inline void add_text(Record& record, Event& event, std::string_view text) {
  event.text_first = static_cast<std::uint32_t>(record.payload.size());
  event.text_size = static_cast<std::uint32_t>(text.size());
  record.payload.insert(record.payload.end(), text.begin(), text.end());
}

/// Three seats reserved, as the sale makes them; `n` tells one from another.
inline void fill_reserve(Record& record, ShardIndex shard, std::uint32_t n) {
  record.clear();
  record.shard = shard;
  record.show = static_cast<ShowNumber>(1000 + n % 500);
  record.now = instant_from_ms(1'795'000'000'000 + n);
  record.actor = static_cast<UserNumber>(70'000 + n);
  Event& event = add_event(record, EventType::reserved);
  event.sequence = n;
  event.user = record.actor;
  event.random = mix64(n);
  event.amount = 4500;
  event.at = record.now + std::chrono::minutes{10};
  const auto first = static_cast<SeatIndex>(n % 400);
  event.seat_count = 3;
  record.seats.push_back(first);
  record.seats.push_back(static_cast<SeatIndex>(first + 1));
  record.seats.push_back(static_cast<SeatIndex>(first + 2));
}
inline Record reserve(ShardIndex shard, std::uint32_t n) {
  Record record;
  fill_reserve(record, shard, n);
  return record;
}

inline bool same(const Event& a, const Event& b) {
  return a.type == b.type && a.code == b.code && a.seat_count == b.seat_count && a.seat_first == b.seat_first &&
         a.sequence == b.sequence && a.attempt == b.attempt && a.mask == b.mask && a.text_size == b.text_size &&
         a.text_first == b.text_first && a.user == b.user && a.random == b.random && a.amount == b.amount &&
         a.at == b.at;
}
/// Everything but shard and LSN.
inline bool same(const Record& a, const Record& b) {
  if (a.show != b.show || a.now != b.now || a.actor != b.actor || !(a.idempotency == b.idempotency)) return false;
  if (a.seats != b.seats || a.payload != b.payload || a.events.size() != b.events.size()) return false;
  for (std::size_t at = 0; at < a.events.size(); ++at) {
    if (!same(a.events[at], b.events[at])) return false;
  }
  return true;
}

/// Remembers what it was fed.
struct Collector final : ReplayTarget {
  std::vector<CheckpointRow> rows;
  std::vector<Record> records;
  Status restore(const CheckpointRow& row) override {
    rows.push_back(row);
    return Done{};
  }
  Status replay(const Record& record) override {
    records.push_back(record);
    return Done{};
  }
};

/// One collector per shard, for recovery.
struct Collectors {
  std::vector<Collector> shards;
  TargetFactory factory() {
    return [this](std::size_t shard_count) {
      shards.assign(shard_count + 1, Collector{});
      std::vector<ReplayTarget*> targets;
      for (Collector& collector : shards) targets.push_back(&collector);
      return targets;
    };
  }
};

/// A log on a SimDisk with everything on the calling thread.
inline LogOptions sim_options(std::size_t shard_count = 2) {
  LogOptions options;
  options.shard_count = shard_count;
  options.own_threads = false;
  options.fatal = [](const std::string& why) { FAIL("fatal: " << why); };
  return options;
}
inline Result<std::unique_ptr<OpenedLog>> open_sim(SimDisk& disk, const LogOptions& options,
                                                   Collectors* fed = nullptr) {
  return open_on(std::make_unique<SimStore>(disk), options, fed != nullptr ? fed->factory() : TargetFactory{});
}
/// Small buffers and no ballast, so that a test directory stays small.
inline LogOptions disk_options(const std::string& directory, std::size_t shard_count = 2) {
  LogOptions options;
  options.directory = directory;
  options.shard_count = shard_count;
  options.write_buffer_bytes = std::size_t{1} << 20U;
  options.ballast_bytes = 0;
  options.high_water_bytes = 1;
  options.low_water_bytes = 0;
  options.fatal = [](const std::string& why) { FAIL("fatal: " << why); };
  return options;
}

/// Makes what is gathered durable. With threads another may hold the baton: then the committer syncs.
inline void commit_gathered(LogLane& lane) {
  const bool durable = lane.submit_inline();
  bool collected = lane.collect();
  REQUIRE((collected || !durable));
  for (; !collected; collected = lane.collect()) std::this_thread::yield();
}
/// Appends `count` reserves to a shard, one round each.
inline void write_rounds(LogLane& lane, ShardIndex shard, std::uint32_t first, std::uint32_t count) {
  for (std::uint32_t n = first; n < first + count; ++n) {
    Record record = reserve(shard, n);
    (void)lane.append(record);
    commit_gathered(lane);
  }
}
inline std::vector<ShardIndex> all_shards(const OpenedLog& log) {
  std::vector<ShardIndex> shards;
  for (std::size_t shard = 0; shard <= log.shard_count(); ++shard) shards.push_back(static_cast<ShardIndex>(shard));
  return shards;
}

}  // namespace usher::wal::test
