#include "bench/flash_sale/venue.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

namespace usher::flash {

Venue::Venue(std::string authority, std::string movie, std::string city, std::string date,
             const std::vector<std::string>& shows)
    : host_(" HTTP/1.1\r\nHost: " + std::move(authority) + "\r\n"),
      movie_(std::move(movie)),
      city_(std::move(city)),
      date_(std::move(date)) {
  for (const std::string& id : shows) shows_.push_back({id, {}});
}

std::uint32_t Venue::seats_left() const noexcept {
  std::uint32_t sum = 0;
  for (const VenueShow& show : shows_) sum += show.left == ~0U ? 0 : show.left;
  return sum;
}

std::string Venue::get(std::string_view path, std::string_view who) const {
  std::string request;
  request.reserve(path.size() + host_.size() + who.size() + 8);
  return request.append("GET ").append(path).append(host_).append(who).append("\r\n");
}

std::string Venue::post(std::string_view path, std::string_view body, std::string_view key,
                        std::string_view who) const {
  std::string request;
  request.reserve(path.size() + host_.size() + who.size() + body.size() + key.size() + 110);
  request.append("POST ").append(path).append(host_).append(who);
  if (!key.empty()) request.append("Idempotency-Key: ").append(key).append("\r\n");
  if (!body.empty()) request.append("Content-Type: application/json\r\n");
  request.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n\r\n");
  return request.append(body);
}

std::string Venue::browse(std::uint32_t page, std::string_view who) const {
  switch (page % 4) {
    case 0:
      return get("/movies/" + movie_ + "/showtimes?city_id=" + city_ + "&date=" + date_, who);
    case 1:
      return get("/movies?city_id=" + city_ + "&date=" + date_ + "&limit=20", who);
    case 2:
      return get("/movies/" + movie_, who);
    default:
      return get("/theaters?city=" + city_, who);
  }
}

std::string Venue::seat_map(std::size_t show, std::string_view etag, std::string_view who) const {
  std::string request = "GET /shows/" + shows_[show].id + "/seats" + host_;
  request.append(who);
  if (!etag.empty()) request.append("If-None-Match: ").append(etag).append("\r\n");
  return request.append("\r\n");
}

std::string Venue::reserve(std::size_t show, const std::vector<std::uint32_t>& seats, std::string_view key,
                           std::string_view extra, std::string_view who) const {
  std::string body = "{\"seat_ids\":[";
  for (const std::uint32_t seat : seats) {
    if (body.back() != '[') body += ',';
    body.append("\"").append(shows_[show].hall.label(seat)).append("\"");
  }
  body.append("]").append(extra).append("}");
  return post("/shows/" + shows_[show].id + "/reserve", body, key, who);
}

std::string Venue::release(std::string_view reservation, std::string_view who) const {
  std::string request = "DELETE /reservations/";
  return request.append(reservation).append(host_).append(who).append("\r\n");
}

std::string Venue::book(std::string_view reservation, std::string_view card, std::string_view key,
                        std::string_view who) const {
  std::string body = "{\"reservation_id\":\"";
  body.append(reservation).append("\",\"payment_token\":\"").append(card).append("\"}");
  return post("/bookings", body, key, who);
}

std::string Venue::cancel(std::string_view booking, std::string_view seat, std::string_view key,
                          std::string_view who) const {
  std::string body;
  if (!seat.empty()) body.append("{\"seat_ids\":[\"").append(seat).append("\"]}");
  return post("/bookings/" + std::string(booking) + "/cancel", body, key, who);
}

namespace {

std::string utc(std::int64_t ms, const char* format) {
  return fmt::format(fmt::runtime(format), fmt::gmtime(static_cast<std::time_t>(ms / 1'000)));
}

std::string rows_of(const Stage& stage) {
  std::string rows;
  for (const std::string& row : stage.rows) {
    const std::size_t blank = row.find(' ');
    rows += fmt::format(R"({}{{"row":"{}","seats":"{}"}})", rows.empty() ? "" : ",", row.substr(0, blank),
                        row.substr(blank + 1));
  }
  return rows;
}

}  // namespace

OwnCatalog make_catalog(const Scenario& scenario, const std::string& prefix, std::int64_t now_ms) {
  constexpr std::int64_t hour_ms = 3'600'000;
  const Stage& stage = scenario.stage;
  OwnCatalog made{"", prefix + "-movie", "greenwich", "", {}};
  std::string screens;
  std::string shows;
  const std::int64_t now = now_ms / 1'000 * 1'000;
  for (std::uint32_t n = 0; n < stage.shows; ++n) {
    const std::string id = fmt::format("{}-{:05}", prefix, n);
    const std::int64_t start = now + stage.starts_in_hours[n % stage.starts_in_hours.size()] * hour_ms;
    if (n == 0) made.date = utc(start, "{:%Y-%m-%d}");
    screens += fmt::format(R"({}{{"screen_id":"{}-screen","name":"{}","layout_id":"{}-hall"}})", n == 0 ? "" : ",\n",
                           id, n + 1, prefix);
    shows += fmt::format(
        R"({}{{"show_id":"{}","movie_id":"{}","screen_id":"{}-screen","start_time":"{}",)"
        R"("price_standard":{{"amount":{},"currency":"GBP"}},"price_premium":{{"amount":{},"currency":"GBP"}}}})",
        n == 0 ? "" : ",\n", id, made.movie, id, utc(start, "{:%Y-%m-%dT%H:%M:%SZ}"), stage.price_standard,
        stage.price_premium);
    made.shows.push_back(id);
  }
  made.document = fmt::format(
      R"({{"layouts":[{{"layout_id":"{0}-hall","rows":[{1}]}}],
"movies":[{{"movie_id":"{2}","title":"The Flash Sale","description":"What everybody wants to see.","duration_minutes":110,)"
      R"("genre":"Drama","language":"English","release_date":"2024-01-01","rating":"PG"}}],
"theaters":[{{"theater_id":"{0}-theater","name":"Flash Theater","chain":"Flash","city":"Greenwich","city_id":"{3}",)"
      R"("address":"1 Meridian Road","latitude":51.48,"longitude":0.0,"time_zone":"Etc/UTC","screens":[{4}]}}],
"shows":[{5}]}})",
      prefix, rows_of(stage), made.movie, made.city, screens, shows);
  return made;
}

}  // namespace usher::flash
