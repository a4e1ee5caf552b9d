#include "server/tickets/ticket_sheet.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>

#include "engine/catalog/layout.hpp"
#include "server/catalog/zones.hpp"

namespace usher::server::tickets {
namespace {

/// Currencies of ISO 4217 whose minor unit is not a hundredth: those without one, and those of a thousandth.
constexpr std::array<std::string_view, 16> no_minor{"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW",
                                                    "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF"};
constexpr std::array<std::string_view, 7> thousandths{"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"};

[[nodiscard]] bool names(const auto& list, std::string_view code) noexcept {
  return std::find(list.begin(), list.end(), code) != list.end();
}

}  // namespace

bool BookingFacts::cancelled() const noexcept {
  return std::all_of(tickets.begin(), tickets.end(), [](const TicketFacts& ticket) { return ticket.cancelled; });
}

ShowFacts show_facts(const engine::Snapshot& snapshot, std::string_view show_id, const engine::ShowRow& row) {
  const engine::CatalogData& data = snapshot.data();
  const engine::Theater& theater = data.theater(data.theater_of_screen(row.screen));
  ShowFacts facts;
  facts.show_id = show_id;
  facts.movie = data.movie(row.movie).title;
  facts.theater = theater.name;
  facts.address = theater.address + ", " + theater.city;
  facts.screen = data.screen(row.screen).name;
  facts.time_zone = theater.time_zone;
  facts.start = row.start;
  facts.end = row.end;
  if (const std::optional<catalog::Zone> zone = catalog::Zone::find(theater.time_zone)) {
    facts.local_time = zone->local_text(row.start);
  }
  return facts;
}

std::string ticket_code(const TicketKeys& keys, const ValidityRule& rule, const Reply& booking,
                        const engine::ShowRow& row, const engine::Layout& layout, std::uint32_t position, Instant now) {
  TicketPayload payload;
  payload.ticket = to_uuid(ticket_id(booking.show, booking.sequence, booking.ticket_random, position));
  payload.valid_from = std::max(row.start - rule.before_start, Instant{});
  payload.valid_until = row.end + rule.after_end;
  payload.seat = layout.label(booking.seats[position]);
  return keys.sign(std::move(payload), now);
}

BookingFacts booking_facts(const engine::Snapshot& snapshot, const TicketKeys& keys, const ValidityRule& rule,
                           const Reply& booking, std::string_view show_id, const engine::ShowRow& row,
                           const engine::Layout& layout, Instant now) {
  BookingFacts facts;
  facts.id = {IdKind::booking, booking.show, booking.sequence, booking.id_random};
  facts.show = show_facts(snapshot, show_id, row);
  facts.booked_at = booking.booked_at;
  facts.total = booking.total;
  facts.changes = static_cast<std::uint32_t>(std::popcount(booking.cancelled_mask));
  for (std::uint32_t i = 0; i < booking.seat_count; ++i) {
    TicketFacts ticket;
    ticket.id = ticket_id(booking.show, booking.sequence, booking.ticket_random, i);
    ticket.seat = layout.label(booking.seats[i]);
    const bool premium = layout.type(booking.seats[i]) == engine::SeatType::premium;
    ticket.price = {premium ? row.price_premium : row.price_standard, booking.total.currency};
    ticket.code = ticket_code(keys, rule, booking, row, layout, i, now);
    ticket.cancelled = ((booking.cancelled_mask >> i) & 1U) != 0;
    facts.tickets.push_back(std::move(ticket));
  }
  return facts;
}

std::string money_text(const Money& money) {
  const std::string_view code = money.currency.view();
  if (names(no_minor, code)) return fmt::format("{} {}", money.amount, code);
  const int digits = names(thousandths, code) ? 3 : 2;
  const std::int64_t unit = digits == 3 ? 1'000 : 100;
  return fmt::format("{}.{:0{}} {}", money.amount / unit, money.amount % unit, digits, code);
}

}  // namespace usher::server::tickets
