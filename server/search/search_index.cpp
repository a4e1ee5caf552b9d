#include "server/search/search_index.hpp"

#include <xapian.h>

#include <algorithm>
#include <unordered_map>

#include "engine/catalog/hash.hpp"
#include "server/search/fold.hpp"

namespace usher::server::search {
namespace {

/// Changes with the terms: an index of another format is made anew.
constexpr std::string_view format = "usher-search-1";
constexpr Xapian::valueno hash_slot = 0;
/// How much more a word of the title says than one of the keywords.
constexpr Xapian::termcount title_weight = 6;
constexpr Xapian::termcount cast_weight = 3;
constexpr Xapian::termcount other_weight = 1;
/// Suggestions are chosen among so many candidates: a matter of microseconds, whatever is typed.
constexpr Xapian::doccount candidates_max = 256;
/// What is kept open for searches that run at once.
constexpr std::size_t idle_readers_max = 8;

[[nodiscard]] std::string prefix_term(std::string_view word) {
  return "P" + std::string{first_characters(word, prefix_characters_max)};
}

[[nodiscard]] std::string hash_text(const engine::Movie& movie) {
  Bytes bytes;
  engine::encode_entry(movie, bytes);
  const std::uint64_t hash = engine::hash_bytes({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  std::string text(8, '\0');
  for (unsigned i = 0; i < 8; ++i) text[i] = static_cast<char>(hash >> (8U * i) & 0xffU);
  return text;
}

/// Builds the document of one movie, and tells which words may serve as corrections.
class DocumentMaker {
 public:
  explicit DocumentMaker(const engine::Movie& movie) {
    add(movie.title, title_weight, true);
    for (const std::string& name : movie.cast) add(name, cast_weight, true);
    add(movie.genre, other_weight, false);
    for (const std::string& keyword : movie.keywords) add(keyword, other_weight, false);
    document.add_boolean_term("T");
    document.add_value(hash_slot, hash_text(movie));
  }

  Xapian::Document document;
  std::vector<std::string> words;  ///< each once

 private:
  void add(std::string_view text, Xapian::termcount weight, bool is_completed) {
    for (const std::string& word : fold_words(text)) {
      document.add_term(word, weight);
      if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
      if (!is_completed) continue;
      const std::size_t count = std::min(count_characters(word), prefix_characters_max);
      for (std::size_t size = 1; size <= count; ++size)
        document.add_boolean_term(prefix_term(first_characters(word, size)));
    }
  }
};

/// A word of the query as the index knows it.
class WordFinder {
 public:
  WordFinder(const Xapian::Database& database, std::string_view text) : database_(database), words_(fold_words(text)) {
    if (words_.size() > query_words_max) words_.resize(query_words_max);
  }

  [[nodiscard]] std::vector<Xapian::Query> ranked() {
    std::vector<Xapian::Query> parts;
    for (const std::string& word : words_) {
      Xapian::Query part = ranked_word(word);
      if (!part.empty()) parts.push_back(std::move(part));
    }
    return parts;
  }
  /// The words as beginnings of words, without ranking.
  [[nodiscard]] std::vector<Xapian::Query> beginnings() {
    std::vector<Xapian::Query> parts;
    for (const std::string& word : words_) {
      if (database_.term_exists(prefix_term(word))) {
        parts.emplace_back(prefix_term(word));
        spell(word);
      } else if (const std::string other = mistyped(word); !other.empty()) {
        parts.emplace_back(prefix_term(other));
      } else {
        return {};
      }
    }
    return parts;
  }
  [[nodiscard]] std::string corrected() const { return is_corrected_ ? spelled_ : std::string{}; }

 private:
  Xapian::Query ranked_word(const std::string& word) {
    const std::string prefix = prefix_term(word);
    const bool is_word = database_.term_exists(word);
    const bool begins = database_.term_exists(prefix);
    if (!is_word && !begins) {
      const std::string other = mistyped(word);
      return other.empty() ? Xapian::Query{} : Xapian::Query{other};
    }
    spell(word);
    const Xapian::Query whole{word};
    if (!begins) return whole;
    const Xapian::Query beginning{Xapian::Query::OP_SCALE_WEIGHT, Xapian::Query{prefix}, 0.2};
    return is_word ? Xapian::Query{Xapian::Query::OP_OR, whole, beginning} : beginning;
  }
  /// Returns: the word that was probably meant, or nothing.
  std::string mistyped(const std::string& word) {
    const std::string other = database_.get_spelling_suggestion(word, count_characters(word) < 5 ? 1 : 2);
    if (other.empty()) return other;
    spell(other);
    is_corrected_ = true;
    return other;
  }
  void spell(std::string_view word) {
    if (!spelled_.empty()) spelled_ += ' ';
    spelled_ += word;
  }

  const Xapian::Database& database_;
  std::vector<std::string> words_;
  std::string spelled_;
  bool is_corrected_ = false;
};

[[nodiscard]] std::vector<std::uint32_t> positions_of(const Xapian::MSet& found) {
  std::vector<std::uint32_t> movies;
  movies.reserve(found.size());
  for (auto hit = found.begin(); hit != found.end(); ++hit) movies.push_back(*hit - 1);
  return movies;
}

}  // namespace

/// The writing side: the database, and what each document was made from.
struct SearchIndex::Writer {
  explicit Writer(const std::string& folder, int flags) : database(folder, flags) {}

  void read_hashes() {
    for (auto value = database.valuestream_begin(hash_slot); value != database.valuestream_end(hash_slot); ++value) {
      const Xapian::docid id = value.get_docid();
      if (hashes.size() < id) hashes.resize(id);
      hashes[id - 1] = *value;
    }
  }

  Xapian::WritableDatabase database;
  std::vector<std::string> hashes;  ///< by position
};

/// Lends a reader that sees the last commit, and takes it back.
class SearchIndex::Lease {
 public:
  explicit Lease(const SearchIndex& index) : index_(index) {
    const std::uint64_t commit = index.commits_.load(std::memory_order_acquire);  // release: update()
    {
      const std::lock_guard lock(index.mutex_);
      if (!index.idle_.empty()) {
        reader_ = std::move(index.idle_.back());
        index.idle_.pop_back();
      }
    }
    if (!reader_.database) reader_.database = std::make_unique<Xapian::Database>(index.folder_.string());
    if (reader_.commit != commit) reader_.database->reopen();
    reader_.commit = commit;
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ~Lease() {
    const std::lock_guard lock(index_.mutex_);
    if (index_.idle_.size() < idle_readers_max) index_.idle_.push_back(std::move(reader_));
  }
  [[nodiscard]] const Xapian::Database& database() const noexcept { return *reader_.database; }

 private:
  const SearchIndex& index_;
  Reader reader_;
};

SearchIndex::SearchIndex(std::filesystem::path folder) : folder_(std::move(folder)) {}
SearchIndex::~SearchIndex() = default;

Status SearchIndex::open_writer() {
  if (writer_) return Done{};
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error) return make_error(ErrorCode::io, "search: cannot make " + folder_.string() + ": " + error.message());
  try {
    writer_ = std::make_unique<Writer>(folder_.string(), Xapian::DB_CREATE_OR_OPEN | Xapian::DB_NO_SYNC);
    if (writer_->database.get_metadata("format") == format) {
      writer_->read_hashes();
      commits_.store(1, std::memory_order_release);
      return Done{};
    }
  } catch (const Xapian::Error&) {
    // damaged by a crash, or of a newer Xapian: made anew below
  }
  writer_.reset();
  std::filesystem::remove_all(folder_, error);
  std::filesystem::create_directories(folder_, error);
  writer_ = std::make_unique<Writer>(folder_.string(), Xapian::DB_CREATE_OR_OVERWRITE | Xapian::DB_NO_SYNC);
  writer_->database.set_metadata("format", std::string{format});
  return Done{};
}

/// Returns: whether the document had to be written.
bool SearchIndex::index_movie(std::uint32_t at, const engine::Movie& movie) {
  const std::string hash = hash_text(movie);
  if (at < writer_->hashes.size() && writer_->hashes[at] == hash) return false;
  const Xapian::docid id = at + 1;
  Xapian::WritableDatabase& database = writer_->database;
  const bool is_known = at < writer_->hashes.size() && !writer_->hashes[at].empty();
  if (is_known) {
    const Xapian::Document old = database.get_document(id);
    for (auto term = old.termlist_begin(); term != old.termlist_end(); ++term) {
      const char first = (*term).front();
      if (first != 'P' && first != 'T') database.remove_spelling(*term);
    }
  }
  const DocumentMaker made(movie);
  database.replace_document(id, made.document);
  for (const std::string& word : made.words) {
    if (count_characters(word) > 2) database.add_spelling(word);
  }
  if (writer_->hashes.size() <= at) writer_->hashes.resize(at + std::size_t{1});
  writer_->hashes[at] = hash;
  return true;
}

Status SearchIndex::update(const engine::Snapshot& snapshot) {
  try {
    if (Status opened = open_writer(); !opened) return opened;
    const engine::CatalogData& data = snapshot.data();
    bool has_changed = false;
    for (std::uint32_t at = 0; at < data.movie_count(); ++at) has_changed |= index_movie(at, data.movie(at));
    if (has_changed || commits_.load(std::memory_order_relaxed) == 0) {
      writer_->database.commit();
      commits_.fetch_add(1, std::memory_order_release);  // acquire: Lease
    }
    version_.store(snapshot.version(), std::memory_order_release);
    return Done{};
  } catch (const Xapian::Error& error) {
    writer_.reset();
    return make_error(ErrorCode::io, "search: " + error.get_description());
  }
}

template <class Search>
Found SearchIndex::with_reader(const Search& search) const {
  // a reader whose blocks the writer has reused since is brought up to date and asked once more
  for (int attempt = 0; ready() && attempt < 3; ++attempt) {
    try {
      const Lease lease(*this);
      return search(lease.database());
    } catch (const Xapian::DatabaseModifiedError&) {
      const std::lock_guard lock(mutex_);
      idle_.clear();
    } catch (const Xapian::Error&) {
      return {};  // a block that cannot be read: nothing is found there
    }
  }
  return {};
}

Found SearchIndex::find(std::string_view text, std::size_t limit) const {
  return with_reader([&](const Xapian::Database& database) -> Found {
    WordFinder finder(database, text);
    const std::vector<Xapian::Query> parts = finder.ranked();
    if (parts.empty()) return {};
    Xapian::Enquire enquire(database);
    Found found;
    for (const auto op : {Xapian::Query::OP_AND, Xapian::Query::OP_OR}) {
      enquire.set_query(Xapian::Query{op, parts.begin(), parts.end()});
      found.movies = positions_of(enquire.get_mset(0, static_cast<Xapian::doccount>(limit)));
      if (!found.movies.empty() || parts.size() == 1) break;
    }
    found.corrected = finder.corrected();
    return found;
  });
}

Found SearchIndex::suggest(const engine::Snapshot& snapshot, std::string_view text, std::size_t limit) const {
  return with_reader([&](const Xapian::Database& database) -> Found {
    WordFinder finder(database, text);
    const std::vector<Xapian::Query> parts = finder.beginnings();
    if (parts.empty()) return {};
    Xapian::Enquire enquire(database);
    enquire.set_weighting_scheme(Xapian::BoolWeight{});
    enquire.set_query(Xapian::Query{Xapian::Query::OP_AND, parts.begin(), parts.end()});
    Found found{positions_of(enquire.get_mset(0, candidates_max)), finder.corrected()};
    const std::size_t movie_count = snapshot.data().movie_count();
    std::erase_if(found.movies, [&](std::uint32_t at) { return at >= movie_count; });
    const auto shows = [&](std::uint32_t at) { return snapshot.shows_of_movie(at).size(); };
    std::stable_sort(found.movies.begin(), found.movies.end(),
                     [&](std::uint32_t a, std::uint32_t b) { return shows(a) > shows(b); });
    if (found.movies.size() > limit) found.movies.resize(limit);
    return found;
  });
}

}  // namespace usher::server::search
