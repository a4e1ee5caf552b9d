#include "engine/catalog/import.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

#include "tests/engine/catalog/documents.hpp"

using namespace usher;
using namespace usher::engine;
using namespace usher::testing;

namespace {

const Instant morning = evening - std::chrono::hours{10};

std::vector<std::string> errors_of(const CatalogDocument& document, const Snapshot& snapshot = Snapshot{}) {
  std::vector<std::string> lines;
  for (const PathError& error : plan_import(snapshot, document, morning, usual_options()).errors) {
    lines.push_back(error.path + ": " + error.rule);
  }
  return lines;
}

std::string only_error(const CatalogDocument& document, const Snapshot& snapshot = Snapshot{}) {
  const std::vector<std::string> errors = errors_of(document, snapshot);
  CHECK(errors.size() == 1);
  return errors.empty() ? "" : errors.front();
}

CatalogDocument document_with_shows() {
  CatalogDocument document = small_document();
  document.shows = {show_of("first", "m1", "s1", evening), show_of("second", "m2", "s2", evening, 1)};
  return document;
}

}  // namespace

TEST_CASE("import: a good document: everything is planned once, with numbers from 1 and terms") {
  const CatalogDocument document = document_with_shows();
  const ImportResult result = plan_import(Snapshot{}, document, morning, usual_options());
  REQUIRE(result.ok());
  CHECK(result.plan.movie_count.added == 2);
  CHECK(result.plan.theater_count.added == 2);
  CHECK(result.plan.screen_count.added == 3);
  CHECK(result.plan.show_count.added == 2);
  CHECK(result.plan.layouts.size() == 2);
  REQUIRE(result.plan.shows.size() == 2);
  const ShowOpening& first = result.plan.shows[0];
  CHECK(first.number == static_cast<ShowNumber>(1));
  CHECK(first.shard == 1);
  CHECK(first.terms.layout_hash == result.plan.layouts[0].hash());
  CHECK(first.terms.end - first.terms.start == std::chrono::minutes{100});
  CHECK(first.terms.price_premium == 1'500);
  CHECK(result.plan.shows[1].terms.layout_hash == result.plan.layouts[1].hash());
}

TEST_CASE("import: the same document twice: the second changes nothing") {
  const CatalogDocument document = document_with_shows();
  Catalog catalog;
  REQUIRE(apply_plan(catalog, plan_import(Snapshot{}, document, morning, usual_options()).plan).ok());
  const std::uint64_t digest = catalog.digest();
  const ImportResult again = plan_import(*catalog.snapshot(), document, morning, usual_options());
  REQUIRE(again.ok());
  CHECK(again.plan.payloads.empty());
  CHECK(again.plan.shows.empty());
  CHECK(again.plan.layouts.empty());
  CHECK(again.plan.show_count.unchanged == 2);
  CHECK(again.plan.movie_count.unchanged == 2);
  REQUIRE(apply_plan(catalog, again.plan).ok());
  CHECK(catalog.digest() == digest);
}

TEST_CASE("import: more shows later: they get the next numbers; changed movies are written again") {
  CatalogDocument document = document_with_shows();
  Catalog catalog;
  REQUIRE(apply_plan(catalog, plan_import(Snapshot{}, document, morning, usual_options()).plan).ok());
  document.movies[0].description = "Restored.";
  document.shows.push_back(show_of("third", "m1", "s3", evening, 2));
  const ImportResult result = plan_import(*catalog.snapshot(), document, morning, usual_options());
  REQUIRE(result.ok());
  CHECK(result.plan.movie_count.changed == 1);
  REQUIRE(result.plan.shows.size() == 1);
  CHECK(result.plan.shows[0].number == static_cast<ShowNumber>(3));
  REQUIRE(apply_plan(catalog, result.plan).ok());
  CHECK(catalog.data().movie(catalog.data().find_movie("m1")).description == "Restored.");
  CHECK(catalog.data().show_count() == 3);
}

TEST_CASE("import: an import that was cut short: listed shows that were never opened are opened") {
  const CatalogDocument document = document_with_shows();
  Catalog catalog;
  REQUIRE(apply_plan(catalog, plan_import(Snapshot{}, document, morning, usual_options()).plan).ok());
  ImportOptions options = usual_options();
  options.is_open = [](ShowNumber number) { return to_value(number) == 1; };
  const ImportResult result = plan_import(*catalog.snapshot(), document, morning, options);
  REQUIRE(result.ok());
  CHECK(result.plan.payloads.empty());
  REQUIRE(result.plan.shows.size() == 1);
  CHECK(result.plan.shows[0].number == static_cast<ShowNumber>(2));
  REQUIRE(result.plan.layouts.size() == 1);
  CHECK(result.plan.layouts[0].hash() == result.plan.shows[0].terms.layout_hash);
}

TEST_CASE("import: a show whose start has passed: not opened anew, at -1, 0 and +1 ms") {
  for (const std::int64_t offset : {-1, 0, 1}) {
    CatalogDocument document = small_document();
    document.shows = {show_of("x", "m1", "s1", morning + Duration{offset})};
    const ImportResult result = plan_import(Snapshot{}, document, morning, usual_options());
    REQUIRE(result.ok());
    CHECK(result.plan.shows.size() == (offset > 0 ? 1U : 0U));
    CHECK(result.plan.past_count == (offset > 0 ? 0U : 1U));
  }
}

TEST_CASE("import: a bad document: refused with the path of the error") {
  CatalogDocument document = document_with_shows();
  CHECK(errors_of(document).empty());
  SUBCASE("a movie id with a slash") {
    document.movies[1].id = "m/2";
    document.shows.pop_back();
    CHECK(only_error(document) == "movies[1].movie_id: must be 1 to 64 of the characters A-Z a-z 0-9 . _ ~ -");
  }
  SUBCASE("a movie id twice") {
    document.movies[1].id = "m1";
    document.shows.pop_back();
    CHECK(only_error(document) == "movies[1].movie_id: \"m1\" is used twice");
  }
  SUBCASE("no title") {
    document.movies[0].title = "";
    CHECK(only_error(document) == "movies[0].title: must not be empty");
  }
  SUBCASE("no duration") {
    document.movies[1].duration_minutes = 2'881;
    CHECK(only_error(document) == "movies[1].duration_minutes: must be 1 to 2880");
  }
  SUBCASE("a line break in a cast") {
    document.movies[0].cast[1] = "a\nb";
    CHECK(only_error(document) == "movies[0].cast[1]: must be one line of text of 1 to 200 bytes");
  }
  SUBCASE("a theater id twice") {
    document.theaters[1].theater.id = "t1";
    CHECK(only_error(document) == "theaters[1].theater_id: \"t1\" is used twice");
  }
  SUBCASE("one city_id for two cities") {
    document.theaters[1].theater.city_id = "Berlin";
    CHECK(only_error(document) == "theaters[1].city: theaters with the city_id \"Berlin\" name different cities");
  }
  SUBCASE("beyond the pole") {
    document.theaters[1].theater.latitude_e7 = 900'000'001;
    CHECK(only_error(document) == "theaters[1].latitude: must be -90 to 90");
  }
  SUBCASE("beyond the date line") {
    document.theaters[1].theater.longitude_e7 = -1'800'000'001;
    CHECK(only_error(document) == "theaters[1].longitude: must be -180 to 180");
  }
  SUBCASE("an unknown zone") {
    document.theaters[0].theater.time_zone = "Europe/Atlantis";
    CHECK(only_error(document) == "theaters[0].time_zone: no IANA time zone has this name");
  }
  SUBCASE("a screen id twice, in two theaters") {
    document.theaters[1].screens[0].id = "s1";
    CHECK(only_error(document) == "theaters[1].screens[0].screen_id: \"s1\" is used twice");
  }
  SUBCASE("a wrong number of seats") {
    document.theaters[1].screens[0].total_seats = 12;
    CHECK(only_error(document) == "theaters[1].screens[0].total_seats: the seat layout has 13 seats");
  }
  SUBCASE("a label twice, in a row that the document repeats") {
    document.layouts[0].spec.rows[2].seats[1].label = "A1";
    document.layouts[0].row_source = {0, 1, 1};
    CHECK(only_error(document) == "layouts.small.rows[1].seats[1].label: \"A1\" is used twice");
  }
  SUBCASE("an unknown movie") {
    document.shows[1].movie_id = "m9";
    CHECK(only_error(document) == "shows[1].movie_id: no movie has the id \"m9\"");
  }
  SUBCASE("an unknown screen") {
    document.shows[1].screen_id = "s9";
    CHECK(only_error(document) == "shows[1].screen_id: no screen has the id \"s9\"");
  }
  SUBCASE("a show id twice") {
    document.shows[1].id = "first";
    CHECK(only_error(document) == "shows[1].show_id: \"first\" is used twice");
  }
  SUBCASE("a negative price") {
    document.shows[1].price_standard = -1;
    CHECK(only_error(document) == "shows[1].price_standard: must be 0 to 10^12 minor units");
  }
  SUBCASE("an end before the start") {
    document.shows[0].end = evening;
    CHECK(only_error(document) == "shows[0].end_time: must be after start_time");
  }
  SUBCASE("several errors: all are told") {
    document.movies[0].title = "";
    document.theaters[0].theater.time_zone = "";
    document.shows[1].movie_id = "m9";
    CHECK(errors_of(document).size() == 3);
  }
}

TEST_CASE("import: two shows of 100 minutes on one screen: refused until the second starts when the first ends") {
  for (const std::int64_t offset : {-1, 0, 1}) {
    CAPTURE(offset);
    CatalogDocument document = small_document();
    const Instant second = evening + Duration{(100 + offset) * minute_ms};
    document.shows = {show_of("first", "m1", "s1", evening), show_of("other", "m1", "s2", evening, 1),
                      show_of("second", "m2", "s1", second, 2)};
    if (offset < 0) {
      CHECK(only_error(document) == "shows[2].start_time: \"second\" overlaps the show \"first\" on its screen");
    } else {
      CHECK(errors_of(document).empty());
    }
    // the same with the first one on sale already
    Catalog catalog;
    CatalogDocument before = document;
    before.shows.pop_back();
    REQUIRE(apply_plan(catalog, plan_import(Snapshot{}, before, morning, usual_options()).plan).ok());
    document.shows.erase(document.shows.begin());
    if (offset < 0) {
      CHECK(only_error(document, *catalog.snapshot()) ==
            "shows[2].start_time: \"second\" overlaps the show \"first\" on its screen");
    } else {
      CHECK(errors_of(document, *catalog.snapshot()).empty());
    }
  }
}

TEST_CASE("import: cleaning between shows: counts as part of the show") {
  CatalogDocument document = small_document();
  document.shows = {show_of("first", "m1", "s1", evening),
                    show_of("second", "m2", "s1", evening + Duration{100 * minute_ms}, 1)};
  ImportOptions options = usual_options();
  options.cleaning = Duration{1};
  CHECK_FALSE(plan_import(Snapshot{}, document, morning, options).ok());
}

TEST_CASE("import: a short show inside a long one, after another short one: still seen") {
  CatalogDocument document = small_document();
  document.shows = {show_of("long", "m1", "s1", evening),
                    show_of("short1", "m2", "s1", evening + Duration{10 * minute_ms}, 1),
                    show_of("short2", "m2", "s1", evening + Duration{60 * minute_ms}, 2)};
  CHECK(errors_of(document).size() == 2);
}

TEST_CASE("import: a show on sale with other facts: refused, each fact named") {
  CatalogDocument document = document_with_shows();
  Catalog catalog;
  REQUIRE(apply_plan(catalog, plan_import(Snapshot{}, document, morning, usual_options()).plan).ok());
  document.shows[0].price_premium = 1'600;
  document.shows[0].start += Duration{minute_ms};
  const std::vector<std::string> errors = errors_of(document, *catalog.snapshot());
  REQUIRE(errors.size() == 2);
  CHECK(errors[0] == "shows[0].start_time: differs from that of the show \"first\", which is on sale already");
  CHECK(errors[1] == "shows[0].price_premium: differs from that of the show \"first\", which is on sale already");
}

TEST_CASE("import: a screen that moves to another theater: refused") {
  CatalogDocument document = small_document();
  Catalog catalog;
  REQUIRE(apply_plan(catalog, plan_import(Snapshot{}, document, morning, usual_options()).plan).ok());
  document.theaters[1].screens[0].id = "s2";
  document.theaters[0].screens.pop_back();
  CHECK(only_error(document, *catalog.snapshot()) ==
        "theaters[1].screens[0].screen_id: \"s2\" belongs to theater \"t1\"");
}

TEST_CASE("import: thousands of errors: the first thousand are told, the rest are counted") {
  CatalogDocument document = small_document();
  for (std::uint32_t i = 0; i < 1'500; ++i) {
    document.shows.push_back(show_of("x" + std::to_string(i), "m1", "s9", evening, i));
  }
  const std::vector<std::string> errors = errors_of(document);
  REQUIRE(errors.size() == import_errors_max + 1);
  CHECK(errors.back() == ": 500 more errors");
}
