#include "server/catalog/browse.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "server/catalog/cursor.hpp"
#include "server/catalog/geo.hpp"
#include "server/catalog/words.hpp"
#include "server/json/reader.hpp"
#include "tests/server/catalog/demo.hpp"

using namespace usher;
using namespace usher::server;
using namespace usher::server::catalog;
using namespace usher::testing;

namespace {

using Pairs = std::vector<QueryParameter>;
const std::function<std::optional<std::uint32_t>(ShowNumber)> forty_two = [](ShowNumber) { return 42; };

BrowseContext context(Instant now = demo_now) {
  return {*demo_snapshot(), now, forty_two};
}

struct Answer {
  std::uint16_t status = 0;
  std::string body;  ///< or the code and detail of the error
  std::uint64_t etag = 0;
};

template <class Call>
Answer ask(const Call& call) {
  json::TextBuffer out;
  const BrowseAnswer answer = call(out);
  if (const auto* error = std::get_if<BrowseError>(&answer)) {
    CHECK(out.empty());
    return {error->status, std::string{error->code} + ": " + error->detail, 0};
  }
  return {200, std::string{out.view()}, std::get<Page>(answer).etag};
}

Answer movies(const Pairs& query, Instant now = demo_now) {
  return ask([&](json::TextBuffer& out) { return list_movies(context(now), query, out); });
}
Answer theaters(const Pairs& query) {
  return ask([&](json::TextBuffer& out) { return list_theaters(context(), query, out); });
}
Answer showtimes(std::string_view movie, const Pairs& query) {
  return ask([&](json::TextBuffer& out) { return list_showtimes(context(), movie, query, out); });
}

/// All values of a string field, in the order of the text.
std::vector<std::string> values(std::string_view body, std::string_view field) {
  const std::string key = "\"" + std::string{field} + "\":\"";
  std::vector<std::string> found;
  for (std::size_t at = body.find(key); at != std::string_view::npos; at = body.find(key, at + 1)) {
    const std::size_t first = at + key.size();
    found.emplace_back(body.substr(first, body.find('"', first) - first));
  }
  return found;
}

bool is_json(std::string_view text) {
  json::Reader reader;
  static_cast<void>(reader.parse_copy(text));
  return reader.ok();
}

/// A movie of the demo that plays in the city on the day after it was loaded.
std::string some_movie(std::string_view city) {
  const Answer answer = movies({{"city", city}, {"date", "2026-11-25"}});
  return values(answer.body, "movie_id").at(0);
}

}  // namespace

TEST_CASE("browse: movies of a city: sorted by title, each with all its fields") {
  const Answer answer = movies({{"city", "berlin"}, {"date", "2026-11-25"}});
  REQUIRE(answer.status == 200);
  REQUIRE(is_json(answer.body));
  const std::vector<std::string> titles = values(answer.body, "title");
  CHECK(titles.size() > 5);
  CHECK(std::is_sorted(titles.begin(), titles.end()));
  for (const char* field : {"movie_id", "description", "genre", "language", "release_date", "rating"}) {
    CHECK(values(answer.body, field).size() == titles.size());
  }
  CHECK(answer.body.find("\"next_cursor\":null") != std::string::npos);
  CHECK(movies({{"city_id", "berlin-de"}, {"date", "2026-11-25"}}).body == answer.body);
  CHECK(movies({{"city", "Berlin"}, {"date", "2026-11-25"}}).etag == answer.etag);
}

TEST_CASE("browse: movies without a place, or with two: 400 that says so") {
  CHECK(movies({}).body ==
        "missing_parameter: city, city_id, near: exactly one of them must say where, such as city=Berlin or "
        "near=52.52,13.405");
  CHECK(movies({{"city", ""}}).status == 400);
  CHECK(movies({{"city", "Berlin"}, {"near", "1,1"}}).status == 400);
}

TEST_CASE("browse: movies of a city without theaters: an empty list") {
  const Answer answer = movies({{"city", "Atlantis"}});
  CHECK(answer.status == 200);
  CHECK(answer.body == R"({"movies":[],"next_cursor":null})");
}

