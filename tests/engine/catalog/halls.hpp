#pragma once
/// Halls for tests, drawn as text: one string per row (named A, B, ...), one letter per seat (S standard, P premium,
/// A accessible, C companion, O obstructed), a space for an aisle. Seats of a row are numbered from 1.

#include <string>
#include <string_view>
#include <vector>

#include "engine/catalog/layout.hpp"

namespace usher::testing {

inline engine::SeatType seat_type_of(char letter) {
  switch (letter) {
    case 'P':
      return engine::SeatType::premium;
    case 'A':
      return engine::SeatType::accessible;
    case 'C':
      return engine::SeatType::companion;
    case 'O':
      return engine::SeatType::obstructed;
    default:
      return engine::SeatType::standard;
  }
}

inline engine::RowSpec row_of(std::string name, std::string_view picture, std::int16_t y) {
  engine::RowSpec row{std::move(name), {}};
  for (std::size_t at = 0; at < picture.size(); ++at) {
    if (picture[at] == ' ') continue;
    const auto number = static_cast<std::uint16_t>(row.seats.size() + 1);
    const bool joined = at + 1 < picture.size() && picture[at + 1] != ' ';
    const auto x = static_cast<std::int16_t>(at * 10);
    row.seats.push_back({"", number, x, y, seat_type_of(picture[at]), joined});
  }
  return row;
}

inline engine::LayoutSpec hall(const std::vector<std::string_view>& rows) {
  engine::LayoutSpec spec;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    spec.rows.push_back(row_of(std::string(1, static_cast<char>('A' + i)), rows[i], static_cast<std::int16_t>(i * 10)));
  }
  spec.focal_x = static_cast<std::int16_t>((rows.front().size() - 1) * 5);
  spec.focal_y = -30;
  return spec;
}

/// `rows` rows named R0, R1, ... of `columns` standard seats each.
inline engine::LayoutSpec rectangle(std::size_t rows, std::size_t columns) {
  engine::LayoutSpec spec;
  const std::string picture(columns, 'S');
  for (std::size_t i = 0; i < rows; ++i) {
    spec.rows.push_back(row_of("R" + std::to_string(i), picture, static_cast<std::int16_t>(i * 10)));
  }
  return spec;
}

}  // namespace usher::testing
