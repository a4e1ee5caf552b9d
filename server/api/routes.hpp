#pragma once
/// The calls of DESIGN 7 that this server answers, each with the number that the router, the metrics and the API share.

#include <array>
#include <cstddef>
#include <string_view>

#include "server/http/router.hpp"

namespace usher::server::api {

enum class Route : http::RouteId {
  list_movies,
  suggest_movies,
  show_movie,
  list_showtimes,
  list_theaters,
  show_theater,
  list_cities,
  show_show,
  show_seats,
  live,
  reserve,
  read_reservation,
  release,
  book,
  list_bookings,
  read_booking,
  preview_cancel,
  cancel,
  ticket_svg,
  ticket_png,
  ticket_pdf,
  calendar,
  ticket_keys,
  check_in,
  list_revocations,
  list_events,
  export_me,
  erase_me,
  commands,
  import,
  put_movie,
  put_theater,
  put_show,
  cancel_show,
  block_seats,
  unblock_seats,
  add_ticket_key,
  retire_ticket_key,
  put_gate,
  list_gates,
  remove_gate,
  list_deliveries,
  retry_delivery,
  health,
  ready,
  metrics,
  openapi,
  asyncapi,
  index,
  page,  ///< of server/web; these have no pattern
  none,  ///< what no route answers
  count_
};

struct RouteInfo {
  http::Method method;
  std::string_view pattern;
  std::string_view name;  ///< in the metrics
};

inline constexpr std::array<RouteInfo, static_cast<std::size_t>(Route::count_)> routes{{
    {http::Method::get, "/movies", "GET /movies"},
    {http::Method::get, "/movies/suggest", "GET /movies/suggest"},
    {http::Method::get, "/movies/{id}", "GET /movies/{id}"},
    {http::Method::get, "/movies/{id}/showtimes", "GET /movies/{id}/showtimes"},
    {http::Method::get, "/theaters", "GET /theaters"},
    {http::Method::get, "/theaters/{id}", "GET /theaters/{id}"},
    {http::Method::get, "/cities", "GET /cities"},
    {http::Method::get, "/shows/{id}", "GET /shows/{id}"},
    {http::Method::get, "/shows/{id}/seats", "GET /shows/{id}/seats"},
    {http::Method::get, "/shows/{id}/live", "GET /shows/{id}/live"},
    {http::Method::post, "/shows/{id}/reserve", "POST /shows/{id}/reserve"},
    {http::Method::get, "/reservations/{id}", "GET /reservations/{id}"},
    {http::Method::delete_, "/reservations/{id}", "DELETE /reservations/{id}"},
    {http::Method::post, "/bookings", "POST /bookings"},
    {http::Method::get, "/bookings", "GET /bookings"},
    {http::Method::get, "/bookings/{id}", "GET /bookings/{id}"},
    {http::Method::get, "/bookings/{id}/cancellation", "GET /bookings/{id}/cancellation"},
    {http::Method::post, "/bookings/{id}/cancel", "POST /bookings/{id}/cancel"},
    {http::Method::get, "/bookings/{id}/tickets/{tid}.svg", "GET /bookings/{id}/tickets/{tid}.svg"},
    {http::Method::get, "/bookings/{id}/tickets/{tid}.png", "GET /bookings/{id}/tickets/{tid}.png"},
    {http::Method::get, "/bookings/{id}/tickets/{tid}.pdf", "GET /bookings/{id}/tickets/{tid}.pdf"},
    {http::Method::get, "/bookings/{id}/calendar.ics", "GET /bookings/{id}/calendar.ics"},
    {http::Method::get, "/.well-known/usher-keys.json", "GET /.well-known/usher-keys.json"},
    {http::Method::post, "/checkins", "POST /checkins"},
    {http::Method::get, "/revocations", "GET /revocations"},
    {http::Method::get, "/events", "GET /events"},
    {http::Method::get, "/me/export", "GET /me/export"},
    {http::Method::delete_, "/me", "DELETE /me"},
    {http::Method::post, "/commands", "POST /commands"},
    {http::Method::post, "/admin/import", "POST /admin/import"},
    {http::Method::put, "/admin/movies/{id}", "PUT /admin/movies/{id}"},
    {http::Method::put, "/admin/theaters/{id}", "PUT /admin/theaters/{id}"},
    {http::Method::put, "/admin/shows/{id}", "PUT /admin/shows/{id}"},
    {http::Method::post, "/admin/shows/{id}/cancel", "POST /admin/shows/{id}/cancel"},
    {http::Method::post, "/admin/shows/{id}/block", "POST /admin/shows/{id}/block"},
    {http::Method::post, "/admin/shows/{id}/unblock", "POST /admin/shows/{id}/unblock"},
    {http::Method::post, "/admin/ticket-keys", "POST /admin/ticket-keys"},
    {http::Method::delete_, "/admin/ticket-keys/{kid}", "DELETE /admin/ticket-keys/{kid}"},
    {http::Method::post, "/admin/gates", "POST /admin/gates"},
    {http::Method::get, "/admin/gates", "GET /admin/gates"},
    {http::Method::delete_, "/admin/gates/{id}", "DELETE /admin/gates/{id}"},
    {http::Method::get, "/admin/deliveries", "GET /admin/deliveries"},
    {http::Method::post, "/admin/deliveries/{id}/retry", "POST /admin/deliveries/{id}/retry"},
    {http::Method::get, "/healthz", "GET /healthz"},
    {http::Method::get, "/readyz", "GET /readyz"},
    {http::Method::get, "/metrics", "GET /metrics"},
    {http::Method::get, "/openapi.json", "GET /openapi.json"},
    {http::Method::get, "/asyncapi.json", "GET /asyncapi.json"},
    {http::Method::get, "/", "GET /"},
    {http::Method::get, "", "GET page"},
    {http::Method::get, "", "unknown"},
}};

}  // namespace usher::server::api
