#pragma once
/// What the log and the engine add to a scrape of /metrics.

#include "engine/shard/engine.hpp"
#include "server/metrics/metrics.hpp"
#include "wal/log.hpp"

namespace usher::server::cli {

/// Requires: log and engine live as long as the metrics.
void add_log_metrics(metrics::Metrics& metrics, const wal::OpenedLog& log, const engine::Engine& engine);

}  // namespace usher::server::cli
