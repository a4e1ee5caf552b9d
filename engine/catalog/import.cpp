#include "engine/catalog/import.hpp"

#include <algorithm>
#include <charconv>
#include <tuple>

#include "engine/catalog/import_checks.hpp"
#include "engine/catalog/text.hpp"

namespace usher::engine {
namespace {

/// What an id in a show's entry turned out to be.
struct ScreenRef {
  std::uint32_t document = position_none;  ///< index into Planner::screens_
  std::uint32_t known = position_none;     ///< position in the snapshot
};
struct DocumentScreenAt {
  std::uint32_t theater = 0;
  std::uint32_t screen = 0;
};
/// A show that is to be listed or opened.
struct PlannedShow {
  std::uint32_t document = 0;
  std::uint32_t known = position_none;
  Instant end{};
  ScreenRef screen;
};
/// A time on a screen. Screens of the document count from 0, those only in the snapshot on from there.
struct Slot {
  std::uint32_t screen = 0;
  Instant start{};
  Instant end{};
  std::uint32_t document = position_none;
  std::uint32_t known = position_none;
};

class Planner {
 public:
  Planner(const Snapshot& snapshot, const CatalogDocument& document, Instant now, const ImportOptions& options)
      : data_(snapshot.data()), snapshot_(snapshot), document_(document), now_(now), options_(options) {}

  ImportResult run() {
    check_movies(document_, errors_);
    build_layouts();
    check_theaters(document_, options_, errors_);
    index_screens();
    for (std::uint32_t i = 0; i < document_.shows.size(); ++i) check_show(i);
    check_schedule();
    ImportResult result;
    if (errors_.empty()) {
      plan_entities();
      plan_shows();
      finish_payload();
      result.plan = std::move(plan_);
    }
    result.errors = errors_.take();
    return result;
  }

 private:
  void build_layouts();
  void index_screens();
  void check_show(std::uint32_t at);
  [[nodiscard]] const Movie* find_movie(std::string_view id) const;
  [[nodiscard]] ScreenRef find_screen(std::string_view id) const;
  void check_known(const DocumentShow& show, std::uint32_t known);
  [[nodiscard]] ShowTerms terms_of(const PlannedShow& planned) const;
  void check_schedule();
  void report_overlap(const Slot& earlier, const Slot& later);
  void plan_entities();
  void plan_shows();
  void need_layout(std::uint32_t layout);
  void add_entry(const Entity& entity);
  template <class T>
  void plan_entity(const T& wanted, const T* known, ImportCount& count);
  void finish_payload();
  [[nodiscard]] Screen screen_of(const DocumentScreenAt& at) const;

