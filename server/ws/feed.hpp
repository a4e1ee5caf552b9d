#pragma once
/// Feed: the live seat maps of one loop: its subscribers, by show, and when they are told what. Where the seats' states
/// come from is the StateSource's business: the shards of this process (server/api/live_shows), or another server (a
/// relay). For the loop's thread only; SubscriberLimits are shared.
///
/// Life of a change: the source sees a new durable state -> Feed::publish -> Audience::note -> work() -> one message
/// per format -> one send() per subscriber.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "server/http/loop.hpp"
#include "server/ws/audience.hpp"
#include "server/ws/limits.hpp"
#include "server/ws/subscriber.hpp"

namespace usher::server::ws {

/// Tells a Feed the states of shows by Feed::publish(), or that there is none by Feed::end(). Never within these calls:
/// later, on the feed's thread.
class StateSource {
 public:
  virtual ~StateSource() = default;
  /// From now on every change, and the state of now first.
  virtual void watch(FeedKey key) = 0;
  virtual void unwatch(FeedKey key) = 0;
  /// The state of now, even if only its LSN is new.
  virtual void refresh(FeedKey key) = 0;
};

struct FeedOptions {
  Duration tick{100};  ///< between two fan-outs of a show, at least
  Duration ping_interval{std::chrono::seconds{30}};
  Duration slow_timeout{std::chrono::seconds{30}};  ///< how long a reader may be behind
  std::chrono::microseconds slice{500};             ///< of a fan-out, and of reading, before the loop gets its turn
  std::uint32_t message_bytes_max = 16U * 1024U;    ///< from clients
  std::uint32_t send_buffer_bytes = 64U * 1024U;    ///< asked of the kernel, per subscriber
  std::function<void(std::uint64_t)> on_fanout;     ///< nanoseconds of work of each fan-out, for the metrics
};

struct FeedCounters {
  http::Counter subscribed;
  http::Counter unsubscribed;
  http::Counter messages;   ///< sent, or begun to be
  http::Counter bytes;      ///< of them
  http::Counter conflated;  ///< messages not sent since the reader was behind
  http::Counter dropped_slow;
  http::Counter dropped_silent;
  http::Counter protocol_errors;
  http::Counter fanouts;
};

class Feed {
 public:
  Feed(http::Loop& loop, FeedOptions options, SubscriberLimits& limits);
  ~Feed();
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;

  /// Must be called before the first join(); outlives the feed's subscribers.
  void set_source(StateSource& source) noexcept { source_ = &source; }

  struct Joining {
    FeedKey key = 0;
    Format format = Format::json;
    std::optional<std::uint64_t> from;
    http::ClientAddress client;  ///< who was counted by SubscriberLimits::take()
    std::string head;            ///< the answer to the handshake
  };
  /// Takes over the socket and the place that take() gave.
  void join(Joining joining, http::DetachedSocket socket);
  void publish(FeedKey key, std::shared_ptr<const SeatState> state);
  /// The show is not there: all its subscribers are closed.
  void end(FeedKey key, std::uint16_t code, std::string_view reason);

  /// Once per cycle of the loop. `server_time` is what messages say. Returns: whether there is more to do at once.
  bool work(Instant server_time);
  /// No new subscribers; those that are here are told to go away. work() does it.
  void begin_drain() noexcept;
  [[nodiscard]] bool draining() const noexcept { return draining_; }
  void close_all() noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return open_count_; }
  [[nodiscard]] const FeedCounters& counters() const noexcept { return counters_; }
  [[nodiscard]] SubscriberLimits& limits() noexcept { return limits_; }

 private:
  friend class Audience;
  friend class Subscriber;
  static constexpr std::size_t scratch_bytes = 16U * 1024U;

  [[nodiscard]] Subscriber& take_subscriber();
  void release(Subscriber& subscriber) noexcept;
  [[nodiscard]] Audience& audience(FeedKey key);
  void tidy(Audience& audience) noexcept;
  void list(Audience& audience);
  bool run_fanouts();
  bool read_some();
  bool drain_some();

  http::Loop& loop_;
  const FeedOptions options_;
  SubscriberLimits& limits_;
  StateSource* source_ = nullptr;
  std::vector<std::unique_ptr<Subscriber>> subscribers_;
  std::vector<std::uint32_t> free_;
  struct Ready {
    Subscriber* subscriber;
    std::uint32_t generation;
  };
  std::vector<Ready> ready_;  // for whom something has come, the end perhaps
  std::size_t ready_read_ = 0;
  std::size_t open_count_ = 0;
  std::unordered_map<FeedKey, std::unique_ptr<Audience>> audiences_;
  std::vector<FeedKey> news_;                         // shows with something to tell
  std::int64_t due_ms_ = http::DeadlineWheel::never;  // when the first of them may
  std::vector<FeedKey> running_;                      // work()'s own
  std::vector<FeedKey> empty_;                        // shows whose last subscriber may have gone
  http::DeadlineWheel wheel_;
  std::unique_ptr<char[]> scratch_;
  Instant server_time_{};
  bool draining_ = false;
  std::size_t drained_ = 0;
  FeedCounters counters_;
};

}  // namespace usher::server::ws
