#pragma once
/// What a catalog is made of: movies, theaters, screens and the listings of shows. Plain data, named as on the wire
/// (DESIGN 7). The bytes of an entry are what `catalog_changed` carries and what checkpoints hold.

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "usher/bytes.hpp"
#include "usher/ids.hpp"
#include "usher/money.hpp"
#include "usher/result.hpp"
#include "usher/time.hpp"

namespace usher::engine {

namespace catalog_limits {
/// Bounds of texts, in bytes: what a page shows in one place. All of a movie stays far below a record's payload.
inline constexpr std::size_t name_bytes_max = 200;
inline constexpr std::size_t text_bytes_max = 8'000;
inline constexpr std::size_t url_bytes_max = 2'000;
inline constexpr std::size_t list_size_max = 200;
/// Two days: the longest film ever shown in a cinema took 35 hours.
inline constexpr std::uint64_t duration_minutes_max = 2'880;
inline constexpr std::size_t movies_max = 1'000'000;
}  // namespace catalog_limits

using Date = std::chrono::sys_days;

struct Movie {
  std::string id;
  std::string title;
  std::string description;
  std::uint32_t duration_minutes = 0;
  std::string genre;
  std::string language;
  std::optional<Date> release_date;
  std::string rating;
  std::string poster_url;
  std::vector<std::string> cast;
  std::vector<std::string> keywords;
  std::vector<std::string> synthetic;  ///< names of the fields that a generator made up
  bool operator==(const Movie&) const = default;
};

struct Theater {
  std::string id;
  std::string name;
  std::string chain;
  std::string city;
  std::string city_id;
  std::string address;
  std::int32_t latitude_e7 = 0;  ///< degrees times 10^7
  std::int32_t longitude_e7 = 0;
  std::string time_zone;  ///< IANA name
  std::vector<std::string> synthetic;
  bool operator==(const Theater&) const = default;
};

struct Screen {
  std::string id;
  std::string theater_id;
  std::string name;
  std::uint64_t layout_hash = 0;
  std::uint16_t total_seats = 0;
  bool operator==(const Screen&) const = default;
};

/// Numbers are part of the stored format.
enum class ShowStatus : std::uint8_t { scheduled = 0, cancelled = 1, completed = 2 };
inline constexpr std::array<std::string_view, 3> show_status_names{"scheduled", "cancelled", "completed"};
[[nodiscard]] constexpr std::string_view to_string(ShowStatus status) noexcept {
  return show_status_names[static_cast<std::size_t>(status)];
}

struct ShowListing {
  std::string id;
  ShowNumber number = ShowNumber::none;
  ShardIndex shard = 0;
  std::string movie_id;
  std::string screen_id;
  Instant start{};
  Instant end{};
  Currency currency{};
  std::int64_t price_standard = 0;
  std::int64_t price_premium = 0;
  ShowStatus status = ShowStatus::scheduled;
  bool operator==(const ShowListing&) const = default;
};

/// A show's status changed: the listing otherwise stays what it was.
struct ShowStatusChange {
  ShowNumber number = ShowNumber::none;
  ShowStatus status = ShowStatus::scheduled;
  bool operator==(const ShowStatusChange&) const = default;
};

/// Numbers are part of the stored format, and the order of checkpoints: what is referred to comes first.
enum class EntityKind : std::uint8_t { movie = 1, theater = 2, screen = 3, show = 4, show_status = 5 };
using Entity = std::variant<Movie, Theater, Screen, ShowListing, ShowStatusChange>;

[[nodiscard]] constexpr EntityKind kind_of(const Entity& entity) noexcept {
  return static_cast<EntityKind>(entity.index() + 1);
}

/// Appends one entry. A payload of `catalog_changed` is one or many entries, one after the other:
///   entry   := kind:u8 size:varint body
///   movie   := id title description duration_minutes:varint genre language release_date:svarint rating poster_url
///              cast:list keywords:list synthetic:list
///   theater := id name chain city city_id address latitude_e7:svarint longitude_e7:svarint time_zone synthetic:list
///   screen  := id theater_id name layout_hash:u64 total_seats:varint
///   show    := id number:varint shard:varint movie_id screen_id start_ms:varint length_ms:varint currency:3
///              price_standard:varint price_premium:varint status:u8
///   status  := number:varint status:u8
///   list    := count:varint text*
/// where a field without a type is a text, and release_date is days since 1970-01-01 + 1,000,000, or 0 for none.
void encode_entry(const Entity& entity, Bytes& out);

/// Reads one entry. Fields that a later version appended to a body are ignored.
/// Returns: `corrupt` when it is malformed or out of bounds; the reader then stands at its end.
[[nodiscard]] Result<Entity> read_entry(ByteReader& reader);

}  // namespace usher::engine
