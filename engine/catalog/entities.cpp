#include "engine/catalog/entities.hpp"

#include "engine/catalog/show_terms.hpp"
#include "usher/limits.hpp"

namespace usher::engine {
namespace {

using catalog_limits::list_size_max;
using catalog_limits::name_bytes_max;
using catalog_limits::text_bytes_max;
using catalog_limits::url_bytes_max;

constexpr std::int64_t date_offset = 1'000'000;

void write_list(ByteWriter& writer, const std::vector<std::string>& list) {
  writer.varint(list.size());
  for (const std::string& text : list) writer.text(text);
}

void write(ByteWriter& writer, const Movie& movie) {
  writer.text(movie.id);
  writer.text(movie.title);
  writer.text(movie.description);
  writer.varint(movie.duration_minutes);
  writer.text(movie.genre);
  writer.text(movie.language);
  writer.signed_varint(movie.release_date ? movie.release_date->time_since_epoch().count() + date_offset : 0);
  writer.text(movie.rating);
  writer.text(movie.poster_url);
  write_list(writer, movie.cast);
  write_list(writer, movie.keywords);
  write_list(writer, movie.synthetic);
}

void write(ByteWriter& writer, const Theater& theater) {
  writer.text(theater.id);
  writer.text(theater.name);
  writer.text(theater.chain);
  writer.text(theater.city);
  writer.text(theater.city_id);
  writer.text(theater.address);
  writer.signed_varint(theater.latitude_e7);
  writer.signed_varint(theater.longitude_e7);
  writer.text(theater.time_zone);
  write_list(writer, theater.synthetic);
}

void write(ByteWriter& writer, const Screen& screen) {
  writer.text(screen.id);
  writer.text(screen.theater_id);
  writer.text(screen.name);
  writer.fixed(screen.layout_hash);
  writer.varint(screen.total_seats);
}

void write(ByteWriter& writer, const ShowListing& show) {
  writer.text(show.id);
  writer.varint(to_value(show.number));
  writer.varint(show.shard);
  writer.text(show.movie_id);
  writer.text(show.screen_id);
  writer.varint(static_cast<std::uint64_t>(to_ms(show.start)));
  writer.varint(static_cast<std::uint64_t>((show.end - show.start).count()));
  writer.raw(show.currency.code.data(), show.currency.code.size());
  writer.varint(static_cast<std::uint64_t>(show.price_standard));
  writer.varint(static_cast<std::uint64_t>(show.price_premium));
  writer.u8(static_cast<std::uint8_t>(show.status));
}

void write(ByteWriter& writer, const ShowStatusChange& change) {
  writer.varint(to_value(change.number));
  writer.u8(static_cast<std::uint8_t>(change.status));
}

std::string read_id(ByteReader& reader) {
  return std::string{reader.text(limits::external_id_bytes_max)};
}
std::string read_name(ByteReader& reader) {
  return std::string{reader.text(name_bytes_max)};
}

std::vector<std::string> read_list(ByteReader& reader) {
  std::vector<std::string> list;
  const std::uint64_t count = reader.varint_max(list_size_max);
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) list.push_back(read_name(reader));
  return list;
}

std::int32_t read_degrees(ByteReader& reader, std::int64_t degrees_max) {
  const std::int64_t value = reader.signed_varint();
  if (value > degrees_max * 10'000'000 || value < -degrees_max * 10'000'000) reader.fail();
  return reader.ok() ? static_cast<std::int32_t>(value) : 0;
}

ShowStatus read_status(ByteReader& reader) {
  return static_cast<ShowStatus>(reader.varint_max(static_cast<std::uint64_t>(ShowStatus::completed)));
}

ShowNumber read_number(ByteReader& reader) {
  const auto number = static_cast<ShowNumber>(reader.varint_max(UINT32_MAX));
  if (number == ShowNumber::none) reader.fail();
  return number;
}

Movie read_movie(ByteReader& reader) {
  Movie movie;
  movie.id = read_id(reader);
  movie.title = read_name(reader);
  movie.description = reader.text(text_bytes_max);
  movie.duration_minutes = static_cast<std::uint32_t>(reader.varint_max(catalog_limits::duration_minutes_max));
  movie.genre = read_name(reader);
  movie.language = read_name(reader);
  const std::int64_t date = reader.signed_varint();
  if (date < 0 || date > 10 * date_offset) reader.fail();
  if (date != 0) movie.release_date = Date{std::chrono::days{static_cast<std::int32_t>(date - date_offset)}};
  movie.rating = read_name(reader);
  movie.poster_url = reader.text(url_bytes_max);
  movie.cast = read_list(reader);
  movie.keywords = read_list(reader);
  movie.synthetic = read_list(reader);
  return movie;
}

Theater read_theater(ByteReader& reader) {
  Theater theater;
  theater.id = read_id(reader);
  theater.name = read_name(reader);
  theater.chain = read_name(reader);
  theater.city = read_name(reader);
  theater.city_id = read_id(reader);
  theater.address = reader.text(text_bytes_max);
  theater.latitude_e7 = read_degrees(reader, 90);
  theater.longitude_e7 = read_degrees(reader, 180);
  theater.time_zone = read_name(reader);
  theater.synthetic = read_list(reader);
  return theater;
}

Screen read_screen(ByteReader& reader) {
  Screen screen;
  screen.id = read_id(reader);
  screen.theater_id = read_id(reader);
  screen.name = read_name(reader);
  screen.layout_hash = reader.fixed<std::uint64_t>();
  screen.total_seats = static_cast<std::uint16_t>(reader.varint_max(limits::seats_per_show_max));
  return screen;
}

ShowListing read_show(ByteReader& reader) {
  ShowListing show;
  show.id = read_id(reader);
  show.number = read_number(reader);
  show.shard = static_cast<ShardIndex>(reader.varint_max(limits::shards_max));
  show.movie_id = read_id(reader);
  show.screen_id = read_id(reader);
  show.start = instant_from_ms(static_cast<std::int64_t>(reader.varint_max(instant_ms_max)));
  show.end = show.start + Duration{static_cast<std::int64_t>(reader.varint_max(instant_ms_max))};
  const std::optional<Currency> currency = parse_currency(reader.raw(3));
  if (!currency) reader.fail();
  show.currency = currency.value_or(Currency{});
  show.price_standard = static_cast<std::int64_t>(reader.varint_max(seat_price_max));
  show.price_premium = static_cast<std::int64_t>(reader.varint_max(seat_price_max));
  show.status = read_status(reader);
  return show;
}

}  // namespace

