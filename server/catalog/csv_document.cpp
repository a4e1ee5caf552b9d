#include "server/catalog/csv_document.hpp"

#include <csv.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>

#include "server/json/reader.hpp"
#include "server/json/writer.hpp"
#include "usher/assert.hpp"

namespace usher::server::catalog {
namespace {

enum class CellType : std::uint8_t { text, number, list, price, currency, seats };

struct Column {
  std::string_view name;   ///< in the file
  std::string_view field;  ///< in the document
  CellType type = CellType::text;
};

constexpr std::array movie_columns{
    Column{"movie_id", "movie_id"},
    Column{"title", "title"},
    Column{"description", "description"},
    Column{"duration_minutes", "duration_minutes", CellType::number},
    Column{"genre", "genre"},
    Column{"language", "language"},
    Column{"release_date", "release_date"},
    Column{"rating", "rating"},
    Column{"poster_url", "poster_url"},
    Column{"cast", "cast", CellType::list},
    Column{"keywords", "keywords", CellType::list},
};
constexpr std::array theater_columns{
    Column{"theater_id", "theater_id"},
    Column{"name", "name"},
    Column{"chain", "chain"},
    Column{"city", "city"},
    Column{"city_id", "city_id"},
    Column{"address", "address"},
    Column{"latitude", "latitude", CellType::number},
    Column{"longitude", "longitude", CellType::number},
    Column{"time_zone", "time_zone"},
};
constexpr std::array screen_columns{
    Column{"screen_id", "screen_id"},
    Column{"screen_name", "name"},
    Column{"total_seats", "total_seats", CellType::number},
    Column{"seats", "seat_layout", CellType::seats},
};
constexpr std::array show_columns{
    Column{"show_id", "show_id"},
    Column{"movie_id", "movie_id"},
    Column{"screen_id", "screen_id"},
    Column{"start_time", "start_time"},
    Column{"end_time", "end_time"},
    Column{"price_standard", "price_standard", CellType::price},
    Column{"price_premium", "price_premium", CellType::price},
    Column{"currency", "currency", CellType::currency},
};

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
constexpr char list_separator = '|';

constexpr std::string_view list_name(CsvKind kind) noexcept {
  return kind == CsvKind::movies ? "movies" : kind == CsvKind::theaters ? "theaters" : "shows";
}

struct Row {
  std::uint32_t line = 0;
  std::vector<std::string> cells;
};

/// The rows of a file, by libcsv. Empty lines are no rows.
class RowReader {
 public:
  explicit RowReader(char separator) {
    const int begun = ::csv_init(&parser_, CSV_STRICT | CSV_STRICT_FINI | CSV_REPALL_NL | CSV_APPEND_NULL);
    USHER_ASSERT(begun == 0);
    ::csv_set_delim(&parser_, static_cast<unsigned char>(separator));
  }
  ~RowReader() { ::csv_free(&parser_); }
  RowReader(const RowReader&) = delete;
  RowReader& operator=(const RowReader&) = delete;

  /// Returns: false when the quotes of a cell are not as RFC 4180 wants them; next_line() says where.
  [[nodiscard]] bool run(std::string_view text) {
    if (::csv_parse(&parser_, text.data(), text.size(), on_cell, on_end, this) != text.size()) return false;
    return ::csv_fini(&parser_, on_cell, on_end, this) == 0;
  }

  std::vector<Row> rows;
  [[nodiscard]] std::uint32_t next_line() const noexcept { return line_; }

 private:
  static void on_cell(void* cell, std::size_t size, void* reader) {
    auto& self = *static_cast<RowReader*>(reader);
    if (self.row_.cells.empty()) self.row_.line = self.line_;
    const std::string& text = self.row_.cells.emplace_back(static_cast<const char*>(cell), size);
    self.line_ += static_cast<std::uint32_t>(std::count(text.begin(), text.end(), '\n'));
  }
  /// `end`: the byte that ended a row, or an empty line, or the second byte of a line's end.
  static void on_end(int end, void* reader) {
    auto& self = *static_cast<RowReader*>(reader);
    if (end == '\n') ++self.line_;
    if (!self.row_.cells.empty()) self.rows.push_back(std::exchange(self.row_, {}));
  }

  csv_parser parser_{};
  Row row_;
  std::uint32_t line_ = 1;
};

char separator_of(std::string_view text) {
  const std::string_view header = text.substr(0, text.find('\n'));
  for (const char separator : {',', ';', '\t'}) {
    if (header.find(separator) != std::string_view::npos) return separator;
  }
  return ',';
}

/// JSON has no leading zeros and no plus sign, which sheets write all the same: read and written anew.
void write_number(json::Writer& json, std::string_view text) {
  double value = 0;
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !(std::abs(value) < 1e15)) return json.string(text);
  char digits[32];
  const auto written = std::to_chars(std::begin(digits), std::end(digits), value);
  json.raw({std::begin(digits), written.ptr});
}

void write_list(json::Writer& json, std::string_view text) {
  json.begin_array();
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(list_separator, at), text.size());
    if (end > at) json.string(text.substr(at, end - at));
    at = end + 1;
  }
  json.end_array();
}

