#include "bench/flash_sale/demand.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <limits>
#include <set>

#include "bench/flash_sale/hall.hpp"
#include "server/config/values.hpp"

namespace usher::flash {
namespace {

namespace config = server::config;
namespace journal = server::journal;

bool reserves(CommandType type) noexcept {
  return type == CommandType::reserve || type == CommandType::reserve_best;
}

/// Follows the seats of a sale through its events.
class Weighing {
 public:
  explicit Weighing(const std::map<std::uint32_t, std::uint32_t>& capacity) : capacity_(capacity) {}

  void add(const DemandEvent& event) {
    expire_until(event.at_ms);
    const bool ok = event.result == "ok";
    if (reserves(event.type)) {
      ++facts_.reserves[event.result];
      if (ok) hold(event);
    } else if (event.type == CommandType::finish_payment) {
      ++facts_.payments[event.result];
      if (ok) book(event);
    } else if (event.type == CommandType::release && ok) {
      ++facts_.released;
      end(event.reservation, event.at_ms);
    } else if (event.type == CommandType::cancel && ok) {
      ++facts_.cancelled;
      cancel(event);
    }
  }
  DemandFacts finish() {
    expire_until(std::numeric_limits<std::int64_t>::max());
    return std::move(facts_);
  }

 private:
  struct Held {
    std::uint32_t show = 0;
    std::uint32_t seats = 0;
    std::int64_t since_ms = 0;
    bool booked = false;
  };

  void hold(const DemandEvent& event) {
    held_[event.reservation] = {event.show, event.seats, event.at_ms, false};
    expiries_.insert({event.expires_ms, event.reservation});
    taken_[event.show] += event.seats;
    const auto capacity = capacity_.find(event.show);
    if (capacity != capacity_.end() && taken_[event.show] >= capacity->second) {
      facts_.sold_out_ms.emplace(event.show, event.at_ms);
    }
  }
  void book(const DemandEvent& event) {
    const auto found = held_.find(event.reservation);
    if (found == held_.end() || found->second.booked) return;
    found->second.booked = true;
    ++facts_.bookings;
    facts_.seats_booked += found->second.seats;
    facts_.last_booked_ms = event.at_ms;
  }
  void cancel(const DemandEvent& event) {
    const auto found = held_.find(event.reservation);
    if (found == held_.end()) return;
    const std::uint32_t seats = event.seats == 0 ? found->second.seats : std::min(event.seats, found->second.seats);
    found->second.seats -= seats;
    taken_[found->second.show] -= seats;
  }
  /// A reservation is over without a booking.
  void end(std::uint64_t reservation, std::int64_t at_ms) {
    const auto found = held_.find(reservation);
    if (found == held_.end() || found->second.booked) return;
    const Held& held = found->second;
    facts_.seat_minutes_in_vain +=
        static_cast<double>(held.seats) * static_cast<double>(at_ms - held.since_ms) / 60'000;
    taken_[held.show] -= held.seats;
    held_.erase(found);
  }
  void expire_until(std::int64_t now_ms) {
    while (!expiries_.empty() && expiries_.begin()->first <= now_ms) {
      const auto [at_ms, reservation] = *expiries_.begin();
      expiries_.erase(expiries_.begin());
      end(reservation, at_ms);
    }
  }

  const std::map<std::uint32_t, std::uint32_t>& capacity_;
  DemandFacts facts_;
  std::map<std::uint64_t, Held> held_;
  std::map<std::uint32_t, std::uint64_t> taken_;
  std::set<std::pair<std::int64_t, std::uint64_t>> expiries_;
};

/// Durations that a sale at another speed needs in proportion, with their defaults.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> durations{{{"policy.reservation_ttl", "10m"},
                                                                                  {"policy.payment_grace", "60s"},
                                                                                  {"policy.cooldown", "5m"},
                                                                                  {"policy.admission_ttl", "5m"},
                                                                                  {"payments.latency", "0"}}};

}  // namespace

