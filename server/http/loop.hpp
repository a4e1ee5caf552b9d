#pragma once
/// One event loop: an Asio io_context with the listeners and connections of one thread. It is driven from outside
/// (poll() and run_one_for()), so that the same thread runs the shards between two cycles; it starts no thread and
/// never blocks but in run_one_for(). Owned by whoever drives it; all members are for that thread but those marked
/// Thread-safe.
///
/// One cycle: wait for events, read and parse everything that is ready and hand over each request (on_request), let the
/// handlers work on the batch (on_batch_end), then write all answers that are ready, one send per connection.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "server/http/connection.hpp"
#include "server/http/deadline_wheel.hpp"
#include "server/http/handler.hpp"
#include "server/http/ring.hpp"
#include "usher/result.hpp"
#include "usher/time.hpp"

namespace usher::server::http {

/// A counter that one thread writes and any may read. Thread-safe for reading.
class Counter {
 public:
  void add(std::uint64_t count = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

struct LoopCounters {
  Counter accepted;
  Counter closed;
  Counter accept_pauses;  ///< at the connection limit or out of descriptors
  Counter requests;
  Counter responses;
  Counter parse_errors;
  Counter timeouts;
  Counter exceptions;
  Counter bytes_received;
  Counter bytes_sent;
};

/// Open connections of all loops of the process against one limit. Thread-safe.
struct ConnectionBudget {
  explicit ConnectionBudget(std::size_t max) noexcept : connections_max(max) {}
  const std::size_t connections_max;
  std::atomic<std::size_t> open{0};
};

/// A path with a body limit of its own.
struct BodyLimit {
  std::string path;
  std::size_t bytes_max;
};

struct LoopOptions {
  std::uint16_t index = 0;                        ///< ReplyTo::loop
  std::shared_ptr<ConnectionBudget> connections;  ///< none: a limit of 19,000 for this loop alone
  HeadLimits head;
  std::size_t body_bytes_max = 1U << 20U;
  std::vector<BodyLimit> body_limits{{"/commands", 4U << 20U}, {"/admin/import", 256U << 20U}};
  std::size_t input_bytes_max = std::size_t{512} << 20U;  ///< of half-read requests, all connections together
  Duration idle_timeout{60'000};
  Duration head_timeout{10'000};   ///< from the first byte of a head to its last
  Duration body_timeout{10'000};   ///< the same for a body, and a second more for each 64 KiB received
  Duration write_timeout{30'000};  ///< without the client taking a byte
  Networks trusted_proxies;
  bool proxy_protocol = false;  ///< trusted peers begin with a PROXY v2 header; without one they are refused
  bool io_uring = true;         ///< where the kernel offers it; else, and if not, epoll by Asio
  std::int64_t (*monotonic_ms)() noexcept = nullptr;  ///< none: CLOCK_MONOTONIC_COARSE; tests give a fake
};

class Loop {
 public:
  /// Returns: io when the kernel gives no descriptor for it.
  [[nodiscard]] static Result<std::unique_ptr<Loop>> make(LoopOptions options);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Accepts on `fd`, which it takes over, for `handler`, which must outlive the loop.
  [[nodiscard]] Status add_listener(int fd, Handler& handler);

  /// One cycle without waiting. Returns: how many events there were.
  std::size_t poll() { return run_one_for(Duration{0}); }
  /// One cycle that waits for its first event, at most `timeout` (and at most 250 ms).
  std::size_t run_one_for(Duration timeout);
  /// Writes what was answered since the last cycle. Needed after respond() outside of the handlers' calls, if the
  /// answers should leave before the next cycle ends.
  void flush();

  /// Thread-safe. Makes the running or next run_one_for() return soon. Calls between two cycles become one; costs a
  /// system call only when the loop sleeps.
  void wake() noexcept;
  /// Thread-safe. Runs `task` on the loop's thread, in its next cycle. Not for the hot path. Returns: false when
  /// 65,536 tasks wait already.
  [[nodiscard]] bool try_post(std::function<void()> task);

  /// Returns: the connection, or nothing when it is gone.
  [[nodiscard]] Connection* find(const ReplyTo& to) noexcept;
  /// find() and Connection::respond(). Returns: false when there is nobody left to answer.
  bool respond(const ReplyTo& to, const Response& response);

  /// Stops accepting, closes idle connections, lets the others finish with Connection: close.
  void begin_drain();
  [[nodiscard]] bool draining() const noexcept { return draining_; }
  [[nodiscard]] std::size_t connection_count() const noexcept { return open_count_; }
  /// Closes all connections at once, whatever they are doing. To be called on the loop's thread before it ends.
  void close_all() noexcept;

  [[nodiscard]] const LoopCounters& counters() const noexcept { return counters_; }
  [[nodiscard]] std::uint16_t index() const noexcept { return options_.index; }
  /// Of this cycle.
  [[nodiscard]] std::int64_t now_ms() const noexcept { return now_ms_; }

 private:
  friend class Connection;
  // reactor.hpp
  struct Listener;
  struct Reactor;
  struct Message;

 public:
  /// For sockets of other protocols that live in this loop's io_context (server/ws): whoever includes reactor.hpp.
  [[nodiscard]] Reactor& reactor() noexcept { return *reactor_; }
  /// Called first in each of their handlers.
  void note_event() noexcept {
    begin_cycle();
    ++events_;
  }
  [[nodiscard]] const std::shared_ptr<ConnectionBudget>& budget() const noexcept { return options_.connections; }

 private:
  struct ListedConnection {
    Connection* connection;
    std::uint32_t generation;
  };
  static constexpr std::size_t scratch_bytes = 64U * 1024U;
  static constexpr std::size_t tasks_max = 65'536;
  // Buffers and held answers that are kept, and how large; more are a burst's. 2 x 16 MiB at most, per loop.
  static constexpr std::size_t pool_max = 1'024;
  static constexpr std::size_t pooled_bytes_max = 16U * 1024U;

  Loop(LoopOptions options, std::unique_ptr<Reactor> reactor, int wake_fd);

  void read_clocks() noexcept;
  void begin_cycle() noexcept;
  void start_reads();
  // loop_ring.cpp
  void run_ring();
  void reap_ring();
  void finish_sends();
  [[nodiscard]] Message& take_message();
  void drain_ring() noexcept;
  [[nodiscard]] bool nothing_in_ring();
  void wait(Duration timeout);
  void listen_for_wake();
  template <class Work>
  void guard(Connection& connection, Work&& work) noexcept;
  void run_tasks();
  void resume_connections();
  void end_batch();
  void expire_connections();
  void note_batch(Handler& handler);
  void note_exception(Handler* handler) noexcept;

  // loop_accept.cpp
  void listen_for_clients(Listener& listener);
  void accept_ready(Listener& listener);
  bool accept_one(Listener& listener);
  void pause_accept(Listener& listener) noexcept;
  void resume_accept() noexcept;
  [[nodiscard]] bool take_connection_budget() noexcept;
  Connection& adopt(int fd);
  Connection& take_connection();
  void release_connection(Connection& connection) noexcept;
  [[nodiscard]] std::unique_ptr<HeldAnswer> take_held();
  void give_held(std::unique_ptr<HeldAnswer> held) noexcept;
  /// Buffers for input and output, emptied, from connections that need none now.
  [[nodiscard]] json::TextBuffer take_buffer() noexcept;
  void give_buffer(json::TextBuffer buffer) noexcept;
  [[nodiscard]] std::size_t body_bytes_max(std::string_view path) const noexcept;

  LoopOptions options_;
  const std::unique_ptr<Reactor> reactor_;  // outlives the sockets below
  int wake_fd_;
  std::unique_ptr<Ring> ring_;  // none: the sockets are Asio's
  bool cycle_begun_ = false;
  std::size_t events_ = 0;  // of this cycle
  std::int64_t now_ms_ = 0;
  DateField date_field_;
  std::string_view date_;  // of this cycle
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<std::uint32_t> free_;
  std::size_t open_count_ = 0;
  std::size_t input_bytes_ = 0;
  std::vector<ListedConnection> reads_due_;
  std::vector<ListedConnection> starting_;
  std::vector<ListedConnection> dirty_;
  std::vector<ListedConnection> flushing_;
  struct Received {
    ListedConnection to;
    std::int32_t result;
  };
  std::vector<Received> received_;  // by the ring, in this cycle
  std::vector<Received> sent_;
  std::size_t ring_operations_ = 0;                 // not yet reaped
  std::size_t sends_queued_ = 0;                    // of them, by this flush()
  std::vector<std::unique_ptr<Message>> messages_;  // of sends with shared bodies
  std::size_t messages_used_ = 0;
  std::vector<ListedConnection> resume_;
  std::vector<ListedConnection> resuming_;
  std::vector<Handler*> batch_handlers_;
  std::vector<std::unique_ptr<HeldAnswer>> held_pool_;
  std::vector<json::TextBuffer> buffer_pool_;
  std::unique_ptr<char[]> scratch_;
  json::TextBuffer problem_;
  Request request_;
  DeadlineWheel wheel_;
  bool draining_ = false;
  bool accept_paused_ = false;
  std::int64_t accept_again_ms_ = 0;
  LoopCounters counters_;

  std::atomic<bool> woken_{false};
  std::atomic<bool> sleeping_{false};
  std::atomic<bool> has_tasks_{false};
  std::mutex tasks_mutex_;
  std::vector<std::function<void()>> tasks_;
};

}  // namespace usher::server::http
