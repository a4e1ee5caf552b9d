#include "server/ws/handshake.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace usher::server;
using namespace usher::server::ws;

namespace {

http::RequestHead websocket_head() {
  http::RequestHead head;
  head.method = http::Method::get;
  head.connection_upgrade = true;
  head.upgrade = "websocket";
  head.host = "shop.example:8080";
  head.sec_websocket_version = "13";
  head.sec_websocket_key = "dGhlIHNhbXBsZSBub25jZQ==";
  return head;
}

HandshakeError read(const http::RequestHead& head, Wish& wish, std::vector<std::string> origins = {}) {
  return read_wish(head, origins, wish);
}

}  // namespace

TEST_CASE("handshake: section 1.3: the key of the standard's example gets its answer") {
  CHECK(accept_key("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  Wish wish;
  const http::RequestHead head = websocket_head();
  CHECK(read(head, wish).status == 0);
  const std::string answer = stream_head(head, wish);
  CHECK(answer.starts_with("HTTP/1.1 101 Switching Protocols\r\n"));
  CHECK(answer.find("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n") != std::string::npos);
  CHECK(answer.find("Sec-WebSocket-Protocol") == std::string::npos);
  CHECK(answer.ends_with("\r\n\r\n"));
}

TEST_CASE("handshake: section 4.2.1: what is missing or wrong is named") {
  Wish wish;
  http::RequestHead head = websocket_head();
  head.sec_websocket_version = "8";
  CHECK(read(head, wish).status == 426);
  CHECK(read(head, wish).fields.find("Sec-WebSocket-Version: 13") != std::string_view::npos);
  for (const char* key :
       {"", "c2hvcnQ=", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZ!==", "dGhlIHNhbXBsZSBub25jZR=="}) {
    CAPTURE(key);
    head = websocket_head();
    head.sec_websocket_key = key;
    CHECK(read(head, wish).status == 400);
    CHECK(read(head, wish).code == "invalid_handshake");
  }
  head = websocket_head();
  head.http_1_0 = true;
  CHECK(read(head, wish).status == 400);
  head = websocket_head();
  head.connection_upgrade = false;
  CHECK(read(head, wish).status == 400);
  head = websocket_head();
  head.method = http::Method::head;
  CHECK(read(head, wish).status == 400);
}

TEST_CASE("handshake: neither a WebSocket nor events: 426") {
  Wish wish;
  http::RequestHead head;
  head.accept = "text/html, application/json";
  CHECK(read(head, wish).status == 426);
  CHECK(read(head, wish).code == "upgrade_required");
}

TEST_CASE("handshake: subprotocols: the client's first that is known") {
  const auto chosen = [](std::string_view offered) {
    http::RequestHead head = websocket_head();
    head.sec_websocket_protocol = offered;
    Wish wish;
    CHECK(read(head, wish).status == 0);
    return std::pair{wish.format, wish.protocol};
  };
  CHECK(chosen("") == std::pair{Format::json, std::string_view{}});
  CHECK(chosen("soap, wamp") == std::pair{Format::json, std::string_view{}});
  CHECK(chosen("usher.binary.v1") == std::pair{Format::binary, binary_protocol});
  CHECK(chosen("x ,\tusher.json.v1 , usher.binary.v1") == std::pair{Format::json, json_protocol});
}

TEST_CASE("handshake: events: by Accept, going on where Last-Event-ID was") {
  http::RequestHead head;
  head.accept = "text/plain;q=0.5, Text/Event-Stream";
  head.last_event_id = "17";
  Wish wish;
  CHECK(read(head, wish).status == 0);
  CHECK(wish.format == Format::events);
  CHECK(wish.from == 17U);
  CHECK(stream_head(head, wish).find("Content-Type: text/event-stream\r\n") != std::string::npos);
  head.last_event_id = "not ours";
  Wish fresh;
  CHECK(read(head, fresh).status == 0);
  CHECK_FALSE(fresh.from.has_value());
}

TEST_CASE("handshake: from: an LSN and nothing else") {
  http::RequestHead head = websocket_head();
  head.query = "from=18446744073709551615";
  Wish wish;
  CHECK(read(head, wish).status == 0);
  CHECK(wish.from == 18'446'744'073'709'551'615U);
  for (const char* query :
       {"from=", "from=-1", "from=1x", "from=18446744073709551616", "from=1&from=2", "frm=1", "from=%zz"}) {
    CAPTURE(query);
    head.query = query;
    CHECK(read(head, wish).code == "invalid_parameter");
  }
}

TEST_CASE("handshake: section 10.2: pages of other origins are kept out unless they are listed") {
  http::RequestHead head = websocket_head();
  const auto allowed = [&](std::string_view origin, std::vector<std::string> list) {
    head.origin = origin;
    return origin_allowed(head, list);
  };
  CHECK(allowed("", {}));
  CHECK(allowed("https://Shop.Example:8080", {}));
  CHECK_FALSE(allowed("https://shop.example", {}));
  CHECK_FALSE(allowed("https://evil.example", {}));
  CHECK_FALSE(allowed("null", {"https://a.example"}));
  CHECK(allowed("https://A.example", {"https://b.example", "https://a.example"}));
  CHECK_FALSE(allowed("https://a.example.evil.example", {"https://a.example"}));
  CHECK(allowed("null", {"*"}));
  head.origin = "https://evil.example";
  Wish wish;
  CHECK(read(head, wish).status == 403);
  CHECK(read(head, wish).code == "origin_not_allowed");
}
