#pragma once
/// What every command that works on a data directory needs: the log recovered into an engine, or the log read without
/// writing it.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/shard/engine.hpp"
#include "server/config/config.hpp"
#include "server/config/secrets.hpp"
#include "server/events/event_hub.hpp"
#include "server/shard_clock.hpp"
#include "usher/result.hpp"
#include "wal/log.hpp"

namespace usher::server::cli {

/// An engine with its log attached. Destroyed in the right order: runners (their lanes) before the log.
struct OpenedData {
  std::unique_ptr<wal::OpenedLog> log;
  std::vector<std::unique_ptr<ShardClock>> clocks;
  std::unique_ptr<engine::Engine> engine;
  config::Secrets secrets;

  /// Ends the lanes and closes the log.
  [[nodiscard]] Status close();
};

struct OpenOptions {
  std::size_t loops = 1;
  bool accept_clock = false;
  bool show_progress = true;
  std::shared_ptr<events::EventHub>* hub = nullptr;  ///< made here where somebody wants to follow the log
};

/// Recovers DIR (made when it is not there). Returns: what wal::open() returns; `clock` when the wall clock lies more
/// than 5 min behind the log and `accept_clock` is not set.
[[nodiscard]] Result<OpenedData> open_data(const std::string& directory, const config::Config& config,
                                           const OpenOptions& options);

/// Takes care of cores, open files and the like, and tells how many loops to run.
[[nodiscard]] std::size_t loop_count(const config::Config& config);

}  // namespace usher::server::cli
