#include "server/metrics/exposition.hpp"

#include <prometheus/client_metric.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <unordered_map>

#include "usher/assert.hpp"

namespace usher::server::metrics {

namespace {

/// Exponents of the histogram's shown buckets: 2^14 ns is 16.4 us, 2^34 ns is 17.2 s.
constexpr unsigned exponent_first = 14;
constexpr unsigned exponent_last = 34;

constexpr double seconds(std::uint64_t nanoseconds) noexcept {
  return static_cast<double>(nanoseconds) / 1e9;
}

void add_bucket(prometheus::ClientMetric::Histogram& histogram, const HistogramTotals& totals, std::uint64_t bound) {
  histogram.bucket.push_back({totals.count_below(bound), seconds(bound)});
}

}  // namespace

struct Exposition::Families {
  std::vector<prometheus::MetricFamily> list;
  std::unordered_map<std::string, std::size_t> index;

  prometheus::ClientMetric& add(std::string_view name, std::string_view help, prometheus::MetricType type,
                                const Labels& labels) {
    const auto [place, added] = index.try_emplace(std::string{name}, list.size());
    if (added) {
      prometheus::MetricFamily family;
      family.name = name;
      family.help = help;
      family.type = type;
      list.push_back(std::move(family));
    }
    prometheus::MetricFamily& family = list[place->second];
    USHER_ASSERT(family.type == type);
    prometheus::ClientMetric& metric = family.metric.emplace_back();
    for (const auto& [label, value] : labels) metric.label.push_back({std::string{label}, std::string{value}});
    return metric;
  }
};

Exposition::Exposition() : families_(std::make_unique<Families>()) {}
Exposition::~Exposition() = default;

void Exposition::counter(std::string_view name, std::string_view help, double value, const Labels& labels) {
  families_->add(name, help, prometheus::MetricType::Counter, labels).counter.value = value;
}

void Exposition::gauge(std::string_view name, std::string_view help, double value, const Labels& labels) {
  families_->add(name, help, prometheus::MetricType::Gauge, labels).gauge.value = value;
}

void Exposition::histogram(std::string_view name, std::string_view help, const HistogramTotals& totals,
                           const Labels& labels) {
  auto& histogram = families_->add(name, help, prometheus::MetricType::Histogram, labels).histogram;
  histogram.sample_count = totals.count;
  histogram.sample_sum = seconds(totals.sum);
  for (unsigned exponent = exponent_first; exponent < exponent_last; ++exponent) {
    const std::uint64_t octave = std::uint64_t{1} << exponent;
    add_bucket(histogram, totals, octave);
    add_bucket(histogram, totals, octave + octave / 2);
  }
  add_bucket(histogram, totals, std::uint64_t{1} << exponent_last);
}

std::string Exposition::text() const {
  return prometheus::TextSerializer{}.Serialize(families_->list);
}

}  // namespace usher::server::metrics
