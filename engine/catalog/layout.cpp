#include "engine/catalog/layout.hpp"

#include <bit>
#include <charconv>
#include <cstring>

#include <boost/unordered/unordered_flat_set.hpp>

#include "engine/catalog/hash.hpp"
#include "engine/catalog/text.hpp"

namespace usher::engine {
namespace {

constexpr std::uint8_t layout_version = 1;
constexpr std::uint8_t type_bits = 0x07;
constexpr std::uint8_t joined_bit = 0x08;
constexpr std::uint8_t label_bit = 0x10;
constexpr std::uint8_t number_bit = 0x20;
constexpr std::uint8_t x_bit = 0x40;
constexpr std::uint8_t y_bit = 0x80;

/// The first eight and the last eight bytes: all of them, since a label has at most 15.
std::uint64_t hash_label(std::string_view label) noexcept {
  std::uint64_t head = 0;
  std::uint64_t tail = 0;
  const std::size_t size = label.size();
  if (size >= 8) {
    std::memcpy(&head, label.data(), 8);
    std::memcpy(&tail, label.data() + size - 8, 8);
  } else if (size >= 4) {
    std::uint32_t low = 0;
    std::uint32_t high = 0;
    std::memcpy(&low, label.data(), 4);
    std::memcpy(&high, label.data() + size - 4, 4);
    head = low | (std::uint64_t{high} << 32U);
  } else if (size > 0) {
    // first, middle and last byte: all of up to three
    head = static_cast<std::uint8_t>(label[0]) | (std::uint64_t{static_cast<std::uint8_t>(label[size / 2])} << 8U) |
           (std::uint64_t{static_cast<std::uint8_t>(label[size - 1])} << 16U);
  }
  return mix64(head ^ (tail * 0x9e3779b97f4a7c15ULL) ^ size);
}

/// Row name and number, with a dash between when the name ends in a digit: row 1 seat 23 is not row 12 seat 3.
std::string usual_label(std::string_view row, std::uint16_t number) {
  std::array<char, 8> digits{};
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  static_cast<void>(error);  // five digits always fit
  std::string label{row};
  if (!label.empty() && label.back() >= '0' && label.back() <= '9') label += '-';
  label.append(digits.data(), end);
  return label;
}

std::string seat_path(std::size_t row, std::size_t seat, std::string_view field) {
  return "rows[" + std::to_string(row) + "].seats[" + std::to_string(seat) + "]." + std::string{field};
}

std::string at_most(std::size_t bytes) {
  return "must have at most " + std::to_string(bytes) + " bytes";
}

/// Where the previous seat left the usual values (see Layout::encode).
struct Cursor {
  std::int32_t next_number = 1;
  std::int32_t next_x = 0;
  std::int32_t usual_y = 0;

  void begin_row(std::int32_t row_y) noexcept {
    next_number = 1;
    next_x = 0;
    usual_y = row_y;
  }
  void pass(std::uint16_t number, std::int16_t x, std::int16_t y) noexcept {
    next_number = number + 1;
    next_x = x + seat_pitch;
    usual_y = y;
  }
};

std::int16_t read_coordinate(ByteReader& reader, bool given, std::int32_t usual) {
  const std::int64_t value = usual + (given ? reader.signed_varint() % 0x20000 : 0);
  if (value < INT16_MIN || value > INT16_MAX) {
    reader.fail();
    return 0;
  }
  return static_cast<std::int16_t>(value);
}

SeatSpec read_seat(ByteReader& reader, const Cursor& cursor) {
  SeatSpec seat;
  const std::uint8_t flags = reader.u8();
  if ((flags & type_bits) >= seat_type_count) reader.fail();
  seat.type = static_cast<SeatType>(flags & type_bits);
  seat.joined = (flags & joined_bit) != 0;
  if ((flags & label_bit) != 0) seat.label = reader.text(limits::seat_label_bytes_max);
  const bool has_number = (flags & number_bit) != 0;
  if (!has_number && cursor.next_number > UINT16_MAX) reader.fail();
  seat.number = static_cast<std::uint16_t>(has_number ? reader.varint_max(UINT16_MAX)
                                                      : static_cast<std::uint64_t>(cursor.next_number));
  seat.x = read_coordinate(reader, (flags & x_bit) != 0, cursor.next_x);
  seat.y = read_coordinate(reader, (flags & y_bit) != 0, cursor.usual_y);
  return seat;
}

RowSpec read_row(ByteReader& reader, Cursor& cursor, std::int32_t& row_y) {
  RowSpec row;
  row.name = reader.text(limits::seat_label_bytes_max);
  const std::uint64_t count = reader.varint_max(limits::seats_per_show_max);
  if (count > reader.left()) reader.fail();  // a seat takes a byte at least: no reservation beyond what is there
  if (!reader.ok()) return row;
  row.seats.reserve(count);
  cursor.begin_row(row_y);
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    row.seats.push_back(read_seat(reader, cursor));
    const SeatSpec& seat = row.seats.back();
    cursor.pass(seat.number, seat.x, seat.y);
  }
  if (!row.seats.empty()) row_y = row.seats.front().y + seat_pitch;
  return row;
}

void check_seats(const RowSpec& row, std::size_t at, boost::unordered_flat_set<std::string>& labels,
                 std::vector<PathError>& errors) {
  for (std::size_t i = 0; i < row.seats.size(); ++i) {
    const SeatSpec& seat = row.seats[i];
    std::string label = seat.label.empty() ? usual_label(row.name, seat.number) : seat.label;
    if (label.size() > limits::seat_label_bytes_max) {
      errors.push_back({seat_path(at, i, "label"), at_most(limits::seat_label_bytes_max)});
    } else if (!is_plain_label(label)) {
      errors.push_back({seat_path(at, i, "label"), "must be text without quotes, backslashes and control characters"});
    } else if (const auto [where, is_new] = labels.insert(std::move(label)); !is_new) {
      errors.push_back({seat_path(at, i, "label"), "\"" + *where + "\" is used twice"});
    }
    if (static_cast<std::size_t>(seat.type) >= seat_type_count) {
      errors.push_back({seat_path(at, i, "type"), "is no seat type"});
    }
    if (seat.joined && i + 1 == row.seats.size()) {
      errors.push_back({seat_path(at, i, "joined"), "the last seat of a row has no neighbour"});
    }
  }
}

}  // namespace

