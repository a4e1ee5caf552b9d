#include "wal/log_lane.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <new>

#include "tests/wal/support.hpp"

namespace {

/// Counted per thread: only what the lane's own thread allocates is of interest.
thread_local std::size_t allocations = 0;

void* counted(std::size_t size) {
  ++allocations;
  if (void* const bytes = std::malloc(size)) return bytes;
  std::abort();
}

}  // namespace

// Replaces the global operators of this test program ([new.delete]).
void* operator new(std::size_t size) {
  return counted(size);
}
void* operator new[](std::size_t size) {
  return counted(size);
}
void operator delete(void* bytes) noexcept {
  std::free(bytes);
}
void operator delete[](void* bytes) noexcept {
  std::free(bytes);
}
void operator delete(void* bytes, std::size_t) noexcept {
  std::free(bytes);
}
void operator delete[](void* bytes, std::size_t) noexcept {
  std::free(bytes);
}

namespace usher::wal {
namespace {

/// Takes everything and keeps nothing: what is left is what the log itself allocates.
class NullStore final : public Store {
 public:
  class Batch final : public StoreBatch {
   public:
    void clear() override { bytes_ = 0; }
    void put(Place, std::string_view key, std::string_view value) override { bytes_ += key.size() + value.size(); }
    void erase(Place, std::string_view) override {}
    [[nodiscard]] std::size_t size_bytes() const override { return bytes_; }

   private:
    std::size_t bytes_ = 0;
  };
  std::unique_ptr<StoreBatch> make_batch() override { return std::make_unique<Batch>(); }
  Status write(StoreBatch& batch, bool) override {
    written += batch.size_bytes();
    return Done{};
  }
  Result<std::unique_ptr<StoreCursor>> cursor(Place) override { return make_error(ErrorCode::not_found, ""); }
  Result<std::optional<std::string>> get(Place, std::string_view) override { return std::optional<std::string>{}; }
  [[nodiscard]] std::vector<SegmentNumber> segments() const override { return {1}; }
  Status create_segment(SegmentNumber) override { return Done{}; }
  Status drop_segment(SegmentNumber) override { return Done{}; }
  Status flush_segment(SegmentNumber) override { return Done{}; }
  [[nodiscard]] std::uint64_t segment_bytes(SegmentNumber) const override { return 0; }
  Status write_anchor_slot(unsigned, std::string_view) override { return Done{}; }
  Status sync_anchor() override { return Done{}; }
  Result<std::string> read_anchor_slot(unsigned, std::size_t) override { return std::string{}; }
  Status close() override { return Done{}; }

  std::size_t written = 0;
};

GroupCommitOptions on_one_thread() {
  GroupCommitOptions options;
  options.own_thread = false;
  options.fatal = [](const std::string& why) { FAIL("fatal: " << why); };
  options.monotonic_ns = [now = std::uint64_t{0}]() mutable { return now += 1'000'000; };
  return options;
}
AnchorState anchor_of(std::size_t shards) {
  AnchorState state;
  state.shards.resize(shards);
  return state;
}

TEST_CASE("log lane: append, submit, commit, collect in the steady state: not one allocation") {
  NullStore store;
  GroupCommit commit(store, Anchor(store, anchor_of(65)), 1, on_one_thread());
  std::vector<ShardIndex> shards;
  for (ShardIndex shard = 0; shard < 65; ++shard) shards.push_back(shard);
  Lane lane(commit, 1, shards, std::vector<ShardTail>(65), {}, [](ShardIndex, const ShardTail&) {});
  Record record;
  std::uint32_t n = 0;
  const auto round = [&] {
    for (int at = 0; at < 500; ++at, ++n) {
      test::fill_reserve(record, static_cast<ShardIndex>(n % 65), n);
      (void)lane.append(record);
    }
    if (n % 1'000 == 0) {
      (void)lane.submit_inline();
    } else {
      lane.submit();
      commit.do_work();
    }
    return lane.collect();
  };
  for (int warm = 0; warm < 20; ++warm) REQUIRE(round());
  const std::size_t before = allocations;
  bool collected = true;
  for (int steady = 0; steady < 200; ++steady) collected = round() && collected;
  CHECK(allocations == before);
  CHECK(collected);
  CHECK(commit.counters().records == 110'000);
  CHECK(store.written > 110'000 * 30);
}

TEST_CASE("log lane: records gather while a round is in flight: the next round takes them") {
  NullStore store;
  GroupCommit commit(store, Anchor(store, anchor_of(2)), 1, on_one_thread());
  Lane lane(commit, 1, {1}, std::vector<ShardTail>(2), {}, [](ShardIndex, const ShardTail&) {});
  Record record = test::reserve(1, 0);
  CHECK(lane.append(record) == 1);
  CHECK(record.lsn == 1);
  CHECK(lane.gathered_bytes() > 0);
  lane.submit();
  CHECK(lane.gathered_bytes() == 0);
  CHECK(lane.append(record) == 2);
  CHECK(lane.append(record) == 3);
  commit.do_work();
  CHECK(lane.collect());
  CHECK(lane.durable_lsn(1) == 1);
  CHECK(lane.last_lsn(1) == 3);
  CHECK(lane.submit_inline());
  CHECK(lane.collect());
  CHECK(lane.durable_lsn(1) == 3);
}

TEST_CASE("log lane: given up: gives back where each shard ends, without what was never submitted") {
  NullStore store;
  GroupCommit commit(store, Anchor(store, anchor_of(2)), 1, on_one_thread());
  std::vector<ShardTail> tails(2);
  {
    Lane lane(commit, 1, {0}, tails, {}, [&tails](ShardIndex shard, const ShardTail& tail) { tails[shard] = tail; });
    Record record = test::reserve(0, 0);
    (void)lane.append(record);
    REQUIRE(lane.submit_inline());
    REQUIRE(lane.collect());
    (void)lane.append(record);
  }
  CHECK(tails[0].last_lsn == 1);
  CHECK(tails[0].hash != ChainHash{});
  CHECK(tails[0].highest_now == test::reserve(0, 0).now);
}

}  // namespace
}  // namespace usher::wal
