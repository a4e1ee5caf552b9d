#include "server/api/answer_writer.hpp"

namespace usher::server::api {

bool names_tickets(const Reply& reply) noexcept {
  if (reply.refusal != Refusal::none) return false;
  return reply.type == CommandType::finish_payment || reply.type == CommandType::read_booking;
}

void AnswerWriter::write(json::Writer& json, const Reply& reply) const {
  const std::optional<ShowRef> show = view.find(reply.show);
  const bool known = show && show->layout != nullptr;
  if (reply.refusal != Refusal::none || !known) return write_refusal(json, reply, known ? &*show : nullptr);
  switch (reply.type) {
    case CommandType::reserve:
    case CommandType::reserve_best:
    case CommandType::read_reservation:
      return write_reservation(json, reply, *show);
    case CommandType::finish_payment:
    case CommandType::read_booking:
      return write_booking(json, reply, *show, tickets);
    case CommandType::cancel:
      return write_cancellation(json, reply, *show, false);
    case CommandType::preview_cancel:
      return write_cancellation(json, reply, *show, true);
    case CommandType::start_payment:
      json.begin_object();
      json.field("status", "payment_unknown");
      json.field("reservation_id", Id{IdKind::reservation, reply.show, reply.sequence, reply.id_random});
      json.field("booking_id", Id{IdKind::booking, reply.show, reply.sequence, reply.id_random});
      json.field("server_time", reply.now);
      json.end_object();
      return;
    default:
      json.begin_object();
      json.field("show_id", show->id);
      json.field("lsn", reply.lsn);
      json.end_object();
  }
}

void AnswerWriter::write_list(json::Writer& json, const std::vector<Reply>& bookings,
                              std::string_view next_cursor) const {
  json.begin_object();
  json.key("bookings");
  json.begin_array();
  for (const Reply& booking : bookings) {
    const std::optional<ShowRef> show = view.find(booking.show);
    if (show && show->layout != nullptr) write_booking(json, booking, *show, tickets);
  }
  json.end_array();
  json.key("next_cursor");
  next_cursor.empty() ? json.null() : json.plain_string(next_cursor);
  json.end_object();
}

}  // namespace usher::server::api