std::optional<SeatType> parse_seat_type(std::string_view name) noexcept {
  for (std::size_t i = 0; i < seat_type_count; ++i) {
    if (seat_type_names[i] == name) return static_cast<SeatType>(i);
  }
  return std::nullopt;
}

std::vector<PathError> check_layout(const LayoutSpec& spec) {
  std::vector<PathError> errors;
  boost::unordered_flat_set<std::string> labels;
  std::size_t seats = 0;
  for (std::size_t i = 0; i < spec.rows.size(); ++i) {
    const RowSpec& row = spec.rows[i];
    const std::string path = "rows[" + std::to_string(i) + "]";
    if (row.name.size() > limits::seat_label_bytes_max) {
      errors.push_back({path + ".name", at_most(limits::seat_label_bytes_max)});
    } else if (!is_plain_label(row.name)) {
      errors.push_back({path + ".name", "must be text without quotes, backslashes and control characters"});
    }
    if (row.seats.empty()) errors.push_back({path + ".seats", "must have at least one seat"});
    seats += row.seats.size();
    if (seats > limits::seats_per_show_max) break;
    check_seats(row, i, labels, errors);
  }
  if (seats == 0 || seats > limits::seats_per_show_max) {
    errors.push_back({"rows", "must have 1 to " + std::to_string(limits::seats_per_show_max) + " seats in all"});
  }
  return errors;
}

Result<Layout> Layout::make(const LayoutSpec& spec) {
  const std::vector<PathError> errors = check_layout(spec);
  if (!errors.empty()) return make_error(ErrorCode::invalid, errors.front().path + ": " + errors.front().rule);
  Layout layout;
  layout.focal_x_ = spec.focal_x;
  layout.focal_y_ = spec.focal_y;
  std::size_t seats = 0;
  for (const RowSpec& row : spec.rows) seats += row.seats.size();
  layout.label_first_.reserve(seats + 1);
  layout.rows_.reserve(seats);
  layout.numbers_.reserve(seats);
  layout.x_.reserve(seats);
  layout.y_.reserve(seats);
  layout.types_.reserve(seats);
  layout.joined_.resize((seats + 63) / 64);
  for (const RowSpec& row : spec.rows) layout.add_row(row);
  layout.label_first_.push_back(static_cast<std::uint32_t>(layout.labels_.size()));
  layout.row_first_.push_back(static_cast<std::uint32_t>(seats));
  layout.labels_.shrink_to_fit();
  layout.index_labels();
  Bytes bytes;
  layout.encode(bytes);
  layout.hash_ = hash_bytes({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  return layout;
}

void Layout::add_row(const RowSpec& row) {
  row_names_.push_back(row.name);
  row_first_.push_back(static_cast<std::uint32_t>(numbers_.size()));
  for (const SeatSpec& seat : row.seats) {
    const std::size_t index = numbers_.size();
    const std::uint64_t bit = std::uint64_t{1} << (index % 64U);
    const std::string label = seat.label.empty() ? usual_label(row.name, seat.number) : seat.label;
    label_first_.push_back(static_cast<std::uint32_t>(labels_.size()));
    labels_.insert(labels_.end(), label.begin(), label.end());
    rows_.push_back(static_cast<std::uint16_t>(row_names_.size() - 1));
    numbers_.push_back(seat.number);
    x_.push_back(seat.x);
    y_.push_back(seat.y);
    types_.push_back(seat.type);
    if (seat.joined) joined_[index / 64U] |= bit;
    const auto type = static_cast<std::size_t>(seat.type);
    ++counts_[type];
    type_planes_[type].resize(joined_.size());
    type_planes_[type][index / 64U] |= bit;
  }
}

void Layout::index_labels() {
  slots_.assign(std::bit_ceil(numbers_.size() * 2), seat_none);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t seat = 0; seat < numbers_.size(); ++seat) {
    std::size_t slot = hash_label(label(static_cast<SeatIndex>(seat))) & mask;
    while (slots_[slot] != seat_none) slot = (slot + 1) & mask;
    slots_[slot] = static_cast<SeatIndex>(seat);
  }
}

SeatIndex Layout::find(std::string_view wanted) const noexcept {
  if (wanted.empty() || wanted.size() > limits::seat_label_bytes_max) return seat_none;
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t slot = hash_label(wanted) & mask;; slot = (slot + 1) & mask) {
    const SeatIndex seat = slots_[slot];
    if (seat == seat_none || label(seat) == wanted) return seat;
  }
}

