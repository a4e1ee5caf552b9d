#pragma once
/// Collects metric families and writes them in Prometheus' text format 0.0.4. For one thread, made anew for every
/// scrape. Its implementation is the only place that knows prometheus-cpp.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/metrics/histogram.hpp"

namespace usher::server::metrics {

/// Label and value.
using Labels = std::vector<std::pair<std::string_view, std::string_view>>;

class Exposition {
 public:
  Exposition();
  Exposition(const Exposition&) = delete;
  Exposition& operator=(const Exposition&) = delete;
  ~Exposition();

  /// Add one series. The first call for a name makes its family and gives it its help; names end in a unit, those of
  /// counters in `_total`.
  void counter(std::string_view name, std::string_view help, double value, const Labels& labels = {});
  void gauge(std::string_view name, std::string_view help, double value, const Labels& labels = {});
  /// In seconds, with two buckets per octave from 16 us to 17 s.
  void histogram(std::string_view name, std::string_view help, const HistogramTotals& totals,
                 const Labels& labels = {});

  [[nodiscard]] std::string text() const;

 private:
  struct Families;
  std::unique_ptr<Families> families_;
};

}  // namespace usher::server::metrics
