#include "server/catalog/csv_document.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "server/catalog/document_reader.hpp"
#include "tests/server/catalog/demo.hpp"

using namespace usher;
using namespace usher::server::catalog;
using namespace usher::testing;

namespace {

const std::string theaters =
    "theater_id,name,city,city_id,latitude,longitude,time_zone,screen_id,screen_name,seats\n"
    "t1,Kino,Berlin,berlin,52.52,13.405,Europe/Berlin,s1,One,A-B:2S_2P\n"
    "t1,,,,,,,s2,Two,\"A-C:4S|D:2SCA\"\n"
    "t2,\"Lux, am Tor\",Berlin,berlin,+52.50,013.4,Europe/Berlin,s3,Three,A:9S\n";

engine::CatalogDocument read(const std::string& csv) {
  const CsvDocument document = read_csv(csv);
  for (const engine::PathError& error : document.errors) FAIL_CHECK(error.path << ": " << error.rule);
  ReadDocument read = read_document(document.json, engine::Snapshot{}, demo_now);
  for (const engine::PathError& error : read.errors) FAIL_CHECK(error.path << ": " << error.rule);
  return std::move(read.document);
}

/// The places of all errors, of the file's form or of what it says.
std::vector<std::string> places(const std::string& csv) {
  const CsvDocument document = read_csv(csv);
  std::vector<std::string> all;
  for (const engine::PathError& error : document.errors) all.push_back(error.path);
  if (!all.empty()) return all;
  for (const engine::PathError& error : plan_document(document.json, engine::Snapshot{}, demo_now, {}).errors) {
    all.push_back(csv_place(document, error.path));
  }
  return all;
}

}  // namespace

TEST_CASE("csv: movies: lists, quotes, several lines in a cell, empty cells") {
  const engine::CatalogDocument document = read(
      "\xef\xbb\xbfmovie_id,title,duration_minutes,genre,cast,description\r\n"
      "m1,\"The \"\"Good\"\", the Bad\",161,,Eastwood|Wallach|Van Cleef,\"two\nlines\"\r\n"
      "\r\n"
      "m2,\xc3\x9c"
      "ber,90,Drama,,\r\n");
  REQUIRE(document.movies.size() == 2);
  CHECK(document.movies[0].title == "The \"Good\", the Bad");
  CHECK(document.movies[0].duration_minutes == 161);
  CHECK(document.movies[0].genre.empty());
  CHECK(document.movies[0].cast == std::vector<std::string>{"Eastwood", "Wallach", "Van Cleef"});
  CHECK(document.movies[0].description == "two\nlines");
  CHECK(document.movies[1].title ==
        "\xc3\x9c"
        "ber");
  CHECK(document.movies[1].cast.empty());
}

TEST_CASE("csv: theaters: a row is a screen, the first of a theater describes it") {
  const engine::CatalogDocument document = read(theaters);
  REQUIRE(document.theaters.size() == 2);
  CHECK(document.theaters[0].theater.name == "Kino");
  CHECK(document.theaters[0].theater.latitude_e7 == 525'200'000);
  REQUIRE(document.theaters[0].screens.size() == 2);
  CHECK(document.theaters[0].screens[1].name == "Two");
  CHECK(document.theaters[1].theater.name == "Lux, am Tor");
  CHECK(document.theaters[1].theater.longitude_e7 == 134'000'000);
  REQUIRE(document.layouts.size() == 3);
  CHECK(places(theaters).empty());
}

TEST_CASE("csv: shows: semicolons and tabs, prices in minor units") {
  for (const char separator : {';', '\t', ','}) {
    std::string csv =
        "show_id;movie_id;screen_id;start_time;price_standard;price_premium;currency\n"
        "x1;m1;s1;2026-12-01T18:00:00Z;1150;1400;EUR\n"
        "x2;m1;s1;2026-12-01T21:00:00+01:00;900;;EUR";
    for (char& c : csv) {
      if (c == ';') c = separator;
    }
    const engine::CatalogDocument document = read(csv);
    REQUIRE(document.shows.size() == 2);
    CHECK(document.shows[0].price_standard == 1150);
    CHECK(document.shows[0].price_premium == 1400);
    CHECK(document.shows[1].price_premium == 900);
  }
}

TEST_CASE("csv: mistakes are told by line and column") {
  using Places = std::vector<std::string>;
  CHECK(places("") == Places{"line 1"});
  CHECK(places("title,genre\nx,y\n") == Places{"line 1"});
  CHECK(places("movie_id,titel\nm1,x\n") == Places{"line 1, column 2"});
  CHECK(places("movie_id,title,title\n") == Places{"line 1, column 3"});
  CHECK(places("movie_id,title,duration_minutes\nm1,a,90\nm2,b,90,more\n") == Places{"line 3"});
  CHECK(places("movie_id,title,duration_minutes\nm1,\"a\n\nb\",90\n\nm2,b,ninety\n") ==
        Places{"line 6, duration_minutes"});
  CHECK(places("movie_id,title,duration_minutes\nm1,a,1e99\n") == Places{"line 2, duration_minutes"});
  CHECK(places("movie_id,title,duration_minutes\nm1,a\n") == Places{"line 2, duration_minutes"});
  CHECK(places("movie_id,title,duration_minutes\nm1,\xff,90\n") == Places{"line 2, title"});
  CHECK(places("movie_id,title,duration_minutes\nm1,a\"b,90\n") == Places{"line 2"});
  CHECK(places("movie_id,title,duration_minutes\nm1,\"ab,90\n").size() == 1);
  CHECK(places("show_id,movie_id,screen_id,start_time,price_standard,currency\nx1,m1,s1,today,1,EUR\n")[0] ==
        "line 2, start_time");
  CHECK(places("show_id,movie_id,screen_id,start_time,price_standard,currency\n"
               "x1,m1,s1,2026-12-01T18:00:00Z,1,EURO\n")[0] == "line 2, currency");
  std::string bad = theaters;
  bad.replace(bad.find("4S|D"), 2, "4Q");
  CHECK(places(bad) == Places{"line 3, seats"});
  bad = theaters;
  bad.replace(bad.find("Europe"), 6, "Utopia");
  CHECK(places(bad) == Places{"line 2, time_zone"});
}
