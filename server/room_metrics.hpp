#pragma once
/// Brings what other rooms count by themselves into the metrics: sockets and shards of a loop, the payment gateway, the
/// work pool. Those rooms do not know the metrics, so this stands above them all.

#include "engine/shard/agent_runner.hpp"
#include "server/http/loop.hpp"
#include "server/metrics/metrics.hpp"
#include "server/payments/builtin_gateway.hpp"
#include "server/work/work_pool.hpp"
#include "server/ws/feed.hpp"

namespace usher::server {

/// Copies what a loop's sockets and shards have counted into the loop's metrics. On the loop's thread; costs a few
/// dozen loads, so a few times a second is enough.
void feed_loop_metrics(metrics::LoopMetrics& metrics, const http::Loop& loop, const engine::AgentRunner& runner);

/// Its part about sockets alone.
void feed_socket_metrics(metrics::LoopMetrics& metrics, const http::Loop& loop);

/// The same for the loop's live feed.
void feed_live_metrics(metrics::LoopMetrics& metrics, const ws::Feed& feed);

/// Adds the families of HTTP errors. The counters must outlive the metrics' last scrape.
void add_socket_metrics(metrics::Metrics& metrics, std::vector<const http::LoopCounters*> loops);

/// Adds the families of HTTP errors, gateway and pool. All must outlive the metrics' last scrape.
void add_room_metrics(metrics::Metrics& metrics, std::vector<const http::LoopCounters*> loops,
                      const payments::BuiltinGateway& gateway, const work::WorkPool& pool);

}  // namespace usher::server
