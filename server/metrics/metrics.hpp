#pragma once
/// All that the server counts, and the answer to `GET /metrics`. Owned by main; outlives the loops. Each loop writes
/// its own LoopMetrics; scrape() may be called from any thread, one at a time or many at once, and adds them up.

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/metrics/exposition.hpp"
#include "server/metrics/loop_metrics.hpp"
#include "usher/time.hpp"

namespace usher::server::metrics {

struct BuildInfo {
  std::string version;
  std::string revision;
};

/// Whose metrics they are: a relay sells nothing, so it does not tell of sales.
enum class Program : std::uint8_t { server, relay };

class Metrics {
 public:
  /// Adds the families of another room (log, payments, work) to a scrape. Called on the scraping thread.
  using Collector = std::function<void(Exposition&)>;

  /// `routes` names the routes by their index, such as "POST /shows/{id}/reserve". Requires: at most routes_max of
  /// them.
  Metrics(std::size_t loops, std::span<const std::string_view> routes, BuildInfo build, Instant started,
          Program program = Program::server);
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  /// Requires: index < loops. The loop's thread alone may write to it.
  [[nodiscard]] LoopMetrics& loop(std::size_t index);

  /// Thread-safe. What the collector reads must live as long as the metrics.
  void add_collector(Collector collector);

  /// Returns: text/plain; version=0.0.4. Takes about a millisecond, longer with thousands of open connections: for the
  /// work pool.
  [[nodiscard]] std::string scrape(Instant now) const;

  /// Over all loops, for a line in the log and for tests.
  [[nodiscard]] HistogramTotals request_durations() const;

 private:
  using Field = Count LoopMetrics::*;

  [[nodiscard]] std::uint64_t sum(Field field) const;
  void add_requests(Exposition& out) const;
  void add_refusals(Exposition& out) const;
  void add_sales(Exposition& out) const;
  void add_traffic(Exposition& out) const;
  void add_feed(Exposition& out) const;
  void add_queues(Exposition& out) const;
  void add_durations(Exposition& out) const;
  void add_server(Exposition& out, Instant now) const;

  std::vector<std::unique_ptr<LoopMetrics>> loops_;
  std::vector<std::string> routes_;
  BuildInfo build_;
  Instant started_;
  Program program_;
  mutable std::mutex mutex_;
  std::vector<Collector> collectors_;
};

}  // namespace usher::server::metrics
