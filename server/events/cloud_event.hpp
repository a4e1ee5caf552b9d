#pragma once
/// Records of the log as CloudEvents 1.0 in JSON (structured mode). Pure; any thread.
///
///   id = SHARD-LSN-INDEX, unique and the same at every reading · source = "/shows/SHOW_ID" · type = "usher." + what
///   the log calls it · time = when it became true

#include "server/api/catalog_view.hpp"
#include "server/events/event_facts.hpp"
#include "server/json/writer.hpp"

namespace usher::server::events {

/// "booked" for EventType::booked.
[[nodiscard]] std::string_view event_name(EventType type) noexcept;
/// "3-17-0"
[[nodiscard]] std::string event_id(const Record& record, std::size_t index);

/// Writes one event. `cursor` not empty: from where to go on behind it, as the extension attribute `cursor`.
void write_cloud_event(json::Writer& json, const Record& record, std::size_t index, const Facts& facts,
                       const api::CatalogView& view, std::string_view cursor);

}  // namespace usher::server::events
