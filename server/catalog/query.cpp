#include "server/catalog/query.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <tuple>

namespace usher::server::catalog {
namespace {

template <class T>
std::optional<T> parse(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string plain(double value) {
  std::array<char, 32> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  static_cast<void>(error);  // 24 characters are enough for any double
  return {text.data(), end};
}

/// "52.52,13.405". Returns: nothing for anything else, and off the globe.
std::optional<Point> parse_point(std::string_view text) {
  const std::size_t comma = text.find(',');
  if (comma == std::string_view::npos) return std::nullopt;
  const std::optional<double> latitude = parse<double>(text.substr(0, comma));
  const std::optional<double> longitude = parse<double>(text.substr(comma + 1));
  if (!latitude || !longitude) return std::nullopt;
  if (!(std::abs(*latitude) <= 90) || !(std::abs(*longitude) <= 180)) return std::nullopt;
  return Point{*latitude, *longitude};
}

}  // namespace

void QueryReader::fail(BrowseError error) {
  if (!error_) error_ = std::move(error);
}

void QueryReader::fail(std::string_view name, std::string_view rule) {
  fail({400, "invalid_parameter", std::string{name} + ": " + std::string{rule}});
}

std::optional<std::string_view> QueryReader::text(std::string_view name) const noexcept {
  for (const QueryParameter& parameter : query_) {
    if (parameter.name != name) continue;
    if (parameter.value.empty()) return std::nullopt;
    return parameter.value;
  }
  return std::nullopt;
}

std::optional<Date> QueryReader::date(std::string_view name) {
  const auto given = text(name);
  if (!given) return std::nullopt;
  const std::optional<Date> date = parse_date(*given);
  // the years that an Instant can name with room for a zone's offset
  if (!date || *date < Date{std::chrono::days{1}} || *date > Date{std::chrono::year{9999} / 12 / 30}) {
    fail(name, "must be a date such as 2026-11-24");
    return std::nullopt;
  }
  return date;
}

std::optional<std::uint32_t> QueryReader::integer(std::string_view name, std::uint32_t min, std::uint32_t max) {
  const auto given = text(name);
  if (!given) return std::nullopt;
  const std::optional<std::uint32_t> value = parse<std::uint32_t>(*given);
  if (value && *value >= min && *value <= max) return value;
  fail(name, "must be an integer from " + std::to_string(min) + " to " + std::to_string(max));
  return std::nullopt;
}

std::optional<double> QueryReader::number(std::string_view name, double min, double max) {
  const auto given = text(name);
  if (!given) return std::nullopt;
  const std::optional<double> value = parse<double>(*given);
  if (value && *value >= min && *value <= max) return value;
  fail(name, "must be a number from " + plain(min) + " to " + plain(max));
  return std::nullopt;
}

Place QueryReader::place() {
  const auto city = text("city");
  const auto city_id = text("city_id");
  const auto near = text("near");
  const int given = (city ? 1 : 0) + (city_id ? 1 : 0) + (near ? 1 : 0);
  if (given != 1) {
    fail({400, given == 0 ? "missing_parameter" : "invalid_parameter",
          "city, city_id, near: exactly one of them must say where, such as city=Berlin or near=52.52,13.405"});
    return {};
  }
  if (near) return place_near(*near);
  std::vector<std::uint32_t> cities;
  if (city) {
    cities = snapshot_.cities_named(*city);
  } else if (const std::uint32_t found = snapshot_.find_city(*city_id); found != engine::position_none) {
    cities.push_back(found);
  }
  return place_of_cities(cities);
}

Place QueryReader::place_of_cities(const std::vector<std::uint32_t>& cities) {
  Place place;
  for (const std::uint32_t city : cities) {
    for (const std::uint32_t theater : snapshot_.theaters_of_city(city)) place.theaters.push_back({theater, 0});
  }
  const engine::CatalogData& data = snapshot_.data();
  std::sort(place.theaters.begin(), place.theaters.end(), [&](const PlacedTheater& a, const PlacedTheater& b) {
    return std::tie(data.theater(a.theater).name, a.theater) < std::tie(data.theater(b.theater).name, b.theater);
  });
  return place;
}

Place QueryReader::place_near(std::string_view given) {
  Place place;
  place.is_near = true;
  const std::optional<Point> point = parse_point(given);
  if (!point) fail("near", "must be latitude,longitude in degrees such as 52.52,13.405");
  const double radius = number("radius_km", 0, radius_km_max).value_or(radius_km_default);
  if (error_) return place;
  const engine::CatalogData& data = snapshot_.data();
  for (std::uint32_t at = 0; at < data.theater_count(); ++at) {
    const engine::Theater& theater = data.theater(at);
    const Point there = point_from_e7(theater.latitude_e7, theater.longitude_e7);
    // most are farther north or south than the radius: no trigonometry for them
    if (std::abs(there.latitude - point->latitude) * km_per_degree > radius + 0.001) continue;
    const double distance = distance_km(*point, there);
    if (distance <= radius) place.theaters.push_back({at, distance});
  }
  std::sort(place.theaters.begin(), place.theaters.end(), [](const PlacedTheater& a, const PlacedTheater& b) {
    return std::tie(a.distance_km, a.theater) < std::tie(b.distance_km, b.theater);
  });
  return place;
}

}  // namespace usher::server::catalog
