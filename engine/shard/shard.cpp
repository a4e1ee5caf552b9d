#include "engine/shard/shard.hpp"

#include <algorithm>
#include <cstring>

#include "engine/catalog/show_terms.hpp"
#include "usher/assert.hpp"
#include "usher/mutant.hpp"

namespace usher::engine {
namespace {

constexpr std::size_t cache_line_words = 8;

}  // namespace

// ---- recovery ----

Status Shard::restore(const CheckpointRow& row) {
  switch (static_cast<CheckpointKind>(row.kind)) {
    case CheckpointKind::layout: {
      const auto interned =
          state_.shared.layouts.intern_bytes({reinterpret_cast<const char*>(row.state.data()), row.state.size()});
      if (!interned) return interned.error();
      layouts_.push_back(interned.value().layout->hash());
      return Done{};
    }
    case CheckpointKind::show: {
      if (row.key == 0 || row.key >= ShowDirectory::shows_max) {
        return make_error(ErrorCode::corrupt, "checkpoint of a show without a number");
      }
      const auto number = static_cast<ShowNumber>(row.key);
      if (Status status = restore_show(state_, number, row.lsn, row.state); !status) return status;
      const SlabIndex show = state_.find_show(number);
      if (state_.shows[show].status == ShowStatus::cancelled) cancelling_.push_back(show);
      return Done{};
    }
    case CheckpointKind::clock: {
      ByteReader in(row.state);
      const auto ms = in.fixed<std::uint64_t>();
      if (!in.complete() || ms > static_cast<std::uint64_t>(instant_ms_max)) {
        return make_error(ErrorCode::corrupt, "checkpoint of a shard's clock: damaged");
      }
      state_.last_now = std::max(state_.last_now, instant_from_ms(static_cast<std::int64_t>(ms)));
      return Done{};
    }
    case CheckpointKind::catalog:
      break;
  }
  return make_error(ErrorCode::corrupt, "checkpoint row of a kind that a shard does not have");
}

namespace {

[[nodiscard]] Error misfit(const Record& record, const std::string& what) {
  return make_error(ErrorCode::corrupt,
                    "shard " + std::to_string(record.shard) + " LSN " + std::to_string(record.lsn) + ": " + what);
}

}  // namespace

Status Shard::replay(const Record& record) {
  if (to_ms(record.now) < 0 || to_ms(record.now) > instant_ms_max || record.events.empty()) {
    return misfit(record, "no record has this time or no events");
  }
  state_.last_now = std::max(state_.last_now, record.now);
  if (record.show == ShowNumber::none) {
    for (const Event& event : record.events) {
      if (Status status = replay_shard_event(record, event); !status) return status;
    }
    return Done{};
  }
  SlabIndex show = state_.find_show(record.show);
  if (show != 0 && record.lsn <= state_.shows[show].lsn) return Done{};  // its checkpoint has seen it
  for (const Event& event : record.events) {
    bool applied = false;
    if (event.type == EventType::show_opened && text_fits(record, event)) {
      show = engine::open_show(state_, record.show, record.text_of(event));
      applied = show != 0;
    } else {
      applied = show != 0 && apply_event(state_, show, record, event);
    }
    if (!applied) {
      return misfit(record, "an event of type " + std::to_string(static_cast<int>(event.type)) + " does not fit show " +
                                std::to_string(to_value(record.show)));
    }
    const bool forgets = USHER_MUTANT(19, "a restart forgets to cancel in bulk");
    if (event.type == EventType::show_cancelled && !forgets) cancelling_.push_back(show);
  }
  if ((state_.shows[show].flags & Show::to_checkpoint) == 0) dirty_.push_back(show);
  finish_record(state_, show, record);
  return Done{};
}

void Shard::finish_recovery() {
  std::sort(state_.revoked.begin(), state_.revoked.end(),
            [](const Revoked& a, const Revoked& b) { return a.lsn < b.lsn; });
  state_.shows.for_each([&](const Show& show) { make_durable(state_.find_show(show.number)); });
}

Status Shard::replay_shard_event(const Record& record, const Event& event) {
  if (event.type != EventType::layout_defined || !text_fits(record, event)) {
    return misfit(record, "an event that a shard does not have");
  }
  const auto interned = state_.shared.layouts.intern_bytes(record.text_of(event));
  if (!interned) return interned.error();
  const std::uint64_t hash = interned.value().layout->hash();
  if (std::find(layouts_.begin(), layouts_.end(), hash) != layouts_.end()) return Done{};
  layouts_.push_back(hash);
  layout_rows_.push_back(hash);
  return Done{};
}

// ---- commands ----

void Shard::begin(ShowNumber show, Instant now, UserNumber actor) {
  record_.clear();
  record_.shard = state_.index;
  record_.show = show;
  record_.now = now;
  record_.actor = actor;
}

void Shard::execute(const Command& command, Instant now, Reply& reply) {
  ++counters_.decisions;
  reply.shard = state_.index;
  reply.show = command.show;
  reply.now = now;
  const SlabIndex show = state_.find_show(command.show);
  if (show == 0) {
    reply.refusal = Refusal::unknown_show;
    return;
  }
  begin(command.show, now, command.user);
  ShowActor actor(state_, show, record_, *this);
  actor.decide(command, reply);
  const bool cancelled = !record_.events.empty() && record_.events.back().type == EventType::show_cancelled;
  flush(record_);
  if (cancelled) cancelling_.push_back(show);
  // an answer by its key has the LSN of then; a scan that comes again is decided anew, and waits for what it has seen
  if (!reply.replayed || command.type == CommandType::check_in) reply.lsn = state_.shows[show].lsn;
}

void Shard::prefetch_show(const Command& command) const noexcept {
  const SlabIndex show = state_.find_show(command.show);
  if (show != 0) state_.shows.prefetch(show);
}

void Shard::prefetch_state(const Command& command) const noexcept {
  const SlabIndex index = state_.find_show(command.show);
  if (index == 0) return;
  const Show& show = state_.shows[index];
  const bool reserves = command.type == CommandType::reserve || command.type == CommandType::reserve_best;
  __builtin_prefetch(show.planes);
  __builtin_prefetch(show.planes + cache_line_words);
  state_.by_sequence.prefetch(ShardState::sequence_hash(index, reserves ? show.sequence_next : command.sequence));
  if (!reserves) return;
  state_.by_user_on_show.prefetch(ShardState::user_hash(index, command.user));
  if (show.live.last != 0) state_.reservations.prefetch(show.live.last);
  if (show.users != 0) state_.users.prefetch(show.users);
}

void Shard::define_layout(const Layout& layout, Instant now) {
  if (std::find(layouts_.begin(), layouts_.end(), layout.hash()) != layouts_.end()) return;
  begin(ShowNumber::none, now, UserNumber::none);
  layout.encode(record_.payload);
  Event event{};
  event.type = EventType::layout_defined;
  event.text_size = static_cast<std::uint32_t>(record_.payload.size());
  record_.events.push_back(event);
  (void)lane_->append(record_);
  ++counters_.records;
  layouts_.push_back(layout.hash());
  layout_rows_.push_back(layout.hash());
}

bool Shard::open_show(ShowNumber number, const ShowTerms& terms, Instant now) {
  if (state_.find_show(number) != 0) return false;
  begin(number, now, UserNumber::none);
  encode(terms, record_.payload);
  Event event{};
  event.type = EventType::show_opened;
  event.text_size = static_cast<std::uint32_t>(record_.payload.size());
  record_.events.push_back(event);
  const SlabIndex show = engine::open_show(state_, number, record_.text_of(event));
  USHER_ASSERT(show != 0);
  flush(record_);
  return true;
}

void Shard::flush(Record& record) {
  if (record.events.empty()) return;
  (void)lane_->append(record);
  ++counters_.records;
  const SlabIndex show = state_.find_show(record.show);
  note_dirty(show);
  finish_record(state_, show, record);
  for (const Event& event : record.events) {
    const bool owes = event.type == EventType::seats_cancelled || event.type == EventType::refund_due;
    if (owes && event.amount > 0) note_owed(record, event);
  }
  record.events.clear();
  record.seats.clear();
  record.payload.clear();
}

void Shard::note_dirty(SlabIndex show) {
  if ((state_.shows[show].flags & Show::to_checkpoint) != 0) return;
  state_.shows[show].flags |= Show::to_checkpoint;
  dirty_.push_back(show);
}

// ---- time ----

bool Shard::advance(Instant now, std::uint32_t count_max) {
  advanced_to_ = std::max(advanced_to_, now);
  const bool done =
      state_.wheel.advance(now, count_max, [&](TimerKind kind, SlabIndex subject) { on_timer(kind, subject, now); });
  if (!cancelling_.empty()) cancel_in_bulk(now);
  return done && cancelling_.empty();
}

void Shard::on_timer(TimerKind kind, SlabIndex subject, Instant now) {
  switch (kind) {
    case TimerKind::reservation: {
      const SlabIndex show = state_.reservations[subject].show;
      begin(state_.shows[show].number, now, UserNumber::none);
      ShowActor(state_, show, record_, *this).on_reservation_timer(subject);
      counters_.expired += record_.events.empty() ? 0U : 1U;
      flush(record_);
      return;
    }
    case TimerKind::show_end:
      begin(state_.shows[subject].number, now, UserNumber::none);
      ShowActor(state_, subject, record_, *this).on_show_end();
      flush(record_);
      return;
    case TimerKind::cooldown:
      state_.users[subject].timer = 0;
      state_.tidy_user(subject, now);
      return;
    case TimerKind::idempotency:
      on_key_timer(subject, now);
      return;
  }
}

void Shard::on_key_timer(SlabIndex index, Instant now) {
  IdempotencyEntry& entry = state_.keys[index];
  if (entry.in_flight) {  // the gateway has not told for a day: the key lives until it does
    entry.timer = state_.wheel.add(now + std::chrono::hours{1}, TimerKind::idempotency, index);
    return;
  }
  entry.timer = 0;
  state_.forget_key(index);
}

void Shard::cancel_in_bulk(Instant now) {
  const SlabIndex show = cancelling_.back();
  begin(state_.shows[show].number, now, UserNumber::none);
  const bool done = ShowActor(state_, show, record_, *this).cancel_some();
  flush(record_);
  if (done) {
    std::erase(cancelling_, show);
  } else if (cancelling_.size() > 1) {
    std::rotate(cancelling_.begin(), cancelling_.end() - 1, cancelling_.end());
  }
}

// ---- durable images ----

void Shard::copy_state(const Show& show, SeatImage::State& to) {
  const std::uint32_t words = state_.plane_words(show);
  to.planes = state_.arena.allocate(words);
  std::memcpy(to.planes, show.planes, words * sizeof(std::uint64_t));
  to.lsn = show.lsn;
  to.free_seats = show.free_seats;
  to.status = show.status;
}

void Shard::drop_state(const Show& show, SeatImage::State& from) {
  state_.arena.release(from.planes, state_.plane_words(show));
  from.planes = nullptr;
}

void Shard::before_change(SlabIndex index) {
  Show& show = state_.shows[index];
  if ((show.flags & Show::in_round) != 0) return;
  show.flags |= Show::in_round;
  gathering_.push_back(index);
  if (show.image == 0) {
    show.image = state_.images.allocate();
    copy_state(show, state_.images[show.image].durable);
  } else {
    SeatImage& image = state_.images[show.image];
    if (image.in_sealed_round && image.sealed.planes == nullptr) copy_state(show, image.sealed);
  }
}

void Shard::seal() {
  USHER_ASSERT(sealed_.empty());
  for (const SlabIndex index : gathering_) {
    Show& show = state_.shows[index];
    show.flags &= static_cast<std::uint8_t>(~Show::in_round);
    state_.images[show.image].in_sealed_round = true;
  }
  sealed_.swap(gathering_);
  owed_sealed_.swap(owed_gathering_);
}

void Shard::make_durable(SlabIndex index) {
  Show& show = state_.shows[index];
  std::uint32_t available = show.free_seats;
  ShowStatus status = show.status;
  if (show.image != 0) {
    SeatImage& image = state_.images[show.image];
    image.in_sealed_round = false;
    drop_state(show, image.durable);
    if (image.sealed.planes != nullptr) {  // memory is ahead again
      image.durable = image.sealed;
      image.sealed = {};
      available = image.durable.free_seats;
      status = image.durable.status;
    } else {
      state_.images.release(show.image);
      show.image = 0;
    }
  }
  ShowDirectory::Entry* entry = state_.shared.directory.find(show.number);
  entry->available.store(status == ShowStatus::scheduled ? available : 0, std::memory_order_relaxed);
  entry->status.store(static_cast<std::uint8_t>(status), std::memory_order_relaxed);
}

// ---- reading ----

std::optional<ShowView> Shard::view(ShowNumber number) const {
  const SlabIndex index = state_.find_show(number);
  if (index == 0) return std::nullopt;
  const Show& show = state_.shows[index];
  ShowView view{show.layout, show.terms, {}, {}, {}, show.start, show.end, show.lsn, show.free_seats, show.status};
  std::uint64_t* words = show.planes;
  if (show.image != 0 && !USHER_MUTANT(20, "seat maps show what is not durable")) {
    const SeatImage::State& durable = state_.images[show.image].durable;
    words = durable.planes;
    view.lsn = durable.lsn;
    view.available = durable.free_seats;
    view.status = durable.status;
  }
  // the opening itself may be ahead of the log: until it is durable there is no such show
  if (lane_ != nullptr && !USHER_MUTANT(20, "seat maps show what is not durable") &&
      view.lsn > lane_->durable_lsn(state_.index))
    return std::nullopt;
  SeatPlanes planes(words, show.layout->seat_count());
  view.reserved = planes.reserved();
  view.booked = planes.booked();
  view.blocked = planes.blocked();
  return view;
}

Reply Shard::booking_reply(SlabIndex at) const {
  const Show& show = state_.shows[state_.reservations[at].show];
  Reply reply;
  reply.type = CommandType::read_booking;
  reply.shard = state_.index;
  reply.show = show.number;
  reply.lsn = show.lsn;
  fill_reply(state_, at, reply);
  return reply;
}

void Shard::bookings_of(UserNumber user, std::vector<Reply>& out) const {
  const SlabIndex person = state_.find_person(user);
  if (person == 0) return;
  for (SlabIndex at = state_.people[person].bookings; at != 0;) {
    out.push_back(booking_reply(at));
    at = state_.bookings[state_.reservations[at].booking].user_next;
  }
}

void Shard::bookings_of(ShowNumber number, std::vector<Reply>& out) const {
  const SlabIndex show = state_.find_show(number);
  if (show == 0) return;
  for (SlabIndex at = state_.shows[show].settled.first; at != 0; at = state_.reservations[at].next) {
    const SlabIndex booking = state_.reservations[at].booking;
    if (booking != 0 && !state_.bookings[booking].seats_lost) out.push_back(booking_reply(at));
  }
}

void Shard::note_owed(const Record& record, const Event& event) {
  const SlabIndex show = state_.find_show(record.show);
  const Reservation& reservation = state_.reservations[state_.find_reservation(show, event.sequence)];
  const Booking& booking = state_.bookings[reservation.booking];
  owed_gathering_.push_back({{IdKind::reservation, record.show, event.sequence, reservation.random},
                             event.type == EventType::refund_due ? booking.refund_count : event.attempt,
                             {event.amount, booking.terms->currency},
                             std::string(booking.payment_ref.data(), booking.payment_ref_size)});
}

void Shard::take_owed(std::vector<OwedRefund>& refunds) {
  std::move(owed_.begin(), owed_.end(), std::back_inserter(refunds));
  owed_.clear();
}

void Shard::unfinished(std::vector<UnfinishedPayment>& payments, std::vector<OwedRefund>& refunds) const {
  const auto id = [](const Show& show, const Reservation& reservation) {
    return Id{IdKind::reservation, show.number, reservation.sequence, reservation.random};
  };
  state_.shows.for_each([&](const Show& show) {
    for (const Chain& chain : {show.live, show.settled}) {
      for (SlabIndex at = chain.first; at != 0; at = state_.reservations[at].next) {
        const Reservation& reservation = state_.reservations[at];
        const bool open =
            reservation.state == ReservationState::paying || reservation.state == ReservationState::lapsed;
        if (open) payments.push_back({id(show, reservation), reservation.attempt});
        if (reservation.booking == 0) continue;
        const Booking& booking = state_.bookings[reservation.booking];
        for (SlabIndex refund = booking.refunds; refund != 0; refund = state_.refunds[refund].next) {
          if (state_.refunds[refund].state != Refund::State::owed) continue;
          refunds.push_back({id(show, reservation),
                             state_.refunds[refund].number,
                             {state_.refunds[refund].amount, booking.terms->currency},
                             std::string(booking.payment_ref.data(), booking.payment_ref_size)});
        }
      }
    }
  });
}

Lsn Shard::revoked_since(Lsn from, Lsn until, std::size_t count_max, std::vector<Uuid>& tickets) const {
  const auto above = [](Lsn lsn, const Revoked& entry) { return lsn < entry.lsn; };
  auto at = std::upper_bound(state_.revoked.begin(), state_.revoked.end(), from, above);
  for (; at != state_.revoked.end() && at->lsn <= until; ++at) {
    // all of one LSN go together, so that the cursor between two of them is never needed
    if (tickets.size() >= count_max && at->lsn > from) return from;
    from = at->lsn;
    const Reservation& reservation = state_.reservations[at->reservation];
    const Booking& booking = state_.bookings[reservation.booking];
    for (std::uint32_t position = 0; position < reservation.seat_count; ++position) {
      if (((booking.cancelled >> position) & 1U) == 0) continue;
      tickets.push_back(to_uuid(
          ticket_id(state_.shows[reservation.show].number, reservation.sequence, booking.ticket_random, position)));
    }
  }
  return std::max(from, until);
}

// ---- checkpoints ----

Lsn Shard::begin_checkpoint() {
  USHER_ASSERT(checkpointing_.empty());
  checkpointing_.swap(dirty_);
  return lane_->last_lsn(state_.index);
}

bool Shard::collect_rows(std::size_t bytes_max, std::vector<CheckpointRow>& rows) {
  std::size_t bytes = 0;
  const Instant as_of = std::max(state_.last_now, advanced_to_);
  CheckpointRow clock{state_.index, static_cast<std::uint8_t>(CheckpointKind::clock), 0, 0, {}};
  ByteWriter(clock.state)
      .fixed(USHER_MUTANT(42, "a checkpoint's clock is forgotten") ? 0 : static_cast<std::uint64_t>(to_ms(as_of)));
  rows.push_back(std::move(clock));
  while (!layout_rows_.empty()) {
    CheckpointRow row{state_.index, static_cast<std::uint8_t>(CheckpointKind::layout), layout_rows_.back(), 0, {}};
    state_.shared.layouts.find(layout_rows_.back()).layout->encode(row.state);
    // not below the record that defines it, which may gather still
    row.lsn = USHER_MUTANT(41, "a layout is checkpointed before its record is durable")
                  ? lane_->durable_lsn(state_.index)
                  : lane_->last_lsn(state_.index);
    layout_rows_.pop_back();
    bytes += row.state.size();
    rows.push_back(std::move(row));
  }
  while (!checkpointing_.empty() && bytes < bytes_max) {
    Show& show = state_.shows[checkpointing_.back()];
    if (!USHER_MUTANT(21, "a changed show is checkpointed once only")) {
      show.flags &= static_cast<std::uint8_t>(~Show::to_checkpoint);
    }
    CheckpointRow row{
        state_.index, static_cast<std::uint8_t>(CheckpointKind::show), to_value(show.number), show.lsn, {}};
    encode_show(state_, checkpointing_.back(), as_of, row.state);
    checkpointing_.pop_back();
    bytes += row.state.size();
    rows.push_back(std::move(row));
  }
  return !checkpointing_.empty();
}

}  // namespace usher::engine