TEST_CASE("browse: the date of movies: today in the city's zone when none is given") {
  CHECK(movies({{"city", "Berlin"}}).body == movies({{"city", "Berlin"}, {"date", "2026-11-24"}}).body);
  // 23:30 UTC is tomorrow in Berlin, and still today in New York
  const Instant late = *parse_instant("2026-11-24T23:30:00Z");
  CHECK(movies({{"city", "Berlin"}}, late).body == movies({{"city", "Berlin"}, {"date", "2026-11-25"}}, late).body);
  CHECK(movies({{"city", "New York City"}}, late).body ==
        movies({{"city", "New York City"}, {"date", "2026-11-24"}}, late).body);
  CHECK(movies({{"city", "Berlin"}, {"date", "2027-03-01"}}).body == R"({"movies":[],"next_cursor":null})");
}

TEST_CASE("browse: movies whose last show of the day is over: no longer listed") {
  const Instant night = *parse_instant("2026-11-25T04:00:00Z");
  CHECK(movies({{"city", "Berlin"}, {"date", "2026-11-24"}}, night).body == R"({"movies":[],"next_cursor":null})");
}

TEST_CASE("browse: filters: genre, language, release dates, words; each alone and together") {
  const Pairs place{{"city", "Berlin"}, {"date", "2026-11-25"}};
  const auto with = [&](const Pairs& more) {
    Pairs all = place;
    all.insert(all.end(), more.begin(), more.end());
    return movies(all);
  };
  const std::string all = with({}).body;
  const std::string genre = values(all, "genre").at(0);
  const std::vector<std::string> genres = values(all, "genre");
  const auto count = static_cast<std::size_t>(std::count(genres.begin(), genres.end(), genre));
  CHECK(values(with({{"genre", genre}}).body, "genre") == std::vector<std::string>(count, genre));
  CHECK(with({{"language", "english"}}).body == all);
  CHECK(values(with({{"language", "Klingon"}}).body, "title").empty());
  const std::string released = values(all, "release_date").at(0);
  const std::vector<std::string> same_day =
      values(with({{"release_from", released}, {"release_to", released}}).body, "release_date");
  REQUIRE_FALSE(same_day.empty());
  for (const std::string& found : same_day) CHECK(found == released);
  CHECK(values(with({{"release_from", "2011-01-01"}}).body, "title").empty());
  const std::string title = values(all, "title").at(0);
  const std::vector<std::string> by_word = values(with({{"q", title}}).body, "title");
  CHECK(std::find(by_word.begin(), by_word.end(), title) != by_word.end());
  CHECK(values(with({{"q", "zzzz"}}).body, "title").empty());
}

TEST_CASE("browse: a wrong parameter: 400 that names it and its rule") {
  const auto error = [](std::string_view name, std::string_view value) {
    const Answer answer = movies({{"city", "Berlin"}, {name, value}});
    CHECK(answer.status == 400);
    return answer.body;
  };
  CHECK(error("date", "tomorrow") == "invalid_parameter: date: must be a date such as 2026-11-24");
  CHECK(error("date", "9999-12-31") == "invalid_parameter: date: must be a date such as 2026-11-24");
  CHECK(error("limit", "0") == "invalid_parameter: limit: must be an integer from 1 to 100");
  CHECK(error("limit", "101") == "invalid_parameter: limit: must be an integer from 1 to 100");
  CHECK(error("limit", "-1") == "invalid_parameter: limit: must be an integer from 1 to 100");
  CHECK(error("release_from", "1") == "invalid_parameter: release_from: must be a date such as 2026-11-24");
  CHECK(error("cursor", "nonsense!") == "invalid_parameter: cursor: must be the next_cursor of an earlier answer");
  CHECK(movies({{"near", "91,0"}}).body ==
        "invalid_parameter: near: must be latitude,longitude in degrees such as 52.52,13.405");
  CHECK(movies({{"near", "52.5"}}).status == 400);
  CHECK(movies({{"near", "nan,0"}}).status == 400);
  CHECK(movies({{"near", "52,13"}, {"radius_km", "501"}}).body ==
        "invalid_parameter: radius_km: must be a number from 0 to 500");
}

