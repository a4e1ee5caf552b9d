#pragma once
/// The anchor: a second witness of how far the log was durable, beside the log. Owned by the group commit; for the
/// thread that holds the baton. It never decides anything: recovery compares it with the log. In wal/README.md:
///
///   anchor file = slot 0, slot 1; each a whole number of 4,096-byte pages, zero-filled to their end
///   slot        = magic u32 "UAN1", crc32c u32, version u16, shard_count u16, reserved u32 = 0, counter u64,
///                 shard_count x (lsn u64, chain hash 32 bytes)
///                 little-endian; `crc32c` is over all that follows it up to the last hash; the write number `counter`
///                 goes to slot counter mod 2; the sound slot with the higher counter counts
///   65 shards take 24 + 65 x 40 = 2,624 bytes: one page.

#include <cstdint>
#include <string>
#include <vector>

#include "usher/ids.hpp"
#include "usher/result.hpp"
#include "wal/sha256.hpp"
#include "wal/store.hpp"

namespace usher::wal {

struct AnchorEntry {
  Lsn lsn = 0;
  ChainHash hash{};
  bool operator==(const AnchorEntry&) const = default;
};

struct AnchorState {
  std::uint64_t counter = 0;
  std::vector<AnchorEntry> shards;  ///< the system shard is the last
  unsigned slots_sound = 0;         ///< 1 when the other one was torn or never written
};

inline constexpr std::size_t anchor_page_bytes = 4096;
[[nodiscard]] std::size_t anchor_slot_bytes(std::size_t shard_total) noexcept;

/// Returns: the newer sound slot; ErrorCode::not_found when nothing was ever written; ErrorCode::corrupt when neither
/// slot is sound; ErrorCode::version when it is newer than this program; ErrorCode::io.
[[nodiscard]] Result<AnchorState> read_anchor(Store& store, std::size_t shard_total);

class Anchor {
 public:
  Anchor(Store& store, AnchorState state);

  void set(ShardIndex shard, Lsn lsn, const ChainHash& hash) noexcept { state_.shards[shard] = {lsn, hash}; }
  /// Writes the next slot, without a sync.
  [[nodiscard]] Status write();

 private:
  Store& store_;
  AnchorState state_;
  std::string bytes_;
};

}  // namespace usher::wal
