#include "server/catalog/browse.hpp"

#include <algorithm>
#include <tuple>

#include "engine/catalog/hash.hpp"
#include "server/catalog/browse_json.hpp"
#include "server/catalog/cursor.hpp"
#include "server/catalog/query.hpp"
#include "server/catalog/words.hpp"
#include "usher/limits.hpp"

namespace usher::server::catalog {
namespace {

constexpr std::uint32_t limit_default = 20;
constexpr std::uint32_t limit_max = 100;

BrowseError unknown(std::string_view what, std::string_view id) {
  // an id is at most 64 bytes; what is longer is not worth repeating
  const std::string named = id.size() <= limits::external_id_bytes_max ? " \"" + std::string{id} + "\"" : std::string{};
  return {404,
          what == "movie"     ? "unknown_movie"
          : what == "theater" ? "unknown_theater"
                              : "unknown_show",
          "no " + std::string{what} + named};
}

/// The local day of each theater: that of the query, or today there. Zones are looked up once per name.
class Days {
 public:
  Days(Instant now, std::optional<Date> date) : now_(now), date_(date) {}

  InstantRange of(const engine::Theater& theater) {
    for (const auto& [name, range] : known_) {
      if (name == theater.time_zone) return range;
    }
    const std::optional<Zone> zone = Zone::find(theater.time_zone);
    // an import refuses unknown zones; one that this system has since lost counts as UTC
    const std::optional<Zone> used = zone ? zone : Zone::find("UTC");
    InstantRange range;
    if (used) range = used->day_range(date_.value_or(used->local_date(now_)));
    known_.emplace_back(theater.time_zone, range);
    return range;
  }

 private:
  Instant now_;
  std::optional<Date> date_;
  std::vector<std::pair<std::string_view, InstantRange>> known_;
};

/// What `GET /movies` may ask of a movie.
struct MovieFilter {
  std::optional<std::string_view> genre;
  std::optional<std::string_view> language;
  std::optional<Date> release_from;
  std::optional<Date> release_to;
  std::vector<std::string> words;