TEST_CASE("browse: pages: the cursor leads through all movies, each once, for every limit") {
  const std::string all = movies({{"city", "Berlin"}, {"date", "2026-11-25"}, {"limit", "100"}}).body;
  const std::vector<std::string> expected = values(all, "movie_id");
  for (const std::string limit : {"1", "2", "3", "7"}) {
    std::vector<std::string> seen;
    std::string cursor;
    for (std::size_t page = 0; page <= expected.size(); ++page) {
      const Answer answer = movies({{"city", "Berlin"}, {"date", "2026-11-25"}, {"limit", limit}, {"cursor", cursor}});
      REQUIRE(answer.status == 200);
      for (const std::string& id : values(answer.body, "movie_id")) seen.push_back(id);
      const std::vector<std::string> next = values(answer.body, "next_cursor");
      if (next.empty()) break;
      cursor = next[0];
    }
    CHECK(seen == expected);
  }
}

TEST_CASE("browse: showtimes: by theater, by start, with zone, prices and free seats") {
  const std::string movie = some_movie("Berlin");
  const Answer answer = showtimes(movie, {{"city", "Berlin"}, {"date", "2026-11-25"}});
  REQUIRE(answer.status == 200);
  REQUIRE(is_json(answer.body));
  CHECK(values(answer.body, "date") == std::vector<std::string>{"2026-11-25"});
  const std::vector<std::string> starts = values(answer.body, "start_time");
  REQUIRE_FALSE(starts.empty());
  for (const std::string& start : starts) {
    CHECK(Zone::find("Europe/Berlin")->local_date(*parse_instant(start)) == *parse_date("2026-11-25"));
  }
  CHECK(answer.body.find("\"available_seats\":42") != std::string::npos);
  CHECK(answer.body.find("\"price_standard\":{\"amount\":1150,\"currency\":\"EUR\"}") != std::string::npos);
  CHECK(answer.body.find("distance_km") == std::string::npos);
}

TEST_CASE("browse: showtimes without date or place, or of an unknown movie: 400, 404") {
  const std::string movie = some_movie("Berlin");
  CHECK(showtimes(movie, {{"city", "Berlin"}}).body ==
        "missing_parameter: date: must say which day, such as 2026-11-24");
  CHECK(showtimes(movie, {{"date", "2026-11-25"}}).status == 400);
  CHECK(showtimes("no-such-movie", {}).body == "unknown_movie: no movie \"no-such-movie\"");
  CHECK(showtimes("no-such-movie", {}).status == 404);
}

TEST_CASE("browse: theaters near a point: those within the radius, nearest first") {
  const Answer answer = theaters({{"near", "52.52437,13.41053"}});
  REQUIRE(answer.status == 200);
  REQUIRE(is_json(answer.body));
  CHECK(values(answer.body, "theater_id").size() == 3);
  std::vector<double> distances;
  for (std::size_t at = answer.body.find("\"distance_km\":"); at != std::string::npos;
       at = answer.body.find("\"distance_km\":", at + 1)) {
    distances.push_back(std::stod(answer.body.substr(at + 14)));
  }
  REQUIRE(distances.size() == 3);
  CHECK(std::is_sorted(distances.begin(), distances.end()));
  CHECK(distances.back() <= 25);
  CHECK(values(theaters({{"near", "0,0"}}).body, "theater_id").empty());
  CHECK(values(theaters({{"near", "52.52,13.4"}, {"radius_km", "0.001"}}).body, "theater_id").empty());
  CHECK(values(theaters({{"city", "Berlin"}}).body, "theater_id").size() == 3);
  CHECK(movies({{"near", "52.52,13.4"}, {"date", "2026-11-25"}}).body ==
        movies({{"city", "Berlin"}, {"date", "2026-11-25"}}).body);
}

