#include "engine/catalog/catalog.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

#include "tests/engine/catalog/documents.hpp"

using namespace usher;
using namespace usher::engine;
using namespace usher::testing;

namespace {

std::string_view view(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

ImportPlan small_plan() {
  CatalogDocument document = small_document();
  document.shows = {show_of("late", "m1", "s1", evening + std::chrono::hours{3}),
                    show_of("early", "m1", "s1", evening, 1), show_of("other", "m2", "s2", evening, 2)};
  return plan_import(Snapshot{}, document, evening - std::chrono::hours{9}, usual_options()).plan;
}

Catalog small_catalog() {
  Catalog catalog;
  REQUIRE(apply_plan(catalog, small_plan()).ok());
  return catalog;
}

}  // namespace

TEST_CASE("catalog: after an import: everything is found by its id, shows by number too") {
  const Catalog catalog = small_catalog();
  const CatalogData& data = catalog.data();
  CHECK(data.movie(data.find_movie("m2")).title == "A Trip to the Moon");
  CHECK(data.theater(data.find_theater("t2")).city == "Lisbon");
  CHECK(data.screen(data.find_screen("s3")).total_seats == 13);
  const std::uint32_t early = data.find_show("early");
  CHECK(data.show(early).start == evening);
  CHECK(data.show_id(early) == "early");
  CHECK(data.find_show(data.show(early).number) == early);
  CHECK(data.find_movie("m3") == position_none);
  CHECK(data.find_show("") == position_none);
  CHECK(data.find_show(ShowNumber::none) == position_none);
  CHECK(data.find_show(static_cast<ShowNumber>(4)) == position_none);
  CHECK(catalog.highest_number() == static_cast<ShowNumber>(3));
}

TEST_CASE("catalog: entries: encode and read give the same entity") {
  const Catalog catalog = small_catalog();
  for (const std::uint64_t key : catalog.keys()) {
    Bytes bytes;
    catalog.encode(key, bytes);
    ByteReader reader{bytes};
    const Result<Entity> entity = read_entry(reader);
    REQUIRE(entity.ok());
    CHECK(reader.complete());
    Bytes again;
    encode_entry(entity.value(), again);
    CHECK(again == bytes);
  }
}

TEST_CASE("catalog: damaged payloads: apply refuses or takes them, and never breaks") {
  const ImportPlan plan = small_plan();
  REQUIRE(plan.payloads.size() == 1);
  const std::string payload{view(plan.payloads[0])};
  std::size_t refused = 0;
  for (std::size_t at = 0; at < payload.size(); ++at) {
    for (const char change : {'\x01', '\x80', '\x7f', '\xff'}) {
      std::string damaged = payload;
      damaged[at] = static_cast<char>(damaged[at] ^ change);
      Catalog catalog;
      if (!catalog.apply(damaged).ok()) ++refused;
      CHECK(catalog.data().show_count() <= 3);
    }
  }
  CHECK(refused > 100);
  for (std::size_t size = 1; size < payload.size(); size += 7) {
    Catalog catalog;
    static_cast<void>(catalog.apply(payload.substr(0, size)));
    CHECK(catalog.data().show_count() < 3);
  }
}

TEST_CASE("catalog: a payload applied twice: nothing changes") {
  Catalog catalog = small_catalog();
  const std::uint64_t digest = catalog.digest();
  REQUIRE(apply_plan(catalog, small_plan()).ok());
  CHECK(catalog.digest() == digest);
  CHECK(catalog.data().show_count() == 3);
}

TEST_CASE("catalog: a show is cancelled: its listing says so, in snapshots from then on") {
  Catalog catalog = small_catalog();
  const auto before = catalog.snapshot();
  Bytes bytes;
  encode_entry(ShowStatusChange{static_cast<ShowNumber>(2), ShowStatus::cancelled}, bytes);
  static_cast<void>(catalog.take_dirty());
  REQUIRE(catalog.apply(view(bytes)).ok());
  const std::uint32_t at = catalog.data().find_show(static_cast<ShowNumber>(2));
  CHECK(catalog.take_dirty() == std::vector<std::uint64_t>{Catalog::checkpoint_key(EntityKind::show, at)});
  CHECK(catalog.take_dirty().empty());
  CHECK(before->data().show(at).status_at(evening) == ShowStatus::scheduled);
  const auto after = catalog.snapshot();
  CHECK(after->data().show(at).status_at(evening) == ShowStatus::cancelled);
  CHECK(after->version() != before->version());
}

TEST_CASE("catalog: a show at its end: scheduled at -1 ms, completed from 0 on") {
  const Catalog catalog = small_catalog();
  const ShowRow& show = catalog.data().show(catalog.data().find_show("early"));
  CHECK(show.status_at(show.end - Duration{1}) == ShowStatus::scheduled);
  CHECK(show.status_at(show.end) == ShowStatus::completed);
  CHECK(show.status_at(show.end + Duration{1}) == ShowStatus::completed);
}

TEST_CASE("catalog: checkpoint and restore: the same digest and the same keys") {
  const Catalog catalog = small_catalog();
  Catalog restored;
  for (const std::uint64_t key : catalog.keys()) {
    Bytes bytes;
    catalog.encode(key, bytes);
    REQUIRE(restored.restore(key, view(bytes)).ok());
  }
  CHECK(restored.digest() == catalog.digest());
  CHECK(restored.keys() == catalog.keys());
  CHECK(restored.snapshot()->version() == catalog.snapshot()->version());
  CHECK_FALSE(restored.restore(Catalog::checkpoint_key(EntityKind::movie, 9), "nonsense").ok());
}

TEST_CASE("catalog: entries that refer to nothing or reuse a number: refused") {
  Catalog catalog = small_catalog();
  Bytes bytes;
  SUBCASE("unknown theater") {
    encode_entry(Screen{"s9", "t9", "Nine", 1, 1}, bytes);
  }
  SUBCASE("unknown show") {
    encode_entry(ShowStatusChange{static_cast<ShowNumber>(9), {}}, bytes);
  }
  SUBCASE("a number that was given already") {
    ShowListing show = catalog.data().listing(0);
    show.id = "another";
    encode_entry(show, bytes);
  }
  SUBCASE("a second number for an id") {
    ShowListing show = catalog.data().listing(0);
    show.number = static_cast<ShowNumber>(9);
    encode_entry(show, bytes);
  }
  CHECK(catalog.apply(view(bytes)).error().code == ErrorCode::corrupt);
}

TEST_CASE("snapshot: shows of a movie, a screen, a theater: sorted by start, cut by time") {
  const auto snapshot = small_catalog().snapshot();
  const CatalogData& data = snapshot->data();
  const auto of_movie = snapshot->shows_of_movie(data.find_movie("m1"));
  REQUIRE(of_movie.size() == 2);
  CHECK(data.show_id(of_movie[0]) == "early");
  CHECK(data.show_id(of_movie[1]) == "late");
  CHECK(snapshot->shows_of_screen(data.find_screen("s3")).empty());
  CHECK(snapshot->shows_of_theater(data.find_theater("t1")).size() == 3);
  CHECK(snapshot->starting(of_movie, evening, evening + Duration{1}).size() == 1);
  CHECK(snapshot->starting(of_movie, evening + Duration{1}, evening + std::chrono::hours{3}).empty());
  CHECK(snapshot->screens_of_theater(data.find_theater("t1")).size() == 2);
}

TEST_CASE("snapshot: cities and titles: found by id or name, sorted") {
  const auto snapshot = small_catalog().snapshot();
  REQUIRE(snapshot->cities().size() == 2);
  CHECK(snapshot->find_city("Lisbon") == 1);
  CHECK(snapshot->find_city("lisbon") == position_none);
  CHECK(snapshot->cities_named("LISBON") == std::vector<std::uint32_t>{1});
  CHECK(snapshot->theaters_of_city(0).size() == 1);
  CHECK(snapshot->data().movie(snapshot->movies_by_title()[0]).title == "A Trip to the Moon");
  CHECK(snapshot->title_rank(snapshot->data().find_movie("m1")) == 1);
  CHECK(Snapshot{}.cities().empty());
}

TEST_CASE("snapshot: 3,200 movies, 1,000 theaters, 100,000 shows: time and memory printed") {
  CatalogDocument document;
  for (std::size_t i = 0; i < 3'200; ++i) {
    Movie movie = small_document().movies[0];
    movie.id = "movie-" + std::to_string(i);
    movie.title = "Title " + std::to_string(i * 7'919 % 3'200);
    document.movies.push_back(movie);
  }
  document.layouts = small_document().layouts;
  for (std::size_t i = 0; i < 1'000; ++i) {
    DocumentTheater theater = theater_of("t-" + std::to_string(i), "City " + std::to_string(i % 200), "Europe/Berlin");
    theater.theater.city_id = "city-" + std::to_string(i % 200);
    for (std::size_t screen = 0; screen < 5; ++screen) {
      theater.screens.push_back({"t-" + std::to_string(i) + "-" + std::to_string(screen), "Screen", 0, {}});
    }
    document.theaters.push_back(theater);
  }
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    const std::string screen = "t-" + std::to_string(i % 1'000) + "-" + std::to_string(i / 1'000 % 5);
    const Instant start = evening + std::chrono::hours{2 * (i / 5'000)};
    document.shows.push_back(
        show_of("show-" + std::to_string(i), "movie-" + std::to_string(i % 3'200), screen, start, i));
  }
  const auto begin = std::chrono::steady_clock::now();
  const ImportResult result = plan_import(Snapshot{}, document, evening - std::chrono::hours{1}, usual_options());
  const auto planned = std::chrono::steady_clock::now();
  REQUIRE(result.ok());
  Catalog catalog;
  REQUIRE(apply_plan(catalog, result.plan).ok());
  const auto applied = std::chrono::steady_clock::now();
  const auto snapshot = catalog.snapshot();
  const auto built = std::chrono::steady_clock::now();
  CHECK(snapshot->data().show_count() == 100'000);
  const std::size_t per_show =
      (snapshot->show_memory_bytes() + catalog.data().show_memory_bytes()) / snapshot->data().show_count();
  CHECK(per_show < 250);
  const auto ms = [](auto duration) { return std::chrono::duration<double, std::milli>(duration).count(); };
  MESSAGE("plan " << ms(planned - begin) << " ms, apply " << ms(applied - planned) << " ms, snapshot "
                  << ms(built - applied) << " ms; catalog and snapshot take " << per_show << " bytes per show");
}
