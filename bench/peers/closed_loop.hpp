#pragma once
/// The closed loop that drives a peer: each client has one request under way and starts the next when it is answered.
/// The same seats, in the same order, as bench/load asks of us. One thread, one epoll; what speaks to the peer is a
/// Peer.

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "bench/load/histogram.hpp"

namespace usher::bench {

/// One all-or-nothing request for two seats, or their giving back.
struct Ask {
  bool release = false;
  std::uint32_t show = 0;
  std::uint32_t first_seat = 0;   ///< and the one beside it
  std::uint64_t reservation = 0;  ///< unlike any other of this run
};

/// Connections to a peer, one per client, all watched by one epoll.
class Peer {
 public:
  virtual ~Peer() = default;
  /// Opens the connections and adds them to `epoll` with their index as the datum. Returns: what went wrong, or
  /// nothing.
  [[nodiscard]] virtual std::string connect(std::size_t clients, int epoll) = 0;
  /// Starts a request; `finished(client, success)` is called from on_event().
  virtual void send(std::size_t client, const Ask& ask) = 0;
  virtual void on_event(std::size_t client, std::uint32_t events) = 0;

  std::function<void(std::size_t client, bool success)> finished;
};

struct ClosedLoopOptions {
  std::size_t clients = 64;
  std::size_t shows = 6'000;
  std::size_t pairs = 260;  ///< of seats side by side in a show
  bool hot = false;  ///< all want one show, the one after those of the walk: each alternates reserve and release of two
                     ///< seats of its own
  std::uint64_t offset = 0;  ///< where in the walk over all shows to begin
  double seconds = 2;
  double warmup_seconds = 0.3;
  std::uint64_t requests = 0;  ///< not 0: measures so many answers from the first on, however long they take
};

struct ClosedLoopResult {
  double seconds = 0;
  std::uint64_t reserved = 0;  ///< measured successes of reserve
  std::uint64_t answered = 0;  ///< measured answers of all kinds
  std::uint64_t refused = 0;   ///< of all, measured or not
  std::uint64_t held = 0;      ///< reservations that stand at the end
  std::uint64_t next = 0;      ///< where in the walk to go on
  bool walk_ended = false;
  Histogram latency;
  std::vector<std::uint64_t> timeline;  ///< measured successes in each tenth of a second
};

class ClosedLoop {
 public:
  ClosedLoop(const ClosedLoopOptions& options, Peer& peer);
  ~ClosedLoop();
  ClosedLoop(const ClosedLoop&) = delete;
  ClosedLoop& operator=(const ClosedLoop&) = delete;

  /// Connects, runs, gives back what the hot show's clients hold. Returns: what went wrong, or nothing.
  [[nodiscard]] std::string run();
  [[nodiscard]] const ClosedLoopResult& result() const noexcept { return result_; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Client {
    Ask ask;
    bool holds = false;
    Clock::time_point sent{};
  };

  void start(std::size_t client);
  void on_finished(std::size_t client, bool success);
  void measure(const Client& client, bool success);
  void begin_or_end();

  ClosedLoopOptions options_;
  Peer& peer_;
  ClosedLoopResult result_;
  int epoll_ = -1;
  std::vector<Client> clients_;
  std::size_t in_flight_ = 0;
  std::size_t stride_ = 1;
  std::uint64_t reservations_ = 0;
  bool stopping_ = false;
  Clock::time_point now_{};
  Clock::time_point measure_from_{};
  Clock::time_point measure_until_{};
};

/// The main() of a peer's client: reads the options of ClosedLoopOptions, runs, prints one JSON object. `more` may ask
/// for options of the peer's own.
class Arguments;
[[nodiscard]] ClosedLoopOptions closed_loop_options(Arguments& arguments);
[[nodiscard]] int run_and_print(const ClosedLoopOptions& options, Peer& peer);

}  // namespace usher::bench
