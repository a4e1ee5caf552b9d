#pragma once
/// One loop's writing end of the log. Owned by the loop, for its thread only; never waits but in submit_inline().
///
/// Gathered records of a shard lie in one buffer, encoded as they come. submit() seals each buffer (header, CRC,
/// SHA-256) on the lane's own thread and lends the round to the group commit; meanwhile the other set of buffers fills.
/// Buffers go back to a pool with their capacity: the steady state allocates nothing.

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "usher/log.hpp"
#include "wal/group_commit.hpp"
#include "wal/round.hpp"

namespace usher::wal {

/// Where a shard's log ends.
struct ShardTail {
  Lsn last_lsn = 0;
  ChainHash hash{};       ///< of the blob that ends there
  Instant highest_now{};  ///< of all records so far
};

class Lane final : public LogLane {
 public:
  /// `give_back` is called once per shard by the destructor, with where its log ends then.
  using GiveBack = std::function<void(ShardIndex, const ShardTail&)>;

  Lane(GroupCommit& commit, std::uint64_t epoch, const std::vector<ShardIndex>& shards,
       const std::vector<ShardTail>& tails, std::function<void()> wake, GiveBack give_back);
  /// What was gathered and not submitted is lost; a round in flight is awaited.
  ~Lane() override;

  Lsn append(Record& record) override;
  void append_side(SideWrite write) override;
  [[nodiscard]] std::size_t gathered_bytes() const noexcept override { return gathered_bytes_; }
  [[nodiscard]] bool in_flight() const noexcept override { return in_flight_; }
  void submit() override;
  bool submit_inline() override;
  [[nodiscard]] bool collect() override;
  [[nodiscard]] Lsn durable_lsn(ShardIndex shard) const noexcept override { return at(shard).durable_lsn; }
  [[nodiscard]] Lsn last_lsn(ShardIndex shard) const noexcept override { return at(shard).last_lsn; }

 private:
  /// A shard's end of the log; `count` records lie in `bytes`, the last of them is last_lsn.
  struct ShardEnd {
    ShardIndex shard = 0;
    Lsn last_lsn = 0;
    Lsn durable_lsn = 0;
    ChainHash hash{};  ///< of the last sealed blob
    Instant highest_now{};
    std::uint32_t count = 0;
    Instant base{};
    BlobBuffer bytes;
  };

  [[nodiscard]] const ShardEnd& at(ShardIndex shard) const noexcept;
  [[nodiscard]] ShardEnd& at(ShardIndex shard) noexcept;
  [[nodiscard]] BlobBuffer take_buffer();
  void split(ShardEnd& end, std::size_t record_first);
  void seal(ShardEnd& end);
  void seal_all();

  GroupCommit& commit_;
  LaneSlot* slot_;
  GiveBack give_back_;
  std::uint64_t epoch_;
  std::vector<ShardEnd> ends_;
  std::vector<std::uint16_t> end_by_shard_;  ///< index into ends_
  std::vector<std::uint16_t> gathering_;     ///< ends_ that have records, in order of their first
  Round gathered_;
  std::vector<BlobBuffer> pool_;
  std::size_t gathered_bytes_ = 0;
  bool in_flight_ = false;
};

}  // namespace usher::wal
