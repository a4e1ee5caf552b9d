#pragma once
/// Courier: follows the log for one sink (mail, webhooks, SMS), turns events into deliveries, and tries each until it
/// has arrived. A thread of its own, since the network is slow; list(), retry() and counters() are Thread-safe.
///
/// Operation: what an event asks for, and the cursor behind the event, go down in one durable round; only then is the
///   event forgotten. So nothing is lost by a crash, and at worst something is sent twice, under the same id.
/// Limitations: with `queue_max` deliveries waiting the courier reads no further; the log holds what follows.

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "engine/shard/engine.hpp"
#include "server/events/event_facts.hpp"
#include "server/events/event_reader.hpp"
#include "server/notify/delivery.hpp"

namespace usher::server::notify {

/// Where messages go. Called on the courier's thread only.
class Sink {
 public:
  virtual ~Sink() = default;
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;
  /// What an event asks for: nothing, one or many deliveries, whose ids begin with name().
  virtual void want(const Record& record, std::size_t index, const events::Facts& facts,
                    std::vector<Delivery>& deliveries) = 0;
  [[nodiscard]] virtual Outcome send(const Delivery& delivery) = 0;
};

struct CourierOptions {
  std::uint32_t attempts_max = 12;
  Duration first_wait{1'000};  ///< doubled after each attempt
  Duration longest_wait{std::chrono::minutes{10}};
  std::size_t queue_max = 10'000;
};

class Courier {
 public:
  struct Counters {
    std::uint64_t sent = 0;
    std::uint64_t failed_attempts = 0;
    std::uint64_t given_up = 0;
    std::size_t waiting = 0;
    std::size_t dead = 0;
    bool stuck = false;  ///< the log could not be read
  };

  Courier(std::unique_ptr<Sink> sink, engine::Engine& engine, wal::OpenedLog& log,
          std::shared_ptr<events::EventHub> hub, CourierOptions options);
  ~Courier();
  Courier(const Courier&) = delete;
  Courier& operator=(const Courier&) = delete;

  /// A row of the side table, before start(). Returns: false when it is damaged; rows of other sinks are ignored.
  [[nodiscard]] bool load(std::string_view key, std::string_view value);
  void start();
  /// Ends the thread after the attempt under way. Requires: the loops still run.
  void stop();

  [[nodiscard]] std::string_view name() const noexcept { return sink_->name(); }
  [[nodiscard]] std::vector<Delivery> list() const;
  /// Returns: false when there is no such delivery.
  [[nodiscard]] bool retry(std::string_view id);
  [[nodiscard]] Counters counters() const;

 private:
  void run();
  [[nodiscard]] bool begin();
  /// Returns: whether anything was read.
  [[nodiscard]] bool read();
  [[nodiscard]] bool deliver();
  void end_attempt(const std::string& id, const Outcome& outcome);
  /// Makes the rows durable, all or none. Returns: false when the process ends.
  [[nodiscard]] bool write(std::vector<SideWrite> rows);
  [[nodiscard]] Instant now() const;
  [[nodiscard]] bool stopping() const;

  std::unique_ptr<Sink> sink_;
  engine::Engine& engine_;
  wal::OpenedLog& log_;
  std::shared_ptr<events::EventHub> hub_;
  CourierOptions options_;
  events::EventReader reader_;
  events::LsnCursor cursor_;
  std::size_t records_unsaved_ = 0;  ///< read since the cursor was last written

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Delivery, std::less<>> queue_;
  Counters counters_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace usher::server::notify
