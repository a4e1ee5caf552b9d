#pragma once
/// What the settings say about a loop's live feed, its fan-outs measured.

#include "server/config/config.hpp"
#include "server/metrics/metrics.hpp"
#include "server/ws/feed.hpp"

namespace usher::server {

/// `metrics` must outlive the feed.
[[nodiscard]] inline ws::FeedOptions feed_options(const config::FeedConfig& config, metrics::LoopMetrics& metrics) {
  ws::FeedOptions options;
  options.tick = config.tick;
  options.ping_interval = config.ping_interval;
  options.slow_timeout = config.slow_timeout;
  options.on_fanout = [&metrics](std::uint64_t ns) { metrics.fanout_duration.record(ns); };
  return options;
}

}  // namespace usher::server
