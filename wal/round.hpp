#pragma once
/// What a lane hands to the group commit: sealed blobs and side writes. Belongs to the lane, is lent while in flight.

#include <atomic>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "usher/log.hpp"
#include "wal/blob_buffer.hpp"
#include "wal/sha256.hpp"

namespace usher::wal {

struct SealedBlob {
  ShardIndex shard = 0;
  Lsn first_lsn = 0;
  std::uint32_t count = 0;
  ChainHash hash{};  ///< of these bytes
  BlobBuffer bytes;
  [[nodiscard]] Lsn last_lsn() const noexcept { return first_lsn + count - 1; }
};

struct Round {
  std::vector<SealedBlob> blobs;
  std::vector<SideWrite> sides;
};

/// The meeting place of one lane and the committer. The lane touches `round` only while nothing is in flight.
struct LaneSlot {
  explicit LaneSlot(std::function<void()> wake_up) : wake(std::move(wake_up)) {}

  Round round;
  std::function<void()> wake;
  /// Release by whoever committed the round: pairs with the acquire in Lane::collect().
  alignas(64) std::atomic<bool> durable{false};
};

}  // namespace usher::wal