void encode_entry(const Entity& entity, Bytes& out) {
  Bytes body;
  ByteWriter body_writer{body};
  std::visit([&](const auto& known) { write(body_writer, known); }, entity);
  ByteWriter writer{out};
  writer.u8(static_cast<std::uint8_t>(kind_of(entity)));
  writer.varint(body.size());
  writer.raw(body.data(), body.size());
}

Result<Entity> read_entry(ByteReader& reader) {
  const std::uint8_t kind = reader.u8();
  ByteReader body{reader.text(limits::record_bytes_max)};
  Entity entity;
  switch (static_cast<EntityKind>(kind)) {
    case EntityKind::movie:
      entity = read_movie(body);
      break;
    case EntityKind::theater:
      entity = read_theater(body);
      break;
    case EntityKind::screen:
      entity = read_screen(body);
      break;
    case EntityKind::show:
      entity = read_show(body);
      break;
    case EntityKind::show_status: {
      ShowStatusChange change;
      change.number = read_number(body);
      change.status = read_status(body);
      entity = change;
      break;
    }
    default:
      reader.fail();
  }
  if (!body.ok()) reader.fail();
  if (!reader.ok())
    return make_error(ErrorCode::corrupt, "catalog entry of kind " + std::to_string(kind) + ": malformed");
  return entity;
}

}  // namespace usher::engine
