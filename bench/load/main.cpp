/// The load client: a closed loop over many connections against usher or a floor, with the same bytes.
///
/// Usage: usher_load --port N [--mode reserve|race|hot|seats|commands] [--connections N] [--pipeline N] [--threads N]
///   [--rate PER_S] [--seconds S] [--warmup S] [--warmup-requests N] [--requests N] [--offset N] [--shows N] [--rows N]
///   [--row-seats N] [--seats N] [--users N] [--batch N] [--hot-shows N] [--secret TEXT] [--show-prefix TEXT] [--told
///   FILE]
/// --rate makes it an open loop: so many arrivals per second in all (Poisson), latencies from the intended start.
/// --told writes one line per reservation that the server told of: "+ID SHOW SEAT,SEAT", and "-ID" when it was given
/// back. Prints one JSON object: rate, counts by status, latencies in microseconds (`curve`: pairs of quantile and
/// latency), `refusal_us_p99` of those answered 503, `timeline` (successes in each tenth of a second), its own CPU
/// seconds.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "bench/load/arguments.hpp"
#include "bench/load/driver.hpp"
#include "bench/load/figures.hpp"
#include "bench/load/workload.hpp"

namespace {

using namespace usher::bench;

Mode mode_of(const std::string& name) {
  if (name == "race") return Mode::race;
  if (name == "hot") return Mode::hot;
  if (name == "seats") return Mode::seats;
  if (name == "commands") return Mode::commands;
  if (name == "reserve") return Mode::reserve;
  std::fprintf(stderr, "usher_load: no such mode: %s\n", name.c_str());
  std::exit(2);
}

/// Adds up what the threads measured; `told` stays with each.
DriverResult join(const std::vector<DriverResult>& results) {
  DriverResult all;
  for (const DriverResult& one : results) {
    for (std::size_t s = 0; s < all.total.size(); ++s) {
      all.measured[s] += one.measured[s];
      all.total[s] += one.total[s];
    }
    all.seconds = std::max(all.seconds, one.seconds);
    all.sent += one.sent;
    all.lines_201 += one.lines_201;
    all.connections_lost += one.connections_lost;
    all.unanswered += one.unanswered;
    all.walk_ended = all.walk_ended || one.walk_ended;
    all.latency.merge(one.latency);
    all.refusals.merge(one.refusals);
    if (all.timeline.size() < one.timeline.size()) all.timeline.resize(one.timeline.size());
    for (std::size_t i = 0; i < one.timeline.size(); ++i) all.timeline[i] += one.timeline[i];
  }
  return all;
}

/// Returns: `{"201": 5, ...}` of the statuses that came.
std::string by_status(const std::array<std::uint64_t, 600>& counts) {
  std::string text;
  for (std::size_t s = 0; s < counts.size(); ++s) {
    if (counts[s] == 0) continue;
    text += (text.empty() ? "\"" : ", \"") + std::to_string(s) + "\": " + std::to_string(counts[s]);
  }
  return "{" + text + "}";
}

void print(const DriverResult& all, std::size_t malformed) {
  std::uint64_t measured = 0;
  for (const std::uint64_t count : all.measured) measured += count;
  const double seconds = all.seconds > 0 ? all.seconds : 1e-9;
  std::printf(
      "{\"rate\": %.1f, \"rate_201\": %.1f, \"lines_201_rate\": %.1f, \"seconds\": %.4f, \"measured\": %s, "
      "\"total\": %s, \"sent\": %llu, ",
      static_cast<double>(measured) / seconds, static_cast<double>(all.measured[201]) / seconds,
      static_cast<double>(all.lines_201) / seconds, all.seconds, by_status(all.measured).c_str(),
      by_status(all.total).c_str(), static_cast<unsigned long long>(all.sent));
  std::printf("\"connections_lost\": %llu, \"unanswered\": %llu, \"malformed\": %zu, \"walk_ended\": %s, ",
              static_cast<unsigned long long>(all.connections_lost), static_cast<unsigned long long>(all.unanswered),
              malformed, all.walk_ended ? "true" : "false");
  std::printf("\"refusal_us_p99\": %.1f, \"refusal_us_max\": %.1f, ",
              static_cast<double>(all.refusals.quantile(0.99)) / 1e3, static_cast<double>(all.refusals.max()) / 1e3);
  print_figures(all.latency, all.timeline);
  std::printf("}\n");
}

/// Writes what the server told, each thread's list after the other. Returns: false when the file cannot be written.
bool write_told(const std::string& path, const Workload& workload, const std::vector<DriverResult>& results) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  if (file == nullptr) return false;
  for (const DriverResult& result : results) {
    result.told.for_each([&](const Told& told) {
      std::string line = (told.released ? "-" : "+") + std::string(told.id.data(), Told::id_size);
      if (!told.released) {
        const RequestNames names = workload.names(told.number);
        line.append(" ").append(names.show).append(" ").append(names.seats);
        line.erase(std::remove(line.begin(), line.end(), '"'), line.end());
      }
      line += '\n';
      std::fwrite(line.data(), 1, line.size(), file);
    });
  }
  return std::fclose(file) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments(argc, argv, "bench/load/main.cpp");
  WorkloadOptions work;
  work.mode = mode_of(arguments.text("mode", "reserve"));
  work.shows = arguments.count("shows", 15'000);
  work.rows = arguments.count("rows", 10);
  work.row_seats = arguments.count("row-seats", 20);
  work.seats = arguments.count("seats", 2);
  work.users = arguments.count("users", 20'000);
  work.batch = arguments.count("batch", 1'000);
  work.hot_shows = arguments.count("hot-shows", 1);
  work.secret = arguments.text("secret", "bench");
  work.show_prefix = arguments.text("show-prefix", "load-");
  DriverOptions one;
  one.port = static_cast<std::uint16_t>(arguments.count("port", 8080));
  const std::size_t connections = arguments.count("connections", 64);
  const std::size_t threads = std::max<std::size_t>(1, std::min(connections, arguments.count("threads", 1)));
  one.rate_per_s = arguments.real("rate", 0) / static_cast<double>(threads);
  one.pipeline =
      work.mode == Mode::hot || one.rate_per_s > 0 ? 1 : std::max<std::size_t>(1, arguments.count("pipeline", 1));
  one.seconds = arguments.real("seconds", 0);
  one.warmup_seconds = arguments.real("warmup", 0);
  const std::uint64_t warmup_requests = arguments.count("warmup-requests", 0);
  const std::uint64_t requests = arguments.count("requests", 0);
  const std::uint64_t offset = arguments.count("offset", 0);
  const std::string told = arguments.text("told", "");
  one.remember = !told.empty();
  arguments.expect_no_more();
  if (one.seconds <= 0 && requests == 0) {
    std::fprintf(stderr, "usher_load: --seconds or --requests\n");
    return 2;
  }
  const Workload workload(work);
  if (work.mode == Mode::hot && connections > workload.groups()) {
    std::fprintf(stderr, "usher_load: --mode hot: at most %zu connections, since each has seats of its own\n",
                 workload.groups());
    return 2;
  }
  std::vector<DriverResult> results(threads);
  std::vector<std::thread> running;
  for (std::size_t t = 0; t < threads; ++t) {
    DriverOptions mine = one;
    mine.connections = connections / threads + (t < connections % threads ? 1U : 0U);
    mine.connection_base = t * (connections / threads) + std::min(t, connections % threads);
    mine.warmup_requests = warmup_requests / threads;
    mine.first = offset + t;
    mine.stride = threads;
    mine.requests = requests == 0 ? 0 : requests / threads + (t < requests % threads ? 1U : 0U);
    running.emplace_back(
        [&results, &workload, &work, mine, t] { results[t] = Driver(workload, work.mode, mine).run(); });
  }
  for (std::thread& thread : running) thread.join();
  std::size_t malformed = 0;
  for (const DriverResult& result : results) malformed += result.told.malformed();
  print(join(results), malformed);
  if (one.remember && !write_told(told, workload, results)) {
    std::perror(("usher_load: " + told).c_str());
    return 1;
  }
  return 0;
}
