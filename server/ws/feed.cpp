#include "server/ws/feed.hpp"

#include <unistd.h>

#include <algorithm>
#include <ctime>

#include "usher/assert.hpp"

namespace usher::server::ws {
namespace {

std::int64_t monotonic_ns() noexcept {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

// Looked at per call while draining: each costs a send.
constexpr std::size_t drained_per_call = 64;
// Between two looks at the clock.
constexpr std::size_t reads_per_look = 8;

}  // namespace

Feed::Feed(http::Loop& loop, FeedOptions options, SubscriberLimits& limits)
    : loop_(loop),
      options_(std::move(options)),
      limits_(limits),
      wheel_(loop.now_ms()),
      scratch_(std::make_unique<char[]>(scratch_bytes)) {}

Feed::~Feed() {
  USHER_ASSERT(open_count_ == 0);
}

// ---- subscribers ----

void Feed::join(Joining joining, http::DetachedSocket socket) {
  if (draining_ || socket.fd < 0) {
    if (socket.fd >= 0) ::close(socket.fd);
    return limits_.give(joining.client);
  }
  Subscriber& subscriber = take_subscriber();
  // a subscriber stays one of the process' connections; relaxed: only the count matters
  loop_.budget()->open.fetch_add(1, std::memory_order_relaxed);
  ++open_count_;
  counters_.subscribed.add();
  subscriber.open(socket.fd, joining.format, joining.from, joining.client, std::move(joining.head));
  if (!subscriber.is_open()) return;
  audience(joining.key).join(subscriber);
  if (subscriber.is_open() && !socket.received.empty()) subscriber.take_input(socket.received);
  if (subscriber.is_open() && !subscriber.blocked_) subscriber.flush();
}

Subscriber& Feed::take_subscriber() {
  if (free_.empty()) {
    const auto index = static_cast<std::uint32_t>(subscribers_.size());
    subscribers_.push_back(std::make_unique<Subscriber>(*this, index, options_.message_bytes_max));
    free_.reserve(subscribers_.capacity());
    ready_.reserve(subscribers_.capacity());
    return *subscribers_.back();
  }
  Subscriber& subscriber = *subscribers_[free_.back()];
  free_.pop_back();
  return subscriber;
}

void Feed::release(Subscriber& subscriber) noexcept {
  --open_count_;
  counters_.unsubscribed.add();
  loop_.budget()->open.fetch_sub(1, std::memory_order_relaxed);
  limits_.give(subscriber.client_);
  free_.push_back(subscriber.index_);  // room was reserved
}

void Feed::close_all() noexcept {
  for (const auto& subscriber : subscribers_) subscriber->drop();
  for (const auto& [key, audience] : audiences_) source_->unwatch(key);
  audiences_.clear();
}

// ---- shows ----

Audience& Feed::audience(FeedKey key) {
  std::unique_ptr<Audience>& audience = audiences_[key];
  if (!audience) {
    audience = std::make_unique<Audience>(*this, key);
    source_->watch(key);
  }
  return *audience;
}

void Feed::publish(FeedKey key, std::shared_ptr<const SeatState> state) {
  const auto found = audiences_.find(key);
  if (found == audiences_.end()) return;
  found->second->note(std::move(state));
  list(*found->second);
}

void Feed::list(Audience& audience) {
  due_ms_ = std::min(due_ms_, audience.running_ ? std::int64_t{0} : audience.next_start_ms_);
  if (audience.listed_) return;
  audience.listed_ = true;
  news_.push_back(audience.key());
}

void Feed::end(FeedKey key, std::uint16_t code, std::string_view reason) {
  const auto found = audiences_.find(key);
  if (found != audiences_.end()) found->second->close_all(code, reason);
}

// ---- the cycle ----

bool Feed::work(Instant server_time) {
  server_time_ = server_time;
  wheel_.advance(loop_.now_ms(), [](http::DeadlineWheel::Node& node) { static_cast<Subscriber&>(node).on_deadline(); });
  bool more = draining_ && drain_some();
  if (!ready_.empty()) more = read_some() || more;
  if (loop_.now_ms() >= due_ms_) more = run_fanouts() || more;
  for (const FeedKey key : empty_) {
    const auto found = audiences_.find(key);
    if (found == audiences_.end() || !found->second->empty()) continue;
    source_->unwatch(key);
    audiences_.erase(found);
  }
  empty_.clear();
  return more;
}

// In slices, too: a crowd that goes at once costs as much as one that is told something. At least one look's worth, so
// that it gets somewhere however short the slice is.
bool Feed::read_some() {
  const std::int64_t deadline_ns = monotonic_ns() + std::chrono::nanoseconds(options_.slice).count();
  do {
    for (std::size_t read = 0; read < reads_per_look && ready_read_ < ready_.size(); ++read) {
      const Ready ready = ready_[ready_read_++];
      ready.subscriber->on_readable(ready.generation);
    }
  } while (ready_read_ < ready_.size() && monotonic_ns() < deadline_ns);
  // Where more keeps coming the end is never reached, so what has been read goes as soon as it is half of the list: no
  // more is moved than was read.
  if (2 * ready_read_ >= ready_.size()) {
    ready_.erase(ready_.begin(), ready_.begin() + static_cast<std::ptrdiff_t>(ready_read_));
    ready_read_ = 0;
  }
  return !ready_.empty();
}

// Gives each show with news its turn until the slice is over; one that is not through stays at the front.
bool Feed::run_fanouts() {
  const std::int64_t deadline_ns = monotonic_ns() + std::chrono::nanoseconds(options_.slice).count();
  due_ms_ = http::DeadlineWheel::never;
  running_.swap(news_);
  std::size_t at = 0;
  for (; at < running_.size() && monotonic_ns() < deadline_ns; ++at) {
    const auto found = audiences_.find(running_[at]);
    if (found == audiences_.end()) continue;
    Audience& audience = *found->second;
    audience.listed_ = false;
    if (audience.may_run(loop_.now_ms())) audience.run(loop_.now_ms(), deadline_ns);
    if (audience.has_news()) list(audience);
  }
  if (at < running_.size()) {
    news_.insert(news_.end(), running_.begin() + static_cast<std::ptrdiff_t>(at), running_.end());
    due_ms_ = 0;
  }
  running_.clear();
  return loop_.now_ms() >= due_ms_;
}

void Feed::begin_drain() noexcept {
  draining_ = true;
  drained_ = 0;
}

bool Feed::drain_some() {
  const std::size_t end = std::min(subscribers_.size(), drained_ + drained_per_call);
  for (; drained_ < end; ++drained_) {
    if (subscribers_[drained_]->is_open()) {
      subscribers_[drained_]->begin_close(close_code::going_away, "the server is stopping");
    }
  }
  return drained_ < subscribers_.size();
}

}  // namespace usher::server::ws
