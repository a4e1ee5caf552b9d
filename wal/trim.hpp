#pragma once
/// Segments: when the next one begins, and when an old one may go. Owned by the keeper, for its thread only.
///
/// Rotation: create the next segment, switch the group commit to it, then flush and verify the old one; the sale goes
/// on meanwhile. Trim (where `wal.retain` is off): a segment in which every record is covered by checkpoints is
/// dropped whole, after the place where the chain goes on was written down ("base" rows).

#include <cstdint>
#include <vector>

#include "wal/group_commit.hpp"
#include "wal/log_lane.hpp"
#include "wal/store.hpp"

namespace usher::wal {

struct SegmentOptions {
  bool retain = true;
  std::uint64_t segment_bytes = std::uint64_t{1} << 30U;
  std::uint64_t segment_age_ns = 3'600'000'000'000;
};

class Segments {
 public:
  /// `covered` holds for every shard up to where checkpoints reach.
  Segments(Store& store, GroupCommit& commit, SegmentOptions options, std::vector<Lsn> covered,
           std::uint64_t bytes_already, std::uint64_t now_ns);

  void set_covered(ShardIndex shard, Lsn lsn) noexcept;
  [[nodiscard]] Lsn covered(ShardIndex shard) const noexcept { return covered_[shard]; }

  /// Rotates when the segment is large or old enough. Returns: true when it did.
  [[nodiscard]] Result<bool> rotate_if_due(std::uint64_t now_ns);
  [[nodiscard]] Status rotate(std::uint64_t now_ns);
  /// Drops what is covered, oldest first. Does nothing with `retain`. Returns: how many segments went.
  [[nodiscard]] Result<std::size_t> trim();

 private:
  /// Where each shard's records end in the segment; last_lsn 0 for a shard that has none there.
  [[nodiscard]] Result<std::vector<ShardTail>> tails_of(SegmentNumber segment);
  [[nodiscard]] Status write_bases(const std::vector<ShardTail>& tails);

  Store& store_;
  GroupCommit& commit_;
  SegmentOptions options_;
  std::vector<Lsn> covered_;
  std::uint64_t bytes_already_;  ///< of the segment, from before this start
  std::uint64_t begun_ns_;
};

/// Reads every row of a segment back: checksums, keys, sizes. Returns: ErrorCode::corrupt with the place.
[[nodiscard]] Status verify_segment(Store& store, SegmentNumber segment);

}  // namespace usher::wal
