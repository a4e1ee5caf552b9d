#pragma once
/// Reads the JSON document of an import (README.md beside this file says how it is written) into what the engine's
/// plan_import() takes. Unknown fields, wrong types and unreadable values are errors with their paths. One document at
/// a time, any thread, no state.

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/catalog/import.hpp"
#include "usher/time.hpp"

namespace usher::server::catalog {

/// Largest document, in bytes.
inline constexpr std::size_t document_bytes_max = std::size_t{256} << 20U;

struct ReadDocument {
  engine::CatalogDocument document;
  std::vector<engine::PathError> errors;
  [[nodiscard]] bool ok() const noexcept { return errors.empty(); }
};

/// Relative start times are resolved from `now` in the zone of the show's theater, which the document or the snapshot
/// knows. `policy` is what shows without a policy of their own get, and what a show's policy changes in part.
[[nodiscard]] ReadDocument read_document(std::string_view json, const engine::Snapshot& snapshot, Instant now,
                                         const Policy& policy = {});

/// read_document(), then the engine's plan_import() with the zones of this system. `options.zone_exists` is set here.
[[nodiscard]] engine::ImportResult plan_document(std::string_view json, const engine::Snapshot& snapshot, Instant now,
                                                 engine::ImportOptions options);

}  // namespace usher::server::catalog
