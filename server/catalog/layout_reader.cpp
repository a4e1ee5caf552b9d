#include "server/catalog/layout_reader.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>

namespace usher::server::catalog {
namespace {

using engine::RowSpec;
using engine::seat_pitch;
using engine::SeatSpec;
using engine::SeatType;

constexpr std::int64_t coordinate_max = std::numeric_limits<std::int16_t>::max();
constexpr std::size_t rows_max = 2'000;

std::optional<std::uint32_t> parse_number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<SeatType> type_of_letter(char letter) {
  switch (letter) {
    case 'S':
      return SeatType::standard;
    case 'P':
      return SeatType::premium;
    case 'A':
      return SeatType::accessible;
    case 'C':
      return SeatType::companion;
    case 'O':
      return SeatType::obstructed;
    default:
      return std::nullopt;
  }
}

/// How a row's seats are numbered and where they stand.
struct RowFrame {
  std::int64_t number = 1;
  std::int64_t step = 1;
  std::int64_t x = 0;
  std::int64_t y = 0;
};

/// Where a row stands: `width` from its first to its last column, gaps included.
struct RowPlace {
  bool is_centered = false;
  std::int64_t width = 0;
};
/// What is read of a layout besides its spec.
struct Gathered {
  std::vector<RowPlace> places;
  std::size_t seat_count = 0;
  std::int64_t next_y = 0;
};

/// Reads "4S_6P_4S" onto the end of `row` and the last column's x into `frame`. Returns: what is wrong with it, or
/// empty.
std::string read_picture(std::string_view picture, RowFrame& frame, RowSpec& row) {
  std::int64_t number = frame.number;
  for (std::size_t at = 0; at < picture.size(); ++at) {
    std::size_t digits = at;
    while (digits < picture.size() && picture[digits] >= '0' && picture[digits] <= '9') ++digits;
    const std::uint32_t count = digits == at ? 1 : parse_number(picture.substr(at, digits - at)).value_or(0);
    at = digits;
    if (at == picture.size() || count == 0 || count > 1'000)
      return "must have 1 to 1000 and a letter at " + std::to_string(at);
    const bool is_gap = picture[at] == '_';
    const std::optional<SeatType> type = type_of_letter(picture[at]);
    if (!is_gap && !type)
      return "has \"" + std::string{picture.substr(at, 1)} + "\" at " + std::to_string(at) +
             ", which is none of S P A C O _";
    for (std::uint32_t i = 0; i < count; ++i, frame.x += seat_pitch) {
      if (frame.x > coordinate_max || number < 0 || number > UINT16_MAX)
        return "is too wide or numbers seats beyond 0 to 65535";
      if (is_gap) {
        if (!row.seats.empty()) row.seats.back().joined = false;
        continue;
      }
      row.seats.push_back({"", static_cast<std::uint16_t>(number), static_cast<std::int16_t>(frame.x),
                           static_cast<std::int16_t>(frame.y), *type, true});
      number += frame.step;
    }
  }
  if (!row.seats.empty()) row.seats.back().joined = false;
  return {};
}

/// Reads a list of seats that says everything about each.
void read_list(json::Array& seats, RowFrame frame, RowSpec& row) {
  std::int64_t number = frame.number;
  std::int64_t x = frame.x;
  while (seats.next()) {
    json::Object from = seats.object();
    SeatSpec seat;
    seat.label = from.optional_string("seat_id", {1, limits::seat_label_bytes_max}).value_or("");
    number = from.optional_integer("number", 0, UINT16_MAX).value_or(std::clamp<std::int64_t>(number, 0, UINT16_MAX));
    x = from.optional_integer("x", -coordinate_max, coordinate_max).value_or(std::min(x, coordinate_max));
    const std::int64_t y = from.optional_integer("y", -coordinate_max, coordinate_max).value_or(frame.y);
    const std::optional<std::size_t> type = from.optional_one_of("type", engine::seat_type_names);
    const bool aisle_after = from.optional_boolean("aisle_after").value_or(false);
    from.finish();
    seat.number = static_cast<std::uint16_t>(number);
    seat.x = static_cast<std::int16_t>(x);
    seat.y = static_cast<std::int16_t>(y);
    seat.type = static_cast<SeatType>(type.value_or(0));
    seat.joined = !aisle_after;
    row.seats.push_back(std::move(seat));
    number += frame.step;
    x += aisle_after ? 2 * seat_pitch : seat_pitch;
  }
  if (!row.seats.empty()) row.seats.back().joined = false;
}

/// The seats of an entry of `rows`, which all its rows have alike.
RowSpec read_seats(json::Object& from, RowFrame frame, RowPlace& place) {
  RowSpec row;
  const std::optional<std::int64_t> x = from.optional_integer("x", -coordinate_max, coordinate_max);
  frame.x = x.value_or(0);
  if (from.has("seat_list")) {
    json::Array seats = from.array("seat_list", 1, limits::seats_per_show_max);
    read_list(seats, frame, row);
    if (!row.seats.empty()) place.width = row.seats.back().x;
    return row;
  }
  place.is_centered = !x;
  const std::string_view picture = from.string("seats", {1, 1'000});
  const std::string wrong = read_picture(picture, frame, row);
  if (!wrong.empty()) from.fail("seats", wrong);
  place.width = frame.x - seat_pitch;
  return row;
}

/// One entry of `rows`: one row, or several that look alike.
void read_rows(json::Object from, std::uint32_t source, engine::DocumentLayout& to, Gathered& gathered) {
  const std::string_view text = from.string("row", {1, 2 * limits::seat_label_bytes_max + 1});
  std::vector<std::string> names = parse_row_names(text);
  if (names.empty()) names = {std::string{text}};
  RowFrame frame;
  frame.number = from.optional_integer("first_number", 0, UINT16_MAX).value_or(1);
  frame.step = from.optional_integer("number_step", -100, 100).value_or(1);
  frame.y = from.optional_integer("y", -coordinate_max, coordinate_max).value_or(gathered.next_y);
  RowPlace place;
  RowSpec row = read_seats(from, frame, place);
  from.finish();
  if (frame.y + static_cast<std::int64_t>(names.size()) * seat_pitch > coordinate_max) {
    from.fail("y", "lies beyond 32767");
    return;
  }
  for (std::string& name : names) {
    // one too many is enough to be refused; no reason to hold millions
    if (gathered.seat_count > limits::seats_per_show_max) break;
    row.name = std::move(name);
    to.spec.rows.push_back(row);
    to.row_source.push_back(source);
    gathered.places.push_back(place);
    gathered.seat_count += row.seats.size();
    for (SeatSpec& seat : row.seats) {
      seat.y = static_cast<std::int16_t>(std::min<std::int64_t>(seat.y + seat_pitch, coordinate_max));
    }
  }
  gathered.next_y = frame.y + static_cast<std::int64_t>(names.size()) * seat_pitch;
}

/// Rows without an `x` stand in the middle of the widest one. Returns: the width of that.
std::int64_t center(std::vector<RowSpec>& rows, const std::vector<RowPlace>& places) {
  std::int64_t widest = 0;
  for (const RowPlace& place : places) widest = std::max(widest, place.width);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!places[i].is_centered) continue;
    const std::int64_t shift = (widest - places[i].width) / 2;
    for (SeatSpec& seat : rows[i].seats) seat.x = static_cast<std::int16_t>(seat.x + shift);
  }
  return widest;
}

}  // namespace

std::vector<std::string> parse_row_names(std::string_view text) {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return {};
  const std::string_view first = text.substr(0, dash);
  const std::string_view last = text.substr(dash + 1);
  std::vector<std::string> names;
  const std::optional<std::uint32_t> from = parse_number(first);
  const std::optional<std::uint32_t> to = parse_number(last);
  if (from && to && *from <= *to && *to - *from < rows_max) {
    for (std::uint32_t i = *from; i <= *to; ++i) names.push_back(std::to_string(i));
  } else if (first.size() == 1 && last.size() == 1 && first[0] >= 'A' && last[0] <= 'Z' && first[0] <= last[0]) {
    for (char c = first[0]; c <= last[0]; ++c) names.emplace_back(1, c);
  }
  return names;
}

void read_layout(json::Object& from, engine::DocumentLayout& to) {
  Gathered gathered;
  std::uint32_t source = 0;
  json::Array rows = from.array("rows", 1, rows_max);
  while (rows.next() && gathered.seat_count <= limits::seats_per_show_max) {
    read_rows(rows.object(), source++, to, gathered);
  }
  const std::int64_t width = center(to.spec.rows, gathered.places);
  json::Object focal_point = from.optional_object("focal_point");
  if (focal_point.present()) {
    to.spec.focal_x = static_cast<std::int16_t>(focal_point.integer("x", -coordinate_max, coordinate_max));
    to.spec.focal_y = static_cast<std::int16_t>(focal_point.integer("y", -coordinate_max, coordinate_max));
    focal_point.finish();
  } else {
    // the middle of the screen, three rows before the first one
    to.spec.focal_x = static_cast<std::int16_t>(width / 2);
    to.spec.focal_y = static_cast<std::int16_t>(-3 * seat_pitch);
  }
}

}  // namespace usher::server::catalog
