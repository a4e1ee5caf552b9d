#pragma once
/// What an import would change, for people: read off the plan, so it cannot say anything else than what the import
/// does.

#include "engine/catalog/import.hpp"
#include "server/json/writer.hpp"

namespace usher::server::api {

/// So many differences are told in full; the counts of the plan are always whole.
inline constexpr std::size_t differences_max = 1'000;

/// Writes `"differences": [{"kind", "id", "change"}]` into an open object: of what is new "new", of what differs each
/// field with its old and its new value. Any thread.
void write_differences(json::Writer& json, const engine::ImportPlan& plan, const engine::Snapshot& snapshot);

}  // namespace usher::server::api
