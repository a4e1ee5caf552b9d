#include "engine/catalog/import_checks.hpp"

#include "engine/catalog/text.hpp"

namespace usher::engine {
namespace {

using catalog_limits::duration_minutes_max;
using catalog_limits::list_size_max;
using catalog_limits::name_bytes_max;
using catalog_limits::text_bytes_max;
using catalog_limits::url_bytes_max;

constexpr Date date_min{std::chrono::year{1800} / 1 / 1};
constexpr Date date_max{std::chrono::year{9999} / 12 / 31};

std::string at_most(std::size_t bytes) {
  return "must have at most " + std::to_string(bytes) + " bytes";
}

/// Checks the fields of one thing, all of which have paths that begin alike.
class FieldChecks {
 public:
  FieldChecks(std::string path, ImportErrors& errors) : path_(std::move(path)), errors_(errors) {}

  void fail(std::string_view field, std::string_view rule) { errors_.add(path_ + "." + std::string{field}, rule); }
  void id(std::string_view field, std::string_view value) {
    if (!is_external_id(value, limits::external_id_bytes_max)) fail(field, external_id_rule);
  }
  void name(std::string_view field, std::string_view value, bool is_required) {
    if (is_required && value.empty()) fail(field, "must not be empty");
    line(field, value, name_bytes_max);
  }
  void line(std::string_view field, std::string_view value, std::size_t bytes_max) {
    if (value.size() > bytes_max) fail(field, at_most(bytes_max));
    if (!is_line_of_text(value)) fail(field, "must be one line of text");
  }
  void text(std::string_view field, std::string_view value) {
    if (value.size() > text_bytes_max) fail(field, at_most(text_bytes_max));
  }
  void list(std::string_view field, const std::vector<std::string>& values) {
    if (values.size() > list_size_max) fail(field, "must have at most " + std::to_string(list_size_max) + " entries");
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (values[i].empty() || values[i].size() > name_bytes_max || !is_line_of_text(values[i])) {
        fail(std::string{field} + "[" + std::to_string(i) + "]", "must be one line of text of 1 to 200 bytes");
      }
    }
  }

 private:
  std::string path_;
  ImportErrors& errors_;
};

void check_movie(const Movie& movie, FieldChecks checks) {
  checks.id("movie_id", movie.id);
  checks.name("title", movie.title, true);
  checks.text("description", movie.description);
  if (movie.duration_minutes < 1 || movie.duration_minutes > duration_minutes_max) {
    checks.fail("duration_minutes", "must be 1 to " + std::to_string(duration_minutes_max));
  }
  checks.name("genre", movie.genre, false);
  checks.name("language", movie.language, false);
  if (movie.release_date && (*movie.release_date < date_min || *movie.release_date > date_max)) {
    checks.fail("release_date", "must lie in the years 1800 to 9999");
  }
  checks.name("rating", movie.rating, false);
  checks.line("poster_url", movie.poster_url, url_bytes_max);
  checks.list("cast", movie.cast);
  checks.list("keywords", movie.keywords);
  checks.list("synthetic", movie.synthetic);
}

void check_theater(const Theater& theater, const ImportOptions& options, FieldChecks checks) {
  checks.id("theater_id", theater.id);
  checks.name("name", theater.name, true);
  checks.name("chain", theater.chain, false);
  checks.name("city", theater.city, true);
  checks.id("city_id", theater.city_id);
  checks.text("address", theater.address);
  if (theater.latitude_e7 < -900'000'000 || theater.latitude_e7 > 900'000'000) {
    checks.fail("latitude", "must be -90 to 90");
  }
  if (theater.longitude_e7 < -1'800'000'000 || theater.longitude_e7 > 1'800'000'000) {
    checks.fail("longitude", "must be -180 to 180");
  }
  if (theater.time_zone.size() > name_bytes_max || !options.zone_exists(theater.time_zone)) {
    checks.fail("time_zone", "no IANA time zone has this name");
  }
  checks.list("synthetic", theater.synthetic);
}

/// The first theater of the document with this key, which is `at` itself where it is the first.
template <class KeyAt>
std::uint32_t first_with(IdIndex& index, std::uint32_t at, const KeyAt& key_at) {
  const std::uint32_t first = index.find(key_at(at), key_at);
  if (first != position_none) return first;
  index.insert(at, key_at);
  return at;
}

}  // namespace

void check_movies(const CatalogDocument& document, ImportErrors& errors) {
  for (std::size_t i = 0; i < document.movies.size(); ++i) {
    check_movie(document.movies[i], {"movies[" + std::to_string(i) + "]", errors});
  }
}

void check_theaters(const CatalogDocument& document, const ImportOptions& options, ImportErrors& errors) {
  const auto theater_at = [&](std::uint32_t at) -> const Theater& { return document.theaters[at].theater; };
  IdIndex ids;
  IdIndex cities;
  for (std::uint32_t i = 0; i < document.theaters.size(); ++i) {
    const DocumentTheater& from = document.theaters[i];
    FieldChecks checks{"theaters[" + std::to_string(i) + "]", errors};
    check_theater(from.theater, options, checks);
    if (first_with(ids, i, [&](std::uint32_t at) -> std::string_view { return theater_at(at).id; }) != i) {
      checks.fail("theater_id", "\"" + from.theater.id + "\" is used twice");
    }
    const std::uint32_t same_city =
        first_with(cities, i, [&](std::uint32_t at) -> std::string_view { return theater_at(at).city_id; });
    if (theater_at(same_city).city != from.theater.city) {
      checks.fail("city", "theaters with the city_id \"" + from.theater.city_id + "\" name different cities");
    }
    for (std::size_t screen = 0; screen < from.screens.size(); ++screen) {
      FieldChecks screen_checks{screen_path(i, screen), errors};
      screen_checks.id("screen_id", from.screens[screen].id);
      screen_checks.name("name", from.screens[screen].name, true);
    }
  }
}

}  // namespace usher::engine
