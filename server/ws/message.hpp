#pragma once
/// What the feed says, as the bytes that go on the wire: built once and shared by all who get them. The words are those
/// of README.md and asyncapi.json. Pure functions.
///
///   json   :=
///   {"type":"snapshot"|"delta","lsn":N,"prev_lsn":N|null,"server_time":T,["status":S,]"seats":{LABEL:VALUE,...}}
///   binary := version:u8(1) type:u8(1 snapshot, 2 delta) status:u8 0:u8 seats:u32 lsn:u64 prev_lsn:u64 time_ms:u64 map
///             little endian; map = two bits a seat (0 available, 1 reserved, 2 booked), the first in the lowest bits,
///             (seats + 3) / 4 bytes; always the whole map, so that a delta can be applied to anything
///   events := "id: LSN\ndata: " json "\n\n"
/// A snapshot names every seat and the status of the show; a delta those that changed since prev_lsn, and the status
/// when that did.

#include <memory>
#include <string>

#include "server/ws/handshake.hpp"
#include "server/ws/seat_state.hpp"
#include "usher/time.hpp"

namespace usher::server::ws {

/// Bytes of one or more subscribers, in whole frames.
using SharedBytes = std::shared_ptr<const std::string>;

inline constexpr std::size_t binary_head_bytes = 32;
inline constexpr std::uint8_t binary_version = 1;

/// The whole state. `server_time`: when it is said.
[[nodiscard]] SharedBytes make_snapshot(Format format, const SeatState& state, Instant server_time);
/// What changed from `before` to `after`. Requires: both of one show.
[[nodiscard]] SharedBytes make_delta(Format format, const SeatState& before, const SeatState& after,
                                     Instant server_time);

/// A binary message read back, as a relay does. The names are the caller's.
struct BinaryMessage {
  SeatState state;
  std::uint64_t prev_lsn = 0;
  Instant server_time{};
  bool snapshot = false;
};
/// Returns: nothing unless `payload` is a message for exactly `seats` seats.
[[nodiscard]] std::optional<BinaryMessage> read_binary(std::string_view payload, std::uint32_t seats);

}  // namespace usher::server::ws
