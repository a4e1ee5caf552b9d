#pragma once
/// SearchIndex: movies by what people type, in a folder of its own on Xapian. It holds nothing that the catalog does
/// not say: where it is missing, damaged or of another format it is made anew. One updater at a time; find() and
/// suggest() are Thread-safe and go on answering from the last commit while an update runs. Everything here reads files
/// and belongs on the work pool, never on a loop.
///
/// A movie is the document whose number is its position + 1 (positions never change). Terms:
///   word           of title, cast, genre, keywords, with a weight by where it stands
///   "P" + prefix   the first 1..prefix_characters_max characters of each word of title and cast
///   "T"            all documents
/// Value 0 is the hash of the movie, so that an update touches only what has changed.

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "engine/catalog/snapshot.hpp"
#include "usher/result.hpp"

namespace Xapian {
class Database;
class Query;
}  // namespace Xapian

namespace usher::server::search {

/// Longest prefix that is a term; what is typed beyond it narrows nothing until the word is whole.
inline constexpr std::size_t prefix_characters_max = 10;
/// Of a query so many words count; more only repeat.
inline constexpr std::size_t query_words_max = 12;

/// What a query found, as positions of movies, best first.
struct Found {
  std::vector<std::uint32_t> movies;
  std::string corrected;  ///< the words searched for, where a typo was forgiven; else empty
};

class SearchIndex {
 public:
  explicit SearchIndex(std::filesystem::path folder);
  SearchIndex(const SearchIndex&) = delete;
  SearchIndex& operator=(const SearchIndex&) = delete;
  ~SearchIndex();

  /// Brings the index to what the snapshot says; about a second per 10,000 movies that are new or changed.
  /// Requires: no other update() runs. Returns: `io` when the folder cannot be written.
  [[nodiscard]] Status update(const engine::Snapshot& snapshot);

  /// Movies that fit all words (or, where none does, most of them), by relevance (BM25). A word that is no word of the
  /// catalog counts as the beginning of one, else as a misspelling of the most frequent one within two edits.
  /// Returns: at most `limit` movies; nothing while there is no index.
  [[nodiscard]] Found find(std::string_view text, std::size_t limit) const;

  /// Movies whose title or cast has words beginning with those of `text`, those with the most shows first.
  [[nodiscard]] Found suggest(const engine::Snapshot& snapshot, std::string_view text, std::size_t limit) const;

  /// The catalog that the index was last brought to (Snapshot::version), 0 for none. Thread-safe.
  [[nodiscard]] std::uint64_t version() const noexcept { return version_.load(std::memory_order_acquire); }
  /// Counts up whenever searches may find something else than before; 0 while there is no index. Thread-safe.
  [[nodiscard]] std::uint64_t commits() const noexcept { return commits_.load(std::memory_order_acquire); }
  /// Is there an index to search? Thread-safe.
  [[nodiscard]] bool ready() const noexcept { return commits() != 0; }

 private:
  struct Writer;
  /// A view of the last commit, for one search at a time.
  struct Reader {
    std::unique_ptr<Xapian::Database> database;
    std::uint64_t commit = 0;
  };
  class Lease;

  [[nodiscard]] Status open_writer();
  [[nodiscard]] bool index_movie(std::uint32_t at, const engine::Movie& movie);
  template <class Search>
  [[nodiscard]] Found with_reader(const Search& search) const;

  const std::filesystem::path folder_;
  std::unique_ptr<Writer> writer_;
  std::atomic<std::uint64_t> version_{0};  ///< release: after the commit it names
  std::atomic<std::uint64_t> commits_{0};
  mutable std::mutex mutex_;
  mutable std::vector<Reader> idle_;
};

}  // namespace usher::server::search
