#pragma once
/// A seat layout: the places of a screen, in index order, with all that selling them needs to know. Immutable, shared
/// by all shows on it (see layout_table.hpp), read by any thread. It never knows who sits where.
///
/// Seats are in row-major order: rows as given, seats of a row from left to right. Positions are in tenths of a seat
/// width: two seats side by side lie 10 apart. A seat is `joined` to the next one when nothing lies between them; an
/// aisle breaks it.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "usher/bytes.hpp"
#include "usher/ids.hpp"
#include "usher/limits.hpp"
#include "usher/result.hpp"

namespace usher::engine {

/// Numbers are part of the stored format: never renumber, never reuse.
enum class SeatType : std::uint8_t { standard = 0, premium = 1, accessible = 2, companion = 3, obstructed = 4 };
inline constexpr std::size_t seat_type_count = 5;
inline constexpr std::array<std::string_view, seat_type_count> seat_type_names{"standard", "premium", "accessible",
                                                                               "companion", "obstructed"};
[[nodiscard]] constexpr std::string_view to_string(SeatType type) noexcept {
  return seat_type_names[static_cast<std::size_t>(type)];
}
/// Returns: nothing for a name that is none of the five.
[[nodiscard]] std::optional<SeatType> parse_seat_type(std::string_view name) noexcept;

/// "No seat": the one index that no layout uses.
inline constexpr SeatIndex seat_none = 65'535;
/// How far apart the centres of two seats side by side are, and those of two rows.
inline constexpr std::int16_t seat_pitch = 10;

/// What a layout is made from. An empty label means row name + number, with a dash
/// between when the name ends in a digit ("F12", "3-12").
struct SeatSpec {
  std::string label;
  std::uint16_t number = 0;
  std::int16_t x = 0;
  std::int16_t y = 0;
  SeatType type = SeatType::standard;
  bool joined = false;  ///< to the next seat of the row
  bool operator==(const SeatSpec&) const = default;
};
struct RowSpec {
  std::string name;
  std::vector<SeatSpec> seats;
  bool operator==(const RowSpec&) const = default;
};
struct LayoutSpec {
  std::vector<RowSpec> rows;
  std::int16_t focal_x = 0;  ///< what everybody looks at: the middle of the stage or screen
  std::int16_t focal_y = 0;
  bool operator==(const LayoutSpec&) const = default;
};

/// What is wrong with a part of a document, and where: "rows[2].seats[7].label", "used twice".
struct PathError {
  std::string path;
  std::string rule;
  bool operator==(const PathError&) const = default;
};

/// Returns: every rule that `spec` breaks: 1 to 65,535 seats, no row without seats, names and labels plain and of at
/// most 15 bytes, labels unique, the last seat of a row joined to nothing. Empty: make() will succeed.
[[nodiscard]] std::vector<PathError> check_layout(const LayoutSpec& spec);

class Layout {
 public:
  /// Returns: `invalid` with the first of check_layout()'s errors.
  [[nodiscard]] static Result<Layout> make(const LayoutSpec& spec);
  /// Reads what encode() wrote; accepts nothing else, so that equal layouts have equal bytes.
  /// Returns: `corrupt` or `version` when it is not that.
  [[nodiscard]] static Result<Layout> decode(std::string_view bytes);
  /// Appends the canonical bytes:
  ///   layout := version:u8(1) focal_x:svarint focal_y:svarint row_count:varint row*
  ///   row    := name:text seat_count:varint seat*
  ///   seat   := flags:u8 [label:text] [number:varint] [x:svarint] [y:svarint]
  ///   flags  := type (bits 0..2), joined (3), has label (4), has number (5), has x (6), has y (7)
  /// A field is left out when it is the usual: label = the usual one (see SeatSpec); number = the previous + 1 (first:
  /// 1); x = the previous + 10 (first: 0), else the difference from that; y = the previous (first of a row: the
  /// previous row's first + 10, of the first row: 0), else the difference from that.
  void encode(Bytes& out) const;
  [[nodiscard]] LayoutSpec to_spec() const;
  /// hash_bytes() of the canonical bytes.
  [[nodiscard]] std::uint64_t hash() const noexcept { return hash_; }

  [[nodiscard]] std::uint16_t seat_count() const noexcept { return static_cast<std::uint16_t>(numbers_.size()); }
  /// Words of 64 bits that a plane of one bit per seat has.
  [[nodiscard]] std::size_t word_count() const noexcept { return (numbers_.size() + 63) / 64; }

