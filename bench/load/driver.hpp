#pragma once
/// The load: in the closed loop each connection keeps `pipeline` requests in flight and sends the next when one is
/// answered; in the open loop requests start when people arrive, on whichever connection has been idle longest, and a
/// latency counts from the intended start. One thread, one io_uring (where the kernel has none: one epoll), so that it
/// costs less than what it measures; several drivers walk disjoint parts of the same
/// workload.

#include <sys/epoll.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/load/answers.hpp"
#include "bench/load/arrivals.hpp"
#include "bench/load/histogram.hpp"
#include "bench/load/told.hpp"
#include "bench/load/workload.hpp"
#include "server/http/ring.hpp"

namespace usher::bench {

struct DriverOptions {
  std::uint16_t port = 0;
  std::size_t connections = 64;
  std::size_t pipeline = 1;
  double rate_per_s = 0;              ///< open loop: so many arrivals per second; 0 = closed loop
  double seconds = 0;                 ///< how long to measure; 0 = until `requests` were sent
  double warmup_seconds = 0;          ///< answers before this are not measured,
  std::uint64_t warmup_requests = 0;  ///< nor are so many first ones: each user has been seen by then
  std::uint64_t requests = 0;         ///< of this driver; 0 = no limit but the walk's
  std::uint64_t first = 0;            ///< where in the walk this driver begins
  std::uint64_t stride = 1;           ///< and how far apart its requests are
  std::size_t connection_base = 0;
  bool remember = false;  ///< fill DriverResult::told
};

struct DriverResult {
  double seconds = 0;  ///< measured
  std::array<std::uint64_t, 600> measured{};
  std::array<std::uint64_t, 600> total{};
  std::uint64_t sent = 0;
  std::uint64_t lines_201 = 0;  ///< Mode::commands: measured lines that were answered 201
  std::uint64_t connections_lost = 0;
  std::uint64_t unanswered = 0;  ///< sent and never answered: what became of them nobody knows
  bool walk_ended = false;
  Histogram latency;
  Histogram refusals;                   ///< latencies of the answers 503 alone, which are in `latency`, too
  std::vector<std::uint64_t> timeline;  ///< measured successes in each timeline_step since the measuring began
  ToldList told;

  static constexpr std::chrono::milliseconds timeline_step{100};
};

class Driver {
 public:
  Driver(const Workload& workload, Mode mode, const DriverOptions& options);
  ~Driver();
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  /// Connects, runs to the end, and waits for what is in flight (10 s at most).
  DriverResult run();

 private:
  using Clock = std::chrono::steady_clock;
  struct InFlight {
    std::uint64_t number = 0;
    Clock::time_point sent{};  ///< in the open loop: when it was to be sent
  };
  struct Connection {
    int fd = -1;
    bool wants_write = false;
    std::size_t index = 0;
    bool sending = false;        ///< `out` is in the ring
    std::unique_ptr<char[]> in;  ///< the ring receives into it
    std::string out;
    std::size_t out_sent = 0;
    std::string carried;              ///< the begin of an answer whose end has not come
    std::vector<InFlight> in_flight;  ///< a ring of `pipeline`
    std::size_t first = 0;
    std::size_t count = 0;
    std::string reservation;   ///< Mode::hot: what to delete next
    std::uint64_t visits = 0;  ///< Mode::hot: reserves so far
    std::uint64_t asked = 0;   ///< Mode::hot: the number of the last of them
  };

  bool connect_all();
  [[nodiscard]] bool may_send() const noexcept;
  [[nodiscard]] bool somebody_waits() const noexcept;
  void begin_or_end(Clock::time_point measure_from);
  void append_next(Connection& connection, Clock::time_point start);
  void fill(Connection& connection);
  void start_arrived();
  int wait_for_events();
  void on_events(int count);
  void flush(Connection& connection);
  void receive(Connection& connection);
  void run_ring(Clock::time_point measure_from);
  void run_epoll(Clock::time_point measure_from);
  [[nodiscard]] bool goes_on() const noexcept;
  void on_result(std::uint64_t tag, std::int32_t result);
  void on_sent(Connection& connection, std::int32_t result);
  [[nodiscard]] std::chrono::nanoseconds time_to_wait() const;
  void take(Connection& connection, std::string_view fresh);
  void on_readable(Connection& connection);
  std::size_t consume(Connection& connection, std::string_view bytes);
  void on_answer(Connection& connection, const Answer& answer);
  void measure(const InFlight& asked, std::size_t status, std::uint64_t successes);
  void remember(Connection& connection, std::size_t status, std::uint64_t number, std::string_view body);
  std::uint64_t count_lines(std::uint64_t number, std::string_view body);
  void drop(Connection& connection);

  const Workload& workload_;
  Mode mode_;
  DriverOptions options_;
  DriverResult result_;
  int epoll_ = -1;
  int wake_ = -1;  ///< the ring asks for one
  std::vector<Connection> connections_;
  std::vector<char> input_;
  std::array<epoll_event, 1024> events_{};
  AnswerScanner scanner_;
  TextMember reservation_id_{"\"reservation_id\":"};
  Mark good_line_{"\"status\":201"};
  std::optional<Arrivals> arrivals_;  ///< open loop
  std::vector<std::size_t> idle_;     ///< open loop: a ring of connections, idle longest first
  std::size_t idle_first_ = 0;
  std::size_t idle_count_ = 0;
  std::uint64_t next_ = 0;
  std::size_t in_flight_ = 0;
  bool measuring_ = false;
  bool stopping_ = false;
  Clock::time_point now_{};
  Clock::time_point began_{};  ///< measuring
  Clock::time_point ended_{};
  unsigned sends_queued_ = 0;
  std::unique_ptr<server::http::Ring> ring_;  ///< the last: ends before the memory that it receives into
};

}  // namespace usher::bench
