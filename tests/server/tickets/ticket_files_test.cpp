#include <doctest/doctest.h>

#include "server/catalog/zones.hpp"
#include "server/tickets/calendar.hpp"
#include "server/tickets/qr_image.hpp"
#include "server/tickets/ticket_pdf.hpp"

using namespace usher;
using namespace usher::server;
using namespace usher::server::tickets;

namespace {

BookingFacts example() {
  BookingFacts booking;
  booking.id = {IdKind::booking, static_cast<ShowNumber>(7), 5, 0x1234};
  booking.show = {"show-1",
                  "Die Brücke; am Kwai, II",
                  "Kino",
                  "Straße 1, Berlin",
                  "Saal 1",
                  "Europe/Berlin",
                  "2026-11-26 19:30 CET",
                  instant_from_ms(1'795'717'800'000),
                  instant_from_ms(1'795'725'000'000)};
  booking.booked_at = instant_from_ms(1'795'500'000'000);
  booking.total = {3'000, *parse_currency("EUR")};
  for (const char* seat : {"F12", "F13"}) {
    TicketFacts ticket;
    ticket.seat = seat;
    ticket.price = {1'500, *parse_currency("EUR")};
    ticket.code = "UT1.AAAA";
    booking.tickets.push_back(ticket);
  }
  return booking;
}

bool has(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("qr_image: pictures: have the quiet zone and every dark module") {
  const QrModules modules = make_qr("UT1.AAAA");
  CHECK(modules.size == 21);
  CHECK(modules.at(0, 0));  // the finder pattern's corner
  const std::string svg = qr_svg("UT1.AAAA");
  CHECK(has(svg, "viewBox=\"0 0 29 29\""));
  CHECK(has(svg, "M4,4h7v1h-7z"));  // its upper edge in one stroke
  const std::string png = qr_png("UT1.AAAA", 4);
  CHECK(png.starts_with("\x89PNG\r\n"));
  CHECK(static_cast<unsigned char>(png[19]) == 29 * 4);  // the width, big-endian, in IHDR
}

TEST_CASE("ticket_pdf: a booking: is a document with a page per ticket") {
  const BookingFacts booking = example();
  const auto two = tickets_pdf(booking.show, booking.tickets, booking.id);
  REQUIRE(two);
  CHECK(two.value().starts_with("%PDF-"));
  CHECK(has(two.value(), "/Count 2"));
  std::vector<TicketFacts> one = booking.tickets;
  one[0].cancelled = true;
  const auto left = tickets_pdf(booking.show, one, booking.id);
  REQUIRE(left);
  CHECK(has(left.value(), "/Count 1"));
}

TEST_CASE("calendar: a booking: is an event with a stable UID, escaped and folded") {
  const std::string text = booking_calendar(example(), instant_from_ms(1'795'500'000'000));
  CHECK(has(text, "UID:00000007-0000-8054-8000-000000001234@usher\r\n"));
  CHECK(has(text, "SUMMARY:Die Brücke\\; am Kwai\\, II\r\n"));
  CHECK(has(text, "DTSTART:20261126T183000Z\r\n"));
  CHECK(has(text, "SEQUENCE:0\r\n"));
  CHECK(has(text, "STATUS:CONFIRMED\r\n"));
  CHECK(has(text, "METHOD:PUBLISH\r\n"));
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find("\r\n", at);
    REQUIRE(end != std::string::npos);
    CHECK(end - at <= 75);
    at = end + 2;
  }
}

TEST_CASE("calendar: cancellations: update the same event, and the last one cancels it") {
  BookingFacts booking = example();
  booking.tickets[0].cancelled = true;
  booking.changes = 1;
  std::string text = booking_calendar(booking, {});
  CHECK(has(text, "SEQUENCE:1\r\n"));
  CHECK(has(text, "Seats F13."));
  CHECK(has(text, "STATUS:CONFIRMED"));
  booking.tickets[1].cancelled = true;
  booking.changes = 2;
  text = booking_calendar(booking, {});
  CHECK(has(text, "SEQUENCE:2\r\n"));
  CHECK(has(text, "METHOD:CANCEL"));
  CHECK(has(text, "STATUS:CANCELLED"));
}

TEST_CASE("ticket_sheet: money: is written with the minor units of its currency") {
  CHECK(money_text({1'505, *parse_currency("USD")}) == "15.05 USD");
  CHECK(money_text({1'505, *parse_currency("JPY")}) == "1505 JPY");
  CHECK(money_text({1'505, *parse_currency("KWD")}) == "1.505 KWD");
}

TEST_CASE("zones: local_text: is the wall's time with the zone's abbreviation, on both sides of a change") {
  const auto zone = catalog::Zone::find("Europe/Berlin");
  REQUIRE(zone);
  CHECK(zone->local_text(*catalog::parse_instant("2026-10-25T00:59:00Z")) == "2026-10-25 02:59 CEST");
  CHECK(zone->local_text(*catalog::parse_instant("2026-10-25T01:00:00Z")) == "2026-10-25 02:00 CET");
}
