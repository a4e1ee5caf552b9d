#include "server/api/reply_json.hpp"

namespace usher::server::api {
namespace {

[[nodiscard]] std::int64_t price_of(const engine::ShowRow& row, engine::SeatType type) noexcept {
  return type == engine::SeatType::premium ? row.price_premium : row.price_standard;
}

void write_seat_ids(json::Writer& json, std::string_view name, const Reply& reply, const engine::Layout& layout) {
  json.key(name);
  json.begin_array();
  for (std::uint32_t i = 0; i < reply.seat_count; ++i) json.plain_string(layout.label(reply.seats[i]));
  json.end_array();
}

void write_times(json::Writer& json, const Reply& reply) {
  json.field("reserved_at", reply.reserved_at);
  json.field("expires_at", reply.expires_at);
  const std::int64_t left = (reply.expires_at - reply.now).count();
  json.field("expires_in_ms", left > 0 ? left : std::int64_t{0});
  json.field("server_time", reply.now);
}

[[nodiscard]] std::string_view reservation_status(ReservationState state) noexcept {
  switch (state) {
    case ReservationState::reserved:
      return "reserved";
    case ReservationState::paying:
      return "paying";
    case ReservationState::booked:
      return "booked";
    case ReservationState::cancelled:
      return "cancelled";
    case ReservationState::refunded:
      return "refunded";
    default:
      return "expired";
  }
}

}  // namespace

std::string_view booking_status(ReservationState state) noexcept {
  switch (state) {
    case ReservationState::cancelled:
      return "cancelled";
    case ReservationState::refunded:
      return "refunded";
    default:
      return "confirmed";
  }
}

void write_reservation(json::Writer& json, const Reply& reply, const ShowRef& show) {
  json.begin_object();
  json.field("reservation_id", Id{IdKind::reservation, reply.show, reply.sequence, reply.id_random});
  json.key("show_id");
  json.plain_string(show.id);
  json.key("status");
  json.plain_string(reservation_status(reply.state));
  write_seat_ids(json, "seat_ids", reply, *show.layout);
  json.field("total_amount", reply.total);
  write_times(json, reply);
  json.field("lsn", reply.lsn);
  json.end_object();
}

void write_booking(json::Writer& json, const Reply& reply, const ShowRef& show, const TicketSigner& signer) {
  json.begin_object();
  json.field("booking_id", Id{IdKind::booking, reply.show, reply.sequence, reply.id_random});
  json.field("reservation_id", Id{IdKind::reservation, reply.show, reply.sequence, reply.id_random});
  json.key("status");
  json.plain_string(booking_status(reply.state));
  json.key("show_id");
  json.plain_string(show.id);
  char user[17];
  for (unsigned i = 0; i < 16; ++i) user[i] = "0123456789abcdef"[(to_value(reply.user) >> (60U - 4U * i)) & 15U];
  json.key("user_id");
  json.plain_string({user, 16});
  json.field("total_amount", reply.total);
  json.field("refunded_amount", Money{reply.refunded, reply.total.currency});
  json.field("payment_id", reply.payment());
  json.field("booked_at", reply.booked_at);
  json.key("tickets");
  json.begin_array();
  for (std::uint32_t i = 0; i < reply.seat_count; ++i) {
    const Id ticket = ticket_id(reply.show, reply.sequence, reply.ticket_random, i);
    json.begin_object();
    json.field("ticket_id", ticket);
    json.key("seat_id");
    json.plain_string(show.layout->label(reply.seats[i]));
    json.field("price", Money{price_of(*show.row, show.layout->type(reply.seats[i])), reply.total.currency});
    json.key("qr_code");
    json.plain_string(signer.code(ticket));
    json.key("status");
    json.plain_string(((reply.cancelled_mask >> i) & 1U) != 0 ? "cancelled" : "valid");
    json.end_object();
  }
  json.end_array();
  json.field("lsn", reply.lsn);
  json.end_object();
}

void write_cancellation(json::Writer& json, const Reply& reply, const ShowRef& show, bool preview) {
  json.begin_object();
  json.field("booking_id", Id{IdKind::booking, reply.show, reply.sequence, reply.id_random});
  json.key("show_id");
  json.plain_string(show.id);
  if (!preview) {
    json.key("status");
    json.plain_string(booking_status(reply.state));
  }
  json.key("refund");
  json.begin_object();
  json.field("amount", reply.refund);
  json.key("currency");
  json.plain_string(reply.total.currency.view());
  json.field("percent", std::uint32_t{reply.percent});
  if (!preview) {
    json.key("status");
    json.plain_string(reply.refund > 0 ? "pending" : "none");
  }
  json.end_object();
  json.field("server_time", reply.now);
  json.field("lsn", reply.lsn);
  json.end_object();
}

void write_refusal(json::Writer& json, const Reply& reply, const ShowRef* show) {
  const http::Problem problem = http::to_problem(reply.refusal);
  json.begin_object();
  http::write_problem_members(json, problem);
  switch (reply.refusal) {
    case Refusal::seats_unavailable:
      if (show != nullptr) write_seat_ids(json, "unavailable_seats", reply, *show->layout);
      break;
    case Refusal::cooldown:
      json.field("retry_at", reply.retry_at);
      break;
    case Refusal::payment_declined:
      json.key("decline_code");
      json.plain_string(to_string(reply.decline));
      json.field("expires_at", reply.expires_at);
      break;
    default:
      break;
  }
  if (reply.lsn != 0) json.field("lsn", reply.lsn);
  json.end_object();
}

std::uint16_t status_of(const Reply& reply) noexcept {
  if (reply.refusal != Refusal::none) return describe(reply.refusal).status;
  switch (reply.type) {
    case CommandType::reserve:
    case CommandType::reserve_best:
      return 201;
    case CommandType::release:
      return 204;
    case CommandType::finish_payment:
      return 201;
    default:
      return 200;
  }
}

}  // namespace usher::server::api