Layout::Beside Layout::beside(SeatIndex seat, SeatType wanted) const noexcept {
  Beside found{left_of(seat), right_of(seat)};
  if (found.left != seat_none && type(found.left) != wanted) found.left = seat_none;
  if (found.right != seat_none && type(found.right) != wanted) found.right = seat_none;
  return found;
}

void Layout::encode(Bytes& out) const {
  ByteWriter writer{out};
  writer.u8(layout_version);
  writer.signed_varint(focal_x_);
  writer.signed_varint(focal_y_);
  writer.varint(row_names_.size());
  Cursor cursor;
  std::int32_t row_y = 0;
  for (std::size_t row = 0; row < row_names_.size(); ++row) {
    writer.text(row_names_[row]);
    writer.varint(row_first_[row + 1] - row_first_[row]);
    cursor.begin_row(row_y);
    row_y = y_[row_first_[row]] + seat_pitch;
    for (std::uint32_t at = row_first_[row]; at < row_first_[row + 1]; ++at) {
      const auto seat = static_cast<SeatIndex>(at);
      const bool has_label = label(seat) != usual_label(row_names_[row], numbers_[at]);
      const bool has_number = numbers_[at] != cursor.next_number;
      const bool has_x = x_[at] != cursor.next_x;
      const bool has_y = y_[at] != cursor.usual_y;
      writer.u8(static_cast<std::uint8_t>(static_cast<unsigned>(types_[at]) | (joined(seat) ? joined_bit : 0U) |
                                          (has_label ? label_bit : 0U) | (has_number ? number_bit : 0U) |
                                          (has_x ? x_bit : 0U) | (has_y ? y_bit : 0U)));
      if (has_label) writer.text(label(seat));
      if (has_number) writer.varint(numbers_[at]);
      if (has_x) writer.signed_varint(x_[at] - cursor.next_x);
      if (has_y) writer.signed_varint(y_[at] - cursor.usual_y);
      cursor.pass(numbers_[at], x_[at], y_[at]);
    }
  }
}

Result<Layout> Layout::decode(std::string_view bytes) {
  ByteReader reader{bytes};
  const std::uint8_t version = reader.u8();
  if (reader.ok() && version != layout_version) {
    return make_error(ErrorCode::version, "layout of version " + std::to_string(version));
  }
  LayoutSpec spec;
  spec.focal_x = read_coordinate(reader, true, 0);
  spec.focal_y = read_coordinate(reader, true, 0);
  const std::uint64_t rows = reader.varint_max(limits::seats_per_show_max);
  Cursor cursor;
  std::int32_t row_y = 0;
  for (std::uint64_t i = 0; i < rows && reader.ok(); ++i) spec.rows.push_back(read_row(reader, cursor, row_y));
  if (!reader.complete()) return make_error(ErrorCode::corrupt, "layout: malformed bytes");
  Result<Layout> layout = make(spec);
  if (!layout.ok()) return make_error(ErrorCode::corrupt, "layout: " + layout.error().detail);
  Bytes canonical;
  layout.value().encode(canonical);
  const std::string_view view{reinterpret_cast<const char*>(canonical.data()), canonical.size()};
  if (view != bytes) return make_error(ErrorCode::corrupt, "layout: bytes are not canonical");
  return layout;
}

LayoutSpec Layout::to_spec() const {
  LayoutSpec spec;
  spec.focal_x = focal_x_;
  spec.focal_y = focal_y_;
  for (std::uint16_t row = 0; row < row_count(); ++row) {
    RowSpec& to = spec.rows.emplace_back();
    to.name = row_names_[row];
    for (std::uint32_t at = row_first_[row]; at < row_first_[row + 1U]; ++at) {
      const auto seat = static_cast<SeatIndex>(at);
      to.seats.push_back({std::string{label(seat)}, numbers_[at], x_[at], y_[at], types_[at], joined(seat)});
    }
  }
  return spec;
}

std::size_t Layout::memory_bytes() const noexcept {
  std::size_t bytes = sizeof *this + labels_.capacity() + label_first_.capacity() * 4 + rows_.capacity() * 2 +
                      numbers_.capacity() * 2 + x_.capacity() * 2 + y_.capacity() * 2 + types_.capacity() +
                      joined_.capacity() * 8 + slots_.capacity() * 2 + row_first_.capacity() * 4 +
                      row_names_.capacity() * sizeof(std::string);
  for (const auto& plane : type_planes_) bytes += plane.capacity() * 8;
  return bytes;
}

}  // namespace usher::engine
