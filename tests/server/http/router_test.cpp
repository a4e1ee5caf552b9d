#include "server/http/router.hpp"

#include <doctest/doctest.h>

#include <string>

namespace {

using namespace usher::server::http;

enum Route : RouteId { root, movies, suggest, movie, seats, reserve, booking, cancel, svg, ticket };

Router make_router() {
  Router router;
  router.add(Method::get, "/", root);
  router.add(Method::get, "/movies", movies);
  router.add(Method::get, "/movies/suggest", suggest);
  router.add(Method::get, "/movies/{id}", movie);
  router.add(Method::get, "/shows/{id}/seats", seats);
  router.add(Method::post, "/shows/{id}/reserve", reserve);
  router.add(Method::get, "/bookings/{id}", booking);
  router.add(Method::delete_, "/bookings/{id}", cancel);
  router.add(Method::get, "/bookings/{id}/tickets/{tid}.svg", svg);
  router.add(Method::get, "/bookings/{id}/tickets/{tid}", ticket);
  return router;
}

TEST_CASE("router: literals before parameters, parameters in their order") {
  const Router router = make_router();
  const auto at = [&](std::string_view path) { return router.match(Method::get, path); };
  CHECK(at("/").route == root);
  CHECK(at("/movies").route == movies);
  CHECK(at("/movies/suggest").route == suggest);
  CHECK(at("/movies/suggestion").route == movie);
  CHECK(at("/movies/suggestion").parameters[0] == "suggestion");
  const RouteMatch match = router.match(Method::post, "/shows/a%2Fb/reserve");
  CHECK(match.kind == RouteMatch::Kind::found);
  CHECK(match.route == reserve);
  CHECK(match.parameter_count == 1);
  CHECK(match.parameters[0] == "a%2Fb");
  const RouteMatch with_ending = at("/bookings/7/tickets/8.svg");
  CHECK(with_ending.route == svg);
  CHECK(with_ending.parameters[0] == "7");
  CHECK(with_ending.parameters[1] == "8");
  CHECK(at("/bookings/7/tickets/8.pdf").route == ticket);
  CHECK(at("/bookings/7/tickets/8.pdf").parameters[1] == "8.pdf");
}

TEST_CASE("router: 404 and 405 are told apart, HEAD goes where GET goes") {
  const Router router = make_router();
  for (const char* path : {"", "*", "/none", "/movies/", "/movies//", "//", "/shows/7", "/shows//seats",
                           "/bookings/7/tickets", "/movies/1/2/3/4/5/6"}) {
    CHECK_MESSAGE(router.match(Method::get, path).kind == RouteMatch::Kind::not_found, path);
  }
  const RouteMatch wrong = router.match(Method::post, "/bookings/7");
  CHECK(wrong.kind == RouteMatch::Kind::method_not_allowed);
  CHECK(wrong.allow_field == "Allow: GET, HEAD, DELETE\r\n");
  CHECK(router.match(Method::get, "/shows/7/reserve").allow_field == "Allow: POST\r\n");
  CHECK(router.match(Method::head, "/bookings/7").route == booking);
  CHECK(router.match(Method::head, "/shows/7/reserve").kind == RouteMatch::Kind::method_not_allowed);
}

TEST_CASE("percent: decoded, and refused where malformed or NUL") {
  std::string out;
  CHECK(percent_decode("a%20b%C3%a4+", out));
  CHECK(out == "a b\xc3\xa4+");
  CHECK(percent_decode("a+b", out, true));
  CHECK(out == "a b");
  for (const char* wrong : {"%", "%1", "%g0", "%0g", "a%00"}) CHECK_MESSAGE(!percent_decode(wrong, out), wrong);
}

TEST_CASE("query: parameters, empty ones, unknown ones, and what is refused") {
  Query query;
  REQUIRE(query.parse("city=New+York&q=a%26b&flag&&empty="));
  REQUIRE(query.find("city") != nullptr);
  CHECK(*query.find("city") == "New York");
  CHECK(*query.find("q") == "a&b");
  CHECK(*query.find("flag") == "");
  CHECK(query.find("none") == nullptr);
  CHECK(query.first_unknown() == "empty");
  CHECK(*query.find("empty") == "");
  CHECK(query.first_unknown() == "");
  CHECK(query.parse(""));
  CHECK_FALSE(query.parse("a=1&a=2"));
  CHECK_FALSE(query.parse("a=%zz"));
  std::string many;
  for (std::size_t i = 0; i < Query::parameters_max; ++i) many += "p" + std::to_string(i) + "=1&";
  CHECK(query.parse(many));
  CHECK_FALSE(query.parse(many + "one=more"));
}

}  // namespace
