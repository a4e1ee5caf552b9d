#pragma once
/// RelayLoop: one core's thread of a relay: its sockets, its feed, and the few requests that are not for the feed.
/// Belongs to Relay.

#include <atomic>
#include <memory>

#include "server/config/config.hpp"
#include "server/http/loop.hpp"
#include "server/http/router.hpp"
#include "server/loop_thread.hpp"
#include "server/metrics/metrics.hpp"
#include "server/relay/relay_shows.hpp"

namespace usher::server::relay {

enum class Route : std::uint8_t { live, health, ready, metrics, asyncapi, other, count_ };
[[nodiscard]] std::vector<std::string_view> route_names();

/// What the loops of a relay share. Outlives them; immutable or thread-safe while they run.
struct RelayShared {
  const config::Config& config;
  Upstream& upstream;
  metrics::Metrics& metrics;
  ws::SubscriberLimits& limits;
  std::atomic<bool> draining{false};
};

class RelayLoop final {
 public:
  /// `listener` and `admin` (or -1) are taken over. Requires: the upstream has not started.
  [[nodiscard]] static Result<std::unique_ptr<RelayLoop>> make(RelayShared& shared, http::LoopOptions options,
                                                               int listener, int admin);

  void run();
  /// Thread-safe. No new connections and readers; those that are here are told to go.
  void begin_drain();
  [[nodiscard]] bool drained() const noexcept { return drained_.load(std::memory_order_acquire); }
  [[nodiscard]] http::Loop& loop() noexcept { return *loop_; }

 private:
  static constexpr Duration idle_wait{16};

  /// Where requests come in: the public listener, or the operators' own.
  class Door final : public http::Handler {
   public:
    Door(RelayLoop& owner, bool operators) noexcept : owner_(owner), operators_(operators) {}
    void on_request(const http::Request& request, http::Connection& connection) override {
      owner_.on_request(request, connection, operators_);
    }
    void on_batch_end() override {}
    void on_exception(const char* what) noexcept override;

   private:
    RelayLoop& owner_;
    const bool operators_;
  };

  RelayLoop(RelayShared& shared, std::unique_ptr<http::Loop> loop);
  void cycle();
  void count();
  void on_request(const http::Request& request, http::Connection& connection, bool operators);
  void live(const http::Request& request, std::string_view show);
  void answer(const http::Request& request, Route route, const http::Response& response);

  RelayShared& shared_;
  const std::unique_ptr<http::Loop> loop_;
  metrics::LoopMetrics& metrics_;
  ws::Feed feed_;
  std::unique_ptr<RelayShows> shows_;
  http::Router router_;
  Door door_;
  Door admin_door_;
  std::int64_t next_count_ms_ = 0;
  bool busy_ = false;
  bool draining_ = false;
  std::atomic<bool> drained_{false};
  LoopThread thread_;
};

}  // namespace usher::server::relay
