#pragma once
/// AnswerWriter: any answer of the engine as JSON, with all that it needs at hand, so that it may be used on the loop
/// or on the work pool. An answer with tickets signs them (30 us each), which is no work for a loop.

#include "server/api/catalog_view.hpp"
#include "server/api/reply_json.hpp"

namespace usher::server::api {

/// Whether the answer holds tickets.
[[nodiscard]] bool names_tickets(const Reply& reply) noexcept;

struct AnswerWriter {
  const CatalogView& view;
  const TicketMaker& tickets;

  void write(json::Writer& json, const Reply& reply) const;
  /// A page of GET /bookings.
  void write_list(json::Writer& json, const std::vector<Reply>& bookings, std::string_view next_cursor) const;
};

}  // namespace usher::server::api
