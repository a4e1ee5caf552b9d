#include "bench/flash_sale/report.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace usher::flash {
namespace {

constexpr std::array<double, 6> quantiles{0.5, 0.9, 0.99, 0.999, 0.9999, 1};
constexpr std::array<std::string_view, 6> quantile_names{"p50_ms", "p90_ms", "p99_ms", "p999_ms", "p9999_ms", "max_ms"};

std::string latency_json(const bench::Histogram& histogram) {
  std::string json = "{";
  for (std::size_t i = 0; i < quantiles.size(); ++i) {
    const std::uint64_t value = quantiles[i] >= 1 ? histogram.max() : histogram.quantile(quantiles[i]);
    json += fmt::format("{}\"{}\":{:.3f}", i == 0 ? "" : ",", quantile_names[i], to_ms(value));
  }
  return json + "}";
}

/// Pairs of quantile and microseconds, finer towards the end, as far as there are answers enough to tell.
std::string curve_json(const bench::Histogram& histogram, std::uint64_t count) {
  std::string json = "[";
  for (const double quantile :
       {0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99, 0.995, 0.9975, 0.999, 0.9995, 0.9999, 0.99995, 0.99999}) {
    if ((1 - quantile) * static_cast<double>(count) < 1) break;
    json += fmt::format("[{:g},{:.1f}],", quantile, static_cast<double>(histogram.quantile(quantile)) / 1e3);
  }
  return json + fmt::format("[1,{:.1f}]]", static_cast<double>(histogram.max()) / 1e3);
}

std::string call_json(const CallTally& call) {
  std::string by_status;
  std::uint64_t count = 0;
  for (const auto& [status, times] : call.by_status) {
    by_status += fmt::format("{}\"{}\":{}", by_status.empty() ? "" : ",", status, times);
    count += times;
  }
  return fmt::format("{{\"count\":{},\"lost\":{},\"by_status\":{{{}}},\"latency\":{},\"curve\":{}}}", count, call.lost,
                     by_status, latency_json(call.latency), curve_json(call.latency, count));
}

std::string second_json(const Second& second) {
  return fmt::format(
      R"({{"arrivals":{},"answers":{},"reserved":{},"booked":{},"409":{},"429":{},"503":{},"in_flight":{},"seats_left":{},)"
      R"("connections":{},"reserve_p50_ms":{:.3f},"reserve_p99_ms":{:.3f},"p99_ms":{:.3f}}})",
      second.arrivals, second.answers, second.reserved, second.booked, second.conflicts, second.limited, second.refused,
      second.in_flight, second.seats_left, second.connections, second.reserve_p50_ms, second.reserve_p99_ms,
      second.p99_ms);
}

template <class Items, class Write>
std::string list_json(const Items& items, Write&& write) {
  std::string json = "[";
  for (const auto& item : items) {
    if (json.size() > 1) json += ",";
    json += write(item);
  }
  return json + "]";
}

}  // namespace

std::string json_text(std::string_view text) {
  std::string json = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      json += '\\';
      json += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      json += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      json += c;
    }
  }
  return json + "\"";
}

std::string sale_json(const SaleFacts& facts) {
  std::string calls;
  for (std::size_t kind = 0; kind < call_names.size(); ++kind) {
    calls += fmt::format("{}\"{}\":{}", kind == 0 ? "" : ",\n  ", call_names[kind],
                         call_json(facts.tally.call(static_cast<CallKind>(kind))));
  }
  std::string outcomes;
  for (std::size_t at = 0; at < outcome_names.size(); ++at) {
    outcomes += fmt::format("{}\"{}\":{}", at == 0 ? "" : ",", outcome_names[at],
                            facts.tally.outcomes(static_cast<Outcome>(at)));
  }
  const Verdict& verdict = facts.verdict;
  return fmt::format(
      "{{\"scenario\":{},\"about\":{},\"people\":{},\"shows\":{},\"time_scale\":{},\"seed\":{},\"seconds\":{:.2f},"
      "\"answers\":{},\"client_cpu_s\":{:.2f},\"server_cpu_s\":{:.2f},\"connections_lost\":{},\n\"generator_late\":{},"
      "\n"
      "\"calls\":{{{}}},\n\"outcomes\":{{{}}},\n\"reconciled\":{{\"ok\":{},\"seats\":{},\"seats_sold\":{},"
      "\"reservations\":{},\"bookings\":{},\"refunds\":{},\"unknown\":{},\"log\":{},\"differences\":{}}},"
      "\n\"complaints\":{},\n"
      "\"series\":{}}}\n",
      json_text(facts.scenario.name), json_text(facts.scenario.about), facts.scenario.arrivals.people,
      facts.scenario.stage.shows, facts.scenario.time_scale, facts.seed, facts.seconds, facts.tally.answers(),
      facts.client_cpu_s, facts.server_cpu_s, facts.connections_lost, latency_json(facts.tally.lateness()), calls,
      outcomes, verdict.differences.empty() && facts.complaints.empty(), verdict.seats_checked, verdict.seats_sold,
      verdict.reservations_checked, verdict.bookings_checked, verdict.refunds_checked, verdict.unknown, facts.log_read,
      list_json(verdict.differences, json_text), list_json(facts.complaints, json_text),
      list_json(facts.tally.seconds(), second_json));
}

std::string sale_text(const SaleFacts& facts) {
  std::string text =
      fmt::format("\n{}: {} people in {:.1f} s, {} answers; generator {:.1f} s of CPU{}\n", facts.scenario.name,
                  facts.scenario.arrivals.people, facts.seconds, facts.tally.answers(), facts.client_cpu_s,
                  facts.server_cpu_s > 0 ? fmt::format(", server {:.1f} s", facts.server_cpu_s) : "");
  text += fmt::format("{:10} {:>9} {:>9} {:>9} {:>9} {:>9}   answers\n", "ms", "p50", "p90", "p99", "p99.9", "max");
  for (std::size_t kind = 0; kind < call_names.size(); ++kind) {
    const CallTally& call = facts.tally.call(static_cast<CallKind>(kind));
    if (call.by_status.empty()) continue;
    text += fmt::format("{:10}", call_names[kind]);
    for (const double quantile : {0.5, 0.9, 0.99, 0.999})
      text += fmt::format(" {:9.2f}", to_ms(call.latency.quantile(quantile)));
    text += fmt::format(" {:9.2f}  ", to_ms(call.latency.max()));
    for (const auto& [status, times] : call.by_status) text += fmt::format(" {}: {}", status, times);
    if (call.lost > 0) text += fmt::format(" lost: {}", call.lost);
    text += "\n";
  }
  text += "people    ";
  for (std::size_t at = 0; at < outcome_names.size(); ++at) {
    const std::uint64_t count = facts.tally.outcomes(static_cast<Outcome>(at));
    if (count > 0) text += fmt::format(" {}: {}", outcome_names[at], count);
  }
  text += fmt::format("\nthe generator was late by p50 {:.2f} p99 {:.2f} max {:.2f} ms\n",
                      to_ms(facts.tally.lateness().quantile(0.5)), to_ms(facts.tally.lateness().quantile(0.99)),
                      to_ms(facts.tally.lateness().max()));
  return text;
}

}  // namespace usher::flash
