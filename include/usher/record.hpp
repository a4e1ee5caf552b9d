#pragma once
/// What became true. A record is all that one command made true: a header and 1..n events, applied together. Records
/// are the unit of the log; the bytes they become are described in wal/README.md.

#include <cstdint>
#include <string_view>
#include <vector>

#include "usher/bytes.hpp"
#include "usher/ids.hpp"
#include "usher/time.hpp"

namespace usher {

/// Numbers are part of the log format: never renumber, never reuse.
enum class EventType : std::uint8_t {
  // of a shard (show = none)
  layout_defined = 1,  ///< payload: the layout's bytes; its hash is computed from them
  // of the system shard (show = none)
  catalog_changed = 2,  ///< payload: one or many catalog entries (engine/catalog)
  // of a show
  show_opened = 10,     ///< payload: ShowTerms
  show_cancelled = 11,  ///< sales stop; what is booked is refunded by later records
  show_completed = 12,
  seats_blocked = 13,    ///< seats
  seats_unblocked = 14,  ///< seats
  // of a reservation (sequence)
  reserved = 20,  ///< seats, user, random, amount, at = expires_at
  released = 21,  ///< by its owner
  expired = 22,
  payment_started = 23,   ///< attempt, at = until when the payment pins the seats
  payment_declined = 24,  ///< attempt, code = PaymentDecline
  booked = 25,            ///< attempt, random = for the tickets, payload text = the gateway's payment id
  refund_due = 26,        ///< attempt: charged, but the seats are gone; amount; payload text = payment id
  payment_unknown = 27,   ///< attempt: the gateway did not tell
  // of a booking (sequence)
  seats_cancelled =
      30,  ///< mask of positions, code = percent refunded, amount = refund owed for them, attempt = refund number
  refund_settled = 31,  ///< attempt = refund number, amount
  refund_failed = 32,   ///< attempt = refund number: for an operator to see
  ticket_used =
      33,  ///< mask: one position, code = UseCode, at = when it was scanned, random = nonce, payload text = gate
  // of a user on a show
  cooldown_started = 40,  ///< user, at = until when
};

/// `code` of ticket_used.
inline constexpr std::uint8_t use_entry = 1;
inline constexpr std::uint8_t use_exit = 2;

/// One event. Which fields mean something, `EventType` says; the others are zero. Seats and text lie in the record.
struct Event {
  EventType type{};
  std::uint8_t code = 0;
  std::uint16_t seat_count = 0;
  std::uint32_t seat_first = 0;  ///< index into Record::seats
  std::uint32_t sequence = 0;    ///< of the reservation
  std::uint32_t attempt = 0;
  std::uint32_t mask = 0;
  std::uint32_t text_size = 0;  ///< bytes in Record::payload
  std::uint32_t text_first = 0;
  UserNumber user = UserNumber::none;
  std::uint64_t random = 0;
  std::int64_t amount = 0;  ///< minor units
  Instant at{};
};

/// Ties a record to the idempotency key whose effect it is. All zero: none was given.
struct IdempotencyTag {
  std::uint64_t key_high = 0;  ///< HMAC of user, method, path and key
  std::uint64_t key_low = 0;
  std::uint64_t body = 0;  ///< HMAC of the body
  [[nodiscard]] bool given() const noexcept { return (key_high | key_low) != 0; }
  bool operator==(const IdempotencyTag&) const = default;
};

/// Reused by its owner: clear() keeps the capacity, so that the steady state allocates nothing.
struct Record {
  ShardIndex shard = 0;
  Lsn lsn = 0;  ///< stamped by the log
  ShowNumber show = ShowNumber::none;
  Instant now{};
  UserNumber actor = UserNumber::none;  ///< who asked; none for timers and gateways
  IdempotencyTag idempotency;
  std::vector<Event> events;
  std::vector<SeatIndex> seats;
  Bytes payload;

  void clear() noexcept {
    lsn = 0;
    show = ShowNumber::none;
    now = {};
    actor = UserNumber::none;
    idempotency = {};
    events.clear();
    seats.clear();
    payload.clear();
  }
  [[nodiscard]] const SeatIndex* seats_of(const Event& event) const noexcept { return seats.data() + event.seat_first; }
  [[nodiscard]] std::string_view text_of(const Event& event) const noexcept {
    return {reinterpret_cast<const char*>(payload.data()) + event.text_first, event.text_size};
  }
};

}  // namespace usher
