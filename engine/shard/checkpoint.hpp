#pragma once
/// The canonical bytes of a show's state: what a checkpoint stores and what a digest is taken of. Equal histories give
/// equal bytes, whatever checkpoints and restarts lay between. For the shard's thread.
///
///   show        := version:u8 terms:text status:u8 sequence_next:varint blocked live settled users keys [scans]
///   [extension] version     := 1 + 1 when there are scans + 2 when there is an extension blocked     := count:varint
///   (gap:varint)*                      seats, each as the distance from the one before live        := count:varint
///   reservation*                       oldest first settled     := count:varint (reservation booking)*             in
///   the order in which they were settled reservation := sequence:varint random:u64 user:u64 reserved_ms:varint
///   lifetime_ms:svarint amount:varint state:u8
///                  attempt:varint seat_count:u8 (gap:varint)*
///   booking     := given:u8 [ticket_random:u64 booked_ms:varint captured:varint policy prices cancelled:varint
///                  seats_lost:u8 payment:text refund_count:varint refund*]
///   refund      := amount:varint mask:varint number:varint percent:u8 state:u8     newest first
///   users       := count:varint (user:u64 abandoned:u8 cooldown_ms:varint)*        by user number
///   keys        := count:varint key*                               newest first
///   scans       := count:varint (sequence:varint position:varint in_ms:varint out_ms:varint nonce:u64 nonce:u64
///   gate:text)*
///                  of tickets that were used; each remembered answer then ends with the mask of those used
///   extension   := room:varint use_count:varint use* party_next:varint party_count:varint party* handed_count:varint
///                  (sequence:varint)*      where a waiting room, a waiting list or what it brought is to be told of
///   use         := room:varint place:varint attempt:varint user:u64 seats:u8 until_ms:varint       oldest first
///   party       := sequence:varint user:u64 random:u64 seat_count:u8 seat_type:u8                  first come first
///
/// Left out, since they decide nothing or follow from the rest: timers, expired reservations, bit planes, and as of an
/// instant: cool-downs and keys that are over by then.

#include "engine/catalog/show_terms.hpp"
#include "engine/shard/shard_state.hpp"
#include "usher/bytes.hpp"
#include "usher/result.hpp"

namespace usher::engine {

/// Kinds of checkpoint rows; restored in this order. Numbers are part of the format.
/// `clock` (key 0, ms u64) is the instant as of which the rows written with it left out what was over: a shard that
/// starts from them starts no earlier, or else what they forgot would not be over.
enum class CheckpointKind : std::uint8_t { layout = 1, catalog = 2, show = 3, clock = 4, room = 5, room_part = 6 };

// instants in rows: milliseconds as a varint
[[nodiscard]] inline std::uint64_t ms(Instant instant) noexcept {
  return static_cast<std::uint64_t>(to_ms(instant));
}
[[nodiscard]] inline Instant read_instant(ByteReader& in) noexcept {
  return instant_from_ms(static_cast<std::int64_t>(in.varint_max(static_cast<std::uint64_t>(instant_ms_max))));
}

void encode_show(const ShardState& state, SlabIndex show, Instant as_of, Bytes& out);
/// Returns: `corrupt` when the bytes are not what encode_show() writes or a show of that number is there already.
[[nodiscard]] Status restore_show(ShardState& state, ShowNumber number, Lsn lsn, const Bytes& bytes);

/// hash_bytes() of encode_show().
[[nodiscard]] std::uint64_t digest_of(const ShardState& state, SlabIndex show, Instant as_of);

}  // namespace usher::engine
