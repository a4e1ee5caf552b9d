#pragma once
/// Importing a catalog document, for POST /admin/import and for the command line alike: read, plan, log, publish.

#include <functional>
#include <string>
#include <string_view>

#include "engine/shard/engine.hpp"

namespace usher::server::api {

enum class DocumentFormat : std::uint8_t { json, csv };

struct ImportOutcome {
  std::uint16_t status = 200;  ///< HTTP
  std::string body;            ///< JSON: what was added, or a problem with the path of each error
  std::string line;            ///< the same for a person
};

/// Reads and plans on the calling thread (the work pool: it takes seconds for a large document), lets the engine carry
/// the plan out, then calls `done` once, here or on the first loop. One at a time. `policy`: of shows that name none of
/// their own.
void import_document(engine::Engine& engine, const Policy& policy, std::string_view document, DocumentFormat format,
                     Instant now, std::function<void(const ImportOutcome&)> done);

/// What import_document() would do, with the differences, and nothing done. Any thread that may take seconds.
[[nodiscard]] ImportOutcome try_document(engine::Engine& engine, const Policy& policy, std::string_view document,
                                         DocumentFormat format, Instant now);

}  // namespace usher::server::api
