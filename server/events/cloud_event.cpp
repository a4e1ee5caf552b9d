#include "server/events/cloud_event.hpp"

namespace usher::server::events {
namespace {

using api::CatalogView;
using api::ShowRef;

/// All that one event is written from.
struct Subject {
  const Record& record;
  const Event& event;
  const Reply* facts = nullptr;  ///< where the reservation is still known
  const ShowRef* show = nullptr;
};

[[nodiscard]] Id reservation_of(const Subject& subject) noexcept {
  const std::uint64_t random =
      subject.event.type == EventType::reserved ? subject.event.random : subject.facts->id_random;
  return {IdKind::reservation, subject.record.show, subject.event.sequence, random};
}

[[nodiscard]] bool is_booking(EventType type) noexcept {
  return type == EventType::booked || (type >= EventType::seats_cancelled && type <= EventType::ticket_used);
}

void write_user(json::Writer& json, UserNumber user) {
  char text[16];
  for (unsigned i = 0; i < 16; ++i) text[i] = "0123456789abcdef"[(to_value(user) >> (60U - 4U * i)) & 15U];
  json.key("user_id");
  json.plain_string({text, 16});
}

void write_seats(json::Writer& json, const Subject& subject, const SeatIndex* seats, std::size_t count,
                 std::uint32_t mask) {
  if (subject.show == nullptr || subject.show->layout == nullptr) return;
  json.key("seat_ids");
  json.begin_array();
  for (std::size_t i = 0; i < count; ++i) {
    const bool wanted = count > 32 || ((mask >> i) & 1U) != 0;
    if (wanted && seats[i] < subject.show->layout->seat_count()) json.string(subject.show->layout->label(seats[i]));
  }
  json.end_array();
}

void write_tickets(json::Writer& json, const Subject& subject, std::uint32_t mask) {
  json.key("ticket_ids");
  json.begin_array();
  const std::uint64_t random =
      subject.event.type == EventType::booked ? subject.event.random : subject.facts->ticket_random;
  for (std::uint32_t i = 0; i < subject.facts->seat_count; ++i) {
    if (((mask >> i) & 1U) != 0) json.id(ticket_id(subject.record.show, subject.event.sequence, random, i));
  }
  json.end_array();
}

/// What a reservation or booking is called and whose it is.
void write_names(json::Writer& json, const Subject& subject) {
  json.field("sequence", subject.event.sequence);
  if (subject.facts == nullptr && subject.event.type != EventType::reserved) return;
  Id id = reservation_of(subject);
  json.field("reservation_id", id);
  id.kind = IdKind::booking;
  if (is_booking(subject.event.type)) json.field("booking_id", id);
  write_user(json, subject.event.type == EventType::reserved ? subject.event.user : subject.facts->user);
}

void write_money(json::Writer& json, const Subject& subject, std::string_view name) {
  if (subject.show == nullptr) return;
  json.field(name, Money{subject.event.amount, subject.show->row->currency});
}

void write_booking_event(json::Writer& json, const Subject& subject) {
  const Event& event = subject.event;
  const std::uint32_t all = ~0U;
  const std::uint32_t mask = event.type == EventType::booked ? all : event.mask;
  if (subject.facts != nullptr && event.type != EventType::refund_settled && event.type != EventType::refund_failed) {
    write_seats(json, subject, subject.facts->seats.data(), subject.facts->seat_count, mask);
    write_tickets(json, subject, mask);
  }
  switch (event.type) {
    case EventType::booked:
      json.field("payment_id", subject.record.text_of(event));
      if (subject.facts != nullptr) json.field("total_amount", subject.facts->total);
      break;
    case EventType::seats_cancelled:
      json.field("percent", std::uint32_t{event.code});
      json.field("refund_number", event.attempt);
      write_money(json, subject, "refund");
      break;
    case EventType::refund_settled:
    case EventType::refund_failed:
      json.field("refund_number", event.attempt);
      write_money(json, subject, "refund");
      break;
    case EventType::ticket_used:
      json.field("direction", event.code == use_exit ? "out" : "in");
      json.field("scanned_at", event.at);
      json.field("gate", subject.record.text_of(event));
      break;
    default:
      break;
  }
}

void write_reservation_event(json::Writer& json, const Subject& subject) {
  const Event& event = subject.event;
  switch (event.type) {
    case EventType::reserved:
      write_seats(json, subject, subject.record.seats_of(event), event.seat_count, ~0U);
      write_money(json, subject, "total_amount");
      json.field("expires_at", event.at);
      break;
    case EventType::payment_started:
    case EventType::payment_unknown:
      json.field("attempt", event.attempt);
      break;
    case EventType::payment_declined:
      json.field("attempt", event.attempt);
      if (event.code < payment_decline_names.size()) json.field("decline_code", payment_decline_names[event.code]);
      break;
    case EventType::refund_due:
      json.field("payment_id", subject.record.text_of(event));
      write_money(json, subject, "refund");
      break;
    default:
      break;
  }
}

void write_data(json::Writer& json, const Subject& subject) {
  const Event& event = subject.event;
  json.begin_object();
  if (subject.show != nullptr) json.field("show_id", subject.show->id);
  json.field("lsn", subject.record.lsn);
  if (event.type >= EventType::reserved && event.type <= EventType::ticket_used) {
    write_names(json, subject);
    is_booking(event.type) ? write_booking_event(json, subject) : write_reservation_event(json, subject);
  } else if (event.type == EventType::seats_blocked || event.type == EventType::seats_unblocked) {
    write_seats(json, subject, subject.record.seats_of(event), event.seat_count, ~0U);
  } else if (event.type == EventType::cooldown_started) {
    write_user(json, event.user);
    json.field("until", event.at);
  }
  json.end_object();
}

}  // namespace

std::string_view event_name(EventType type) noexcept {
  switch (type) {
    case EventType::layout_defined:
      return "layout_defined";
    case EventType::show_opened:
      return "show_opened";
    case EventType::show_cancelled:
      return "show_cancelled";
    case EventType::show_completed:
      return "show_completed";
    case EventType::seats_blocked:
      return "seats_blocked";
    case EventType::seats_unblocked:
      return "seats_unblocked";
    case EventType::reserved:
      return "reserved";
    case EventType::released:
      return "released";
    case EventType::expired:
      return "expired";
    case EventType::payment_started:
      return "payment_started";
    case EventType::payment_declined:
      return "payment_declined";
    case EventType::booked:
      return "booked";
    case EventType::refund_due:
      return "refund_due";
    case EventType::payment_unknown:
      return "payment_unknown";
    case EventType::seats_cancelled:
      return "seats_cancelled";
    case EventType::refund_settled:
      return "refund_settled";
    case EventType::refund_failed:
      return "refund_failed";
    case EventType::ticket_used:
      return "ticket_used";
    case EventType::cooldown_started:
      return "cooldown_started";
    default:
      return "other";
  }
}

std::string event_id(const Record& record, std::size_t index) {
  return std::to_string(record.shard) + "-" + std::to_string(record.lsn) + "-" + std::to_string(index);
}

void write_cloud_event(json::Writer& json, const Record& record, std::size_t index, const Facts& facts,
                       const CatalogView& view, std::string_view cursor) {
  const Event& event = record.events[index];
  const std::optional<ShowRef> show = view.find(record.show);
  const auto known = facts.find({record.show, event.sequence});
  const bool has_facts = known != facts.end() && known->second.seat_count != 0;
  const Subject subject{record, event, has_facts ? &known->second : nullptr, show ? &*show : nullptr};
  json.begin_object();
  json.field("specversion", "1.0");
  json.field("id", event_id(record, index));
  json.field("source", show ? "/shows/" + std::string(show->id) : "/shards/" + std::to_string(record.shard));
  json.field("type", "usher." + std::string(event_name(event.type)));
  json.field("time", record.now);
  json.field("datacontenttype", "application/json");
  if (!cursor.empty()) json.field("cursor", cursor);
  json.key("data");
  write_data(json, subject);
  json.end_object();
}

}  // namespace usher::server::events
