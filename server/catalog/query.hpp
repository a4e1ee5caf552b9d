#pragma once
/// Reads the parameters that browse calls share and finds the place that they name. For browse.cpp. The first thing
/// wrong is kept as the error; what is read after it is a default.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/catalog/browse.hpp"
#include "server/catalog/geo.hpp"
#include "server/catalog/zones.hpp"

namespace usher::server::catalog {

/// Radius of `near` where none is given, and the largest.
inline constexpr double radius_km_default = 25;
inline constexpr double radius_km_max = 500;

/// A theater that fits the place, and how far it is when the place is a point.
struct PlacedTheater {
  std::uint32_t theater = 0;
  double distance_km = 0;
};

struct Place {
  bool is_near = false;
  std::vector<PlacedTheater> theaters;  ///< near: by distance, else by name
};

class QueryReader {
 public:
  QueryReader(const engine::Snapshot& snapshot, Query query) : snapshot_(snapshot), query_(query) {}

  [[nodiscard]] const std::optional<BrowseError>& error() const noexcept { return error_; }
  void fail(std::string_view name, std::string_view rule);
  void fail(BrowseError error);

  /// Returns: nothing when the parameter is not given or empty.
  [[nodiscard]] std::optional<std::string_view> text(std::string_view name) const noexcept;
  [[nodiscard]] std::optional<Date> date(std::string_view name);
  [[nodiscard]] std::optional<std::uint32_t> integer(std::string_view name, std::uint32_t min, std::uint32_t max);
  [[nodiscard]] std::optional<double> number(std::string_view name, double min, double max);

  /// `city`, `city_id` or `near` with `radius_km`: exactly one of them. A city that has no theater is a
  /// place with none. Fails: 400 missing_parameter, invalid_parameter.
  [[nodiscard]] Place place();

 private:
  [[nodiscard]] Place place_of_cities(const std::vector<std::uint32_t>& cities);
  [[nodiscard]] Place place_near(std::string_view text);

  const engine::Snapshot& snapshot_;
  Query query_;
  std::optional<BrowseError> error_;
};

}  // namespace usher::server::catalog
