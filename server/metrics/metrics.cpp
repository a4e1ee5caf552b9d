#include "server/metrics/metrics.hpp"

#include <array>

#include "server/metrics/process_metrics.hpp"
#include "usher/assert.hpp"

namespace usher::server::metrics {

namespace {

constexpr std::array<std::string_view, 6> status_classes{"other", "1xx", "2xx", "3xx", "4xx", "5xx"};

struct NamedField {
  std::string_view name;
  std::string_view help;
  Count LoopMetrics::*field;
};

constexpr std::array<NamedField, 14> sales_fields{{
    {"usher_reservations_total", "Reservations made.", &LoopMetrics::reservations},
    {"usher_reserved_seats_total", "Seats of the reservations made.", &LoopMetrics::seats_reserved},
    {"usher_releases_total", "Reservations given up by their owner.", &LoopMetrics::releases},
    {"usher_expiries_total", "Reservations that ran out.", &LoopMetrics::expiries},
    {"usher_bookings_total", "Reservations paid.", &LoopMetrics::bookings},
    {"usher_tickets_total", "Tickets of the bookings made.", &LoopMetrics::tickets},
    {"usher_payments_declined_total", "Payments that the gateway declined.", &LoopMetrics::payments_declined},
    {"usher_payments_unknown_total", "Payments whose outcome was not told in time.", &LoopMetrics::payments_unknown},
    {"usher_cancellations_total", "Cancellations made.", &LoopMetrics::cancellations},
    {"usher_refunds_total", "Refunds settled by the gateway.", &LoopMetrics::refunds_settled},
    {"usher_queue_places_total", "Places taken in queues of waiting rooms.", &LoopMetrics::places_taken},
    {"usher_queue_admitted_total", "People let in by waiting rooms.", &LoopMetrics::room_admitted},
    {"usher_queue_lapsed_total", "Admissions that nobody used.", &LoopMetrics::room_lapsed},
    {"usher_waitlist_parties_total", "Parties put on waiting lists.", &LoopMetrics::parties_listed},
}};

constexpr std::array<NamedField, 4> traffic_fields{{
    {"usher_http_connections_accepted_total", "Connections accepted.", &LoopMetrics::connections_accepted},
    {"usher_http_connections_closed_total", "Connections closed, by either side.", &LoopMetrics::connections_closed},
    {"usher_http_received_bytes_total", "Bytes received from clients.", &LoopMetrics::bytes_received},
    {"usher_http_sent_bytes_total", "Bytes sent to clients.", &LoopMetrics::bytes_sent},
}};

constexpr std::array<NamedField, 8> feed_fields{{
    {"usher_feed_subscribed_total", "Subscribers of the live feed that came.", &LoopMetrics::feed_subscribed},
    {"usher_feed_unsubscribed_total", "Subscribers of the live feed that went.", &LoopMetrics::feed_unsubscribed},
    {"usher_feed_messages_total", "Messages sent to subscribers.", &LoopMetrics::feed_messages},
    {"usher_feed_bytes_total", "Bytes of the messages sent to subscribers.", &LoopMetrics::feed_bytes},
    {"usher_feed_conflated_total", "Messages left out since their reader was behind: it gets the newest state instead.",
     &LoopMetrics::feed_conflated},
    {"usher_feed_dropped_slow_total", "Subscribers dropped since they were behind too long.",
     &LoopMetrics::feed_dropped_slow},
    {"usher_feed_dropped_silent_total", "Subscribers dropped since they answered no ping.",
     &LoopMetrics::feed_dropped_silent},
    {"usher_feed_protocol_errors_total", "Subscribers that broke a rule of RFC 6455.",
     &LoopMetrics::feed_protocol_errors},
}};

constexpr std::array<NamedField, 5> queue_fields{{
    {"usher_http_requests_in_flight", "Requests read and not answered yet.", &LoopMetrics::requests_in_flight},
    {"usher_outbox_replies", "Answers decided that wait for the log.", &LoopMetrics::replies_waiting},
    {"usher_log_gathered_bytes", "Bytes of the log gathered and not handed over yet.",
     &LoopMetrics::log_gathered_bytes},
    {"usher_queue_waiting", "People who wait in waiting rooms.", &LoopMetrics::room_waiting},
    {"usher_queue_outstanding", "People let in who have not reserved yet.", &LoopMetrics::room_outstanding},
}};

}  // namespace

Metrics::Metrics(std::size_t loops, std::span<const std::string_view> routes, BuildInfo build, Instant started,
                 Program program)
    : build_(std::move(build)), started_(started), program_(program) {
  USHER_ASSERT(routes.size() <= routes_max);
  for (std::size_t i = 0; i < loops; ++i) loops_.push_back(std::make_unique<LoopMetrics>());
  for (const std::string_view route : routes) routes_.emplace_back(route);
}

LoopMetrics& Metrics::loop(std::size_t index) {
  USHER_ASSERT(index < loops_.size());
  return *loops_[index];
}

void Metrics::add_collector(Collector collector) {
  const std::lock_guard lock{mutex_};
  collectors_.push_back(std::move(collector));
}

std::string Metrics::scrape(Instant now) const {
  Exposition out;
  add_server(out, now);
  if (program_ == Program::server) {
    add_sales(out);
    add_refusals(out);
    add_queues(out);
  }
  add_requests(out);
  add_durations(out);
  add_traffic(out);
  add_feed(out);
  {
    const std::lock_guard lock{mutex_};
    for (const Collector& collect : collectors_) collect(out);
  }
  add_process_metrics(out, started_);
  return out.text();
}

HistogramTotals Metrics::request_durations() const {
  HistogramTotals totals;
  for (const auto& loop : loops_) loop->request_duration.add_to(totals);
  return totals;
}

std::uint64_t Metrics::sum(Field field) const {
  std::uint64_t total = 0;
  for (const auto& loop : loops_) total += (*loop.*field).value();
  return total;
}

/// Only what was asked for at least once: 64 routes with 6 classes each would bury the rest.
void Metrics::add_requests(Exposition& out) const {
  for (std::size_t route = 0; route < routes_max; ++route) {
    const std::string_view name = route < routes_.size() ? std::string_view{routes_[route]} : "other";
    for (std::size_t status = 0; status < status_classes.size(); ++status) {
      std::uint64_t total = 0;
      for (const auto& loop : loops_) total += loop->requests[route][status].value();
      if (total == 0) continue;
      out.counter("usher_http_requests_total", "Requests answered, by route and class of the status.",
                  static_cast<double>(total), {{"route", name}, {"status", status_classes[status]}});
    }
  }
}

/// All of them from the start, so that an alert on a rate needs no special case for the first.
void Metrics::add_refusals(Exposition& out) const {
  for (std::size_t i = 1; i < static_cast<std::size_t>(Refusal::count_); ++i) {
    std::uint64_t total = 0;
    for (const auto& loop : loops_) total += loop->refusals[i].value();
    out.counter("usher_refusals_total", "Commands refused, by the code that the client saw.",
                static_cast<double>(total), {{"code", describe(static_cast<Refusal>(i)).code}});
  }
  for (std::size_t i = 0; i < scan_result_names.size(); ++i) {
    std::uint64_t total = 0;
    for (const auto& loop : loops_) total += loop->scans[i].value();
    out.counter("usher_checkins_total", "Scans at gates, by what the gate was told.", static_cast<double>(total),
                {{"result", scan_result_names[i]}});
  }
}

void Metrics::add_sales(Exposition& out) const {
  for (const NamedField& field : sales_fields)
    out.counter(field.name, field.help, static_cast<double>(sum(field.field)));
}

void Metrics::add_traffic(Exposition& out) const {
  for (const NamedField& field : traffic_fields) {
    out.counter(field.name, field.help, static_cast<double>(sum(field.field)));
  }
  const double open = static_cast<double>(sum(&LoopMetrics::connections_accepted)) -
                      static_cast<double>(sum(&LoopMetrics::connections_closed));
  out.gauge("usher_http_connections", "Connections open now.", open < 0 ? 0 : open);
}

void Metrics::add_feed(Exposition& out) const {
  for (const NamedField& field : feed_fields) {
    out.counter(field.name, field.help, static_cast<double>(sum(field.field)));
  }
  const double open = static_cast<double>(sum(&LoopMetrics::feed_subscribed)) -
                      static_cast<double>(sum(&LoopMetrics::feed_unsubscribed));
  out.gauge("usher_feed_subscribers", "Subscribers of the live feed now.", open < 0 ? 0 : open);
  HistogramTotals fanouts;
  for (const auto& loop : loops_) loop->fanout_duration.add_to(fanouts);
  if (fanouts.count > 0) {
    out.histogram("usher_feed_fanout_duration_seconds",
                  "Work of telling all subscribers of a show on one loop what changed.", fanouts);
  }
}

void Metrics::add_queues(Exposition& out) const {
  for (const NamedField& field : queue_fields) {
    for (std::size_t i = 0; i < loops_.size(); ++i) {
      const std::string index = std::to_string(i);
      out.gauge(field.name, field.help, static_cast<double>((*loops_[i].*field.field).value()), {{"loop", index}});
    }
  }
}

/// Left out while nothing was recorded: a histogram of nothing looks like a server without load.
void Metrics::add_durations(Exposition& out) const {
  const HistogramTotals requests = request_durations();
  if (requests.count > 0) {
    out.histogram("usher_http_request_duration_seconds",
                  "From the cycle that read the request to its answer, of requests that a shard decides.", requests);
  }
  HistogramTotals reserves;
  for (const auto& loop : loops_) loop->reserve_duration.add_to(reserves);
  if (reserves.count > 0) {
    out.histogram("usher_reserve_duration_seconds", "The same, of reservations that were made: the sync is in it.",
                  reserves);
  }
}

void Metrics::add_server(Exposition& out, Instant now) const {
  out.gauge("usher_build_info", "Always 1; the labels tell which program this is.", 1,
            {{"version", build_.version}, {"revision", build_.revision}});
  out.gauge("usher_uptime_seconds", "How long the server has been running.",
            static_cast<double>((now - started_).count()) / 1e3);
  out.gauge("usher_loops", "Event loops.", static_cast<double>(loops_.size()));
}

}  // namespace usher::server::metrics
