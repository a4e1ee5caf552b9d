#include "server/catalog/document_reader.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>
#include <unordered_map>

#include "server/catalog/layout_reader.hpp"
#include "server/catalog/policy_reader.hpp"
#include "server/catalog/zones.hpp"
#include "server/config/values.hpp"
#include "server/json/reader.hpp"

namespace usher::server::catalog {
namespace {

using engine::CatalogDocument;
using engine::DocumentShow;
namespace catalog_limits = engine::catalog_limits;

constexpr json::StringRule id_rule{1, limits::external_id_bytes_max};
constexpr json::StringRule name_rule{1, catalog_limits::name_bytes_max};
constexpr json::StringRule optional_name_rule{0, catalog_limits::name_bytes_max};
constexpr json::StringRule text_rule{0, catalog_limits::text_bytes_max};
constexpr std::size_t entries_max = 10'000'000;
constexpr int days_max = 366;
constexpr std::string_view instant_rule = "must be an RFC 3339 time such as 2026-11-24T18:30:00Z";

/// What `start` says instead of `start_time`: on each of these days, counted from today in the theater's zone, at each
/// of these times.
struct RelativeStart {
  int first_day = 0;
  int last_day = 0;
  std::vector<std::chrono::minutes> times;
};

/// "0..6" or "3". Returns: nothing for anything else.
std::optional<std::pair<int, int>> parse_days(std::string_view text) {
  const auto number = [](std::string_view digits) -> std::optional<int> {
    int value = -1;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc{} || end != digits.data() + digits.size() || value < 0 || value > days_max) return {};
    return value;
  };
  const std::size_t dots = text.find("..");
  const std::optional<int> first = number(text.substr(0, dots));
  const std::optional<int> last = dots == std::string_view::npos ? first : number(text.substr(dots + 2));
  if (!first || !last || *first > *last) return std::nullopt;
  return std::pair{*first, *last};
}

std::string text_of(const std::optional<std::string_view>& text) {
  return std::string{text.value_or("")};
}

std::vector<std::string> read_list(json::Array list) {
  std::vector<std::string> texts;
  while (list.next()) texts.emplace_back(list.string(name_rule));
  return texts;
}

class DocumentReader {
 public:
  DocumentReader(const engine::Snapshot& snapshot, Instant now, const Policy& policy)
      : data_(snapshot.data()), now_(now), policy_(policy), reader_(document_bytes_max, engine::import_errors_max) {}

  ReadDocument run(std::string_view text) {
    read_root(text);
    ReadDocument result;
    for (const std::string& line : reader_.errors()) {
      const std::size_t colon = line.find(": ");
      result.errors.push_back({line.substr(0, colon), line.substr(colon + 2)});
    }
    if (reader_.error_count() > result.errors.size()) {
      result.errors.push_back({"", std::to_string(reader_.error_count() - result.errors.size()) + " more errors"});
    }
    result.document = std::move(document_);
    return result;
  }

 private:
  void read_root(std::string_view text);
  void read_layouts(json::Array layouts);
  void read_movie(json::Object from);
  void read_theater(json::Object from, std::size_t index);
  void read_screen(json::Object from, std::size_t theater, std::size_t index, engine::DocumentTheater& to);
  void read_show(json::Object from, std::uint32_t source);
  void read_prices(json::Object& from, DocumentShow& show);
  std::int64_t read_money(json::Object& from, std::string_view name, Currency& currency);
  void read_policy(json::Object from, DocumentShow& show);
  void read_start_time(json::Object& from, DocumentShow show);
  std::optional<RelativeStart> read_start(json::Object from);
  void add_relative(json::Object& from, const DocumentShow& show, const RelativeStart& start);
  std::optional<Zone> zone_of_screen(std::string_view screen_id);

