#pragma once
/// A CSV file (RFC 4180) of movies, theaters or shows as the JSON document that document_reader reads, and its errors
/// back as lines and columns. README.md beside this file says which columns there are. Any thread, no state.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/catalog/import.hpp"

namespace usher::server::catalog {

enum class CsvKind : std::uint8_t { movies, theaters, shows };

struct CsvDocument {
  CsvKind kind = CsvKind::movies;
  std::string json;
  std::vector<engine::PathError> errors;             ///< of the file as such: no header, unknown columns, open quotes
  std::vector<std::vector<std::uint32_t>> lines_of;  ///< by entry: the lines of its rows, from 1; only theaters have
                                                     ///< more than one, a row for each screen
};

/// Commas, semicolons or tabs between the cells: what the header line has. An empty cell is a field that is not there.
[[nodiscard]] CsvDocument read_csv(std::string_view csv);

/// The path of an error in `document.json`, as the person who wrote the file knows the place: "shows[12].start_time" is
/// "line 14, start_time". Paths that do not lie in an entry stay as they are.
[[nodiscard]] std::string csv_place(const CsvDocument& document, std::string_view path);

}  // namespace usher::server::catalog
