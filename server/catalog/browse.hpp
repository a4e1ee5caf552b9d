#pragma once
/// The questions people ask of the catalog (DESIGN 7): movies, showtimes, theaters, a show's listing. Pure functions
/// from a snapshot, the time and what the query says to JSON text; any thread. They never wait for a shard: how many
/// seats are left comes through a function of the caller's.

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/catalog/snapshot.hpp"
#include "server/json/text_buffer.hpp"
#include "usher/time.hpp"

namespace usher::server::catalog {

/// One `name=value` of the query, percent-decoded. Of a name given twice the first counts.
struct QueryParameter {
  std::string_view name;
  std::string_view value;
};
using Query = std::span<const QueryParameter>;

/// What a page is made from. References must outlive the call.
struct BrowseContext {
  const engine::Snapshot& snapshot;
  Instant now{};
  /// Free seats of a show that is not over; nothing: not known (it is then left out). Required.
  const std::function<std::optional<std::uint32_t>(ShowNumber)>& available;
  /// Movies that a search for `q` has found, best first; nullptr: `q` is taken word by word from title, cast and
  /// keywords.
  const std::vector<std::uint32_t>* found = nullptr;
  std::string_view corrected{};  ///< what the search looked for, where it forgave a typo
};

/// 200: the JSON was appended to the buffer. `etag` covers all that the JSON says but `server_time`-like fields, of
/// which browse answers have none.
struct Page {
  std::uint64_t etag = 0;
  bool has_availability = false;  ///< it changes with each reservation: cache it for a moment only
  Instant valid_until{};          ///< of GET /movies: from then on a show is over, or it is another day
};
/// For problem+json: 400 `invalid_parameter` or `missing_parameter`, 404 `unknown_movie`, `unknown_theater`
/// or `unknown_show`. The detail names the parameter and its rule.
struct BrowseError {
  std::uint16_t status = 0;
  std::string_view code;
  std::string detail;
};
using BrowseAnswer = std::variant<Page, BrowseError>;

/// `GET /movies`: movies with a scheduled show at the place on the date, sorted by title, or with `q` and a search by
/// how well they fit; `facets=true` adds how many there are by genre and language.
[[nodiscard]] BrowseAnswer list_movies(const BrowseContext& context, Query query, json::TextBuffer& out);
/// `GET /movies/{id}`
[[nodiscard]] BrowseAnswer show_movie(const BrowseContext& context, std::string_view movie_id, json::TextBuffer& out);
/// `GET /movies/{id}/showtimes`: by theater, shows sorted by start.
[[nodiscard]] BrowseAnswer list_showtimes(const BrowseContext& context, std::string_view movie_id, Query query,
                                          json::TextBuffer& out);
/// `GET /theaters`: of a city, sorted by name; or near a point, sorted by distance.
[[nodiscard]] BrowseAnswer list_theaters(const BrowseContext& context, Query query, json::TextBuffer& out);
/// `GET /theaters/{id}` with its screens.
[[nodiscard]] BrowseAnswer show_theater(const BrowseContext& context, std::string_view theater_id,
                                        json::TextBuffer& out);
/// `GET /shows/{id}`: the listing with its movie, screen and theater.
[[nodiscard]] BrowseAnswer show_show(const BrowseContext& context, std::string_view show_id, json::TextBuffer& out);
/// `GET /cities`: every city with its zone and number of theaters, sorted by name.
[[nodiscard]] BrowseAnswer list_cities(const BrowseContext& context, json::TextBuffer& out);

}  // namespace usher::server::catalog
