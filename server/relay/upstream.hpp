#pragma once
/// Upstream: the one place of a relay that talks to the server it reads from. It follows each show that any loop wants
/// by one WebSocket (usher.binary.v1, so that every message is the whole state and can replace any other), whose seats'
/// labels it has by one GET before; what comes it hands to every loop that watches the show. On a thread of its own.
///
/// Life of a show here: wanted by a loop -> connected, labels, first message -> followed -> nobody wants it, or the
/// server says it is over, or the server is lost for `stale_max`. A connection that is lost is made anew, after waits
/// that double from 50 ms to 1 s; those who are told meanwhile are told that it is lost.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "server/relay/server_clock.hpp"
#include "server/relay/upstream_url.hpp"
#include "server/ws/seat_state.hpp"
#include "usher/result.hpp"
#include "usher/time.hpp"

namespace usher::server::relay {

using SharedState = std::shared_ptr<const ws::SeatState>;

/// What a loop is told, on its own thread.
class Watcher {
 public:
  enum class Why : std::uint8_t { unknown_show, lost, full };

  virtual ~Watcher() = default;
  /// The show has been found and is watched from now on, under this key.
  virtual void found(const std::string& show, ws::FeedKey key, SharedState state) = 0;
  /// The show cannot be had; it is not watched.
  virtual void refused(const std::string& show, Why why) = 0;
  /// The newest state; it need not look different. `refreshed`: it answers a refresh(), somebody's.
  virtual void changed(ws::FeedKey key, SharedState state, bool refreshed) = 0;
  /// The server is lost: what is known may be old, until changed() says otherwise.
  virtual void lost(ws::FeedKey key) = 0;
  /// It is over: the readers are to be closed with `code`. The show is not watched any more.
  virtual void ended(ws::FeedKey key, std::uint16_t code) = 0;
};

struct UpstreamOptions {
  UpstreamUrl url;
  std::string ca_file;  ///< PEM; empty: the system's
  Duration timeout{4'000};
  Duration stale_max{3'000};
  std::uint32_t shows_max = 1'000;
};

/// What happened since the start; each is written by the upstream's thread. Thread-safe.
struct UpstreamCounters {
  std::atomic<std::uint64_t> connects{0};   ///< connections that became WebSockets
  std::atomic<std::uint64_t> failures{0};   ///< attempts and connections that ended in an error
  std::atomic<std::uint64_t> messages{0};   ///< received
  std::atomic<std::uint64_t> refreshes{0};  ///< asked of the server for readers that knew more
  std::atomic<std::uint64_t> given_up{0};   ///< shows whose readers were closed since the server was lost
  std::atomic<std::uint64_t> shows{0};      ///< followed now
};

class Upstream {
 public:
  /// Brings a task to a loop's thread, in order.
  using Post = std::function<void(std::function<void(Watcher&)>)>;

  /// Returns: invalid where `ca_file` cannot be read.
  [[nodiscard]] static Result<std::unique_ptr<Upstream>> make(UpstreamOptions options);
  ~Upstream();
  Upstream(const Upstream&) = delete;
  Upstream& operator=(const Upstream&) = delete;

  /// Before start(). Returns: the loop's number.
  std::uint16_t add_loop(Post post);
  void start();
  /// Ends the thread and all connections.
  void stop();

  // Thread-safe; calls of one loop take effect in their order.
  /// The show's path segment, as clients write it. found() or refused() answers.
  void watch(std::uint16_t loop, std::string show);
  void unwatch(std::uint16_t loop, ws::FeedKey key);
  /// The server is asked for its newest state; changed() answers, unless the show ends first.
  void refresh(ws::FeedKey key);

  /// Thread-safe. Whether the server answered when it was last asked; it is asked again twice a second while not.
  [[nodiscard]] bool reachable() const noexcept;
  [[nodiscard]] const UpstreamCounters& counters() const noexcept;
  [[nodiscard]] const ServerClock& clock() const noexcept;

 private:
  class Core;
  explicit Upstream(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

}  // namespace usher::server::relay