  [[nodiscard]] bool fits(const engine::Movie& movie) const {
    if (genre && !engine::equal_ignoring_case(*genre, movie.genre)) return false;
    if (language && !engine::equal_ignoring_case(*language, movie.language)) return false;
    if ((release_from || release_to) && !movie.release_date) return false;
    if (release_from && *movie.release_date < *release_from) return false;
    if (release_to && *movie.release_date > *release_to) return false;
    return words.empty() || has_words(movie, words);
  }
};

MovieFilter read_filter(QueryReader& query) {
  MovieFilter filter;
  filter.genre = query.text("genre");
  filter.language = query.text("language");
  filter.release_from = query.date("release_from");
  filter.release_to = query.date("release_to");
  if (const auto q = query.text("q")) {
    if (q->size() > 200) query.fail("q", "must have at most 200 bytes");
    filter.words = split_words(q->substr(0, 200));
  }
  return filter;
}

/// What is on at a place.
struct Showing {
  std::vector<bool> movies;  ///< by position
  Instant valid_until{};     ///< until then it is the same
};

/// Movies with a show at the place that is still to end.
Showing find_showing(const BrowseContext& context, const Place& place, Days& days, bool is_today) {
  const engine::Snapshot& snapshot = context.snapshot;
  const engine::CatalogData& data = snapshot.data();
  Showing showing{std::vector<bool>(data.movie_count()), Instant::max()};
  for (const PlacedTheater& placed : place.theaters) {
    const InstantRange day = days.of(data.theater(placed.theater));
    if (is_today) showing.valid_until = std::min(showing.valid_until, day.to);
    for (const std::uint32_t at : snapshot.starting(snapshot.shows_of_theater(placed.theater), day.from, day.to)) {
      const engine::ShowRow& show = data.show(at);
      if (show.status_at(context.now) != engine::ShowStatus::scheduled) continue;
      showing.movies[show.movie] = true;
      showing.valid_until = std::min(showing.valid_until, show.end);
    }
  }
  return showing;
}

/// The movies that may be listed, in the order of the list: by title, or as a search has ranked them.
std::vector<std::uint32_t> list_candidates(const BrowseContext& context, const Showing& showing) {
  const engine::Snapshot& snapshot = context.snapshot;
  std::vector<std::uint32_t> movies;
  if (context.found != nullptr) {
    for (const std::uint32_t at : *context.found) {
      if (at < showing.movies.size() && showing.movies[at]) movies.push_back(at);
    }
    return movies;
  }
  for (std::uint32_t at = 0; at < showing.movies.size(); ++at) {
    if (showing.movies[at]) movies.push_back(at);
  }
  std::sort(movies.begin(), movies.end(),
            [&](std::uint32_t a, std::uint32_t b) { return snapshot.title_rank(a) < snapshot.title_rank(b); });
  return movies;
}

/// How many of the listed movies there are by one of their facts, the most frequent first.
void write_facet(json::Writer& writer, std::string_view name, const engine::CatalogData& data,
                 const std::vector<std::uint32_t>& movies, std::string engine::Movie::*fact) {
  std::vector<std::pair<std::string_view, std::uint32_t>> counts;
  for (const std::uint32_t at : movies) {
    const std::string_view value = data.movie(at).*fact;
    if (value.empty()) continue;
    const auto found =
        std::find_if(counts.begin(), counts.end(), [&](const auto& count) { return count.first == value; });
    if (found == counts.end()) {
      counts.emplace_back(value, 1);
    } else {
      ++found->second;
    }
  }
  std::sort(counts.begin(), counts.end(),
            [](const auto& a, const auto& b) { return std::tie(b.second, a.first) < std::tie(a.second, b.first); });
  writer.key(name);
  writer.begin_array();
  for (const auto& [value, count] : counts) {
    writer.begin_object();
    writer.field("value", value);
    writer.field("count", count);
    writer.end_object();
  }
  writer.end_array();
}

/// The first of `movies` behind the cursor. A search goes on behind the movie that the cursor names, and from the start
/// when that one is not found any more.
std::size_t first_after(const BrowseContext& context, const std::vector<std::uint32_t>& movies,
                        const TitleCursor& cursor) {
  const engine::CatalogData& data = context.snapshot.data();
  if (context.found != nullptr) {
    const auto last =
        std::find_if(movies.begin(), movies.end(), [&](std::uint32_t at) { return data.movie(at).id == cursor.id; });
    return last == movies.end() ? 0 : static_cast<std::size_t>(last - movies.begin()) + 1;
  }
  const auto found =
      std::upper_bound(movies.begin(), movies.end(), cursor, [&](const TitleCursor& last, std::uint32_t at) {
        return std::tie(last.title, last.id) < std::tie(data.movie(at).title, data.movie(at).id);
      });
  return static_cast<std::size_t>(found - movies.begin());
}

std::optional<TitleCursor> read_list_cursor(QueryReader& query) {
  const auto text = query.text("cursor");
  if (!text) return std::nullopt;
  std::optional<TitleCursor> cursor = read_cursor(*text);
  if (!cursor) query.fail("cursor", "must be the next_cursor of an earlier answer");
  return cursor;
}

/// Ends an answer that began at `first`.
Page finish_page(const json::TextBuffer& out, std::size_t first, bool has_availability) {
  return {engine::hash_bytes(out.view().substr(first)), has_availability, Instant::max()};
}

void write_showtimes_of(json::Writer& writer, const BrowseContext& context, const Place& place,
                        const PlacedTheater& placed, std::span<const std::uint32_t> shows) {
  const engine::Theater& theater = context.snapshot.data().theater(placed.theater);
  writer.begin_object();
  write_theater_fields(writer, theater);
  if (place.is_near) write_distance(writer, placed.distance_km);
  writer.key("shows");
  writer.begin_array();
  for (const std::uint32_t at : shows) {
    writer.begin_object();
    write_show_fields(writer, context, at);
    writer.end_object();
  }
  writer.end_array();
  writer.end_object();
}

}  // namespace

BrowseAnswer list_movies(const BrowseContext& context, Query parameters, json::TextBuffer& out) {
  QueryReader query{context.snapshot, parameters};
  const Place place = query.place();
  const std::optional<Date> date = query.date("date");
  MovieFilter filter = read_filter(query);
  const std::uint32_t limit = query.integer("limit", 1, limit_max).value_or(limit_default);
  const bool with_facets = query.text("facets").value_or("") == "true";
  const std::optional<TitleCursor> cursor = read_list_cursor(query);
  if (query.error()) return *query.error();
  if (context.found != nullptr) filter.words.clear();

  const engine::CatalogData& data = context.snapshot.data();
  Days days{context.now, date};
  const Showing showing = find_showing(context, place, days, !date);
  std::vector<std::uint32_t> movies = list_candidates(context, showing);
  std::erase_if(movies, [&](std::uint32_t at) { return !filter.fits(data.movie(at)); });
  const std::size_t from = cursor ? first_after(context, movies, *cursor) : 0;
  const std::size_t to = std::min(movies.size(), from + limit);

  const std::size_t first = out.size();
  json::Writer writer{out};
  writer.begin_object();
  writer.key("movies");
  writer.begin_array();
  for (std::size_t i = from; i < to; ++i) {
    writer.begin_object();
    write_movie_fields(writer, data.movie(movies[i]));
    writer.end_object();
  }
  writer.end_array();
  if (with_facets) {
    writer.key("facets");
    writer.begin_object();
    write_facet(writer, "genre", data, movies, &engine::Movie::genre);
    write_facet(writer, "language", data, movies, &engine::Movie::language);
    writer.end_object();
  }
  if (!context.corrected.empty()) writer.field("corrected", context.corrected);
  writer.key("next_cursor");
  if (to < movies.size()) {
    const engine::Movie& last = data.movie(movies[to - 1]);
    writer.plain_string(write_cursor(last.title, last.id));
  } else {
    writer.null();
  }
  writer.end_object();
  Page page = finish_page(out, first, false);
  page.valid_until = showing.valid_until;
  return page;
}

BrowseAnswer show_movie(const BrowseContext& context, std::string_view movie_id, json::TextBuffer& out) {
  const engine::CatalogData& data = context.snapshot.data();
  const std::uint32_t movie = data.find_movie(movie_id);
  if (movie == engine::position_none) return unknown("movie", movie_id);
  const std::size_t first = out.size();
  json::Writer writer{out};
  writer.begin_object();
  write_movie_fields(writer, data.movie(movie));
  writer.end_object();
  return finish_page(out, first, false);
}

BrowseAnswer list_showtimes(const BrowseContext& context, std::string_view movie_id, Query parameters,
                            json::TextBuffer& out) {
  const engine::Snapshot& snapshot = context.snapshot;
  const engine::CatalogData& data = snapshot.data();
  const std::uint32_t movie = data.find_movie(movie_id);
  if (movie == engine::position_none) return unknown("movie", movie_id);
  QueryReader query{snapshot, parameters};
  const Place place = query.place();
  const std::optional<Date> date = query.date("date");
  if (!query.text("date")) query.fail({400, "missing_parameter", "date: must say which day, such as 2026-11-24"});
  if (query.error()) return *query.error();

  const std::size_t first = out.size();
  Days days{context.now, date};
  json::Writer writer{out};
  writer.begin_object();
  writer.field("movie_id", data.movie(movie).id);
  writer.field("title", data.movie(movie).title);
  writer.field("date", format_date(*date));
  writer.key("theaters");
  writer.begin_array();
  std::vector<std::uint32_t> shows;
  for (const PlacedTheater& placed : place.theaters) {
    const InstantRange day = days.of(data.theater(placed.theater));
    shows.clear();
    for (const std::uint32_t at : snapshot.starting(snapshot.shows_of_theater(placed.theater), day.from, day.to)) {
      if (data.show(at).movie == movie) shows.push_back(at);
    }
    if (!shows.empty()) write_showtimes_of(writer, context, place, placed, shows);
  }
  writer.end_array();
  writer.end_object();
  return finish_page(out, first, true);
}

BrowseAnswer list_theaters(const BrowseContext& context, Query parameters, json::TextBuffer& out) {
  QueryReader query{context.snapshot, parameters};
  const Place place = query.place();
  if (query.error()) return *query.error();
  const std::size_t first = out.size();
  json::Writer writer{out};
  writer.begin_object();
  writer.key("theaters");
  writer.begin_array();
  for (const PlacedTheater& placed : place.theaters) {
    writer.begin_object();
    write_theater_fields(writer, context.snapshot.data().theater(placed.theater));
    if (place.is_near) write_distance(writer, placed.distance_km);
    writer.end_object();
  }
  writer.end_array();
  writer.key("next_cursor");
  writer.null();
  writer.end_object();
  return finish_page(out, first, false);
}

BrowseAnswer show_theater(const BrowseContext& context, std::string_view theater_id, json::TextBuffer& out) {
  const engine::CatalogData& data = context.snapshot.data();
  const std::uint32_t theater = data.find_theater(theater_id);
  if (theater == engine::position_none) return unknown("theater", theater_id);
  const std::size_t first = out.size();
  json::Writer writer{out};
  writer.begin_object();
  write_theater_fields(writer, data.theater(theater));
  writer.key("screens");
  writer.begin_array();
  for (const std::uint32_t screen : context.snapshot.screens_of_theater(theater))
    write_screen(writer, data.screen(screen));
  writer.end_array();
  writer.end_object();
  return finish_page(out, first, false);
}

BrowseAnswer show_show(const BrowseContext& context, std::string_view show_id, json::TextBuffer& out) {
  const engine::CatalogData& data = context.snapshot.data();
  const std::uint32_t at = data.find_show(show_id);
  if (at == engine::position_none) return unknown("show", show_id);
  const engine::ShowRow& show = data.show(at);
  const std::size_t first = out.size();
  json::Writer writer{out};
  writer.begin_object();
  write_show_fields(writer, context, at);
  writer.key("movie");
  writer.begin_object();
  write_movie_fields(writer, data.movie(show.movie));
  writer.end_object();
  writer.key("theater");
  writer.begin_object();
  write_theater_fields(writer, data.theater(data.theater_of_screen(show.screen)));
  writer.end_object();
  writer.key("screen");
  write_screen(writer, data.screen(show.screen));
  writer.end_object();
  return finish_page(out, first, true);
}

BrowseAnswer list_cities(const BrowseContext& context, json::TextBuffer& out) {
  const std::vector<engine::City>& cities = context.snapshot.cities();
  std::vector<std::uint32_t> order(cities.size());
  for (std::uint32_t at = 0; at < order.size(); ++at) order[at] = at;
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return std::tie(cities[a].name, cities[a].id) < std::tie(cities[b].name, cities[b].id);
  });
  const std::size_t first = out.size();
  json::Writer writer{out};
  writer.begin_object();
  writer.key("cities");
  writer.begin_array();
  for (const std::uint32_t at : order) {
    writer.begin_object();
    writer.field("city_id", cities[at].id);
    writer.field("name", cities[at].name);
    writer.field("time_zone", cities[at].time_zone);
    writer.field("theaters", static_cast<std::uint64_t>(context.snapshot.theaters_of_city(at).size()));
    writer.end_object();
  }
  writer.end_array();
  writer.end_object();
  return finish_page(out, first, false);
}

}  // namespace usher::server::catalog
