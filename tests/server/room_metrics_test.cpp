#include "server/room_metrics.hpp"

#include <doctest/doctest.h>

#include <future>

using namespace usher;
using namespace usher::server;

TEST_CASE("room metrics: sockets of two loops, a payment and a job: are told at a scrape") {
  std::array<http::LoopCounters, 2> loops;
  loops[0].parse_errors.add(2);
  loops[1].parse_errors.add(3);
  payments::BuiltinGateway gateway{{}, payments::Ledger{}};
  std::promise<void> paid;
  gateway.create({"key", {100, {}}, "pm_card_visa", {"reservation", 1}},
                 [&](const payments::PaymentResult&) { paid.set_value(); });
  paid.get_future().wait();
  work::WorkPool pool{1, 4};
  REQUIRE(pool.try_post([] {}));
  pool.drain();
  metrics::Metrics metrics{1, {}, {}, instant_from_ms(0)};
  add_room_metrics(metrics, {&loops[0], &loops[1]}, gateway, pool);
  const std::string text = metrics.scrape(instant_from_ms(0));
  CHECK(text.find("\nusher_http_parse_errors_total 5\n") != std::string::npos);
  CHECK(text.find("\nusher_gateway_payments_total{result=\"captured\"} 1\n") != std::string::npos);
  CHECK(text.find("\nusher_gateway_payments_total{result=\"declined\"} 0\n") != std::string::npos);
  CHECK(text.find("\nusher_work_jobs_total{result=\"finished\"} 1\n") != std::string::npos);
  CHECK(text.find("\nusher_work_jobs{state=\"queued\"} 0\n") != std::string::npos);
}
