#include "engine/catalog/catalog_data.hpp"

#include <algorithm>

#include "usher/limits.hpp"

namespace usher::engine {
namespace {

Error unknown(std::string_view what, std::string_view id) {
  return make_error(ErrorCode::corrupt, "catalog: unknown " + std::string{what} + " " + std::string{id});
}

}  // namespace

std::uint32_t CatalogData::find_movie(std::string_view id) const noexcept {
  return movie_index_.find(id, [&](std::uint32_t at) -> std::string_view { return movies_[at]->id; });
}
std::uint32_t CatalogData::find_theater(std::string_view id) const noexcept {
  return theater_index_.find(id, [&](std::uint32_t at) -> std::string_view { return theaters_[at]->id; });
}
std::uint32_t CatalogData::find_screen(std::string_view id) const noexcept {
  return screen_index_.find(id, [&](std::uint32_t at) -> std::string_view { return screens_[at].screen.id; });
}
std::uint32_t CatalogData::find_show(std::string_view id) const noexcept {
  return show_index_.find(id, [&](std::uint32_t at) { return show_id(at); });
}

std::uint32_t CatalogData::find_show(ShowNumber number) const noexcept {
  // numbers are dense but for imports that were given up: the guess is nearly always right
  const std::size_t guess = std::size_t{to_value(number)} - 1U;
  if (guess < shows_.size() && shows_[guess].number == number) return static_cast<std::uint32_t>(guess);
  const auto found = std::lower_bound(shows_.begin(), shows_.end(), number, [](const ShowRow& row, ShowNumber wanted) {
    return to_value(row.number) < to_value(wanted);
  });
  if (found == shows_.end() || found->number != number) return position_none;
  return static_cast<std::uint32_t>(found - shows_.begin());
}

ShowListing CatalogData::listing(std::uint32_t at) const {
  const ShowRow& row = shows_[at];
  ShowListing listing;
  listing.id = show_id(at);
  listing.number = row.number;
  listing.shard = row.shard;
  listing.movie_id = movies_[row.movie]->id;
  listing.screen_id = screens_[row.screen].screen.id;
  listing.start = row.start;
  listing.end = row.end;
  listing.currency = row.currency;
  listing.price_standard = row.price_standard;
  listing.price_premium = row.price_premium;
  listing.status = row.status;
  return listing;
}

Result<std::uint32_t> CatalogData::put(Entity entity) {
  switch (kind_of(entity)) {
    case EntityKind::movie:
      return put_movie(std::get<Movie>(std::move(entity)));
    case EntityKind::theater:
      return put_theater(std::get<Theater>(std::move(entity)));
    case EntityKind::screen:
      return put_screen(std::get<Screen>(std::move(entity)));
    case EntityKind::show:
      return put_show(std::get<ShowListing>(entity));
    case EntityKind::show_status:
      break;
  }
  return put_status(std::get<ShowStatusChange>(entity));
}

Result<std::uint32_t> CatalogData::put_movie(Movie movie) {
  std::uint32_t at = find_movie(movie.id);
  auto entry = std::make_shared<const Movie>(std::move(movie));
  if (at != position_none) {
    movies_[at] = std::move(entry);
    return at;
  }
  at = static_cast<std::uint32_t>(movies_.size());
  movies_.push_back(std::move(entry));
  movie_index_.insert(at, [&](std::uint32_t i) -> std::string_view { return movies_[i]->id; });
  return at;
}

Result<std::uint32_t> CatalogData::put_theater(Theater theater) {
  std::uint32_t at = find_theater(theater.id);
  auto entry = std::make_shared<const Theater>(std::move(theater));
  if (at != position_none) {
    theaters_[at] = std::move(entry);
    return at;
  }
  at = static_cast<std::uint32_t>(theaters_.size());
  theaters_.push_back(std::move(entry));
  theater_index_.insert(at, [&](std::uint32_t i) -> std::string_view { return theaters_[i]->id; });
  return at;
}

Result<std::uint32_t> CatalogData::put_screen(Screen screen) {
  const std::uint32_t theater = find_theater(screen.theater_id);
  if (theater == position_none) return unknown("theater", screen.theater_id);
  std::uint32_t at = find_screen(screen.id);
  if (at != position_none) {
    screens_[at] = {std::move(screen), theater};
    return at;
  }
  at = static_cast<std::uint32_t>(screens_.size());
  screens_.push_back({std::move(screen), theater});
  screen_index_.insert(at, [&](std::uint32_t i) -> std::string_view { return screens_[i].screen.id; });
  return at;
}

Result<std::uint32_t> CatalogData::put_show(const ShowListing& listing) {
  ShowRow row;
  row.movie = find_movie(listing.movie_id);
  row.screen = find_screen(listing.screen_id);
  if (row.movie == position_none) return unknown("movie", listing.movie_id);
  if (row.screen == position_none) return unknown("screen", listing.screen_id);
  row.start = listing.start;
  row.end = listing.end;
  row.price_standard = listing.price_standard;
  row.price_premium = listing.price_premium;
  row.number = listing.number;
  row.currency = listing.currency;
  row.shard = listing.shard;
  row.status = listing.status;
  std::uint32_t at = find_show(listing.id);
  if (at != position_none) {
    if (shows_[at].number != listing.number) {
      return make_error(ErrorCode::corrupt, "catalog: show " + listing.id + " has two numbers");
    }
    row.id_first = shows_[at].id_first;
    row.id_size = shows_[at].id_size;
    shows_[at] = row;
    return at;
  }
  if (to_value(listing.number) <= to_value(highest_number()) || listing.id.empty() ||
      listing.id.size() > limits::external_id_bytes_max || show_ids_.size() + listing.id.size() > UINT32_MAX) {
    return make_error(ErrorCode::corrupt, "catalog: show " + listing.id + " has a number or id that it cannot have");
  }
  row.id_first = static_cast<std::uint32_t>(show_ids_.size());
  row.id_size = static_cast<std::uint8_t>(listing.id.size());
  show_ids_ += listing.id;
  at = static_cast<std::uint32_t>(shows_.size());
  shows_.push_back(row);
  show_index_.insert(at, [&](std::uint32_t i) { return show_id(i); });
  return at;
}

Result<std::uint32_t> CatalogData::put_status(const ShowStatusChange& change) {
  const std::uint32_t at = find_show(change.number);
  if (at == position_none) return unknown("show", std::to_string(to_value(change.number)));
  shows_[at].status = change.status;
  return at;
}

void CatalogData::encode_at(EntityKind kind, std::uint32_t at, Bytes& out) const {
  switch (kind) {
    case EntityKind::movie:
      return encode_entry(*movies_[at], out);
    case EntityKind::theater:
      return encode_entry(*theaters_[at], out);
    case EntityKind::screen:
      return encode_entry(screens_[at].screen, out);
    case EntityKind::show:
      return encode_entry(listing(at), out);
    case EntityKind::show_status:
      break;
  }
  USHER_ASSERT(kind != EntityKind::show_status);
}

std::uint32_t CatalogData::count(EntityKind kind) const noexcept {
  switch (kind) {
    case EntityKind::movie:
      return static_cast<std::uint32_t>(movies_.size());
    case EntityKind::theater:
      return static_cast<std::uint32_t>(theaters_.size());
    case EntityKind::screen:
      return static_cast<std::uint32_t>(screens_.size());
    case EntityKind::show:
      return static_cast<std::uint32_t>(shows_.size());
    case EntityKind::show_status:
      break;
  }
  return 0;
}

std::uint64_t CatalogData::digest() const {
  std::uint64_t sum = 0;
  Bytes bytes;
  for (const EntityKind kind : {EntityKind::movie, EntityKind::theater, EntityKind::screen, EntityKind::show}) {
    for (std::uint32_t at = 0; at < count(kind); ++at) {
      bytes.clear();
      encode_at(kind, at, bytes);
      sum += hash_bytes({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    }
  }
  return sum;
}

std::size_t CatalogData::show_memory_bytes() const noexcept {
  return shows_.capacity() * sizeof(ShowRow) + show_ids_.capacity() + show_index_.memory_bytes();
}

}  // namespace usher::engine
