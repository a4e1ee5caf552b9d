#pragma once
/// ServeLoop: one core's thread: its sockets, its shards, its part of the API. While the log is being recovered it
/// answers health questions only; start() hands it the rest.
///
/// One cycle: wait for events; read the clock; requests become commands and are decided; mail, timers and what became
/// durable are worked off; answers leave; what was gathered goes to the log. With nothing else ready and few waiting,
/// the loop syncs itself: a lone client pays one sync and no change of thread.

#include <atomic>
#include <memory>

#include "server/api/api.hpp"
#include "server/http/loop.hpp"
#include "server/loop_thread.hpp"

namespace usher::server {

class ServeLoop final {
 public:
  /// `listener`: its socket, taken over; `admin`: a second one for the operators, or -1.
  [[nodiscard]] static Result<std::unique_ptr<ServeLoop>> make(http::LoopOptions options, int listener, int admin);

  /// Starts the thread.
  void run();
  /// Thread-safe. From the next cycle on the loop serves the API and runs the shards.
  void start(api::App& app, engine::AgentRunner& runner, metrics::LoopMetrics& metrics);
  /// Thread-safe. No new connections and reserves; what is in flight is answered.
  void begin_drain();
  /// Thread-safe. True when nothing waits for an answer any more.
  [[nodiscard]] bool drained() const noexcept { return drained_.load(std::memory_order_acquire); }
  /// Thread-safe. Writes a checkpoint of everything; done() tells when.
  void begin_checkpoint();
  [[nodiscard]] bool checkpointed() const noexcept { return checkpointed_.load(std::memory_order_acquire); }
  /// Ends the thread and closes all connections. Returns when it is over.
  void stop() { thread_.stop(); }

  [[nodiscard]] http::Loop& loop() noexcept { return *loop_; }

 private:
  /// At most so many waiting answers make a round that is worth syncing on this thread.
  static constexpr std::uint32_t lone_answers_max = 4;
  /// In a batch of hundreds the log is looked at this often, so that it does not lie idle until the end.
  static constexpr std::uint32_t requests_per_log_poll = 16;
  /// Timers have a resolution of 16 ms; a loop with nothing to do looks that often.
  static constexpr Duration idle_wait{16};

  /// Where requests come in: the public listener, or the operators' own.
  class Door final : public http::Handler {
   public:
    Door(ServeLoop& owner, api::Entrance entrance) noexcept : owner_(owner), entrance_(entrance) {}
    void on_request(const http::Request& request, http::Connection& connection) override {
      owner_.on_request(request, connection, entrance_);
    }
    void on_batch_end() override {}
    void on_exception(const char* what) noexcept override;

   private:
    ServeLoop& owner_;
    api::Entrance entrance_;
  };

  explicit ServeLoop(bool has_admin)
      : door_(*this, has_admin ? api::Entrance::customers : api::Entrance::both),
        admin_door_(*this, api::Entrance::operators) {}

  void on_request(const http::Request& request, http::Connection& connection, api::Entrance entrance);
  void cycle();
  void commit();
  void update_drained();

  Door door_;
  Door admin_door_;
  std::unique_ptr<http::Loop> loop_;
  std::unique_ptr<api::Api> api_;
  engine::AgentRunner* runner_ = nullptr;
  metrics::LoopMetrics* metrics_ = nullptr;
  Instant next_metrics_{};
  std::uint32_t requests_ = 0;
  bool cycle_begun_ = false;
  bool busy_ = false;
  bool draining_ = false;
  bool checkpointing_ = false;
  std::atomic<bool> drained_{false};
  std::atomic<bool> checkpointed_{false};
  LoopThread thread_;
};

}  // namespace usher::server