TEST_CASE("browse: one movie, theater, show: all about it; unknown ones: 404") {
  const BrowseContext page = context();
  const std::string movie = some_movie("Berlin");
  const std::string show = values(showtimes(movie, {{"city", "Berlin"}, {"date", "2026-11-25"}}).body, "show_id").at(0);
  const Answer listing = ask([&](json::TextBuffer& out) { return show_show(page, show, out); });
  REQUIRE(listing.status == 200);
  CHECK(is_json(listing.body));
  CHECK(values(listing.body, "show_id") == std::vector<std::string>{show});
  CHECK(values(listing.body, "status") == std::vector<std::string>{"scheduled"});
  const std::string theater = values(listing.body, "theater_id").at(0);
  const Answer house = ask([&](json::TextBuffer& out) { return show_theater(page, theater, out); });
  CHECK(is_json(house.body));
  CHECK(values(house.body, "screen_id").size() >= 3);
  CHECK(is_json(ask([&](json::TextBuffer& out) { return show_movie(page, movie, out); }).body));
  CHECK(ask([&](json::TextBuffer& out) { return show_show(page, "x", out); }).body == "unknown_show: no show \"x\"");
  CHECK(ask([&](json::TextBuffer& out) { return show_theater(page, "x", out); }).status == 404);
  CHECK(ask([&](json::TextBuffer& out) { return show_movie(page, std::string(9'999, 'x'), out); }).body ==
        "unknown_movie: no movie");
  const Answer cities = ask([&](json::TextBuffer& out) { return list_cities(page, out); });
  CHECK(values(cities.body, "name") == std::vector<std::string>{"Berlin", "London", "New York City"});
}

TEST_CASE("browse: free seats change: so does the ETag, of showtimes but not of movies") {
  const std::string movie = some_movie("Berlin");
  const Pairs query{{"city", "Berlin"}, {"date", "2026-11-25"}};
  const std::function<std::optional<std::uint32_t>(ShowNumber)> fewer = [](ShowNumber) { return 41; };
  const BrowseContext changed{*demo_snapshot(), demo_now, fewer};
  CHECK(showtimes(movie, query).etag !=
        ask([&](json::TextBuffer& out) { return list_showtimes(changed, movie, query, out); }).etag);
  CHECK(movies(query).etag == ask([&](json::TextBuffer& out) { return list_movies(changed, query, out); }).etag);
}

TEST_CASE("geo: known distances: within half a percent") {
  const Point berlin{52.52437, 13.41053};
  const Point london{51.50853, -0.12574};
  const Point sydney{-33.86785, 151.20732};
  CHECK(distance_km(berlin, london) == doctest::Approx(932).epsilon(0.005));
  CHECK(distance_km(london, sydney) == doctest::Approx(16'993).epsilon(0.005));
  CHECK(distance_km(berlin, berlin) == 0);
  CHECK(distance_km({0, 0}, {0, 180}) == doctest::Approx(20'015).epsilon(0.001));
  CHECK(distance_km({0, 179.9}, {0, -179.9}) == doctest::Approx(22.24).epsilon(0.001));
}

TEST_CASE("cursor: written and read: the same; anything else: refused") {
  for (const std::string title : {"", "A", "AB", "ABC", "M\xc3\xa9tropolis"}) {
    CHECK(read_cursor(write_cursor(title, "id-1")) == TitleCursor{title, "id-1"});
  }
  CHECK_FALSE(read_cursor("").has_value());
  CHECK_FALSE(read_cursor("????").has_value());
  CHECK_FALSE(read_cursor("MQ").has_value());
  CHECK_FALSE(read_cursor(write_cursor("A", "b") + "=").has_value());
}

TEST_CASE("words: each begins a word of title, cast or keywords") {
  engine::Movie movie;
  movie.title = "Star-Wars: The Phantom M\xc3\xa9nace";
  movie.cast = {"Ewan McGregor"};
  movie.keywords = {"Science Fiction"};
  CHECK(has_words(movie, split_words("wars star")));
  CHECK(has_words(movie, split_words("PHAN mcg sci")));
  CHECK(has_words(movie, split_words("m\xc3\xa9")));
  CHECK_FALSE(has_words(movie, split_words("ars")));
  CHECK_FALSE(has_words(movie, split_words("star trek")));
  CHECK(split_words(" -- ").empty());
}

TEST_CASE("browse: queries: time per query printed, over the file named by USHER_BIG_CATALOG where it is set") {
  std::shared_ptr<const engine::Snapshot> snapshot = demo_snapshot();
  std::string day = "2026-11-25";
  if (const char* name = std::getenv("USHER_BIG_CATALOG")) {
    std::ifstream file{name};
    std::stringstream text;
    text << file.rdbuf();
    engine::Catalog catalog;
    import_json(catalog, text.str(), demo_now);
    snapshot = catalog.snapshot();
  }
  const BrowseContext page{*snapshot, demo_now, forty_two};
  const auto time = [&](const auto& call) {
    json::TextBuffer out;
    constexpr int rounds = 200;
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < rounds; ++i) {
      out.clear();
      CHECK(std::holds_alternative<Page>(call(out)));
    }
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begin;
    return std::to_string(took.count() / rounds) + " us for " + std::to_string(out.size()) + " bytes";
  };
  const Pairs place{{"city", "Berlin"}, {"date", day}};
  const Pairs near{{"near", "52.52,13.4"}, {"date", day}};
  const Pairs words{{"city", "Berlin"}, {"date", day}, {"q", "the"}};
  const std::string movie = some_movie("Berlin");
  const std::string id =
      page.snapshot.data().find_movie(movie) != engine::position_none ? movie : page.snapshot.data().movie(0).id;
  MESSAGE("movies of a city "
          << time([&](json::TextBuffer& out) { return list_movies(page, place, out); }) << "; near a point "
          << time([&](json::TextBuffer& out) { return list_movies(page, near, out); }) << "; with words "
          << time([&](json::TextBuffer& out) { return list_movies(page, words, out); }) << "; showtimes "
          << time([&](json::TextBuffer& out) { return list_showtimes(page, id, place, out); }) << "; theaters near "
          << time([&](json::TextBuffer& out) { return list_theaters(page, near, out); }));
}

TEST_CASE("list_movies: what a search has found: in its order, only what is on, page by page") {
  const engine::CatalogData& data = demo_snapshot()->data();
  std::vector<std::string> on;
  const Answer all = movies({{"city", "Berlin"}, {"date", "2026-11-25"}, {"limit", "100"}});
  REQUIRE(all.status == 200);
  std::vector<std::uint32_t> found;
  for (std::uint32_t at = 0; at < data.movie_count(); ++at)
    found.push_back(static_cast<std::uint32_t>(data.movie_count()) - 1 - at);
  BrowseContext with_search = context();
  with_search.found = &found;
  with_search.corrected = "matrix";
  std::string cursor;
  std::vector<std::string> seen;
  do {
    Pairs query{{"city", "Berlin"}, {"date", "2026-11-25"}, {"limit", "2"}, {"q", "anything"}};
    if (!cursor.empty()) query.push_back({"cursor", cursor});
    const Answer page = ask([&](json::TextBuffer& out) { return list_movies(with_search, query, out); });
    REQUIRE(page.status == 200);
    CHECK(page.body.find("\"corrected\":\"matrix\"") != std::string::npos);
    for (const std::uint32_t at : found) {
      if (page.body.find("\"movie_id\":\"" + data.movie(at).id + "\"") != std::string::npos)
        seen.push_back(data.movie(at).id);
    }
    const std::size_t next = page.body.find("\"next_cursor\":\"");
    cursor = next == std::string::npos ? "" : page.body.substr(next + 15, page.body.size() - next - 17);
  } while (!cursor.empty());
  for (const std::uint32_t at : found) {
    if (all.body.find("\"movie_id\":\"" + data.movie(at).id + "\"") != std::string::npos)
      on.push_back(data.movie(at).id);
  }
  CHECK(seen == on);
  CHECK(on.size() > 2);
}

TEST_CASE("list_movies: facets: count the whole list, not the page") {
  const Answer page = movies({{"city", "Berlin"}, {"date", "2026-11-25"}, {"limit", "1"}, {"facets", "true"}});
  REQUIRE(page.status == 200);
  CHECK(page.body.find("\"facets\":{\"genre\":[{\"value\":\"") != std::string::npos);
  CHECK(page.body.find("\"language\":[") != std::string::npos);
  CHECK(movies({{"city", "Berlin"}, {"date", "2026-11-25"}}).body.find("facets") == std::string::npos);
}
