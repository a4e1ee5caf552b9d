/// The load client: a closed loop over many connections against usher or a floor, with the same bytes.
///
/// Usage: usher_load --port N [--mode reserve|race|hot|seats|commands] [--connections N] [--pipeline N] [--threads N]
///   [--seconds S] [--warmup S] [--warmup-requests N] [--requests N] [--offset N] [--shows N] [--rows N] [--row-seats
///   N] [--seats N]
///   [--users N] [--batch N] [--secret TEXT] [--show-prefix TEXT] [--log FILE]
/// Prints one JSON object: rate, counts by status, latencies in microseconds, its own CPU seconds.

#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "bench/load/driver.hpp"
#include "bench/load/workload.hpp"

namespace {

using namespace usher::bench;

/// --name value pairs; every name must be known.
class Arguments {
 public:
  Arguments(int argc, char** argv) {
    for (int i = 1; i < argc; i += 2) {
      if (i + 1 >= argc || std::string_view(argv[i]).substr(0, 2) != "--") usage(argv[i]);
      values_[argv[i] + 2] = argv[i + 1];
    }
  }
  std::string text(const std::string& name, const std::string& otherwise) {
    const auto found = values_.find(name);
    if (found == values_.end()) return otherwise;
    std::string value = found->second;
    values_.erase(found);
    return value;
  }
  std::size_t count(const std::string& name, std::size_t otherwise) {
    return static_cast<std::size_t>(std::strtoull(text(name, std::to_string(otherwise)).c_str(), nullptr, 10));
  }
  double real(const std::string& name, double otherwise) {
    return std::strtod(text(name, std::to_string(otherwise)).c_str(), nullptr);
  }
  void expect_no_more() const {
    if (!values_.empty()) usage(values_.begin()->first.c_str());
  }

 private:
  [[noreturn]] static void usage(const char* what) {
    std::fprintf(stderr, "usher_load: cannot use '%s'; the options stand at the head of bench/load/main.cpp\n", what);
    std::exit(2);
  }
  std::map<std::string, std::string> values_;
};

Mode mode_of(const std::string& name) {
  if (name == "race") return Mode::race;
  if (name == "hot") return Mode::hot;
  if (name == "seats") return Mode::seats;
  if (name == "commands") return Mode::commands;
  if (name == "reserve") return Mode::reserve;
  std::fprintf(stderr, "usher_load: no such mode: %s\n", name.c_str());
  std::exit(2);
}

void print(const std::vector<DriverResult>& results) {
  DriverResult all = results.front();
  for (std::size_t i = 1; i < results.size(); ++i) {
    for (std::size_t s = 0; s < all.total.size(); ++s) {
      all.measured[s] += results[i].measured[s];
      all.total[s] += results[i].total[s];
    }
    all.seconds = std::max(all.seconds, results[i].seconds);
    all.sent += results[i].sent;
    all.lines_201 += results[i].lines_201;
    all.connections_lost += results[i].connections_lost;
    all.walk_ended = all.walk_ended || results[i].walk_ended;
    all.latency.merge(results[i].latency);
  }
  std::uint64_t measured = 0;
  std::string by_status;
  std::string by_status_total;
  for (std::size_t s = 0; s < all.total.size(); ++s) {
    measured += all.measured[s];
    const std::string key = ", \"" + std::to_string(s) + "\": ";
    if (all.measured[s] > 0) by_status += key + std::to_string(all.measured[s]);
    if (all.total[s] > 0) by_status_total += key + std::to_string(all.total[s]);
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto cpu = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  const auto us = [&](double q) { return static_cast<double>(all.latency.quantile(q)) / 1e3; };
  const double seconds = all.seconds > 0 ? all.seconds : 1e-9;
  std::printf(
      "{\"rate\": %.1f, \"rate_201\": %.1f, \"lines_201_rate\": %.1f, \"seconds\": %.4f, \"measured\": {%s}, "
      "\"total\": {%s}, \"sent\": %llu, ",
      static_cast<double>(measured) / seconds, static_cast<double>(all.measured[201]) / seconds,
      static_cast<double>(all.lines_201) / seconds, all.seconds, by_status.empty() ? "" : by_status.c_str() + 2,
      by_status_total.empty() ? "" : by_status_total.c_str() + 2, static_cast<unsigned long long>(all.sent));
  std::printf(
      "\"connections_lost\": %llu, \"walk_ended\": %s, \"us_p50\": %.1f, \"us_p90\": %.1f, \"us_p99\": %.1f, "
      "\"us_p999\": %.1f, \"us_max\": %.1f, \"cpu_user_s\": %.3f, \"cpu_system_s\": %.3f}\n",
      static_cast<unsigned long long>(all.connections_lost), all.walk_ended ? "true" : "false", us(0.5), us(0.9),
      us(0.99), us(0.999), static_cast<double>(all.latency.max()) / 1e3, cpu(usage.ru_utime), cpu(usage.ru_stime));
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments(argc, argv);
  WorkloadOptions work;
  work.mode = mode_of(arguments.text("mode", "reserve"));
  work.shows = arguments.count("shows", 15'000);
  work.rows = arguments.count("rows", 10);
  work.row_seats = arguments.count("row-seats", 20);
  work.seats = arguments.count("seats", 2);
  work.users = arguments.count("users", 20'000);
  work.batch = arguments.count("batch", 1'000);
  work.secret = arguments.text("secret", "bench");
  work.show_prefix = arguments.text("show-prefix", "load-");
  DriverOptions one;
  one.port = static_cast<std::uint16_t>(arguments.count("port", 8080));
  const std::size_t connections = arguments.count("connections", 64);
  const std::size_t threads = std::max<std::size_t>(1, std::min(connections, arguments.count("threads", 1)));
  one.pipeline = work.mode == Mode::hot ? 1 : std::max<std::size_t>(1, arguments.count("pipeline", 1));
  one.seconds = arguments.real("seconds", 0);
  one.warmup_seconds = arguments.real("warmup", 0);
  const std::uint64_t warmup_requests = arguments.count("warmup-requests", 0);
  const std::uint64_t requests = arguments.count("requests", 0);
  const std::uint64_t offset = arguments.count("offset", 0);
  const std::string log = arguments.text("log", "");
  arguments.expect_no_more();
  if (one.seconds <= 0 && requests == 0) {
    std::fprintf(stderr, "usher_load: --seconds or --requests\n");
    return 2;
  }
  if (!log.empty()) one.log = std::fopen(log.c_str(), "a");

  const Workload workload(work);
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
  if (one.log != nullptr) std::fclose(one.log);
  print(results);
  return 0;
}
