#include "server/api/reply_json.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

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

[[nodiscard]] std::string_view ticket_status(const Reply& reply, std::uint32_t position) noexcept {
  if (((reply.cancelled_mask >> position) & 1U) != 0) return "cancelled";
  return ((reply.used_mask >> position) & 1U) != 0 ? "used" : "valid";
}

/// Writes text of known kinds into room that the caller has made.
class Pieces {
 public:
  explicit Pieces(char* out) noexcept : begin_(out), at_(out) {}

  template <std::size_t size>
  void put(const char (&literal)[size]) noexcept {
    std::memcpy(at_, literal, size - 1);
    at_ += size - 1;
  }
  void text(std::string_view text) noexcept {
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }
  void number(std::int64_t value) noexcept { at_ = std::to_chars(at_, at_ + 20, value).ptr; }
  void instant(Instant value) noexcept {
    json::write_instant(value, at_);
    at_ += json::instant_text_bytes;
  }
  void uuid(const Uuid& value) noexcept {
    write_uuid(value, at_);
    at_ += 36;
  }
  [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(at_ - begin_); }

 private:
  char* begin_;
  char* at_;
};

}  // namespace

std::string_view reservation_status(ReservationState state) noexcept {
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

// The answer that a sale is made of, so it is put together from ready pieces into room that is checked once.
void write_reservation(json::Writer& json, const Reply& reply, const ShowRef& show) {
  constexpr std::size_t fixed_bytes_max = 512;
  json.begin_object();
  json::TextBuffer& out = json.buffer();
  const std::size_t room = fixed_bytes_max + show.id.size() + reply.seat_count * (limits::seat_label_bytes_max + 3);
  Pieces pieces(out.prepare(room));
  pieces.put(R"("reservation_id":")");
  pieces.uuid(to_uuid(Id{IdKind::reservation, reply.show, reply.sequence, reply.id_random}));
  pieces.put(R"(","show_id":")");
  pieces.text(show.id);
  pieces.put(R"(","status":")");
  pieces.text(reservation_status(reply.state));
  pieces.put(R"(","seat_ids":[)");
  for (std::uint32_t i = 0; i < reply.seat_count; ++i) {
    i == 0 ? pieces.put("\"") : pieces.put(",\"");
    pieces.text(show.layout->label(reply.seats[i]));
    pieces.put("\"");
  }
  pieces.put(R"(],"total_amount":{"amount":)");
  pieces.number(reply.total.amount);
  pieces.put(R"(,"currency":")");
  pieces.text(reply.total.currency.view());
  pieces.put(R"("},"reserved_at":")");
  pieces.instant(reply.reserved_at);
  pieces.put(R"(","expires_at":")");
  pieces.instant(reply.expires_at);
  pieces.put(R"(","expires_in_ms":)");
  pieces.number(std::max<std::int64_t>((reply.expires_at - reply.now).count(), 0));
  pieces.put(R"(,"server_time":")");
  pieces.instant(reply.now);
  pieces.put(R"(","lsn":)");
  pieces.number(static_cast<std::int64_t>(reply.lsn));
  out.commit(pieces.size());
  json.end_object();
}

void write_booking(json::Writer& json, const Reply& reply, const ShowRef& show, const TicketMaker& tickets) {
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
    json.plain_string(tickets.code(reply, show, i));
    json.key("status");
    json.plain_string(ticket_status(reply, i));
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
