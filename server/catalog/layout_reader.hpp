#pragma once
/// Reads one seat layout of an import document, as README.md beside this file describes it. For document_reader.cpp.

#include <string_view>
#include <vector>

#include "engine/catalog/import.hpp"
#include "server/json/reader.hpp"

namespace usher::server::catalog {

/// Reads `rows` and `focal_point` of a layout object and fills spec and row_source. Errors go to the reader of `from`.
/// The caller reads what else the object has and finishes it.
void read_layout(json::Object& from, engine::DocumentLayout& to);

/// "A-F" or "1-12" or "C": the names of rows. Returns: empty when it is no such text.
[[nodiscard]] std::vector<std::string> parse_row_names(std::string_view text);

}  // namespace usher::server::catalog