DemandFacts weigh(std::vector<DemandEvent> events, const std::map<std::uint32_t, std::uint32_t>& capacity) {
  std::stable_sort(events.begin(), events.end(), [](const auto& a, const auto& b) { return a.at_ms < b.at_ms; });
  Weighing weighing(capacity);
  for (const DemandEvent& event : events) weighing.add(event);
  return weighing.finish();
}

void Recording::on_show(journal::ShowEntry show) {
  const std::uint32_t number = to_value(show.number);
  shows.insert_or_assign(number, std::move(show));
}

void Recording::finish() {
  std::stable_sort(decisions.begin(), decisions.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
}

std::map<std::uint32_t, std::uint32_t> Recording::capacity() const {
  std::map<std::uint32_t, std::uint32_t> capacity;
  for (const auto& [number, show] : shows) capacity[number] = show.seats;
  return capacity;
}

std::vector<DemandEvent> Recording::events() const {
  std::vector<DemandEvent> events;
  for (const journal::Decision& decision : decisions) {
    if (decision.replayed) continue;
    DemandEvent event;
    event.at_ms = (decision.at - began()).count();
    event.type = decision.type;
    event.show = to_value(decision.show);
    event.reservation = reservation_key(decision.show, decision.sequence);
    event.seats = decision.seat_count;
    if (decision.expires != Instant{}) event.expires_ms = (decision.expires - began()).count();
    if (decision.refusal != Refusal::none) event.result = describe(decision.refusal).code;
    events.push_back(std::move(event));
  }
  return events;
}

std::string plain_value(const std::string& printed) {
  std::string plain;
  for (const char c : printed) {
    if (c != '"' && c != '[' && c != ']') plain += c;
  }
  return plain;
}

Result<std::vector<std::string>> rehearsal_settings(const std::map<std::string, std::string>& recorded,
                                                    const std::vector<std::string>& overrides, double speed) {
  std::map<std::string, std::string> settings;
  for (const auto& [key, value] : durations) settings.emplace(key, value);
  for (const auto& [key, value] : recorded) {
    if (key.starts_with("policy.") || key == "payments.latency") settings[key] = plain_value(value);
  }
  for (const std::string& override : overrides) {
    const std::size_t equals = override.find('=');
    if (equals == std::string::npos || equals == 0) {
      return make_error(ErrorCode::invalid, "--set: must be key=value, not " + override);
    }
    settings[override.substr(0, equals)] = override.substr(equals + 1);
  }
  std::vector<std::string> list;
  for (const auto& [key, value] : settings) {
    const bool scaled =
        std::any_of(durations.begin(), durations.end(), [&key](const auto& one) { return one.first == key; });
    const std::optional<Duration> full = config::parse_duration(value);
    if (scaled && !full)
      return make_error(ErrorCode::invalid, fmt::format("--set: {} must be a duration, not {}", key, value));
    if (!scaled || full->count() == 0) {
      list.push_back(key + "=" + value);
    } else {
      const auto real_ms = static_cast<std::int64_t>(static_cast<double>(full->count()) / speed + 0.5);
      list.push_back(fmt::format("{}={}ms", key, std::max<std::int64_t>(real_ms, 1)));
    }
  }
  return list;
}

std::size_t shift_starts(std::string& document, std::int64_t shift_ms) {
  constexpr std::string_view name = "\"start_time\"";
  std::size_t moved = 0;
  for (std::size_t at = document.find(name); at != std::string::npos; at = document.find(name, at + 1)) {
    const std::size_t open = document.find('"', at + name.size());
    const std::size_t close = open == std::string::npos ? open : document.find('"', open + 1);
    if (close == std::string::npos) break;
    const std::int64_t start_ms = parse_time_ms(std::string_view(document).substr(open + 1, close - open - 1));
    if (start_ms == 0) continue;
    const std::int64_t then_s = (start_ms + shift_ms) / 1'000;
    document.replace(open + 1, close - open - 1,
                     fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(then_s))));
    ++moved;
  }
  return moved;
}

}  // namespace usher::flash
