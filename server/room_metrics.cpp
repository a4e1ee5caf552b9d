#include "server/room_metrics.hpp"

namespace usher::server {

namespace {

using metrics::Exposition;

double number(std::uint64_t value) noexcept {
  return static_cast<double>(value);
}

void add_http(Exposition& out, const std::vector<const http::LoopCounters*>& loops) {
  const auto sum = [&loops](http::Counter http::LoopCounters::*counter) {
    std::uint64_t total = 0;
    for (const http::LoopCounters* loop : loops) total += (loop->*counter).value();
    return number(total);
  };
  out.counter("usher_http_parse_errors_total", "Requests that broke a framing rule.",
              sum(&http::LoopCounters::parse_errors));
  out.counter("usher_http_timeouts_total", "Connections closed because the client was too slow.",
              sum(&http::LoopCounters::timeouts));
  out.counter("usher_http_accept_pauses_total", "Times that accepting paused for want of connections or descriptors.",
              sum(&http::LoopCounters::accept_pauses));
  out.counter("usher_http_exceptions_total", "Requests answered 500.", sum(&http::LoopCounters::exceptions));
}

void add_gateway(Exposition& out, const payments::BuiltinGateway::Counters& counters) {
  const char* const help = "Payments decided by the gateway.";
  out.counter("usher_gateway_payments_total", help, number(counters.captured), {{"result", "captured"}});
  out.counter("usher_gateway_payments_total", help, number(counters.declined), {{"result", "declined"}});
  out.counter("usher_gateway_refunds_total", "Refunds made by the gateway.", number(counters.refunds));
  out.counter("usher_gateway_repeated_total", "Keys that the gateway had seen before.", number(counters.repeated));
  out.counter("usher_gateway_busy_total", "Calls refused because too many were under way.",
              number(counters.refused_busy));
  out.counter("usher_gateway_lost_answers_total", "Answers lost by payments.unknown_rate.",
              number(counters.answers_lost));
  out.counter("usher_gateway_ledger_failures_total", "Rounds whose ledger could not be synced.",
              number(counters.ledger_failures));
  out.gauge("usher_gateway_in_flight", "Payments and refunds under way.", number(counters.in_flight));
}

void add_pool(Exposition& out, const work::WorkPool::Counters& counters) {
  const char* const total = "Jobs of the work pool, by what became of them.";
  out.counter("usher_work_jobs_total", total, number(counters.finished - counters.failed), {{"result", "finished"}});
  out.counter("usher_work_jobs_total", total, number(counters.failed), {{"result", "failed"}});
  out.counter("usher_work_jobs_total", total, number(counters.refused), {{"result", "refused"}});
  out.counter("usher_work_jobs_total", total, number(counters.discarded), {{"result", "discarded"}});
  const char* const now = "Jobs of the work pool now.";
  out.gauge("usher_work_jobs", now, number(counters.queued), {{"state", "queued"}});
  out.gauge("usher_work_jobs", now, number(counters.running), {{"state", "running"}});
}

}  // namespace

void feed_socket_metrics(metrics::LoopMetrics& metrics, const http::Loop& loop) {
  const http::LoopCounters& counters = loop.counters();
  metrics.connections_accepted.set(counters.accepted.value());
  metrics.connections_closed.set(counters.closed.value());
  metrics.bytes_received.set(counters.bytes_received.value());
  metrics.bytes_sent.set(counters.bytes_sent.value());
  const std::uint64_t requests = counters.requests.value();
  const std::uint64_t responses = counters.responses.value();
  metrics.requests_in_flight.set(requests > responses ? requests - responses : 0);
}

void feed_loop_metrics(metrics::LoopMetrics& metrics, const http::Loop& loop, const engine::AgentRunner& runner) {
  feed_socket_metrics(metrics, loop);
  metrics.replies_waiting.set(runner.answers_waiting());
  std::uint64_t expired = 0;
  for (const engine::Shard* shard : runner.shards()) expired += shard->counters().expired;
  metrics.expiries.set(expired);
  std::uint64_t waiting = 0;
  std::uint64_t outstanding = 0;
  std::uint64_t admitted = 0;
  std::uint64_t lapsed = 0;
  for (const engine::Shard* shard : runner.shards()) {
    for (const auto& [number, room] : shard->state().rooms) {
      waiting += room->waiting;
      outstanding += room->outstanding;
      admitted += room->admitted_total;
      lapsed += room->lapsed_total;
    }
  }
  metrics.room_waiting.set(waiting);
  metrics.room_outstanding.set(outstanding);
  metrics.room_admitted.set(admitted);
  metrics.room_lapsed.set(lapsed);
}

void feed_live_metrics(metrics::LoopMetrics& metrics, const ws::Feed& feed) {
  const ws::FeedCounters& counters = feed.counters();
  metrics.feed_subscribed.set(counters.subscribed.value());
  metrics.feed_unsubscribed.set(counters.unsubscribed.value());
  metrics.feed_messages.set(counters.messages.value());
  metrics.feed_bytes.set(counters.bytes.value());
  metrics.feed_conflated.set(counters.conflated.value());
  metrics.feed_dropped_slow.set(counters.dropped_slow.value());
  metrics.feed_dropped_silent.set(counters.dropped_silent.value());
  metrics.feed_protocol_errors.set(counters.protocol_errors.value());
}

void add_socket_metrics(metrics::Metrics& metrics, std::vector<const http::LoopCounters*> loops) {
  metrics.add_collector([loops = std::move(loops)](Exposition& out) { add_http(out, loops); });
}

void add_room_metrics(metrics::Metrics& metrics, std::vector<const http::LoopCounters*> loops,
                      const payments::BuiltinGateway& gateway, const work::WorkPool& pool) {
  add_socket_metrics(metrics, std::move(loops));
  metrics.add_collector([&gateway, &pool](Exposition& out) {
    add_gateway(out, gateway.counters());
    add_pool(out, pool.counters());
  });
}

}  // namespace usher::server
