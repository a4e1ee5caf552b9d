#include "server/catalog/browse_json.hpp"

#include <cmath>

#include "server/catalog/zones.hpp"

namespace usher::server::catalog {
namespace {

void write_text(json::Writer& writer, std::string_view name, std::string_view text) {
  writer.key(name);
  if (text.empty()) return writer.null();
  writer.string(text);
}

void write_list(json::Writer& writer, std::string_view name, const std::vector<std::string>& list) {
  writer.key(name);
  writer.begin_array();
  for (const std::string& text : list) writer.string(text);
  writer.end_array();
}

}  // namespace

void write_distance(json::Writer& writer, double distance_km) {
  writer.field("distance_km", std::round(distance_km * 100) / 100);
}

void write_movie_fields(json::Writer& writer, const engine::Movie& movie) {
  writer.field("movie_id", movie.id);
  writer.field("title", movie.title);
  write_text(writer, "description", movie.description);
  writer.field("duration_minutes", movie.duration_minutes);
  write_text(writer, "genre", movie.genre);
  write_text(writer, "language", movie.language);
  write_text(writer, "release_date", movie.release_date ? format_date(*movie.release_date) : std::string{});
  write_text(writer, "rating", movie.rating);
  write_text(writer, "poster_url", movie.poster_url);
  write_list(writer, "cast", movie.cast);
  write_list(writer, "keywords", movie.keywords);
  if (!movie.synthetic.empty()) write_list(writer, "synthetic", movie.synthetic);
}

void write_theater_fields(json::Writer& writer, const engine::Theater& theater) {
  writer.field("theater_id", theater.id);
  writer.field("name", theater.name);
  write_text(writer, "chain", theater.chain);
  writer.field("city", theater.city);
  writer.field("city_id", theater.city_id);
  write_text(writer, "address", theater.address);
  writer.field("latitude", theater.latitude_e7 / 1e7);
  writer.field("longitude", theater.longitude_e7 / 1e7);
  writer.field("time_zone", theater.time_zone);
  if (!theater.synthetic.empty()) write_list(writer, "synthetic", theater.synthetic);
}

void write_screen(json::Writer& writer, const engine::Screen& screen) {
  writer.begin_object();
  writer.field("screen_id", screen.id);
  writer.field("name", screen.name);
  writer.field("total_seats", std::uint32_t{screen.total_seats});
  writer.end_object();
}

void write_show_fields(json::Writer& writer, const BrowseContext& context, std::uint32_t at) {
  const engine::CatalogData& data = context.snapshot.data();
  const engine::ShowRow& show = data.show(at);
  const engine::Screen& screen = data.screen(show.screen);
  const engine::Theater& theater = data.theater(data.theater_of_screen(show.screen));
  const engine::ShowStatus status = show.status_at(context.now);
  writer.field("show_id", data.show_id(at));
  writer.field("movie_id", data.movie(show.movie).id);
  writer.field("theater_id", theater.id);
  writer.field("screen_id", screen.id);
  writer.field("start_time", show.start);
  writer.field("end_time", show.end);
  writer.field("time_zone", theater.time_zone);
  writer.field("price_standard", Money{show.price_standard, show.currency});
  writer.field("price_premium", Money{show.price_premium, show.currency});
  writer.field("status", to_string(status));
  if (status != engine::ShowStatus::scheduled) {
    writer.field("available_seats", std::uint32_t{0});
  } else if (const std::optional<std::uint32_t> available = context.available(show.number)) {
    writer.field("available_seats", *available);
  }
  writer.field("total_seats", std::uint32_t{screen.total_seats});
}

}  // namespace usher::server::catalog
