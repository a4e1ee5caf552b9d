#include "server/catalog/zones.hpp"

#include <doctest/doctest.h>

#include <string_view>

using namespace usher;
using namespace usher::server::catalog;
using std::chrono::hours;
using std::chrono::minutes;

namespace {

Instant at(std::string_view text) {
  const std::optional<Instant> instant = parse_instant(text);
  REQUIRE(instant.has_value());
  return *instant;
}
Date day(std::string_view text) {
  const std::optional<Date> date = parse_date(text);
  REQUIRE(date.has_value());
  return *date;
}
Zone zone(std::string_view name) {
  const std::optional<Zone> found = Zone::find(name);
  REQUIRE(found.has_value());
  return *found;
}

}  // namespace

TEST_CASE("zones: names: those of the system exist, others do not") {
  CHECK(Zone::find("Europe/Berlin").has_value());
  CHECK(Zone::find("America/New_York").has_value());
  CHECK(Zone::find("UTC").has_value());
  CHECK_FALSE(Zone::find("").has_value());
  CHECK_FALSE(Zone::find("Europe/Atlantis").has_value());
  CHECK_FALSE(Zone::find("../../etc/passwd").has_value());
  CHECK_FALSE(Zone::find("europe/berlin").has_value());
}

TEST_CASE("zones: a plain day: local times and dates") {
  const Zone berlin = zone("Europe/Berlin");
  CHECK(berlin.to_instant(day("2026-12-01"), hours{20}) == at("2026-12-01T19:00:00Z"));
  CHECK(berlin.to_instant(day("2026-07-01"), hours{20}) == at("2026-07-01T18:00:00Z"));
  CHECK(berlin.local_date(at("2026-11-30T22:59:59.999Z")) == day("2026-11-30"));
  CHECK(berlin.local_date(at("2026-11-30T23:00:00Z")) == day("2026-12-01"));
  CHECK(zone("America/Los_Angeles").local_date(at("2026-12-01T07:59:00Z")) == day("2026-11-30"));
  const InstantRange range = berlin.day_range(day("2026-12-01"));
  CHECK(range.from == at("2026-11-30T23:00:00Z"));
  CHECK(range.to - range.from == hours{24});
}

TEST_CASE("zones: a clock that skips an hour: times in the gap are its end") {
  const Zone berlin = zone("Europe/Berlin");
  const Date spring = day("2026-03-29");  // 02:00 becomes 03:00
  CHECK(berlin.to_instant(spring, minutes{119}) == at("2026-03-29T00:59:00Z"));
  CHECK(berlin.to_instant(spring, minutes{120}) == at("2026-03-29T01:00:00Z"));
  CHECK(berlin.to_instant(spring, minutes{150}) == at("2026-03-29T01:00:00Z"));
  CHECK(berlin.to_instant(spring, minutes{180}) == at("2026-03-29T01:00:00Z"));
  CHECK(berlin.to_instant(spring, minutes{181}) == at("2026-03-29T01:01:00Z"));
  const InstantRange range = berlin.day_range(spring);
  CHECK(range.to - range.from == hours{23});
}

TEST_CASE("zones: a clock that shows an hour twice: the first of the two") {
  const Zone berlin = zone("Europe/Berlin");
  const Date autumn = day("2026-10-25");  // 03:00 becomes 02:00
  CHECK(berlin.to_instant(autumn, minutes{119}) == at("2026-10-24T23:59:00Z"));
  CHECK(berlin.to_instant(autumn, minutes{120}) == at("2026-10-25T00:00:00Z"));
  CHECK(berlin.to_instant(autumn, minutes{179}) == at("2026-10-25T00:59:00Z"));
  CHECK(berlin.to_instant(autumn, minutes{180}) == at("2026-10-25T02:00:00Z"));
  const InstantRange range = berlin.day_range(autumn);
  CHECK(range.to - range.from == hours{25});
}

TEST_CASE("zones: a midnight that does not exist: the day begins after the gap") {
  const Zone santiago = zone("America/Santiago");
  const InstantRange range = santiago.day_range(day("2024-09-08"));  // 24:00 becomes 01:00
  CHECK(range.from == at("2024-09-08T04:00:00Z"));
  CHECK(range.to - range.from == hours{23});
}

TEST_CASE("times: RFC 3339: read to the millisecond") {
  CHECK(to_ms(at("1970-01-01T00:00:00Z")) == 0);
  CHECK(at("2026-11-24T18:30:00+01:00") == at("2026-11-24T17:30:00Z"));
  CHECK(at("2026-11-24t18:30:00.25-00:30") == at("2026-11-24T19:00:00.250Z"));
  CHECK(at("2026-11-24T18:30:00.1239999Z") == at("2026-11-24T18:30:00.123z"));
  CHECK(at("2024-02-29T00:00:00Z") - at("2024-02-28T00:00:00Z") == hours{24});
}

TEST_CASE("times: what is not RFC 3339: refused") {
  for (const std::string_view text :
       {"", "2026-11-24", "2026-11-24T18:30Z", "2026-11-24T18:30:00", "2026-11-24 18:30:00Z", "2026-11-24T24:00:00Z",
        "2026-11-24T18:60:00Z", "2026-11-24T18:30:60Z", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
        "2026-11-24T18:30:00.Z", "2026-11-24T18:30:00+0100", "2026-11-24T18:30:00+25:00", "1969-12-31T23:59:59Z",
        "2026-11-24T18:30:00Zx", "-026-11-24T18:30:00Z"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_instant(text).has_value());
  }
}

TEST_CASE("times: dates and times of day: read, written, refused") {
  CHECK(format_date(day("2026-11-24")) == "2026-11-24");
  CHECK(format_date(day("0099-01-05")) == "0099-01-05");
  CHECK_FALSE(parse_date("2026-1-24").has_value());
  CHECK_FALSE(parse_date("2026-11-31").has_value());
  CHECK_FALSE(parse_date("2026/11/24").has_value());
  CHECK(parse_local_time("23:59") == minutes{1439});
  CHECK_FALSE(parse_local_time("24:00").has_value());
  CHECK_FALSE(parse_local_time("9:00").has_value());
}
