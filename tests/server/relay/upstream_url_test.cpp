#include "server/relay/upstream_url.hpp"

#include <doctest/doctest.h>

using namespace usher::server::relay;

TEST_CASE("upstream url: host, port and path: are taken apart") {
  const auto url = parse_upstream_url("https://tickets.example:8443/eu/");
  REQUIRE(url.ok());
  CHECK(url.value().tls);
  CHECK(url.value().host == "tickets.example");
  CHECK(url.value().port == "8443");
  CHECK(url.value().prefix == "/eu");
  CHECK(url.value().authority() == "tickets.example:8443");
}

TEST_CASE("upstream url: no port: the scheme's own, which the Host field leaves out") {
  const auto plain = parse_upstream_url("http://10.0.0.5");
  REQUIRE(plain.ok());
  CHECK_FALSE(plain.value().tls);
  CHECK(plain.value().port == "80");
  CHECK(plain.value().prefix.empty());
  CHECK(plain.value().authority() == "10.0.0.5");
  const auto secret = parse_upstream_url("wss://tickets.example");
  REQUIRE(secret.ok());
  CHECK(secret.value().tls);
  CHECK(secret.value().port == "443");
  CHECK(secret.value().authority() == "tickets.example");
}

TEST_CASE("upstream url: IPv6: brackets in the Host field and nowhere else") {
  const auto url = parse_upstream_url("ws://[::1]:8080");
  REQUIRE(url.ok());
  CHECK(url.value().host == "::1");
  CHECK(url.value().authority() == "[::1]:8080");
}

TEST_CASE("upstream url: what is none: is refused by name and rule") {
  for (const char* text : {"", "tickets.example:8080", "ftp://tickets.example", "http://",
                           "http://user@tickets.example", "http://tickets.example?x=1", "http://tickets.example#x",
                           "http://tickets.example:0", "http://tickets.example:99999", "http://a b"}) {
    CAPTURE(text);
    const auto url = parse_upstream_url(text);
    REQUIRE_FALSE(url.ok());
    CHECK(url.error().detail.starts_with("relay.upstream: "));
  }
}
