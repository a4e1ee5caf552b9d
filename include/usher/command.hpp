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
  // of a waiting room: admission.room
  join_queue,      ///< user, random
  read_queue,      ///< sequence, id_random
  leave_queue,     ///< sequence, id_random
  note_admission,  ///< from a show: admission, seat_count = seats reserved
  // of a show's waiting list
  join_waitlist,  ///< seat_count, seat_type
  read_waitlist,
  leave_waitlist,
};

/// Whether a waiting room answers it, and not a show.
[[nodiscard]] constexpr bool is_for_room(CommandType type) noexcept {
  return type >= CommandType::join_queue && type <= CommandType::note_admission;
}

/// What a signed admission token says, or which waiting room is meant. All zero: none was shown.
struct Admission {
  std::uint32_t room = 0;
  std::uint32_t sequence = 0;  ///< the place
  std::uint32_t attempt = 0;   ///< 1, or 2 after a lapse
  Instant expires_at{};
};

/// What the state of a place in a queue is called on the wire.
enum class PlaceState : std::uint8_t { waiting = 0, admitted, sold_out, closed, finished, left };

/// Where somebody stands, in a waiting room or on a waiting list.
struct QueuePlace {
  std::uint32_t room = 0;
  std::uint32_t ahead = 0;    ///< people before them
  std::uint32_t waiting = 0;  ///< people in all
  std::uint32_t low_s = 0;    ///< the wait is estimated to lie between these; 0, 0: not known
  std::uint32_t high_s = 0;
  std::uint32_t attempt = 0;              ///< of the admission
  std::uint32_t draw_place = 0xffffffff;  ///< index in the order drawn; all ones: not in the draw
  PlaceState state{};
  std::uint8_t end = 0;  ///< why a place is over: a PlaceEnd of engine/admission
  bool drawn = true;     ///< false: registered before the opening, the draw decides the order
  bool fresh = false;    ///< this command took the place
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
  Admission admission;
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
  Instant retry_at{};    ///< cooldown: until when; queue: when the room opens
  Money total;
  std::int64_t refund = 0;    ///< of this cancellation
  std::int64_t refunded = 0;  ///< settled so far, over all cancellations
  QueuePlace queue;           ///< of a queue or waiting list
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
