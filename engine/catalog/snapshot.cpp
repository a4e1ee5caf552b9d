#include "engine/catalog/snapshot.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace usher::engine {
namespace {

std::vector<std::uint32_t> positions(std::size_t count) {
  std::vector<std::uint32_t> all(count);
  std::iota(all.begin(), all.end(), 0U);
  return all;
}

char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

}  // namespace

bool equal_ignoring_case(std::string_view left, std::string_view right) noexcept {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

Snapshot::Snapshot() : Snapshot(CatalogData{}) {}

Snapshot::Snapshot(CatalogData data) : data_(std::move(data)), version_(data_.digest()) {
  index_shows();
  index_cities();
  index_titles();
}

void Snapshot::index_shows() {
  std::vector<std::uint32_t> order = positions(data_.show_count());
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return std::tuple{data_.show(a).start, a} < std::tuple{data_.show(b).start, b};
  });
  by_movie_ = Grouping{data_.movie_count(), order, [&](std::uint32_t at) { return data_.show(at).movie; }};
  by_screen_ = Grouping{data_.screen_count(), order, [&](std::uint32_t at) { return data_.show(at).screen; }};
  by_theater_ = Grouping{data_.theater_count(), order,
                         [&](std::uint32_t at) { return data_.theater_of_screen(data_.show(at).screen); }};
  screens_ = Grouping{data_.theater_count(), positions(data_.screen_count()),
                      [&](std::uint32_t at) { return data_.theater_of_screen(at); }};
}

void Snapshot::index_cities() {
  const auto id_at = [&](std::uint32_t at) -> std::string_view { return cities_[at].id; };
  for (std::uint32_t at = 0; at < data_.theater_count(); ++at) {
    const Theater& theater = data_.theater(at);
    std::uint32_t city = city_index_.find(theater.city_id, id_at);
    if (city == position_none) {
      city = static_cast<std::uint32_t>(cities_.size());
      cities_.push_back({theater.city_id, theater.city, theater.time_zone});
      city_index_.insert(city, id_at);
    }
    city_of_theater_.push_back(city);
  }
  theaters_ = Grouping{cities_.size(), positions(data_.theater_count()),
                       [&](std::uint32_t at) { return city_of_theater_[at]; }};
}

void Snapshot::index_titles() {
  movies_by_title_ = positions(data_.movie_count());
  std::sort(movies_by_title_.begin(), movies_by_title_.end(), [&](std::uint32_t a, std::uint32_t b) {
    return std::tie(data_.movie(a).title, data_.movie(a).id) < std::tie(data_.movie(b).title, data_.movie(b).id);
  });
  title_rank_.resize(movies_by_title_.size());
  for (std::uint32_t rank = 0; rank < movies_by_title_.size(); ++rank) title_rank_[movies_by_title_[rank]] = rank;
}

std::span<const std::uint32_t> Snapshot::starting(std::span<const std::uint32_t> shows, Instant from,
                                                  Instant to) const noexcept {
  const auto before = [&](std::uint32_t at, Instant instant) { return data_.show(at).start < instant; };
  const auto first = std::lower_bound(shows.begin(), shows.end(), from, before);
  const auto last = std::lower_bound(first, shows.end(), to, before);
  return {first, last};
}

std::uint32_t Snapshot::find_city(std::string_view id) const noexcept {
  return city_index_.find(id, [&](std::uint32_t at) -> std::string_view { return cities_[at].id; });
}

std::vector<std::uint32_t> Snapshot::cities_named(std::string_view name) const {
  std::vector<std::uint32_t> found;
  for (std::uint32_t at = 0; at < cities_.size(); ++at) {
    if (equal_ignoring_case(cities_[at].name, name)) found.push_back(at);
  }
  return found;
}

std::size_t Snapshot::show_memory_bytes() const noexcept {
  return data_.show_memory_bytes() + by_movie_.memory_bytes() + by_screen_.memory_bytes() + by_theater_.memory_bytes();
}

}  // namespace usher::engine
