#include "bench/load/figures.hpp"

#include <sys/resource.h>

#include <array>
#include <cstdio>

namespace usher::bench {

namespace {

double us(const Histogram& latency, double quantile) {
  return static_cast<double>(latency.quantile(quantile)) / 1e3;
}

void print_curve(const Histogram& latency) {
  constexpr std::array quantiles = {0.0,  0.1,   0.25,   0.5,   0.75,   0.9,    0.95,    0.975,
                                    0.99, 0.995, 0.9975, 0.999, 0.9995, 0.9999, 0.99995, 0.99999};
  std::printf("\"curve\": [");
  for (const double quantile : quantiles) {
    if ((1.0 - quantile) * static_cast<double>(latency.total()) < 1.0) break;
    std::printf("[%g, %.1f], ", quantile, us(latency, quantile));
  }
  std::printf("[1, %.1f]], ", static_cast<double>(latency.max()) / 1e3);
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

void print_figures(const Histogram& latency, const std::vector<std::uint64_t>& timeline) {
  print_curve(latency);
  std::printf("\"timeline\": [");
  for (std::size_t i = 0; i < timeline.size(); ++i) {
    std::printf("%s%llu", i == 0 ? "" : ", ", static_cast<unsigned long long>(timeline[i]));
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf(
      "], \"us_p50\": %.1f, \"us_p90\": %.1f, \"us_p99\": %.1f, \"us_p999\": %.1f, \"us_max\": %.1f, \"cpu_user_s\": "
      "%.3f, "
      "\"cpu_system_s\": %.3f",
      us(latency, 0.5), us(latency, 0.9), us(latency, 0.99), us(latency, 0.999),
      static_cast<double>(latency.max()) / 1e3, seconds_of(usage.ru_utime), seconds_of(usage.ru_stime));
}

}  // namespace usher::bench