  const engine::CatalogData& data_;
  Instant now_;
  Policy policy_;
  json::Reader reader_;
  CatalogDocument document_;
  std::unordered_map<std::string, std::uint32_t> layout_by_id_;
  std::unordered_map<std::string, std::uint32_t> theater_by_screen_;
  std::unordered_map<std::string, std::optional<Zone>> zones_;
};

void DocumentReader::read_root(std::string_view text) {
  json::Object root = reader_.parse_copy(text);
  static_cast<void>(root.optional_string("attribution", text_rule));  // for people who read the file
  read_layouts(root.optional_array("layouts", 0, entries_max));
  json::Array movies = root.optional_array("movies", 0, entries_max);
  document_.movies.reserve(movies.size());
  while (movies.next()) read_movie(movies.object());
  json::Array theaters = root.optional_array("theaters", 0, entries_max);
  for (std::size_t i = 0; theaters.next(); ++i) read_theater(theaters.object(), i);
  json::Array shows = root.optional_array("shows", 0, entries_max);
  document_.shows.reserve(shows.size());
  for (std::uint32_t i = 0; shows.next(); ++i) read_show(shows.object(), i);
  root.finish();
}

void DocumentReader::read_layouts(json::Array layouts) {
  for (std::size_t i = 0; layouts.next(); ++i) {
    json::Object from = layouts.object();
    const std::string id{from.string("layout_id", id_rule)};
    const auto index = static_cast<std::uint32_t>(document_.layouts.size());
    if (!layout_by_id_.emplace(id, index).second) from.fail("layout_id", "\"" + id + "\" is used twice");
    engine::DocumentLayout& to = document_.layouts.emplace_back();
    to.path = "layouts[" + std::to_string(i) + "]";
    read_layout(from, to);
    from.finish();
  }
}

void DocumentReader::read_movie(json::Object from) {
  engine::Movie& movie = document_.movies.emplace_back();
  movie.id = from.string("movie_id", id_rule);
  movie.title = from.string("title", name_rule);
  movie.description = text_of(from.optional_string("description", text_rule));
  movie.duration_minutes = static_cast<std::uint32_t>(
      from.integer("duration_minutes", 1, static_cast<std::int64_t>(catalog_limits::duration_minutes_max)));
  movie.genre = text_of(from.optional_string("genre", optional_name_rule));
  movie.language = text_of(from.optional_string("language", optional_name_rule));
  if (const auto text = from.optional_string("release_date", {0, 64})) {
    movie.release_date = parse_date(*text);
    if (!movie.release_date) from.fail("release_date", "must be a date such as 2026-11-24");
  }
  movie.rating = text_of(from.optional_string("rating", optional_name_rule));
  movie.poster_url = text_of(from.optional_string("poster_url", {0, catalog_limits::url_bytes_max}));
  movie.cast = read_list(from.optional_array("cast", 0, catalog_limits::list_size_max));
  movie.keywords = read_list(from.optional_array("keywords", 0, catalog_limits::list_size_max));
  movie.synthetic = read_list(from.optional_array("synthetic", 0, catalog_limits::list_size_max));
  from.finish();
}

void DocumentReader::read_theater(json::Object from, std::size_t index) {
  engine::DocumentTheater to;
  engine::Theater& theater = to.theater;
  theater.id = from.string("theater_id", id_rule);
  theater.name = from.string("name", name_rule);
  theater.chain = text_of(from.optional_string("chain", optional_name_rule));
  theater.city = from.string("city", name_rule);
  theater.city_id = from.string("city_id", id_rule);
  theater.address = text_of(from.optional_string("address", text_rule));
  theater.latitude_e7 = static_cast<std::int32_t>(std::lround(from.number("latitude", -90, 90) * 1e7));
  theater.longitude_e7 = static_cast<std::int32_t>(std::lround(from.number("longitude", -180, 180) * 1e7));
  theater.time_zone = from.string("time_zone", name_rule);
  theater.synthetic = read_list(from.optional_array("synthetic", 0, catalog_limits::list_size_max));
  json::Array screens = from.array("screens", 0, entries_max);
  for (std::size_t i = 0; screens.next(); ++i) read_screen(screens.object(), index, i, to);
  from.finish();
  document_.theaters.push_back(std::move(to));
}

void DocumentReader::read_screen(json::Object from, std::size_t theater, std::size_t index,
                                 engine::DocumentTheater& to) {
  engine::DocumentScreen screen;
  screen.id = from.string("screen_id", id_rule);
  screen.name = from.string("name", name_rule);
  screen.total_seats = from.optional_integer("total_seats", 0, limits::seats_per_show_max);
  theater_by_screen_.emplace(screen.id, static_cast<std::uint32_t>(theater));
  if (from.has("seat_layout")) {
    screen.layout = static_cast<std::uint32_t>(document_.layouts.size());
    engine::DocumentLayout& layout = document_.layouts.emplace_back();
    layout.path = "theaters[" + std::to_string(theater) + "].screens[" + std::to_string(index) + "].seat_layout";
    json::Object layout_from = from.object("seat_layout");
    read_layout(layout_from, layout);
    layout_from.finish();
  } else {
    const std::string id{from.string("layout_id", id_rule)};
    const auto found = layout_by_id_.find(id);
    if (found == layout_by_id_.end()) {
      from.fail("layout_id", "no layout of this document has the id \"" + id + "\"");
    } else {
      screen.layout = found->second;
    }
  }
  from.finish();
  to.screens.push_back(std::move(screen));
}

void DocumentReader::read_show(json::Object from, std::uint32_t source) {
  DocumentShow show;
  show.source = source;
  show.movie_id = from.string("movie_id", id_rule);
  show.screen_id = from.string("screen_id", id_rule);
  read_prices(from, show);
  read_policy(from.optional_object("policy"), show);
  if (!from.has("start")) {
    read_start_time(from, std::move(show));
  } else {
    show.id = from.optional_string("show_id", id_rule).value_or(show.screen_id);
    const std::optional<RelativeStart> start = read_start(from.object("start"));
    if (start) add_relative(from, show, *start);
  }
  from.finish();
}

void DocumentReader::read_start_time(json::Object& from, DocumentShow show) {
  show.id = from.string("show_id", id_rule);
  const std::optional<Instant> start = parse_instant(from.string("start_time", {0, 64}));
  if (!start) from.fail("start_time", instant_rule);
  show.start = start.value_or(Instant{});
  if (const auto text = from.optional_string("end_time", {0, 64})) {
    show.end = parse_instant(*text);
    if (!show.end) from.fail("end_time", instant_rule);
  }
  document_.shows.push_back(std::move(show));
}

std::int64_t DocumentReader::read_money(json::Object& from, std::string_view name, Currency& currency) {
  json::Object money = from.object(name);
  if (!money.present()) return 0;
  const std::int64_t amount = money.integer("amount", 0, engine::seat_price_max);
  const std::optional<Currency> code = parse_currency(money.string("currency", {3, 3}));
  if (!code) money.fail("currency", "must be three letters A to Z");
  currency = code.value_or(Currency{});
  money.finish();
  return amount;
}

void DocumentReader::read_prices(json::Object& from, DocumentShow& show) {
  show.price_standard = read_money(from, "price_standard", show.currency);
  show.price_premium = show.price_standard;
  if (!from.has("price_premium")) return;
  Currency currency = show.currency;
  show.price_premium = read_money(from, "price_premium", currency);
  if (currency != show.currency) from.fail("price_premium", "must have the currency of price_standard");
}

void DocumentReader::read_policy(json::Object from, DocumentShow& show) {
  if (!from.present()) return;
  Policy policy = policy_;
  catalog::read_policy(from, policy);
  show.policy = policy;
}

std::optional<RelativeStart> DocumentReader::read_start(json::Object from) {
  RelativeStart start;
  const auto days = parse_days(from.string("days", {0, 16}));
  if (!days) from.fail("days", "must be days from today such as 0..6 or 3, at most 366");
  json::Array times = from.array("times", 1, 100);
  bool is_good = days.has_value();
  while (times.next()) {
    const std::optional<std::chrono::minutes> time = parse_local_time(times.string({0, 16}));
    if (!time) times.fail("must be a time such as 18:30");
    is_good = is_good && time.has_value();
    start.times.push_back(time.value_or(std::chrono::minutes{0}));
  }
  from.finish();
  if (!is_good || start.times.empty()) return std::nullopt;
  std::tie(start.first_day, start.last_day) = *days;
  return start;
}

std::optional<Zone> DocumentReader::zone_of_screen(std::string_view screen_id) {
  std::string name;
  if (const auto found = theater_by_screen_.find(std::string{screen_id}); found != theater_by_screen_.end()) {
    if (found->second < document_.theaters.size()) name = document_.theaters[found->second].theater.time_zone;
  } else if (const std::uint32_t known = data_.find_screen(screen_id); known != engine::position_none) {
    name = data_.theater(data_.theater_of_screen(known)).time_zone;
  }
  const auto [entry, is_new] = zones_.try_emplace(name);
  if (is_new) entry->second = Zone::find(name);
  return entry->second;
}

void DocumentReader::add_relative(json::Object& from, const DocumentShow& show, const RelativeStart& start) {
  const std::optional<Zone> zone = zone_of_screen(show.screen_id);
  if (!zone) {
    from.fail("start", "the theater of screen \"" + show.screen_id + "\" has no known time zone");
    return;
  }
  const Date today = zone->local_date(now_);
  for (int day = start.first_day; day <= start.last_day; ++day) {
    const Date date = today + std::chrono::days{day};
    std::string digits = format_date(date);
    std::erase(digits, '-');
    for (const std::chrono::minutes time : start.times) {
      DocumentShow& to = document_.shows.emplace_back(show);
      const auto hours = static_cast<int>(time.count() / 60);
      const auto minutes = static_cast<int>(time.count() % 60);
      const std::string clock{static_cast<char>('0' + hours / 10), static_cast<char>('0' + hours % 10),
                              static_cast<char>('0' + minutes / 10), static_cast<char>('0' + minutes % 10)};
      to.id += "-" + digits + "-" + clock;
      to.start = zone->to_instant(date, time);
    }
  }
}

}  // namespace

ReadDocument read_document(std::string_view json, const engine::Snapshot& snapshot, Instant now, const Policy& policy) {
  return DocumentReader{snapshot, now, policy}.run(json);
}

engine::ImportResult plan_document(std::string_view json, const engine::Snapshot& snapshot, Instant now,
                                   engine::ImportOptions options) {
  ReadDocument read = read_document(json, snapshot, now, options.policy);
  if (!read.ok()) return {{}, std::move(read.errors)};
  options.zone_exists = [](std::string_view zone) { return Zone::find(zone).has_value(); };
  return engine::plan_import(snapshot, read.document, now, options);
}

}  // namespace usher::server::catalog
