#pragma once
/// ShowActor: the single writer of one show. A view over the shard's storage, made for one command and thrown away; for
/// the shard's thread only. It never reads a clock, a catalog or a socket; all it knows comes in the command or the
/// log.
///
/// Operation: decide() checks everything first, in the order in which refusals are declared, and then emits events.
/// emit() applies an event at once and adds it to the record, so that what is decided next sees it; replay() applies
/// the same events by the same apply(). A record is appended to the log after decide() returns; nobody is told anything
/// before the log is durable up to it (DESIGN 4.3).
///
/// Invariants: those of DESIGN 4.1, 4.2, 4.7 and 4.8 for one show.

#include "engine/shard/shard_state.hpp"
#include "usher/command.hpp"
#include "usher/record.hpp"

namespace usher::engine {

/// What a record goes through on its way to the log, when a command makes more than one.
class RecordSink {
 public:
  virtual ~RecordSink() = default;
  /// The first event of a record is about to be applied to this show: the durable image has to be kept.
  virtual void before_change(SlabIndex show) = 0;
  /// Appends the record and clears it, keeping its header.
  virtual void flush(Record& record) = 0;
};

class ShowActor {
 public:
  /// `record` has its header (show, now, actor, idempotency) filled in and no events.
  ShowActor(ShardState& state, SlabIndex show, Record& record, RecordSink& sink) noexcept
      : state_(state), show_(state.shows[show]), index_(show), record_(record), sink_(sink) {}

  /// Returns by `reply` whatever the command's answer is, refusals included. `reply.lsn` is left to the caller.
  void decide(const Command& command, Reply& reply);

  // What timers do.
  void on_reservation_timer(SlabIndex reservation);
  void on_show_end();
  /// Cancels at most bulk_events_per_record_max bookings and reservations of a cancelled show.
  /// Returns: true when nothing is left to cancel.
  [[nodiscard]] bool cancel_some();

 private:
  void dispatch(const Command& command, Reply& reply);
  // show_actor.cpp: seats
  void reserve(const Command& command, Reply& reply);
  void reserve_best(const Command& command, Reply& reply);
  void take_seats(const Command& command, const SeatIndex* seats, std::uint32_t count, Reply& reply);
  /// `code` is that of the event `reserved`. Requires: the seats are free.
  void emit_reserved(std::uint32_t sequence, UserNumber user, std::uint64_t random, const SeatIndex* seats,
                     std::uint32_t count, std::uint8_t code);
  void release(const Command& command, Reply& reply);
  void read_reservation(const Command& command, Reply& reply);
  void block(const Command& command, Reply& reply, EventType type);
  void cancel_show(Reply& reply);
  [[nodiscard]] Refusal check_selling() const noexcept;
  [[nodiscard]] Refusal check_seats(const Command& command, std::uint32_t count_max) const noexcept;
  [[nodiscard]] Refusal check_admission(const Command& command) const noexcept;
  void note_admission(const Command& command, std::uint32_t seats);
  [[nodiscard]] Refusal check_user(const Command& command, Reply& reply);
  [[nodiscard]] Refusal check_companions(const SeatIndex* seats, std::uint32_t count) const noexcept;
  void count_refusal(const Command& command);
  [[nodiscard]] std::uint32_t next_sequence() const;
  void sweep();
  void expire(SlabIndex reservation);

  // waitlist.cpp
  void join_waitlist(const Command& command, Reply& reply);
  void read_waitlist(const Command& command, Reply& reply);
  void leave_waitlist(const Command& command, Reply& reply);
  void hand_over();
  void hand_to(std::uint32_t sequence, const Party& party, const SeatIndex* seats, std::uint32_t count);
  [[nodiscard]] bool may_be_handed(const Party& party) const noexcept;

  // booking_commands.cpp: money
  void start_payment(const Command& command, Reply& reply);
  void finish_payment(const Command& command, Reply& reply);
  void finish_captured(const Command& command, SlabIndex reservation, Reply& reply);
  void finish_declined(const Command& command, SlabIndex reservation, Reply& reply);
  void read_booking(const Command& command, Reply& reply);
  void cancel(const Command& command, Reply& reply);
  void finish_refund(const Command& command, Reply& reply);
  // checkin_commands.cpp: gates
  void check_in(const Command& command, Reply& reply);
  void emit_use(const Command& command, std::uint32_t position);
  void emit_cancellation(SlabIndex reservation, std::uint32_t mask, std::uint8_t percent);
  [[nodiscard]] Refusal find_booking(const Command& command, SlabIndex& found) const noexcept;
  [[nodiscard]] std::int64_t refund_for(const Reservation& reservation, std::uint32_t mask,
                                        std::uint8_t percent) const noexcept;
  [[nodiscard]] bool all_free(const Reservation& reservation) const noexcept;

  [[nodiscard]] Refusal find_reservation(const Command& command, SlabIndex& found) const noexcept;
  /// Returns: the answer already given to this key, in `reply`; or why the key cannot be used; or `none`, go on.
  [[nodiscard]] bool answer_by_key(const Command& command, Reply& reply);
  void emit(const Event& event);
  void emit_for(EventType type, SlabIndex reservation);
  void fill(Reply& reply, SlabIndex reservation) const noexcept;

  ShardState& state_;
  Show& show_;
  SlabIndex index_;
  Record& record_;
  RecordSink& sink_;
  bool freed_ = false;  ///< seats came back by this record: the waiting list is to be asked
};

/// Returns: the use of the ticket at that position, 0 when it was never scanned.
[[nodiscard]] SlabIndex find_use(const ShardState& state, const Booking& booking, std::uint32_t position) noexcept;

/// Everything a reservation or booking says of itself.
void fill_reply(const ShardState& state, SlabIndex reservation, Reply& reply) noexcept;

/// Do the event's bytes lie within the record's payload?
[[nodiscard]] constexpr bool text_fits(const Record& record, const Event& event) noexcept {
  return std::size_t{event.text_first} + event.text_size <= record.payload.size();
}

/// Applies one event of a record to a show, live and at replay alike.
/// Returns: false when the event does not fit the state, which only damaged or foreign logs can bring about.
[[nodiscard]] bool apply_event(ShardState& state, SlabIndex show, const Record& record, const Event& event);

/// The event that a command's answer tells of, or nullptr when the record holds none.
[[nodiscard]] const Event* effect_of(const Record& record) noexcept;

/// After all events of a record: notes its LSN and the effect of its idempotency key.
void finish_record(ShardState& state, SlabIndex show, const Record& record);

/// Applies `show_opened`. Returns: the new show, or 0 when the event does not fit.
[[nodiscard]] SlabIndex open_show(ShardState& state, ShowNumber number, std::string_view terms_bytes);

/// When the reservation dies (DESIGN 4.7).
[[nodiscard]] Instant deadline_of(const ShardState& state, const Reservation& reservation) noexcept;

}  // namespace usher::engine
