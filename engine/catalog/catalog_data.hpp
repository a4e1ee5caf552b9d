#pragma once
/// The content of a catalog, held compactly: a show takes about 90 bytes. A plain value: copied from the catalog into
/// each snapshot. Positions are 32 bits and never change; things are never removed, since bookings name them for ever.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/catalog/entities.hpp"
#include "engine/catalog/id_index.hpp"

namespace usher::engine {

/// A listing with its references as positions. Its id lies in CatalogData::show_ids.
struct ShowRow {
  Instant start{};
  Instant end{};
  std::int64_t price_standard = 0;
  std::int64_t price_premium = 0;
  ShowNumber number = ShowNumber::none;
  std::uint32_t movie = position_none;
  std::uint32_t screen = position_none;
  std::uint32_t id_first = 0;
  Currency currency{};
  std::uint8_t id_size = 0;
  ShardIndex shard = 0;
  ShowStatus status = ShowStatus::scheduled;

  /// A show that was not cancelled is completed from its end on.
  [[nodiscard]] ShowStatus status_at(Instant now) const noexcept {
    return status == ShowStatus::scheduled && end <= now ? ShowStatus::completed : status;
  }
};
static_assert(sizeof(ShowRow) == 56);

struct ScreenRow {
  Screen screen;
  std::uint32_t theater = position_none;
};

class CatalogData {
 public:
  [[nodiscard]] std::size_t movie_count() const noexcept { return movies_.size(); }
  [[nodiscard]] std::size_t theater_count() const noexcept { return theaters_.size(); }
  [[nodiscard]] std::size_t screen_count() const noexcept { return screens_.size(); }
  [[nodiscard]] std::size_t show_count() const noexcept { return shows_.size(); }

  [[nodiscard]] const Movie& movie(std::uint32_t at) const noexcept { return *movies_[at]; }
  [[nodiscard]] const Theater& theater(std::uint32_t at) const noexcept { return *theaters_[at]; }
  [[nodiscard]] const Screen& screen(std::uint32_t at) const noexcept { return screens_[at].screen; }
  [[nodiscard]] std::uint32_t theater_of_screen(std::uint32_t at) const noexcept { return screens_[at].theater; }
  [[nodiscard]] const ShowRow& show(std::uint32_t at) const noexcept { return shows_[at]; }
  [[nodiscard]] std::string_view show_id(std::uint32_t at) const noexcept {
    return std::string_view{show_ids_}.substr(shows_[at].id_first, shows_[at].id_size);
  }
  [[nodiscard]] ShowListing listing(std::uint32_t at) const;

  /// Returns: position_none when there is none. Allocates nothing.
  [[nodiscard]] std::uint32_t find_movie(std::string_view id) const noexcept;
  [[nodiscard]] std::uint32_t find_theater(std::string_view id) const noexcept;
  [[nodiscard]] std::uint32_t find_screen(std::string_view id) const noexcept;
  [[nodiscard]] std::uint32_t find_show(std::string_view id) const noexcept;
  [[nodiscard]] std::uint32_t find_show(ShowNumber number) const noexcept;

  /// The highest number that a show ever had; the next one gets one more.
  [[nodiscard]] ShowNumber highest_number() const noexcept {
    return shows_.empty() ? ShowNumber::none : shows_.back().number;
  }

  /// Adds the entity, or replaces the one with its id.
  /// Returns: its position; `corrupt` when it refers to something unknown or gives a show's number or id to another.
  [[nodiscard]] Result<std::uint32_t> put(Entity entity);

  /// Appends the entry of one entity. Requires: `at` is a position of that kind; kind is not show_status.
  void encode_at(EntityKind kind, std::uint32_t at, Bytes& out) const;
  [[nodiscard]] std::uint32_t count(EntityKind kind) const noexcept;

  /// Depends on the content only, not on the order in which it came.
  [[nodiscard]] std::uint64_t digest() const;
  [[nodiscard]] std::size_t show_memory_bytes() const noexcept;

 private:
  [[nodiscard]] Result<std::uint32_t> put_movie(Movie movie);
  [[nodiscard]] Result<std::uint32_t> put_theater(Theater theater);
  [[nodiscard]] Result<std::uint32_t> put_screen(Screen screen);
  [[nodiscard]] Result<std::uint32_t> put_show(const ShowListing& listing);
  [[nodiscard]] Result<std::uint32_t> put_status(const ShowStatusChange& change);

  std::vector<std::shared_ptr<const Movie>> movies_;
  std::vector<std::shared_ptr<const Theater>> theaters_;
  std::vector<ScreenRow> screens_;
  std::vector<ShowRow> shows_;  ///< ascending numbers
  std::string show_ids_;
  IdIndex movie_index_;
  IdIndex theater_index_;
  IdIndex screen_index_;
  IdIndex show_index_;
};

}  // namespace usher::engine
