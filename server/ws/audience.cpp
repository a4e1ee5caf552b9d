#include "server/ws/audience.hpp"

#include <algorithm>
#include <ctime>

#include "server/ws/feed.hpp"

namespace usher::server::ws {
namespace {

// A snapshot is shared by all who come within this time of its making, so its server_time is at most so old.
constexpr std::int64_t snapshot_age_ms_max = 1'000;
// After a fan-out so much more time is left for everything else (issue: "stretching to 4 times its cost").
constexpr std::int64_t rest_per_cost = 4;
// Between two looks at the clock: some 10 us each.
constexpr int tells_per_look = 8;

std::int64_t monotonic_ns() noexcept {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

Audience::~Audience() {
  for (Subscriber* subscriber : members_) subscriber->audience_ = nullptr;
}

void Audience::join(Subscriber& subscriber) {
  subscriber.audience_ = this;
  subscriber.place_ = static_cast<std::uint32_t>(members_.size());
  members_.push_back(&subscriber);
  subscriber.waiting_ = true;
  if (told_ && can_begin(subscriber)) tell(subscriber);
}

// While a fan-out runs, members lie as [told) cursor [to be told): each hole is filled with the last of its part.
void Audience::leave(Subscriber& subscriber) noexcept {
  std::size_t hole = subscriber.place_;
  subscriber.audience_ = nullptr;
  if (running_ && hole < cursor_) {
    move(--cursor_, hole);
    hole = cursor_;
  }
  move(members_.size() - 1, hole);
  members_.pop_back();
  if (members_.empty()) feed_.empty_.push_back(key_);
}

void Audience::move(std::size_t from, std::size_t to) noexcept {
  members_[to] = members_[from];
  members_[to]->place_ = static_cast<std::uint32_t>(to);
}

void Audience::note(std::shared_ptr<const SeatState> state) noexcept {
  newest_ = std::move(state);
  news_ = true;
}

// Whether what has been told last is new enough for one that has seen more. If not, the source is asked, and the next
// fan-out brings it; so a second time there is nothing newer, whatever the client believes.
bool Audience::can_begin(Subscriber& subscriber) {
  if (!subscriber.from_ || *subscriber.from_ <= told_->lsn) return true;
  feed_.source_->refresh(key_);
  return false;
}

void Audience::start(std::int64_t now_ms) noexcept {
  running_ = true;
  news_ = false;
  cursor_ = 0;
  cost_ns_ = 0;
  started_ms_ = now_ms;
  before_ = std::move(told_);
  told_ = newest_;
  for (SharedBytes& delta : deltas_) delta.reset();
  for (Snapshot& snapshot : snapshots_) snapshot.bytes.reset();
}

bool Audience::run(std::int64_t now_ms, std::int64_t deadline_ns) {
  if (!running_) start(now_ms);
  const std::int64_t begun_ns = monotonic_ns();
  std::int64_t ns = begun_ns;
  for (; cursor_ < members_.size() && ns < deadline_ns; ns = monotonic_ns()) {
    // counted first: leave() may be called within
    for (int told = 0; told < tells_per_look && cursor_ < members_.size(); ++told) tell(*members_[cursor_++]);
  }
  cost_ns_ += ns - begun_ns;
  if (cursor_ < members_.size()) return false;
  finish(now_ms);
  return true;
}

void Audience::finish(std::int64_t now_ms) {
  running_ = false;
  before_.reset();
  const std::int64_t rest_ms = rest_per_cost * cost_ns_ / 1'000'000;
  next_start_ms_ = std::max(started_ms_ + feed_.options_.tick.count(), now_ms + rest_ms);
  feed_.counters_.fanouts.add();
  if (feed_.options_.on_fanout) feed_.options_.on_fanout(static_cast<std::uint64_t>(cost_ns_));
}

void Audience::tell(Subscriber& subscriber) {
  if (subscriber.waiting_) {
    subscriber.waiting_ = false;
    if (subscriber.from_ == told_->lsn) {  // it knows all that there is
      subscriber.lsn_ = told_->lsn;
      return;
    }
    return subscriber.offer(snapshot(subscriber.format_), told_->lsn);
  }
  if (subscriber.lsn_ == told_->lsn) return;
  const bool knows_before = before_ && subscriber.lsn_ == before_->lsn;
  subscriber.offer(knows_before ? delta(subscriber.format_) : snapshot(subscriber.format_), told_->lsn);
}

const SharedBytes& Audience::delta(Format format) {
  SharedBytes& bytes = deltas_[static_cast<std::size_t>(format)];
  if (!bytes) bytes = make_delta(format, *before_, *told_, feed_.server_time_);
  return bytes;
}

const SharedBytes& Audience::snapshot(Format format) {
  Snapshot& snapshot = snapshots_[static_cast<std::size_t>(format)];
  const std::int64_t now_ms = feed_.loop_.now_ms();
  if (!snapshot.bytes || now_ms - snapshot.made_ms > snapshot_age_ms_max) {
    snapshot = {make_snapshot(format, *told_, feed_.server_time_), now_ms};
  }
  return snapshot.bytes;
}

void Audience::close_all(std::uint16_t code, std::string_view reason) {
  const std::vector<Subscriber*> all = members_;
  for (Subscriber* subscriber : all) subscriber->begin_close(code, reason);
}

}  // namespace usher::server::ws
