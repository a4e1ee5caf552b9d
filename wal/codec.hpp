#pragma once
/// Records as bytes. Pure functions, any thread; they never allocate in proportion to a length they have not checked,
/// and decoding never asserts. The same words stand in wal/README.md:
///
///   record = flags u8, [show varint], now signed, [actor varint], [idempotency 3 x u64], [event_count varint], event*
///            flags: bit 0 show is there, bit 1 actor, bit 2 idempotency, bits 4..7 number of events 1..15,
///            0 = event_count follows; bit 3 is 0. `now` is the distance to the blob's base time in ms
///   event  = type u8, [fields varint], field*
///            type: an EventType below 128; bit 7 set: `fields` names the fields, else they are those of the type
///   field  = in this order, by bit of `fields`:
///            0 code u8 | 1 seats | 2 sequence varint | 3 attempt varint | 4 mask varint | 5 text | 6 user varint,
///            XORed with actor | 7 random u64 | 8 amount signed | 9 at signed, the distance to the record's `now` in ms
///   seats  = count varint, signed*: the distance to the seat before (to 0 at first)
///   text   = size varint, bytes
///   varint = LEB128, low group first; signed = zig-zag varint; u64 little-endian

#include <cstdint>

#include "usher/bytes.hpp"
#include "usher/record.hpp"
#include "wal/blob_buffer.hpp"

namespace usher::wal {

/// More than any command makes (100 per bulk record, DESIGN 11), and small enough that a damaged count costs nothing.
inline constexpr std::size_t events_per_record_max = 4096;

/// Bits of the fields of an event, in the order in which they are written.
namespace field {
inline constexpr std::uint32_t code = 1U << 0U;
inline constexpr std::uint32_t seats = 1U << 1U;
inline constexpr std::uint32_t sequence = 1U << 2U;
inline constexpr std::uint32_t attempt = 1U << 3U;
inline constexpr std::uint32_t mask = 1U << 4U;
inline constexpr std::uint32_t text = 1U << 5U;
inline constexpr std::uint32_t user = 1U << 6U;
inline constexpr std::uint32_t random = 1U << 7U;
inline constexpr std::uint32_t amount = 1U << 8U;
inline constexpr std::uint32_t at = 1U << 9U;
inline constexpr std::uint32_t all = (1U << 10U) - 1U;
}  // namespace field

/// Returns: the fields that are written for the type without naming them; 0xffffffff for a type that does not exist.
[[nodiscard]] std::uint32_t fields_of(std::uint8_t type) noexcept;

/// Appends the record to `out`. A field that its type does not list is kept all the same (it costs two bytes).
/// Requires: 1..events_per_record_max events of known types; seats and text within the record; every byte of payload
/// and every seat belongs to an event; seats below 65,535, none equal to its neighbour.
void encode_record(const Record& record, Instant base, BlobBuffer& out);

/// Reads one record into `record`, whose vectors are reused; shard and lsn stay as they are.
/// Returns: false when the bytes are not a record.
[[nodiscard]] bool decode_record(ByteReader& in, Instant base, Record& record);

}  // namespace usher::wal