  const CatalogData& data_;
  const Snapshot& snapshot_;
  const CatalogDocument& document_;
  Instant now_;
  const ImportOptions& options_;
  ImportErrors errors_;
  std::vector<std::optional<Layout>> layouts_;  ///< of the document, in its order
  std::vector<bool> layout_needed_;
  std::vector<DocumentScreenAt> screens_;
  IdIndex movie_index_;
  IdIndex screen_index_;
  IdIndex show_index_;
  std::vector<PlannedShow> planned_;
  Bytes payload_;
  ImportPlan plan_;
};

std::string show_path(const DocumentShow& show, std::string_view field) {
  return "shows[" + std::to_string(show.source) + "]." + std::string{field};
}

/// "rows[7].name" as the layout knows it becomes the row as the document has it.
std::string document_path(const DocumentLayout& layout, const std::string& path) {
  constexpr std::string_view prefix = "rows[";
  if (!path.starts_with(prefix)) return layout.path + "." + path;
  std::size_t row = 0;
  const char* first = path.data() + prefix.size();
  const auto [end, error] = std::from_chars(first, path.data() + path.size(), row);
  if (error != std::errc{} || row >= layout.row_source.size()) return layout.path + "." + path;
  return layout.path + "." + std::string{prefix} + std::to_string(layout.row_source[row]) +
         std::string{end, path.data() + path.size()};
}

void Planner::build_layouts() {
  layouts_.resize(document_.layouts.size());
  layout_needed_.resize(document_.layouts.size());
  for (std::size_t i = 0; i < layouts_.size(); ++i) {
    const DocumentLayout& from = document_.layouts[i];
    for (const PathError& error : check_layout(from.spec)) errors_.add(document_path(from, error.path), error.rule);
    Result<Layout> layout = Layout::make(from.spec);
    if (layout.ok()) layouts_[i] = std::move(layout).value();
  }
}

void Planner::index_screens() {
  const auto movie_id = [&](std::uint32_t at) -> std::string_view { return document_.movies[at].id; };
  for (std::uint32_t at = 0; at < document_.movies.size(); ++at) {
    if (movie_index_.find(movie_id(at), movie_id) != position_none) {
      errors_.add("movies[" + std::to_string(at) + "].movie_id", "\"" + document_.movies[at].id + "\" is used twice");
    } else {
      movie_index_.insert(at, movie_id);
    }
  }
  const auto screen_id = [&](std::uint32_t at) -> std::string_view {
    return document_.theaters[screens_[at].theater].screens[screens_[at].screen].id;
  };
  for (std::uint32_t theater = 0; theater < document_.theaters.size(); ++theater) {
    const DocumentTheater& from = document_.theaters[theater];
    for (std::uint32_t screen = 0; screen < from.screens.size(); ++screen) {
      const std::string path = screen_path(theater, screen);
      const std::string& id = from.screens[screen].id;
      if (screen_index_.find(id, screen_id) != position_none) {
        errors_.add(path + ".screen_id", "\"" + id + "\" is used twice");
        continue;
      }
      screens_.push_back({theater, screen});
      screen_index_.insert(static_cast<std::uint32_t>(screens_.size() - 1), screen_id);
      const std::uint32_t known = data_.find_screen(id);
      if (known != position_none && data_.screen(known).theater_id != from.theater.id) {
        errors_.add(path + ".screen_id",
                    "\"" + id + "\" belongs to theater \"" + data_.screen(known).theater_id + "\"");
      }
      const std::optional<std::int64_t> seats = from.screens[screen].total_seats;
      const std::optional<Layout>& layout = layouts_[from.screens[screen].layout];
      if (seats && layout && *seats != layout->seat_count()) {
        errors_.add(path + ".total_seats", "the seat layout has " + std::to_string(layout->seat_count()) + " seats");
      }
    }
  }
}

const Movie* Planner::find_movie(std::string_view id) const {
  const std::uint32_t at =
      movie_index_.find(id, [&](std::uint32_t i) -> std::string_view { return document_.movies[i].id; });
  if (at != position_none) return &document_.movies[at];
  const std::uint32_t known = data_.find_movie(id);
  return known == position_none ? nullptr : &data_.movie(known);
}

ScreenRef Planner::find_screen(std::string_view id) const {
  const auto id_at = [&](std::uint32_t at) -> std::string_view {
    return document_.theaters[screens_[at].theater].screens[screens_[at].screen].id;
  };
  return {screen_index_.find(id, id_at), data_.find_screen(id)};
}

void Planner::check_show(std::uint32_t at) {
  const DocumentShow& show = document_.shows[at];
  const std::size_t errors_before = errors_.count();
  const auto id_at = [&](std::uint32_t i) -> std::string_view { return document_.shows[i].id; };
  if (!is_external_id(show.id, limits::external_id_bytes_max)) {
    errors_.add(show_path(show, "show_id"), external_id_rule);
  } else if (show_index_.find(show.id, id_at) != position_none) {
    errors_.add(show_path(show, "show_id"), "\"" + show.id + "\" is used twice");
  } else {
    show_index_.insert(at, id_at);
  }
  const Movie* movie = find_movie(show.movie_id);
  if (movie == nullptr) errors_.add(show_path(show, "movie_id"), "no movie has the id \"" + show.movie_id + "\"");
  PlannedShow planned{at, data_.find_show(show.id), {}, find_screen(show.screen_id)};
  if (planned.screen.document == position_none && planned.screen.known == position_none) {
    errors_.add(show_path(show, "screen_id"), "no screen has the id \"" + show.screen_id + "\"");
  }
  if (movie == nullptr) return;
  planned.end = show.end.value_or(show.start + std::chrono::minutes{movie->duration_minutes} + options_.cleaning);
  if (const Status status = check_terms(terms_of(planned)); !status.ok()) {
    const std::string& detail = status.error().detail;  // "field: rule"
    const std::size_t colon = detail.find(": ");
    errors_.add(show_path(show, detail.substr(0, colon)), detail.substr(colon + 2));
  }
  if (planned.known != position_none) check_known(show, planned.known);
  if (errors_.count() != errors_before) return;
  planned_.push_back(planned);
}

void Planner::check_known(const DocumentShow& show, std::uint32_t known) {
  const ShowListing listing = data_.listing(known);
  const auto differs = [&](std::string_view field) {
    errors_.add(show_path(show, field), "differs from that of the show \"" + show.id + "\", which is on sale already");
  };
  if (listing.movie_id != show.movie_id) differs("movie_id");
  if (listing.screen_id != show.screen_id) differs("screen_id");
  if (listing.start != show.start) differs("start_time");
  if (show.end && listing.end != *show.end) differs("end_time");
  if (listing.currency != show.currency) differs("currency");
  if (listing.price_standard != show.price_standard) differs("price_standard");
  if (listing.price_premium != show.price_premium) differs("price_premium");
}

ShowTerms Planner::terms_of(const PlannedShow& planned) const {
  const DocumentShow& show = document_.shows[planned.document];
  ShowTerms terms;
  if (planned.screen.document != position_none) {
    const std::optional<Layout>& layout = layouts_[document_.theaters[screens_[planned.screen.document].theater]
                                                       .screens[screens_[planned.screen.document].screen]
                                                       .layout];
    if (layout) terms.layout_hash = layout->hash();
  } else if (planned.screen.known != position_none) {
    terms.layout_hash = data_.screen(planned.screen.known).layout_hash;
  }
  terms.currency = show.currency;
  terms.price_standard = show.price_standard;
  terms.price_premium = show.price_premium;
  terms.start = show.start;
  terms.end = planned.known == position_none ? planned.end : data_.show(planned.known).end;
  terms.policy = show.policy.value_or(options_.policy);
  return terms;
}

void Planner::check_schedule() {
  std::vector<Slot> slots;
  std::vector<bool> touched(screens_.size() + data_.screen_count());
  const auto screen_key = [&](const ScreenRef& screen) {
    return screen.document != position_none ? screen.document
                                            : static_cast<std::uint32_t>(screens_.size()) + screen.known;
  };
  for (const PlannedShow& planned : planned_) {
    const DocumentShow& show = document_.shows[planned.document];
    if (planned.known != position_none || show.start <= now_) continue;
    const std::uint32_t key = screen_key(planned.screen);
    slots.push_back({key, show.start, planned.end, planned.document, position_none});
    if (touched[key] || planned.screen.known == position_none) continue;
    touched[key] = true;
    for (const std::uint32_t known : snapshot_.shows_of_screen(planned.screen.known)) {
      const ShowRow& row = data_.show(known);
      if (row.status != ShowStatus::cancelled) slots.push_back({key, row.start, row.end, position_none, known});
    }
  }
  std::sort(slots.begin(), slots.end(), [](const Slot& a, const Slot& b) {
    return std::tie(a.screen, a.start, a.document) < std::tie(b.screen, b.start, b.document);
  });
  const Slot* longest = nullptr;  // of those before on the same screen, the one that ends last
  for (const Slot& slot : slots) {
    if (longest != nullptr && longest->screen == slot.screen && slot.start < longest->end) {
      report_overlap(*longest, slot);
    }
    if (longest == nullptr || longest->screen != slot.screen || slot.end > longest->end) longest = &slot;
  }
}

void Planner::report_overlap(const Slot& earlier, const Slot& later) {
  if (earlier.document == position_none && later.document == position_none) return;  // not this document's doing
  const Slot& ours = later.document != position_none ? later : earlier;
  const Slot& other = &ours == &later ? earlier : later;
  const std::string_view id = other.document != position_none ? std::string_view{document_.shows[other.document].id}
                                                              : data_.show_id(other.known);
  errors_.add(
      show_path(document_.shows[ours.document], "start_time"),
      "\"" + document_.shows[ours.document].id + "\" overlaps the show \"" + std::string{id} + "\" on its screen");
}

template <class T>
void Planner::plan_entity(const T& wanted, const T* known, ImportCount& count) {
  if (known != nullptr && *known == wanted) {
    ++count.unchanged;
    return;
  }
  ++(known == nullptr ? count.added : count.changed);
  add_entry(wanted);
}

Screen Planner::screen_of(const DocumentScreenAt& at) const {
  const DocumentTheater& theater = document_.theaters[at.theater];
  const DocumentScreen& from = theater.screens[at.screen];
  const Layout& layout = *layouts_[from.layout];
  return {from.id, theater.theater.id, from.name, layout.hash(), layout.seat_count()};
}

void Planner::plan_entities() {
  for (const Movie& movie : document_.movies) {
    const std::uint32_t known = data_.find_movie(movie.id);
    plan_entity(movie, known == position_none ? nullptr : &data_.movie(known), plan_.movie_count);
  }
  for (const DocumentTheater& from : document_.theaters) {
    const std::uint32_t known = data_.find_theater(from.theater.id);
    plan_entity(from.theater, known == position_none ? nullptr : &data_.theater(known), plan_.theater_count);
  }
  for (const DocumentScreenAt& at : screens_) {
    const Screen screen = screen_of(at);
    const std::uint32_t known = data_.find_screen(screen.id);
    const Screen* before = known == position_none ? nullptr : &data_.screen(known);
    if (before == nullptr || !(*before == screen))
      need_layout(document_.theaters[at.theater].screens[at.screen].layout);
    plan_entity(screen, before, plan_.screen_count);
  }
}

void Planner::plan_shows() {
  std::uint32_t next_number = to_value(data_.highest_number()) + 1U;
  std::vector<ShowOpening> added;
  for (const PlannedShow& planned : planned_) {
    const DocumentShow& show = document_.shows[planned.document];
    ShowOpening opening{ShowNumber::none, 0, terms_of(planned)};
    if (planned.known != position_none) {
      const ShowRow& row = data_.show(planned.known);
      ++plan_.show_count.unchanged;
      const bool is_over = row.status != ShowStatus::scheduled || row.start <= now_;
      if (is_over || !options_.is_open || options_.is_open(row.number)) continue;
      opening.number = row.number;
      opening.shard = row.shard;
      plan_.shows.push_back(opening);
    } else if (show.start <= now_) {
      ++plan_.past_count;
      continue;
    } else {
      ++plan_.show_count.added;
      opening.number = static_cast<ShowNumber>(next_number);
      opening.shard = static_cast<ShardIndex>(next_number % options_.shard_count);
      ++next_number;
      add_entry(ShowListing{show.id, opening.number, opening.shard, show.movie_id, show.screen_id, show.start,
                            planned.end, show.currency, show.price_standard, show.price_premium,
                            ShowStatus::scheduled});
      added.push_back(opening);
    }
    if (planned.screen.document != position_none) {
      const DocumentScreenAt& at = screens_[planned.screen.document];
      need_layout(document_.theaters[at.theater].screens[at.screen].layout);
    }
  }
  plan_.shows.insert(plan_.shows.end(), added.begin(), added.end());
  std::sort(plan_.shows.begin(), plan_.shows.end(),
            [](const ShowOpening& a, const ShowOpening& b) { return to_value(a.number) < to_value(b.number); });
  for (std::size_t i = 0; i < layouts_.size(); ++i) {
    if (!layout_needed_[i]) continue;
    const bool is_double = std::any_of(plan_.layouts.begin(), plan_.layouts.end(),
                                       [&](const Layout& known) { return known.hash() == layouts_[i]->hash(); });
    if (!is_double) plan_.layouts.push_back(std::move(*layouts_[i]));
  }
}

void Planner::need_layout(std::uint32_t layout) {
  layout_needed_[layout] = true;
}

void Planner::add_entry(const Entity& entity) {
  encode_entry(entity, payload_);
  if (payload_.size() >= import_payload_bytes_max) finish_payload();
}

void Planner::finish_payload() {
  if (!payload_.empty()) plan_.payloads.push_back(std::move(payload_));
  payload_ = {};
}

}  // namespace

ImportResult plan_import(const Snapshot& snapshot, const CatalogDocument& document, Instant now,
                         const ImportOptions& options) {
  return Planner{snapshot, document, now, options}.run();
}

}  // namespace usher::engine
