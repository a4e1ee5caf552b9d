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
///
/// Until a slot is synced it alone is written, again and again: a power cut may tear it, and the other one stays whole.

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
  bool slot_torn = false;           ///< one of the slots is damaged
};

inline constexpr std::size_t anchor_page_bytes = 4096;
[[nodiscard]] std::size_t anchor_slot_bytes(std::size_t shard_total) noexcept;

/// Returns: the newer sound slot; ErrorCode::not_found when nothing was ever written; ErrorCode::corrupt when neither
/// slot is sound; ErrorCode::version when it is newer than this program; ErrorCode::io.
[[nodiscard]] Result<AnchorState> read_anchor(Store& store, std::size_t shard_total);

/// For a store that has no format row: whether a log lived here and was lost. The first write, by which a log is made,
/// goes to slot 1 and names no record; a power cut may leave anything in that slot. Slot 0 is written only afterwards.
[[nodiscard]] Result<bool> anchor_tells_of_a_log(Store& store, std::size_t shard_total);

class Anchor {
 public:
  /// Requires: what the slots of the store have is synced.
  Anchor(Store& store, AnchorState state);

  void set(ShardIndex shard, Lsn lsn, const ChainHash& hash) noexcept { state_.shards[shard] = {lsn, hash}; }
  /// Writes a slot, without a sync: the other one when settle() was called since the last write, else the same again.
  [[nodiscard]] Status write();
  /// What write() wrote last is synced.
  void settle() noexcept { settled_ = true; }

 private:
  Store& store_;
  AnchorState state_;
  std::string bytes_;
  bool settled_ = true;
};

}  // namespace usher::wal
