#include "server/metrics/metrics.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "server/metrics/process_metrics.hpp"

using namespace usher;
using namespace usher::server::metrics;

namespace {

constexpr std::array<std::string_view, 2> routes{"GET /movies", "POST /shows/{id}/reserve"};

bool has_line(const std::string& text, const std::string& line) {
  return ('\n' + text).find('\n' + line + '\n') != std::string::npos;
}

std::set<std::string> family_names(const std::string& text) {
  std::set<std::string> names;
  std::istringstream lines{text};
  std::string line;
  while (std::getline(lines, line)) {
    if (line.starts_with("# TYPE ")) names.insert(line.substr(7, line.find(' ', 7) - 7));
  }
  return names;
}

}  // namespace

TEST_CASE("metrics: two loops: are added up, queues told apart") {
  Metrics metrics{2, routes, {"1.2.3", "abc"}, instant_from_ms(1'000)};
  metrics.loop(0).reservations.add();
  metrics.loop(1).reservations.add(2);
  metrics.loop(1).count_refusal(Refusal::seats_unavailable);
  metrics.loop(0).count_request(1, 201);
  metrics.loop(1).count_request(1, 201);
  metrics.loop(1).count_request(1, 409);
  metrics.loop(1).count_request(200, 999);
  metrics.loop(0).requests_in_flight.set(7);
  metrics.loop(0).connections_accepted.add(5);
  metrics.loop(1).connections_closed.add(2);
  const std::string text = metrics.scrape(instant_from_ms(3'500));
  CHECK(has_line(text, "usher_reservations_total 3"));
  CHECK(has_line(text, "# TYPE usher_reservations_total counter"));
  CHECK(has_line(text, "usher_refusals_total{code=\"seats_unavailable\"} 1"));
  CHECK(has_line(text, "usher_refusals_total{code=\"cooldown\"} 0"));
  CHECK(has_line(text, "usher_http_requests_total{route=\"POST /shows/{id}/reserve\",status=\"2xx\"} 2"));
  CHECK(has_line(text, "usher_http_requests_total{route=\"POST /shows/{id}/reserve\",status=\"4xx\"} 1"));
  CHECK(has_line(text, "usher_http_requests_total{route=\"other\",status=\"other\"} 1"));
  CHECK(has_line(text, "usher_http_requests_in_flight{loop=\"0\"} 7"));
  CHECK(has_line(text, "usher_http_requests_in_flight{loop=\"1\"} 0"));
  CHECK(has_line(text, "usher_http_connections 3"));
  CHECK(has_line(text, "usher_uptime_seconds 2.5"));
  CHECK(has_line(text, "usher_build_info{version=\"1.2.3\",revision=\"abc\"} 1"));
  CHECK(text.find("GET /movies") == std::string::npos);
}

TEST_CASE("metrics: a histogram: cumulative buckets in seconds, sum and count") {
  Metrics metrics{2, routes, {}, instant_from_ms(0)};
  metrics.loop(0).request_duration.record(20'000);
  metrics.loop(1).request_duration.record(3'000'000);
  const std::string text = metrics.scrape(instant_from_ms(0));
  CHECK(has_line(text, "usher_http_request_duration_seconds_bucket{le=\"1.6384e-05\"} 0"));
  CHECK(has_line(text, "usher_http_request_duration_seconds_bucket{le=\"2.4576e-05\"} 1"));
  CHECK(has_line(text, "usher_http_request_duration_seconds_bucket{le=\"+Inf\"} 2"));
  CHECK(has_line(text, "usher_http_request_duration_seconds_count 2"));
  CHECK(has_line(text, "usher_http_request_duration_seconds_sum 0.00302"));
  CHECK(metrics.request_durations().quantile(1) >= 3'000'000);
}

TEST_CASE("metrics: a collector: adds families of its own, several series to one") {
  Metrics metrics{1, routes, {}, instant_from_ms(0)};
  metrics.add_collector([](Exposition& out) {
    out.gauge("usher_work_jobs", "Jobs.", 1, {{"state", "queued"}});
    out.gauge("usher_work_jobs", "Jobs.", 2, {{"state", "running"}});
  });
  const std::string text = metrics.scrape(instant_from_ms(0));
  CHECK(has_line(text, "# HELP usher_work_jobs Jobs."));
  CHECK(has_line(text, "usher_work_jobs{state=\"queued\"} 1"));
  CHECK(has_line(text, "usher_work_jobs{state=\"running\"} 2"));
}

TEST_CASE("metrics: a value with quotes and a line break: stays one escaped line") {
  Exposition out;
  out.gauge("usher_x", "Help.", 1, {{"label", "a\"b\\c\nd"}});
  CHECK(has_line(out.text(), "usher_x{label=\"a\\\"b\\\\c\\nd\"} 1"));
}

TEST_CASE("metrics: a scrape while loops count: sees numbers that only grow") {
  Metrics metrics{2, routes, {}, instant_from_ms(0)};
  std::atomic<bool> stop = false;
  std::jthread writer{[&] {
    while (!stop) {
      metrics.loop(1).bookings.add();
      metrics.loop(1).request_duration.record(1'000);
    }
  }};
  std::uint64_t last = 0;
  for (int i = 0; i < 50; ++i) {
    const std::uint64_t count = metrics.request_durations().count;
    CHECK(count >= last);
    last = count;
  }
  stop = true;
  writer.join();
  CHECK(metrics.loop(1).bookings.value() == metrics.request_durations().count);
}

TEST_CASE("metrics: the process: memory and files are told") {
  CHECK(resident_bytes() > 100'000);
  Exposition out;
  add_process_metrics(out, instant_from_ms(12'000));
  const std::string text = out.text();
  CHECK(has_line(text, "process_start_time_seconds 12"));
  const std::set<std::string> names = family_names(text);
  CHECK(names.contains("process_open_fds"));
  CHECK(names.contains("process_cpu_seconds_total"));
}

TEST_CASE("metrics: the README: names every family, and every name follows the convention") {
  Metrics metrics{1, routes, {}, instant_from_ms(0)};
  metrics.loop(0).count_request(0, 200);
  metrics.loop(0).request_duration.record(1);
  metrics.loop(0).reserve_duration.record(1);
  std::ostringstream readme;
  readme << std::ifstream{USHER_SOURCE_DIR "/server/metrics/README.md"}.rdbuf();
  REQUIRE(readme.str().size() > 1'000);
  for (const std::string& name : family_names(metrics.scrape(instant_from_ms(0)))) {
    CAPTURE(name);
    CHECK(readme.str().find('`' + name + '`') != std::string::npos);
    CHECK((name.starts_with("usher_") || name.starts_with("process_")));
  }
}
