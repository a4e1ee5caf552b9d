#pragma once
/// What one event loop counts. Owned by Metrics, written by that loop's thread only, read by whoever scrapes. Counting
/// never allocates, locks or formats.

#include <array>
#include <cstddef>
#include <cstdint>

#include "server/metrics/count.hpp"
#include "server/metrics/histogram.hpp"
#include "usher/command.hpp"
#include "usher/refusal.hpp"

namespace usher::server::metrics {

/// Routes told apart at most; the API has about 30.
inline constexpr std::size_t routes_max = 64;

struct alignas(64) LoopMetrics {
  /// By route and by the first digit of the status (1 to 5).
  std::array<std::array<Count, 6>, routes_max> requests;
  std::array<Count, static_cast<std::size_t>(Refusal::count_)> refusals;

  std::array<Count, static_cast<std::size_t>(ScanResult::count_)> scans;

  Count reservations;    ///< made
  Count seats_reserved;  ///< by them
  Count releases;        ///< reservations given up by their owner
  Count expiries;        ///< reservations that ran out
  Count bookings;        ///< paid
  Count tickets;         ///< of them
  Count payments_declined;
  Count payments_unknown;
  Count cancellations;  ///< requests to cancel that did
  Count refunds_settled;

  Count connections_accepted;
  Count connections_closed;
  Count bytes_received;
  Count bytes_sent;

  // The live feed (server/ws).
  Count feed_subscribed;
  Count feed_unsubscribed;
  Count feed_messages;
  Count feed_bytes;
  Count feed_conflated;
  Count feed_dropped_slow;
  Count feed_dropped_silent;
  Count feed_protocol_errors;

  // How full the loop's queues are now.
  Count requests_in_flight;
  Count replies_waiting;  ///< decided, and not durable yet
  Count log_gathered_bytes;

  Histogram request_duration;  ///< from the cycle that read it to its answer; of requests that a shard decides
  Histogram fanout_duration;   ///< work of telling all subscribers of a show on this loop what changed
  Histogram reserve_duration;  ///< the same, of POST /shows/{id}/reserve answered 201

  void count_request(std::size_t route, unsigned status) noexcept {
    const std::size_t status_class = status / 100U;
    requests[route < routes_max ? route : routes_max - 1][status_class < 6 ? status_class : 0].add();
  }
  void count_refusal(Refusal refusal) noexcept { refusals[static_cast<std::size_t>(refusal)].add(); }
};

}  // namespace usher::server::metrics
