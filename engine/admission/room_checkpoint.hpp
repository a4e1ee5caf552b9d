#pragma once
/// The canonical bytes of a waiting room, for checkpoints and digests. A room of a million people is too much for one
/// row and changes in few places, so its places lie in parts of 4,096, of which only the changed ones are written, each
/// to the other of its two slots; the room's own row, written behind them, says which slot counts. A crash between the
/// two leaves what the old row points to untouched. For the shard's thread.
///
///   room  := version:u8(1) settings:text status:u8 flags:u8 created_ms:varint frozen_ms:varint closed_ms:varint
///            place_count:varint spot_count:varint list_count:varint list_end:varint list_hash:32 beacon:text
///            buyer_count:varint buyer_next:varint buyer_seats:200 rate_from_ms:varint rate_used:varint
///            admitted:varint finished:varint lapsed:varint left:varint slot_count:varint slot:u8*
///            flags: bit 0 frozen, bit 1 drawn, bit 2 sold_out
///   part  := version:u8(1) count:varint place*
///   place := user:u64 random:u64 spot:varint joined:varint until:varint drawn:varint state:u8 attempt:u8 seats:u8
///            end:u8                                            spot and drawn plus one, 0 is none

#include <span>

#include "engine/admission/room.hpp"
#include "usher/log.hpp"

namespace usher::engine {

/// Key of a part's row: room 32 bits, part 31, slot 1.
[[nodiscard]] constexpr std::uint64_t part_key(std::uint32_t room, std::uint32_t part, std::uint8_t slot) noexcept {
  return std::uint64_t{room} << 32U | std::uint64_t{part} << 1U | slot;
}

/// Appends the rows of what has changed since the last call: parts, then the room.
void collect_room(Room& room, ShardIndex shard, std::vector<CheckpointRow>& rows);

/// Restores the room's own row into a new room.
/// Returns: `corrupt` or `version` when the bytes are not such a row.
[[nodiscard]] Status restore_room(Room& room, std::uint32_t number, Lsn lsn, const Bytes& bytes);
/// Restores a part; one from the slot that does not count is passed over. Parts come in their order.
[[nodiscard]] Status restore_part(Room& room, std::uint64_t key, const Bytes& bytes);
/// Whether all parts have been restored.
[[nodiscard]] bool is_whole(const Room& room) noexcept;

/// Equal for equal states, whatever checkpoints lay between.
[[nodiscard]] std::uint64_t digest_of(const Room& room);

}  // namespace usher::engine
