#pragma once
/// A small catalog document for tests: two movies, a theater in Berlin with two screens, one in Lisbon with one, and
/// whatever shows a test adds.

#include <string>
#include <string_view>

#include "engine/catalog/catalog.hpp"
#include "engine/catalog/import.hpp"
#include "tests/engine/catalog/halls.hpp"

namespace usher::testing {

inline constexpr std::int64_t minute_ms = 60'000;
/// 2026-12-01T18:00:00Z
inline constexpr Instant evening = instant_from_ms(1'796'148'000'000);

inline engine::DocumentTheater theater_of(std::string id, std::string city, std::string zone) {
  engine::DocumentTheater theater;
  theater.theater.id = std::move(id);
  theater.theater.name = "Lichtspiele";
  theater.theater.city_id = city;
  theater.theater.city = std::move(city);
  theater.theater.latitude_e7 = 525'000'000;
  theater.theater.longitude_e7 = 134'000'000;
  theater.theater.time_zone = std::move(zone);
  return theater;
}

inline engine::CatalogDocument small_document() {
  engine::CatalogDocument document;
  engine::Movie metropolis;
  metropolis.id = "m1";
  metropolis.title = "Metropolis";
  metropolis.duration_minutes = 100;
  metropolis.genre = "Drama";
  metropolis.cast = {"Brigitte Helm", "Gustav Fr\xc3\xb6hlich"};
  metropolis.release_date = engine::Date{std::chrono::year{1927} / 1 / 10};
  engine::Movie short_film = metropolis;
  short_film.id = "m2";
  short_film.title = "A Trip to the Moon";
  short_film.duration_minutes = 15;
  document.movies = {metropolis, short_film};
  document.layouts = {{"layouts.small", hall({"SS SS", "PPPPP", "CAC O"}), {0, 1, 2}},
                      {"layouts.tiny", hall({"SS"}), {0}}};
  document.theaters = {theater_of("t1", "Berlin", "Europe/Berlin"), theater_of("t2", "Lisbon", "Europe/Lisbon")};
  document.theaters[0].screens = {{"s1", "One", 0, {}}, {"s2", "Two", 1, {}}};
  document.theaters[1].screens = {{"s3", "Sala 1", 0, 13}};
  return document;
}

inline engine::DocumentShow show_of(std::string id, std::string movie, std::string screen, Instant start,
                                    std::uint32_t source = 0) {
  engine::DocumentShow show;
  show.id = std::move(id);
  show.movie_id = std::move(movie);
  show.screen_id = std::move(screen);
  show.source = source;
  show.start = start;
  show.currency = *parse_currency("EUR");
  show.price_standard = 1'000;
  show.price_premium = 1'500;
  return show;
}

inline engine::ImportOptions usual_options() {
  engine::ImportOptions options;
  options.zone_exists = [](std::string_view zone) { return zone == "Europe/Berlin" || zone == "Europe/Lisbon"; };
  return options;
}

inline Status apply_plan(engine::Catalog& catalog, const engine::ImportPlan& plan) {
  for (const Bytes& payload : plan.payloads) {
    const Status status = catalog.apply({reinterpret_cast<const char*>(payload.data()), payload.size()});
    if (!status.ok()) return status;
  }
  return Done{};
}

}  // namespace usher::testing
