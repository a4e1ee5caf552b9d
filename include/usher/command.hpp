#pragma once
/// What somebody asks of a show, and what they are answered. Plain data of fixed size: both cross threads by copy.

#include <array>
#include <cstdint>
#include <string_view>

#include "usher/ids.hpp"
#include "usher/limits.hpp"
#include "usher/money.hpp"
#include "usher/record.hpp"
#include "usher/refusal.hpp"
#include "usher/time.hpp"

namespace usher {

enum class CommandType : std::uint8_t {
  reserve,           ///< seats
  reserve_best,      ///< seat_count, seat_type, split
  release,           ///< reservation
  read_reservation,  ///< reservation
  start_payment,     ///< reservation; answered with `payment_started`, then the server calls the gateway
  finish_payment,    ///< reservation, attempt, payment outcome
  read_booking,      ///< booking
  preview_cancel,    ///< booking, seats (none = all)
  cancel,            ///< booking, seats (none = all)
  finish_refund,     ///< booking, attempt = refund number, refund_settled or not
  cancel_show,
  block_seats,    ///< seats
  unblock_seats,  ///< seats
  check_in,       ///< sequence, id_random = the ticket's, scanned_at, window, exit, random = nonce, payment_ref = gate
};

/// Where an answer goes: a slot of a connection of a loop. `generation` tells a reused connection from the one that
/// asked.
struct ReplyTo {
  std::uint16_t loop = 0;
  std::uint32_t connection = 0;
  std::uint32_t generation = 0;
  std::uint32_t slot = 0;
  std::uint32_t asked_us = 0;  ///< when, by the asking loop's own counter: for its histograms, comes back as it went
};

enum class PaymentOutcome : std::uint8_t { captured, declined, unknown };

/// What a gate is told of a ticket, in the order in which it is checked (DESIGN 7).
enum class ScanResult : std::uint8_t {
  bad_signature,
  unknown_key,
  wrong_show,
  cancelled,
  already_used,
  too_early,
  too_late,
  valid,
  count_
};
inline constexpr std::array<std::string_view, static_cast<std::size_t>(ScanResult::count_)> scan_result_names{
    "bad_signature", "unknown_key", "wrong_show", "cancelled", "already_used", "too_early", "too_late", "valid"};

struct Command {
  CommandType type{};
  bool staff = false;            ///< may act on others' reservations and bookings
  bool split = false;            ///< reserve_best
  std::uint8_t seat_type = 255;  ///< reserve_best: a SeatType, 255 = any
  std::uint8_t seat_count = 0;   ///< of `seats`, or how many best seats
  PaymentOutcome payment{};
  PaymentDecline decline{};
  bool refund_settled = false;
  bool exit = false;                      ///< check_in: somebody leaves
  ScanResult window = ScanResult::valid;  ///< check_in: too_early or too_late, if all else is well
  ShowNumber show = ShowNumber::none;
  std::uint32_t sequence = 0;   ///< of the reservation or booking named
  std::uint64_t id_random = 0;  ///< its random bits: a wrong guess is an unknown id
  std::uint32_t attempt = 0;
  UserNumber user = UserNumber::none;
  std::uint64_t random = 0;  ///< the outside draw: for a new reservation's id, or for the tickets' ids
  Instant now{};             ///< stamped by the shard that decides
  Instant scanned_at{};      ///< check_in
  IdempotencyTag idempotency;
  ReplyTo reply;
  std::array<SeatIndex, limits::seats_per_request_max> seats{};  ///< strictly ascending
  std::array<char, limits::payment_ref_bytes_max + 1> payment_ref{};
  std::uint8_t payment_ref_size = 0;
};

/// What the state of a reservation or booking is called on the wire, in part.
enum class ReservationState : std::uint8_t {
  free = 0,  ///< an unused slot
  reserved,
  paying,
  booked,
  cancelled,  ///< no valid ticket left, a refund may be owed
  refunded,   ///< no valid ticket left, nothing owed
  lapsed,     ///< expired while a payment was in flight: waits for the gateway's word
  expired,    ///< remembered for a while so that its owner gets 410 and not 404
};

/// One answer. Everything that JSON needs is in it, so that it can be written on another thread than the show's.
struct Reply {
  ReplyTo to;
  CommandType type{};
  Refusal refusal = Refusal::none;
  ReservationState state{};
  PaymentDecline decline{};
  ScanResult scan{};            ///< check_in; `attempt` is the ticket's position, `payment_ref` the gate that counts
  bool superseded = false;      ///< check_in: an entry that was told valid before is not the first one
  bool replayed = false;        ///< rebuilt for a repeated idempotency key
  std::uint8_t percent = 0;     ///< of the refund
  std::uint8_t seat_count = 0;  ///< of `seats`; with seats_unavailable: those that are taken
  ShardIndex shard = 0;
  ShowNumber show = ShowNumber::none;
  std::uint32_t sequence = 0;
  std::uint64_t id_random = 0;
  std::uint64_t ticket_random = 0;
  std::uint32_t attempt = 0;
  std::uint32_t cancelled_mask = 0;  ///< positions of `seats` whose tickets are cancelled
  std::uint32_t used_mask = 0;       ///< positions whose tickets were used
  UserNumber user = UserNumber::none;
  Lsn lsn = 0;    ///< the answer waits until the shard's log is durable up to here
  Instant now{};  ///< the shard's time at the decision
  Instant reserved_at{};
  Instant expires_at{};
  Instant booked_at{};
  Instant scanned_at{};  ///< check_in: the scan that counts
  Instant retry_at{};    ///< cooldown: until when
  Money total;
  std::int64_t refund = 0;    ///< of this cancellation
  std::int64_t refunded = 0;  ///< settled so far, over all cancellations
  std::array<SeatIndex, limits::seats_per_request_max> seats{};
  std::array<char, limits::payment_ref_bytes_max + 1> payment_ref{};
  std::uint8_t payment_ref_size = 0;

  [[nodiscard]] std::string_view payment() const noexcept { return {payment_ref.data(), payment_ref_size}; }
};

/// Where the engine delivers answers whose LSN is durable, on the thread of the loop that asked.
class ReplySink {
 public:
  virtual ~ReplySink() = default;
  virtual void on_reply(const Reply& reply) = 0;
};

}  // namespace usher
