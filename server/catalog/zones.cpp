#include "server/catalog/zones.hpp"

#include <date/tz.h>

#include <cstdint>
#include <stdexcept>

namespace usher::server::catalog {
namespace {

/// Exactly `count` digits at `at`. Returns: -1 when there is anything else.
int digits(std::string_view text, std::size_t at, std::size_t count) noexcept {
  if (at + count > text.size()) return -1;
  int value = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

bool has_at(std::string_view text, std::size_t at, char wanted) noexcept {
  return at < text.size() && text[at] == wanted;
}

/// "Z" or "+hh:mm". Returns: nothing for anything else.
std::optional<std::chrono::minutes> parse_offset(std::string_view text) noexcept {
  if (text == "Z" || text == "z") return std::chrono::minutes{0};
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
  const int hours = digits(text, 1, 2);
  const int minutes = digits(text, 4, 2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return std::nullopt;
  const std::chrono::minutes offset{hours * 60 + minutes};
  return text[0] == '-' ? -offset : offset;
}

Instant to_instant_of(const date::time_zone& zone, date::local_time<std::chrono::minutes> local) {
  const date::local_info info = zone.get_info(local);
  if (info.result == date::local_info::nonexistent) return Instant{info.second.begin.time_since_epoch()};
  return Instant{local.time_since_epoch() - info.first.offset};
}

}  // namespace

std::optional<Zone> Zone::find(std::string_view name) {
  if (name.empty() || name.size() > 64) return std::nullopt;
  try {
    return Zone{date::locate_zone(std::string{name})};
  } catch (const std::runtime_error&) {  // the library's way to say that there is none
    return std::nullopt;
  }
}

Date Zone::local_date(Instant instant) const {
  const auto info = zone_->get_info(date::floor<std::chrono::seconds>(instant));
  return std::chrono::floor<std::chrono::days>(instant + info.offset);
}

Instant Zone::to_instant(Date date, std::chrono::minutes time) const {
  const date::local_time<std::chrono::minutes> local{date.time_since_epoch() + time};
  return to_instant_of(*zone_, local);
}

InstantRange Zone::day_range(Date date) const {
  constexpr std::chrono::minutes midnight{0};
  return {to_instant(date, midnight), to_instant(date + std::chrono::days{1}, midnight)};
}

std::string Zone::local_text(Instant instant) const {
  const auto info = zone_->get_info(date::floor<std::chrono::seconds>(instant));
  const auto minutes = std::chrono::floor<std::chrono::minutes>(instant + info.offset);
  const Date day = std::chrono::floor<std::chrono::days>(minutes);
  const auto of_day = (minutes - day).count();
  const auto two = [](std::int64_t value) { return std::string(value < 10 ? "0" : "") + std::to_string(value); };
  return format_date(day) + " " + two(of_day / 60) + ":" + two(of_day % 60) + " " + info.abbrev;
}

std::optional<Date> parse_date(std::string_view text) noexcept {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const int year = digits(text, 0, 4);
  const int month = digits(text, 5, 2);
  const int day = digits(text, 8, 2);
  if (year < 1 || month < 1 || day < 1) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok()) return std::nullopt;
  return Date{date};
}

std::string format_date(Date date) {
  const std::chrono::year_month_day day{date};
  const auto pad = [](unsigned value, std::size_t width) {
    std::string text = std::to_string(value);
    return std::string(width > text.size() ? width - text.size() : 0, '0') + text;
  };
  return pad(static_cast<unsigned>(static_cast<int>(day.year())), 4) + "-" +
         pad(static_cast<unsigned>(day.month()), 2) + "-" + pad(static_cast<unsigned>(day.day()), 2);
}

std::optional<std::chrono::minutes> parse_local_time(std::string_view text) noexcept {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const int hours = digits(text, 0, 2);
  const int minutes = digits(text, 3, 2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return std::nullopt;
  return std::chrono::minutes{hours * 60 + minutes};
}

std::optional<Instant> parse_instant(std::string_view text) noexcept {
  if (text.size() < 20 || (text[10] != 'T' && text[10] != 't')) return std::nullopt;
  const std::optional<Date> date = parse_date(text.substr(0, 10));
  const std::optional<std::chrono::minutes> time = parse_local_time(text.substr(11, 5));
  const int seconds = digits(text, 17, 2);
  if (!date || !time || !has_at(text, 16, ':') || seconds < 0 || seconds > 59) return std::nullopt;
  std::size_t at = 19;
  std::int64_t ms = 0;
  if (has_at(text, at, '.')) {
    const std::size_t first = ++at;
    std::int64_t weight = 100;
    for (; digits(text, at, 1) >= 0; ++at, weight /= 10) ms += digits(text, at, 1) * weight;
    if (at == first) return std::nullopt;
  }
  const std::optional<std::chrono::minutes> offset = parse_offset(text.substr(at));
  if (!offset) return std::nullopt;
  const Instant instant = *date + *time + std::chrono::seconds{seconds} + Duration{ms} - *offset;
  if (to_ms(instant) < 0) return std::nullopt;
  return instant;
}

}  // namespace usher::server::catalog