  [[nodiscard]] std::string_view label(SeatIndex seat) const noexcept {
    return {labels_.data() + label_first_[seat], label_first_[seat + 1U] - label_first_[seat]};
  }
  /// O(1), allocates nothing. Returns: seat_none when no seat has this label.
  [[nodiscard]] SeatIndex find(std::string_view label) const noexcept;

  [[nodiscard]] std::uint16_t row_count() const noexcept { return static_cast<std::uint16_t>(row_names_.size()); }
  [[nodiscard]] std::uint16_t row(SeatIndex seat) const noexcept { return rows_[seat]; }
  [[nodiscard]] std::string_view row_name(std::uint16_t row) const noexcept { return row_names_[row]; }
  /// Seats of the row are [row_first(row), row_first(row + 1)).
  [[nodiscard]] std::uint32_t row_first(std::size_t row) const noexcept { return row_first_[row]; }

  [[nodiscard]] std::uint16_t number(SeatIndex seat) const noexcept { return numbers_[seat]; }
  [[nodiscard]] std::int16_t x(SeatIndex seat) const noexcept { return x_[seat]; }
  [[nodiscard]] std::int16_t y(SeatIndex seat) const noexcept { return y_[seat]; }
  [[nodiscard]] std::int16_t focal_x() const noexcept { return focal_x_; }
  [[nodiscard]] std::int16_t focal_y() const noexcept { return focal_y_; }

  [[nodiscard]] SeatType type(SeatIndex seat) const noexcept { return types_[seat]; }
  [[nodiscard]] std::uint16_t count(SeatType type) const noexcept { return counts_[static_cast<std::size_t>(type)]; }

  /// Is `seat + 1` in the same row with nothing between?
  [[nodiscard]] bool joined(SeatIndex seat) const noexcept { return ((joined_[seat / 64U] >> (seat % 64U)) & 1U) != 0; }
  /// Bit s set: joined(s). word_count() words.
  [[nodiscard]] std::span<const std::uint64_t> joined_plane() const noexcept { return joined_; }
  /// Bit s set: type(s) == type. word_count() words; empty when there is no such seat.
  [[nodiscard]] std::span<const std::uint64_t> type_plane(SeatType type) const noexcept {
    return type_planes_[static_cast<std::size_t>(type)];
  }
  /// The seat directly beside, or seat_none.
  [[nodiscard]] SeatIndex left_of(SeatIndex seat) const noexcept {
    return seat > 0 && joined(static_cast<SeatIndex>(seat - 1)) ? static_cast<SeatIndex>(seat - 1) : seat_none;
  }
  [[nodiscard]] SeatIndex right_of(SeatIndex seat) const noexcept {
    return joined(seat) ? static_cast<SeatIndex>(seat + 1) : seat_none;
  }

  /// Up to two seats; seat_none where there is none.
  struct Beside {
    SeatIndex left = seat_none;
    SeatIndex right = seat_none;
    [[nodiscard]] bool none() const noexcept { return left == seat_none && right == seat_none; }
  };
  /// The companion seats that belong to an accessible seat: those directly beside it.
  [[nodiscard]] Beside companions_of(SeatIndex accessible) const noexcept {
    return beside(accessible, SeatType::companion);
  }
  /// The accessible seats that a companion seat belongs to.
  [[nodiscard]] Beside accessible_beside(SeatIndex companion) const noexcept {
    return beside(companion, SeatType::accessible);
  }

  [[nodiscard]] std::size_t memory_bytes() const noexcept;

 private:
  Layout() = default;
  void add_row(const RowSpec& row);
  void index_labels();
  [[nodiscard]] Beside beside(SeatIndex seat, SeatType type) const noexcept;

  std::uint64_t hash_ = 0;
  std::int16_t focal_x_ = 0;
  std::int16_t focal_y_ = 0;
  std::array<std::uint16_t, seat_type_count> counts_{};
  std::vector<char> labels_;                ///< of all seats, one after the other
  std::vector<std::uint32_t> label_first_;  ///< seat_count + 1
  std::vector<std::string> row_names_;
  std::vector<std::uint32_t> row_first_;  ///< row_count + 1
  std::vector<std::uint16_t> rows_;
  std::vector<std::uint16_t> numbers_;
  std::vector<std::int16_t> x_;
  std::vector<std::int16_t> y_;
  std::vector<SeatType> types_;
  std::vector<std::uint64_t> joined_;
  std::array<std::vector<std::uint64_t>, seat_type_count> type_planes_;
  std::vector<SeatIndex> slots_;  ///< open addressing, linear probing, a power of two, at most half full
};

}  // namespace usher::engine
