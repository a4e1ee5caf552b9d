#pragma once
/// Thread-safe. Local times of theaters: IANA zones by Howard Hinnant's date library over the system's tzdata, and the
/// texts of times (RFC 3339) and dates. Pure functions but for the zone files that the library reads once.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "usher/time.hpp"

namespace date {
class time_zone;
}

namespace usher::server::catalog {

using Date = std::chrono::sys_days;

/// [from, to)
struct InstantRange {
  Instant from{};
  Instant to{};
  bool operator==(const InstantRange&) const = default;
};

/// One IANA zone. Cheap to copy.
class Zone {
 public:
  /// Returns: nothing when the system knows no zone of this name.
  [[nodiscard]] static std::optional<Zone> find(std::string_view name);

  [[nodiscard]] Date local_date(Instant instant) const;
  /// When the clock on the wall shows `time` after midnight of `date`. A time that the clock skips is the first moment
  /// after the gap; one that it shows twice is the first of the two.
  [[nodiscard]] Instant to_instant(Date date, std::chrono::minutes time) const;
  /// From the first moment of the local date to that of the next: 23 to 25 hours.
  [[nodiscard]] InstantRange day_range(Date date) const;
  /// For people: "2026-11-24 19:30 CET", with the zone's own abbreviation.
  [[nodiscard]] std::string local_text(Instant instant) const;

 private:
  explicit Zone(const date::time_zone* zone) noexcept : zone_(zone) {}
  const date::time_zone* zone_;
};

/// "2026-11-24", proleptic Gregorian, years 0001 to 9999. Returns: nothing for anything else.
[[nodiscard]] std::optional<Date> parse_date(std::string_view text) noexcept;
[[nodiscard]] std::string format_date(Date date);
/// "18:30", 00:00 to 23:59. Returns: nothing for anything else.
[[nodiscard]] std::optional<std::chrono::minutes> parse_local_time(std::string_view text) noexcept;
/// RFC 3339 section 5.6 with a zone offset: "2026-11-24T18:30:00Z", "2026-11-24T19:30:00.250+01:00". A fraction is
/// cut to milliseconds. Returns: nothing for anything else, leap seconds included, and for years before 1970.
[[nodiscard]] std::optional<Instant> parse_instant(std::string_view text) noexcept;

}  // namespace usher::server::catalog
