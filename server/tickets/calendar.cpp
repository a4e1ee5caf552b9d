#include "server/tickets/calendar.hpp"

#include "server/json/writer.hpp"

namespace usher::server::tickets {
namespace {

constexpr std::size_t line_bytes_max = 75;

/// "20261126T183000Z"
[[nodiscard]] std::string utc(Instant instant) {
  char text[json::instant_text_bytes];
  json::write_instant(instant, text);
  std::string out;
  for (std::size_t i = 0; i < 19; ++i) {
    if (text[i] != '-' && text[i] != ':') out.push_back(text[i]);
  }
  return out + "Z";
}

/// RFC 5545 section 3.3.11.
[[nodiscard]] std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (static_cast<unsigned char>(c) < 0x20) continue;
    if (c == '\\' || c == ';' || c == ',') out.push_back('\\');
    out.push_back(c);
  }
  return out;
}

/// Folds (section 3.1), never within a UTF-8 sequence.
void add_line(std::string& out, std::string_view line) {
  std::size_t room = line_bytes_max;
  while (line.size() > room) {
    std::size_t cut = room;
    while ((static_cast<unsigned char>(line[cut]) & 0xc0U) == 0x80U) --cut;
    out += line.substr(0, cut);
    out += "\r\n ";
    line.remove_prefix(cut);
    room = line_bytes_max - 1;
  }
  out += line;
  out += "\r\n";
}

}  // namespace

std::string booking_calendar(const BookingFacts& booking, Instant now) {
  const bool cancelled = booking.cancelled();
  std::string seats;
  for (const TicketFacts& ticket : booking.tickets) {
    if (ticket.cancelled) continue;
    seats += seats.empty() ? "" : ", ";
    seats += ticket.seat;
  }
  std::string out;
  add_line(out, "BEGIN:VCALENDAR");
  add_line(out, "VERSION:2.0");
  add_line(out, "PRODID:-//Usher//Tickets//EN");
  add_line(out, cancelled ? "METHOD:CANCEL" : "METHOD:PUBLISH");
  add_line(out, "BEGIN:VEVENT");
  add_line(out, "UID:" + to_string(booking.id) + "@usher");
  add_line(out, "SEQUENCE:" + std::to_string(booking.changes));
  add_line(out, cancelled ? "STATUS:CANCELLED" : "STATUS:CONFIRMED");
  add_line(out, "DTSTAMP:" + utc(now));
  add_line(out, "CREATED:" + utc(booking.booked_at));
  add_line(out, "DTSTART:" + utc(booking.show.start));
  add_line(out, "DTEND:" + utc(booking.show.end));
  add_line(out, "SUMMARY:" + escaped(booking.show.movie));
  add_line(out, "LOCATION:" + escaped(booking.show.theater + ", " + booking.show.screen + ", " + booking.show.address));
  const std::string what = seats.empty() ? "Cancelled." : "Seats " + seats + ".";
  add_line(out, "DESCRIPTION:" + escaped(what + "\nBooking " + to_string(booking.id)));
  add_line(out, "END:VEVENT");
  add_line(out, "END:VCALENDAR");
  return out;
}

}  // namespace usher::server::tickets
