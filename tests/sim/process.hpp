#pragma once
/// One life of the server between two crashes, on one thread: the real engine, runners, log, recovery and sagas,
/// started in the order of `usher serve`, on the simulated disk and the simulated clocks. What is replaced is only what
/// lies outside of the program. For one thread.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/shard/engine.hpp"
#include "server/api/saga.hpp"
#include "server/shard_clock.hpp"
#include "tests/sim/disk.hpp"
#include "tests/sim/gateway.hpp"
#include "tests/sim/knobs.hpp"
#include "wal/log.hpp"

namespace usher::sim {

/// Simulated time. One for the whole thread, since ShardClock reads its clocks by plain functions.
struct Clocks {
  std::int64_t monotonic_ns = 0;
  std::int64_t wall_ns = 0;
};
inline thread_local Clocks clocks;

/// Who watches a process. All calls come from inside of it.
class Watcher {
 public:
  virtual ~Watcher() = default;
  /// A record was appended: not durable yet.
  virtual void on_record(const Record& record) = 0;
  /// An answer leaves the engine towards a client.
  virtual void on_client(const ReplyTo& to, const Reply& reply) = 0;
  /// Any answer leaves the engine.
  virtual void on_reply(const Reply& reply) = 0;
  virtual void on_fatal(const std::string& why) = 0;
};

class Process {
 public:
  /// Starts: recovers from the disk. Returns: the error of a start that is refused or fails.
  [[nodiscard]] static Result<std::unique_ptr<Process>> start(const Knobs& knobs, Disk& disk, Gateway& gateway,
                                                              Watcher& watcher);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  [[nodiscard]] engine::Engine& engine() noexcept { return *engine_; }
  [[nodiscard]] bool has_engine() const noexcept { return engine_ != nullptr; }
  [[nodiscard]] wal::OpenedLog& log() noexcept { return *log_; }
  [[nodiscard]] std::vector<Clock*> clocks_of() const;
  [[nodiscard]] server::api::Saga& saga(std::size_t loop) noexcept { return *sagas_[loop]; }
  [[nodiscard]] std::size_t loops() const noexcept { return sagas_.size(); }

  /// One cycle of a loop, as ServeLoop's. `inline_sync`: the loop syncs itself. Returns: whether anything was done.
  bool cycle(std::size_t loop, bool inline_sync, const std::function<void()>& requests);
  /// Opens a show in its shard. Requires: a cycle of its loop has begun.
  void open_show(const engine::LayoutSpec& spec, engine::ShowTerms terms, const Facts& facts);
  /// The process is killed: nothing of it reaches the disk any more.
  void kill();
  /// Ends as after SIGTERM: drained, checkpointed, closed. Returns: false when that fails.
  [[nodiscard]] bool close();

 private:
  class Tap;
  class Sink;
  Process(const Knobs& knobs, Disk& disk, Gateway& gateway, Watcher& watcher);
  [[nodiscard]] wal::LogOptions log_options();
  void connect();

  const Knobs& knobs_;
  Disk& disk_;
  Gateway& gateway_;
  Watcher& watcher_;
  std::vector<std::unique_ptr<server::ShardClock>> shard_clocks_;
  std::unique_ptr<wal::OpenedLog> log_;
  std::unique_ptr<Tap> tap_;
  std::unique_ptr<engine::Engine> engine_;
  std::vector<std::unique_ptr<Sink>> sinks_;
  std::vector<std::unique_ptr<server::api::Saga>> sagas_;
  Random random_;
};

}  // namespace usher::sim
