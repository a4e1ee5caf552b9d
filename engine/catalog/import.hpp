#pragma once
/// From a document that somebody wrote to what the log will say: a bad document is refused whole, with the path of each
/// error; a good one becomes a plan of what is new. Pure: reads a snapshot and `now`, changes nothing. Any thread.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/catalog/entities.hpp"
#include "engine/catalog/layout.hpp"
#include "engine/catalog/show_terms.hpp"
#include "engine/catalog/snapshot.hpp"

namespace usher::engine {

/// A layout as written, and where: its path, and for each of its rows the row of the document that it came from.
struct DocumentLayout {
  std::string path;
  LayoutSpec spec;
  std::vector<std::uint32_t> row_source;
};
struct DocumentScreen {
  std::string id;
  std::string name;
  std::uint32_t layout = 0;                 ///< index into CatalogDocument::layouts
  std::optional<std::int64_t> total_seats;  ///< when given, it must be right
};
struct DocumentTheater {
  Theater theater;
  std::vector<DocumentScreen> screens;
};
/// A show with its absolute start. Several may come from one entry of the document (`source`).
struct DocumentShow {
  std::string id;
  std::string movie_id;
  std::string screen_id;
  std::uint32_t source = 0;
  Instant start{};
  std::optional<Instant> end;  ///< else start + duration of the movie + cleaning
  Currency currency{};
  std::int64_t price_standard = 0;
  std::int64_t price_premium = 0;
  std::optional<Policy> policy;  ///< else that of the options
};
struct CatalogDocument {
  std::vector<Movie> movies;
  std::vector<DocumentLayout> layouts;
  std::vector<DocumentTheater> theaters;
  std::vector<DocumentShow> shows;
};

struct ImportOptions {
  Policy policy{};
  Duration cleaning{0};  ///< added to the end of each show whose end is not given
  ShardIndex shard_count = limits::shards_default;
  std::function<bool(std::string_view)> zone_exists;  ///< required
  /// Was the show opened in its shard? A listed show of the document that was not, since an earlier import was cut
  /// short, is opened by this one. Not set: every listed show is taken for open.
  std::function<bool(ShowNumber)> is_open;
};

struct ShowOpening {
  ShowNumber number = ShowNumber::none;
  ShardIndex shard = 0;
  ShowTerms terms;
};
struct ImportCount {
  std::uint32_t added = 0;
  std::uint32_t changed = 0;
  std::uint32_t unchanged = 0;
};

/// What to log: first the payloads in the system shard, and when they are durable the openings, each in its show's
/// shard.
struct ImportPlan {
  /// Every layout of the document that a screen or show of this plan needs, each once; those that are known too.
  std::vector<Layout> layouts;
  std::vector<Bytes>
      payloads;  ///< of `catalog_changed`, at most import_payload_bytes_max and one entry; references first
  std::vector<ShowOpening> shows;  ///< ascending numbers
  ImportCount movie_count;
  ImportCount theater_count;
  ImportCount screen_count;
  ImportCount show_count;
  std::uint32_t past_count = 0;  ///< shows not opened because their start has passed
};

/// A payload stays well below a blob, so that an import never keeps a loop for long.
inline constexpr std::size_t import_payload_bytes_max = 256U * 1024U;
/// So many errors are told; the last one then says that there are more.
inline constexpr std::size_t import_errors_max = 1'000;

struct ImportResult {
  ImportPlan plan;                ///< meaningful when ok()
  std::vector<PathError> errors;  ///< in the order of the document
  [[nodiscard]] bool ok() const noexcept { return errors.empty(); }
};

/// Checks all of `document` against itself and the snapshot: ids well-formed and unique, references, coordinates,
/// zones, layouts, prices, times, and no two shows on one screen at once. What is there already and equal is not
/// planned again; a show that is there with other facts is refused; movies, theaters and screens may change but for a
/// screen's theater.
[[nodiscard]] ImportResult plan_import(const Snapshot& snapshot, const CatalogDocument& document, Instant now,
                                       const ImportOptions& options);

}  // namespace usher::engine
