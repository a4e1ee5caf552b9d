#pragma once
/// Distances on the globe.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace usher::server::catalog {

struct Point {
  double latitude = 0;   ///< degrees, -90 to 90
  double longitude = 0;  ///< degrees, -180 to 180
};

/// Mean radius of the earth (IUGG).
inline constexpr double earth_radius_km = 6371.0088;
inline constexpr double km_per_degree = earth_radius_km * std::numbers::pi / 180;

[[nodiscard]] constexpr Point point_from_e7(std::int32_t latitude_e7, std::int32_t longitude_e7) noexcept {
  return {latitude_e7 / 1e7, longitude_e7 / 1e7};
}

/// Great-circle distance by the haversine formula (R. W. Sinnott, Sky and Telescope 68, 1984): well-behaved for small
/// distances; off by at most 0.6 % since the earth is no sphere.
[[nodiscard]] inline double distance_km(const Point& a, const Point& b) noexcept {
  constexpr double radians = std::numbers::pi / 180;
  const double half_latitude = std::sin((b.latitude - a.latitude) * radians / 2);
  const double half_longitude = std::sin((b.longitude - a.longitude) * radians / 2);
  const double h = half_latitude * half_latitude +
                   std::cos(a.latitude * radians) * std::cos(b.latitude * radians) * half_longitude * half_longitude;
  return 2 * earth_radius_km * std::asin(std::sqrt(std::min(1.0, h)));
}

}  // namespace usher::server::catalog
