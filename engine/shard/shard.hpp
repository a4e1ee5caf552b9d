#pragma once
/// Shard: owns many shows, one timer wheel, and one shard's part of the log. Runs on its loop's thread (see
/// agent_runner.hpp); during recovery on one recovery thread. It never waits, never syncs, and never tells anybody
/// anything: answers go through the runner's outbox.
///
/// Life of a round: records gather while commands are decided; seal() marks what the round in flight holds; durable()
/// makes that the image that seat maps show.

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <vector>

#include "engine/catalog/show_terms.hpp"
#include "engine/shard/checkpoint.hpp"
#include "engine/shard/shard_state.hpp"
#include "engine/show/show_actor.hpp"
#include "usher/log.hpp"

namespace usher::engine {

/// A show as any reader may see it: the newest durable image. Valid until the shard is next asked for anything.
struct ShowView {
  const Layout* layout = nullptr;
  const SaleTerms* terms = nullptr;
  std::span<const std::uint64_t> reserved;
  std::span<const std::uint64_t> booked;
  std::span<const std::uint64_t> blocked;
  Instant start{};
  Instant end{};
  Lsn lsn = 0;
  std::uint32_t available = 0;
  ShowStatus status = ShowStatus::scheduled;
};

/// Work with the outside world that was under way when the process ended.
struct UnfinishedPayment {
  Id reservation;
  std::uint32_t attempt = 0;
};
struct OwedRefund {
  Id booking;
  std::uint32_t number = 0;
  Money amount;
  std::string payment_ref;
};

struct ShardCounters {
  std::uint64_t records = 0;
  std::uint64_t expired = 0;
  std::uint64_t decisions = 0;
};

class Shard final : public ReplayTarget, private RecordSink {
 public:
  Shard(ShardIndex index, SharedTables& shared, Instant now) : state_(index, shared, now) {}

  // recovery
  [[nodiscard]] Status restore(const CheckpointRow& row) override;
  [[nodiscard]] Status replay(const Record& record) override;

  /// After the last record: publishes what the directory tells.
  void finish_recovery();

  // life; `lane` stays the owner's
  void attach(LogLane& lane) noexcept { lane_ = &lane; }
  [[nodiscard]] ShardIndex index() const noexcept { return state_.index; }

  /// Decides one command. `reply` has to, type and show filled in; afterwards it says all, and that it must wait for
  /// reply.lsn.
  void execute(const Command& command, Instant now, Reply& reply);
  // What execute() will touch is asked for ahead of it, in three steps that each need what the one before has fetched.
  void prefetch_entry(const Command& command) const noexcept { state_.shared.directory.prefetch(command.show); }
  void prefetch_show(const Command& command) const noexcept;
  void prefetch_state(const Command& command) const noexcept;
  /// Logs the layout unless this shard's log has it. Requires: it is interned in the shared table.
  void define_layout(const Layout& layout, Instant now);
  /// Returns: false when the show is there already. Requires: define_layout() for its layout, terms that pass
  /// check_terms().
  bool open_show(ShowNumber number, const ShowTerms& terms, Instant now);
  /// Fires at most `count_max` timers and cancels in bulk what is to be cancelled. Returns: false when more is due.
  bool advance(Instant now, std::uint32_t count_max);

  void seal();
  /// The sealed round is durable. `changed(show number)` is called for each show whose image changed.
  template <class Changed>
  void durable(Changed&& changed);

  // reading
  /// Returns: nothing for a show that is not open, or whose opening is not durable yet.
  [[nodiscard]] std::optional<ShowView> view(ShowNumber number) const;
  /// Appends the bookings of a user, newest first within a show, as they are in memory; `reply.lsn` says what each
  /// waits for.
  void bookings_of(UserNumber user, std::vector<Reply>& out) const;
  /// The same of a show.
  void bookings_of(ShowNumber show, std::vector<Reply>& out) const;
  /// Appends the ids of tickets that were cancelled by records above `from` up to `until`, until about `count_max` are
  /// there; one may come that was cancelled before. Returns: up to which LSN that is all.
  [[nodiscard]] Lsn revoked_since(Lsn from, Lsn until, std::size_t count_max, std::vector<Uuid>& tickets) const;
  void unfinished(std::vector<UnfinishedPayment>& payments, std::vector<OwedRefund>& refunds) const;
  /// Moves the refunds that became owed by durable records since the last call to the end of `refunds`.
  void take_owed(std::vector<OwedRefund>& refunds);
  [[nodiscard]] const ShardState& state() const noexcept { return state_; }
  [[nodiscard]] const ShardCounters& counters() const noexcept { return counters_; }

  // checkpoints
  /// Begins a pass: what is dirty now will be covered when collect_rows() has nothing left. Returns: the LSN covered
  /// then.
  Lsn begin_checkpoint();
  /// Appends rows of dirty shows until about `bytes_max` are used. Returns: false when none are left.
  bool collect_rows(std::size_t bytes_max, std::vector<CheckpointRow>& rows);
  [[nodiscard]] bool dirty() const noexcept { return !dirty_.empty() || !checkpointing_.empty(); }

 private:
  [[nodiscard]] Reply booking_reply(SlabIndex reservation) const;
  void note_owed(const Record& record, const Event& event);
  void before_change(SlabIndex show) override;
  void flush(Record& record) override;
  void begin(ShowNumber show, Instant now, UserNumber actor);
  void note_dirty(SlabIndex show);
  void make_durable(SlabIndex show);
  void copy_state(const Show& show, SeatImage::State& to);
  void drop_state(const Show& show, SeatImage::State& from);
  void on_timer(TimerKind kind, SlabIndex subject, Instant now);
  void on_key_timer(SlabIndex key, Instant now);
  void cancel_in_bulk(Instant now);
  Status replay_shard_event(const Record& record, const Event& event);

  ShardState state_;
  LogLane* lane_ = nullptr;
  Record record_;
  std::vector<std::uint64_t> layouts_;      ///< hashes that this shard's log defines
  std::vector<SlabIndex> gathering_;        ///< shows changed in the round that gathers
  std::vector<SlabIndex> sealed_;           ///< those of the round in flight
  std::vector<SlabIndex> dirty_;            ///< shows to checkpoint
  std::vector<SlabIndex> checkpointing_;    ///< those of the pass under way
  Instant advanced_to_{};                   ///< what was over by then may be gone from the state
  std::vector<SlabIndex> cancelling_;       ///< cancelled shows with bookings left
  std::vector<OwedRefund> owed_gathering_;  ///< by the rounds of gathering_ and sealed_, and those that are durable
  std::vector<OwedRefund> owed_sealed_;
  std::vector<OwedRefund> owed_;
  std::vector<std::uint64_t> layout_rows_;  ///< layouts to checkpoint
  ShardCounters counters_;
};

template <class Changed>
void Shard::durable(Changed&& changed) {
  for (const SlabIndex show : sealed_) {
    make_durable(show);
    changed(state_.shows[show].number);
  }
  sealed_.clear();
  if (owed_sealed_.empty()) return;
  std::move(owed_sealed_.begin(), owed_sealed_.end(), std::back_inserter(owed_));
  owed_sealed_.clear();
}

}  // namespace usher::engine