/// "A-D:4S_4S|E:8S": rows from the front to the back, each its name and its picture.
void write_seats(json::Writer& json, std::string_view text) {
  json.begin_object();
  json.key("rows");
  json.begin_array();
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(list_separator, at), text.size());
    const std::string_view row = text.substr(at, end - at);
    const std::size_t colon = std::min(row.find(':'), row.size());
    json.begin_object();
    json.key("row");
    json.string(row.substr(0, colon));
    json.key("seats");
    json.string(colon < row.size() ? row.substr(colon + 1) : std::string_view{});
    json.end_object();
    at = end + 1;
  }
  json.end_array();
  json.end_object();
}

class Converter {
 public:
  explicit Converter(CsvDocument& to) : to_(to), json_(text_) {}

  void run(const std::vector<Row>& rows) {
    if (rows.empty()) return fail("line 1", "must name the columns");
    header_ = rows.front();
    if (!find_kind() || !check_header()) return;
    json_.begin_object();
    json_.key(list_name(to_.kind));
    json_.begin_array();
    const std::span<const Row> body(rows.begin() + 1, rows.end());
    to_.kind == CsvKind::theaters ? write_theaters(body) : write_entries(body);
    json_.end_array();
    json_.end_object();
    to_.json = text_.view();
  }

 private:
  void fail(std::string path, std::string rule) {
    if (to_.errors.size() < engine::import_errors_max) to_.errors.push_back({std::move(path), std::move(rule)});
  }

  [[nodiscard]] bool has(std::string_view name) const {
    return std::find(header_.cells.begin(), header_.cells.end(), name) != header_.cells.end();
  }

  /// What its rows are is told by the ids among the columns.
  [[nodiscard]] bool find_kind() {
    if (has("show_id")) {
      to_.kind = CsvKind::shows;
    } else if (has("theater_id")) {
      to_.kind = CsvKind::theaters;
    } else if (has("movie_id")) {
      to_.kind = CsvKind::movies;
    } else {
      fail("line 1",
           "must name the columns, among them movie_id (a file of movies), theater_id (theaters with their "
           "screens) or show_id (shows)");
      return false;
    }
    return true;
  }

  [[nodiscard]] std::vector<Column> columns() const {
    std::vector<Column> all;
    const auto add = [&all](const auto& some) { all.insert(all.end(), some.begin(), some.end()); };
    if (to_.kind == CsvKind::movies) add(movie_columns);
    if (to_.kind == CsvKind::shows) add(show_columns);
    if (to_.kind == CsvKind::theaters) {
      add(theater_columns);
      add(screen_columns);
    }
    return all;
  }

  [[nodiscard]] bool check_header() {
    const std::vector<Column> known = columns();
    std::string names;
    for (const Column& column : known) names += (names.empty() ? "" : ", ") + std::string(column.name);
    for (std::size_t at = 0; at < header_.cells.size(); ++at) {
      const std::string& name = header_.cells[at];
      const auto is_it = [&name](const Column& column) { return column.name == name; };
      if (std::none_of(known.begin(), known.end(), is_it)) {
        fail("line 1, column " + std::to_string(at + 1),
             "\"" + name + "\" is no column of " + std::string(list_name(to_.kind)) + ": these are " + names);
      } else if (std::find(header_.cells.begin(), header_.cells.begin() + static_cast<std::ptrdiff_t>(at), name) !=
                 header_.cells.begin() + static_cast<std::ptrdiff_t>(at)) {
        fail("line 1, column " + std::to_string(at + 1), "\"" + name + "\" stands there twice");
      }
    }
    return to_.errors.empty();
  }

  [[nodiscard]] std::string_view cell(const Row& row, std::string_view name) const {
    const auto at = std::find(header_.cells.begin(), header_.cells.end(), name) - header_.cells.begin();
    const auto index = static_cast<std::size_t>(at);
    return index < row.cells.size() && index < header_.cells.size() ? std::string_view{row.cells[index]}
                                                                    : std::string_view{};
  }

  [[nodiscard]] bool check_row(const Row& row) {
    const std::string line = "line " + std::to_string(row.line);
    if (row.cells.size() > header_.cells.size()) {
      fail(line, "has " + std::to_string(row.cells.size()) + " cells, the header has " +
                     std::to_string(header_.cells.size()));
      return false;
    }
    for (std::size_t at = 0; at < row.cells.size(); ++at) {
      const std::string& text = row.cells[at];
      if (json::is_utf8(text)) continue;
      fail(line + ", " + header_.cells[at], "must be UTF-8");
      return false;
    }
    return true;
  }

