#pragma once
/// An immutable view of the catalog for readers: the content as of one moment with the indexes that browsing needs.
/// Built once after a change, then read by any thread through a shared pointer. It never changes and never asks a
/// shard.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/catalog/catalog_data.hpp"

namespace usher::engine {

/// Lists of positions by owner: those of owner o are positions_[first_[o] .. first_[o + 1]).
class Grouping {
 public:
  Grouping() = default;
  /// `owner_of(position)` must be below `owner_count`. Positions of an owner come in the order of `order`.
  template <class OwnerOf>
  Grouping(std::size_t owner_count, std::span<const std::uint32_t> order, const OwnerOf& owner_of)
      : first_(owner_count + 1), positions_(order.size()) {
    for (const std::uint32_t position : order) ++first_[owner_of(position) + 1U];
    for (std::size_t owner = 0; owner < owner_count; ++owner) first_[owner + 1] += first_[owner];
    std::vector<std::uint32_t> next(first_.begin(), first_.end() - 1);
    for (const std::uint32_t position : order) positions_[next[owner_of(position)]++] = position;
  }
  [[nodiscard]] std::span<const std::uint32_t> of(std::uint32_t owner) const noexcept {
    return std::span{positions_}.subspan(first_[owner], first_[owner + 1U] - first_[owner]);
  }
  [[nodiscard]] std::size_t memory_bytes() const noexcept { return (first_.capacity() + positions_.capacity()) * 4; }

 private:
  std::vector<std::uint32_t> first_;
  std::vector<std::uint32_t> positions_;
};

struct City {
  std::string id;
  std::string name;
  std::string time_zone;  ///< of its first theater
};

class Snapshot {
 public:
  /// An empty one.
  Snapshot();
  /// Takes about 100 ms for 100,000 shows; on any thread.
  explicit Snapshot(CatalogData data);

  [[nodiscard]] const CatalogData& data() const noexcept { return data_; }
  /// Digest of the content: equal content, equal version, also after a restart.
  [[nodiscard]] std::uint64_t version() const noexcept { return version_; }

  /// Positions of shows, sorted by start, then number.
  [[nodiscard]] std::span<const std::uint32_t> shows_of_movie(std::uint32_t movie) const noexcept {
    return by_movie_.of(movie);
  }
  [[nodiscard]] std::span<const std::uint32_t> shows_of_screen(std::uint32_t screen) const noexcept {
    return by_screen_.of(screen);
  }
  [[nodiscard]] std::span<const std::uint32_t> shows_of_theater(std::uint32_t theater) const noexcept {
    return by_theater_.of(theater);
  }
  /// Those of `shows` (one of the three above) that start in [from, to).
  [[nodiscard]] std::span<const std::uint32_t> starting(std::span<const std::uint32_t> shows, Instant from,
                                                        Instant to) const noexcept;
  [[nodiscard]] std::span<const std::uint32_t> screens_of_theater(std::uint32_t theater) const noexcept {
    return screens_.of(theater);
  }

  [[nodiscard]] const std::vector<City>& cities() const noexcept { return cities_; }
  [[nodiscard]] std::uint32_t city_of_theater(std::uint32_t theater) const noexcept {
    return city_of_theater_[theater];
  }
  [[nodiscard]] std::span<const std::uint32_t> theaters_of_city(std::uint32_t city) const noexcept {
    return theaters_.of(city);
  }
  [[nodiscard]] std::uint32_t find_city(std::string_view id) const noexcept;
  /// Cities of this name; ASCII letters in either case are equal.
  [[nodiscard]] std::vector<std::uint32_t> cities_named(std::string_view name) const;

  /// Positions of all movies, sorted by title, then id.
  [[nodiscard]] std::span<const std::uint32_t> movies_by_title() const noexcept { return movies_by_title_; }
  /// Where a movie stands in movies_by_title().
  [[nodiscard]] std::uint32_t title_rank(std::uint32_t movie) const noexcept { return title_rank_[movie]; }

  /// Content and indexes that grow with the number of shows.
  [[nodiscard]] std::size_t show_memory_bytes() const noexcept;

 private:
  void index_shows();
  void index_cities();
  void index_titles();

  CatalogData data_;
  std::uint64_t version_ = 0;
  Grouping by_movie_;
  Grouping by_screen_;
  Grouping by_theater_;
  Grouping screens_;
  Grouping theaters_;
  std::vector<City> cities_;
  IdIndex city_index_;
  std::vector<std::uint32_t> city_of_theater_;
  std::vector<std::uint32_t> movies_by_title_;
  std::vector<std::uint32_t> title_rank_;
};

/// Are two texts equal but for the case of ASCII letters?
[[nodiscard]] bool equal_ignoring_case(std::string_view left, std::string_view right) noexcept;

}  // namespace usher::engine
