#pragma once
/// One shard with a log in memory, for tests that need no loop.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/admission/room_checkpoint.hpp"
#include "engine/shard/invariants.hpp"
#include "engine/shard/shard.hpp"
#include "tests/support/memory_log.hpp"

namespace usher::testing {

inline engine::ShowTerms usual_terms(const engine::Layout& layout) {
  engine::ShowTerms terms;
  terms.layout_hash = layout.hash();
  terms.price_standard = 1'000;
  terms.price_premium = 1'501;
  terms.start = instant_from_ms(100'000'000);
  terms.end = instant_from_ms(110'000'000);
  return terms;
}

class TestShard {
 public:
  explicit TestShard(Instant now = {}, MemoryLog::Sync sync = MemoryLog::Sync::automatic)
      : log(1, sync), lane(log.make_lane({0}, {})), shard(0, shared, now) {
    shard.attach(*lane);
  }

  const engine::Layout& intern(const engine::LayoutSpec& spec) {
    auto layout = engine::Layout::make(spec);
    USHER_ASSERT(layout.ok());
    auto entry = shared.layouts.intern(std::move(layout).value());
    USHER_ASSERT(entry.ok());
    return *entry.value().layout;
  }
  /// Opens a show; `terms.layout_hash` is filled in.
  bool open(ShowNumber number, const engine::LayoutSpec& spec, engine::ShowTerms terms, Instant now) {
    const engine::Layout& layout = intern(spec);
    terms.layout_hash = layout.hash();
    shard.define_layout(layout, now);
    const bool opened = shard.open_show(number, terms, now);
    commit();
    return opened;
  }
  Reply execute(const Command& command, Instant now) {
    Reply reply;
    reply.type = command.type;
    shard.execute(command, now, reply);
    return reply;
  }
  /// Fires what is due, to the end.
  void advance(Instant now) {
    while (!shard.advance(now, 512)) commit();
    commit();
  }
  /// One whole round.
  void commit() {
    if (lane->gathered_bytes() == 0) return;
    shard.seal();
    lane->submit();
    if (lane->collect()) shard.durable([](ShowNumber) {});
  }
  [[nodiscard]] const engine::ShardState& state() const noexcept { return shard.state(); }

  engine::SharedTables shared;
  MemoryLog log;
  std::unique_ptr<LogLane> lane;
  engine::Shard shard;
};

inline std::map<std::uint32_t, std::uint64_t> digests_of(const engine::ShardState& state, Instant as_of) {
  std::map<std::uint32_t, std::uint64_t> digests;
  state.shows.for_each([&](const engine::Show& show) {
    digests[to_value(show.number)] = engine::digest_of(state, state.find_show(show.number), as_of);
  });
  return digests;
}

/// Replays the records into a fresh shard. Returns: what is wrong with it, "" when it equals `live` as of `as_of`,
/// which must not lie before anything that the wheel of `live` has fired.
inline std::string replay_differs(const engine::ShardState& live, Instant as_of, const std::vector<Record>& records,
                                  const std::vector<CheckpointRow>& rows = {}, Instant born = {}) {
  engine::SharedTables shared;
  engine::Shard copy(live.index, shared, born);
  for (const CheckpointRow& row : rows) {
    if (const Status status = copy.restore(row); !status) return "restore: " + status.error().detail;
  }
  for (const Record& record : records) {
    if (const Status status = copy.replay(record); !status) return "replay: " + status.error().detail;
  }
  copy.finish_recovery();
  if (const auto broken = engine::check_invariants(copy.state()); !broken.empty()) return "replayed: " + broken[0];
  if (live.rooms.size() != copy.state().rooms.size()) return "replay knows another number of rooms";
  for (const auto& [number, room] : live.rooms) {
    const engine::Room* replayed = copy.room(number);
    if (replayed == nullptr || engine::digest_of(*replayed) != engine::digest_of(*room)) {
      return "room " + std::to_string(number) + " has another digest after replay";
    }
  }
  const auto expected = digests_of(live, as_of);
  const auto found = digests_of(copy.state(), as_of);
  if (expected.size() != found.size()) return "replay knows another number of shows";
  for (const auto& [show, digest] : expected) {
    if (found.at(show) != digest) return "show " + std::to_string(show) + " has another digest after replay";
  }
  return "";
}

}  // namespace usher::testing
