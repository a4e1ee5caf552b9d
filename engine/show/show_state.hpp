#pragma once
/// The state of shows and of what hangs on them, as plain data. Owned by one Shard, touched by its thread only, changed
/// by ShowActor::apply() alone.

#include <array>
#include <cstdint>

#include "engine/catalog/entities.hpp"
#include "engine/catalog/layout.hpp"
#include "engine/catalog/layout_table.hpp"
#include "engine/shard/slab.hpp"
#include "engine/shard/timer_wheel.hpp"
#include "engine/show/sale_terms.hpp"
#include "engine/show/seat_planes.hpp"
#include "usher/command.hpp"
#include "usher/limits.hpp"
#include "usher/record.hpp"

namespace usher::engine {

/// A doubly linked chain of slab objects, by index; the links lie in the objects.
struct Chain {
  SlabIndex first = 0;
  SlabIndex last = 0;
};

/// One show. With three bit planes of 200 seats, its timer and its directory entry: 232 bytes (DESIGN 5: at most 256).
struct Show {
  std::uint64_t* planes = nullptr;  ///< reserved, booked, blocked: `words` words each
  const Layout* layout = nullptr;
  const SaleTerms* terms = nullptr;
  Instant start{};
  Instant end{};
  Lsn lsn = 0;         ///< of the last record applied
  Instant earliest{};  ///< no live reservation dies before; a lower bound
  ShowNumber number = ShowNumber::none;
  Chain live;           ///< reserved and paying, oldest first
  Chain settled;        ///< booked, cancelled, refunded, lapsed
  SlabIndex users = 0;  ///< chain of UserOnShow
  SlabIndex keys = 0;   ///< chain of IdempotencyEntry
  SlabIndex image = 0;  ///< the durable image, while memory is ahead of the log
  TimerHandle end_timer = 0;
  std::uint32_t sequence_next = 0;
  std::uint16_t free_seats = 0;
  ShowStatus status = ShowStatus::scheduled;
  std::uint8_t flags = 0;

  static constexpr std::uint8_t in_round = 1;       ///< listed in the round that gathers
  static constexpr std::uint8_t to_checkpoint = 2;  ///< changed since its last checkpoint
  static constexpr std::uint8_t cancelling = 4;     ///< listed for refunds in bulk
};
static_assert(sizeof(Show) <= 112);

/// A refund of some seats of one booking.
struct Refund {
  std::int64_t amount = 0;
  std::uint32_t mask = 0;    ///< positions in Reservation::seats
  std::uint32_t number = 0;  ///< of this booking, from 1
  SlabIndex next = 0;
  std::uint8_t percent = 0;
  enum class State : std::uint8_t { owed, settled, failed } state{};
};

/// How one ticket was used: the entry and the exit that count. Made at the first scan.
struct TicketUse {
  Instant in_at{};  ///< the epoch: none
  Instant out_at{};
  std::uint64_t in_nonce = 0;
  std::uint64_t out_nonce = 0;
  SlabIndex next = 0;  ///< of the booking
  std::uint32_t position = 0;
  std::uint8_t gate_size = 0;
  std::array<char, limits::gate_id_bytes_max> gate{};  ///< of the last scan that counts
};

/// What a reservation gains when money was taken for it.
struct Booking {
  std::uint64_t ticket_random = 0;
  Instant booked_at{};
  std::int64_t captured = 0;
  const SaleTerms* terms = nullptr;  ///< frozen at purchase
  SlabIndex user_next = 0;           ///< the user's bookings in this shard, newest first
  SlabIndex user_previous = 0;
  SlabIndex refunds = 0;        ///< chain, newest first
  SlabIndex uses = 0;           ///< chain of TicketUse
  Lsn cancelled_lsn = 0;        ///< of the newest cancellation, or later
  std::uint32_t cancelled = 0;  ///< mask of positions
  std::uint32_t used = 0;       ///< mask of positions that were let in
  std::uint32_t refund_count = 0;
  bool seats_lost = false;  ///< charged, but never booked: only owed back
  std::uint8_t payment_ref_size = 0;
  std::array<char, limits::payment_ref_bytes_max> payment_ref{};
};

/// A reservation from birth to the end of its show: two cache lines, the first of which decides.
struct Reservation {
  std::uint64_t random = 0;
  UserNumber user = UserNumber::none;
  Instant expires_at{};
  Instant reserved_at{};
  std::int64_t amount = 0;
  SlabIndex show = 0;
  SlabIndex next = 0;  ///< in the show's chain
  SlabIndex previous = 0;
  SlabIndex on_show = 0;    ///< its UserOnShow; 0 when it is not live
  SlabIndex user_next = 0;  ///< next live one of the same user on the same show
  TimerHandle timer = 0;
  SlabIndex booking = 0;
  SlabIndex key = 0;  ///< idempotency entry of the payment in flight; 0 when that came without a key
  std::uint32_t sequence = 0;
  std::uint16_t attempt = 0;
  ReservationState state = ReservationState::free;
  std::uint8_t seat_count = 0;
  std::array<SeatIndex, limits::seats_per_request_max> seats{};

  [[nodiscard]] bool live() const noexcept {
    return state == ReservationState::reserved || state == ReservationState::paying;
  }
  [[nodiscard]] std::uint32_t all_mask() const noexcept { return seat_count == 32 ? ~0U : (1U << seat_count) - 1U; }
};
static_assert(sizeof(Reservation) <= 152);

/// One user on one show while there is something to remember: live reservations, abandoned ones, a cool-down.
struct UserOnShow {
  UserNumber user = UserNumber::none;
  Instant cooldown_until{};
  SlabIndex show = 0;
  SlabIndex next = 0;  ///< in the show's chain
  SlabIndex previous = 0;
  SlabIndex reservations = 0;  ///< live ones, newest first
  TimerHandle timer = 0;       ///< end of the cool-down
  std::uint16_t live = 0;      ///< as many as there are seats, where the policy sets no limit
  std::uint8_t abandoned = 0;
};

/// The effect of a command that came with an Idempotency-Key: enough to say the same again (DESIGN 6).
struct IdempotencyEntry {
  IdempotencyTag tag;
  UserNumber user = UserNumber::none;
  Instant created{};
  SlabIndex show = 0;
  SlabIndex next = 0;
  SlabIndex previous = 0;
  TimerHandle timer = 0;
  Reply effect;            ///< `now`, `to` and `replayed` are filled in when it is said again
  bool in_flight = false;  ///< a payment has started and not ended
};

}  // namespace usher::engine