  void write_cells(const Row& row, std::span<const Column> some) {
    for (const Column& column : some) {
      const std::string_view text = cell(row, column.name);
      if (text.empty() || column.type == CellType::currency) continue;
      json_.key(column.field);
      write_cell(row, column.type, text);
    }
  }

  void write_cell(const Row& row, CellType type, std::string_view text) {
    switch (type) {
      case CellType::text:
        return json_.string(text);
      case CellType::number:
        return write_number(json_, text);
      case CellType::list:
        return write_list(json_, text);
      case CellType::seats:
        return write_seats(json_, text);
      case CellType::price:
        json_.begin_object();
        json_.key("amount");
        write_number(json_, text);
        json_.key("currency");
        json_.string(cell(row, "currency"));
        return json_.end_object();
      case CellType::currency:
        break;
    }
    USHER_ASSERT(type != CellType::currency);
  }

  void write_entries(std::span<const Row> rows) {
    for (const Row& row : rows) {
      if (!check_row(row)) continue;
      to_.lines_of.push_back({row.line});
      json_.begin_object();
      if (to_.kind == CsvKind::movies) write_cells(row, movie_columns);
      if (to_.kind == CsvKind::shows) write_cells(row, show_columns);
      json_.end_object();
    }
  }

  /// A row is a screen; rows of one theater follow each other, and the first of them describes it.
  void write_theaters(std::span<const Row> rows) {
    for (std::size_t at = 0; at < rows.size();) {
      const std::string_view theater = cell(rows[at], "theater_id");
      json_.begin_object();
      write_cells(rows[at], theater_columns);
      json_.key("screens");
      json_.begin_array();
      to_.lines_of.emplace_back();
      do {
        (void)check_row(rows[at]);
        to_.lines_of.back().push_back(rows[at].line);
        json_.begin_object();
        write_cells(rows[at], screen_columns);
        json_.end_object();
        ++at;
      } while (at < rows.size() && cell(rows[at], "theater_id") == theater);
      json_.end_array();
      json_.end_object();
    }
  }

  CsvDocument& to_;
  json::TextBuffer text_;
  json::Writer json_;
  Row header_;
};

/// "[12]" at the front of `path`. Returns: 12, and `path` without it; nothing where there is no number.
std::optional<std::size_t> take_index(std::string_view& path) {
  std::size_t index = 0;
  if (!path.starts_with('[')) return std::nullopt;
  const auto [end, error] = std::from_chars(path.data() + 1, path.data() + path.size(), index);
  if (error != std::errc{} || end == path.data() + path.size() || *end != ']') return std::nullopt;
  path.remove_prefix(static_cast<std::size_t>(end - path.data()) + 1);
  if (path.starts_with('.')) path.remove_prefix(1);
  return index;
}

/// The column that a field of the document came from.
std::string_view column_of(CsvKind kind, bool is_screen, std::string_view field) {
  if (field.ends_with(".currency")) return "currency";
  const std::string_view name = field.substr(0, field.find_first_of(".["));
  const auto find = [name](const auto& columns) {
    for (const Column& column : columns) {
      if (column.field == name) return column.name;
    }
    return name;
  };
  if (is_screen) return find(screen_columns);
  return kind == CsvKind::movies ? find(movie_columns) : kind == CsvKind::shows ? find(show_columns) : name;
}

}  // namespace

CsvDocument read_csv(std::string_view csv) {
  CsvDocument document;
  if (csv.starts_with(byte_order_mark)) csv.remove_prefix(byte_order_mark.size());
  RowReader reader(separator_of(csv));
  if (!reader.run(csv)) {
    document.errors.push_back({"line " + std::to_string(reader.next_line()),
                               "a quote must open or close a whole cell, and be doubled within (RFC 4180)"});
    return document;
  }
  Converter(document).run(reader.rows);
  return document;
}

std::string csv_place(const CsvDocument& document, std::string_view path) {
  const std::string_view list = list_name(document.kind);
  std::string_view rest = path.starts_with(list) ? path.substr(list.size()) : std::string_view{};
  const std::optional<std::size_t> entry = take_index(rest);
  if (!entry || *entry >= document.lines_of.size()) return std::string(path);
  const std::vector<std::uint32_t>& lines = document.lines_of[*entry];
  std::size_t row = 0;
  const bool is_screen = document.kind == CsvKind::theaters && rest.starts_with("screens[");
  if (is_screen) {
    rest.remove_prefix(std::string_view{"screens"}.size());
    row = std::min(take_index(rest).value_or(0), lines.size() - 1);
  }
  std::string place = "line " + std::to_string(lines[row]);
  if (!rest.empty()) place += ", " + std::string(column_of(document.kind, is_screen, rest));
  return place;
}

}  // namespace usher::server::catalog
