#include "server/openapi/openapi.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "usher/refusal.hpp"

using namespace usher;

namespace {

std::size_t occurrences(std::string_view text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

}  // namespace

TEST_CASE("openapi: the embedded document: is the whole file, an object from end to end") {
  const std::string_view text = server::openapi::document();
  CHECK(text.starts_with("{\n  \"openapi\": \"3.1.0\""));
  CHECK(text.ends_with("}\n"));
  CHECK(std::count(text.begin(), text.end(), '{') == std::count(text.begin(), text.end(), '}'));
  CHECK(std::count(text.begin(), text.end(), '[') == std::count(text.begin(), text.end(), ']'));
}

TEST_CASE("openapi: every refusal: is a problem code, and an answer of some operation") {
  const std::string_view text = server::openapi::document();
  for (std::size_t i = 1; i < static_cast<std::size_t>(Refusal::count_); ++i) {
    const std::string code = '"' + std::string{describe(static_cast<Refusal>(i)).code} + '"';
    CAPTURE(code);
    CHECK(occurrences(text, code) >= 2);
  }
  for (const std::string_view name : payment_decline_names)
    CHECK(occurrences(text, '"' + std::string{name} + '"') >= 1);
}

TEST_CASE("openapi: the paths of the sale: are all there") {
  const std::string_view text = server::openapi::document();
  for (const char* path :
       {"/movies", "/movies/{movie_id}", "/movies/{movie_id}/showtimes", "/theaters", "/shows/{show_id}/seats",
        "/shows/{show_id}/reserve", "/reservations/{reservation_id}", "/bookings", "/bookings/{booking_id}",
        "/bookings/{booking_id}/cancellation", "/bookings/{booking_id}/cancel", "/commands", "/admin/import",
        "/healthz", "/readyz", "/metrics", "/openapi.json"}) {
    CAPTURE(path);
    CHECK(occurrences(text, '"' + std::string{path} + "\": {") == 1);
  }
}
