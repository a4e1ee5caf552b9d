#include "server/http/head.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace {

using namespace usher::server::http;

const HeadLimits limits;

HeadResult parse(std::string_view bytes, RequestHead& head) {
  return parse_head(bytes, limits, head);
}

ParseError error_of(std::string_view bytes) {
  RequestHead head;
  const HeadResult result = parse(bytes, head);
  CHECK(result.status == (result.error == ParseError::none ? result.status : ParseStatus::error));
  return result.error;
}

std::string with(std::string_view fields) {
  return "GET /x HTTP/1.1\r\nHost: a\r\n" + std::string{fields} + "\r\n";
}

TEST_CASE("head: a browser's request: every part is where it belongs") {
  const std::string bytes =
      "POST /shows/7/reserve?a=1&b HTTP/1.1\r\nHost: example.org:8080\r\nAuthorization: Bearer abc\r\n"
      "content-TYPE:application/json\r\nContent-Length: 12 \r\nIdempotency-Key:\t k1\t\r\nCookie: a=b\r\n"
      "X-Forwarded-For: 1.2.3.4\r\nX-Anything: \xc3\xa4\r\n\r\nrest";
  RequestHead head;
  const HeadResult result = parse(bytes, head);
  REQUIRE(result.status == ParseStatus::complete);
  CHECK(result.size == bytes.size() - 4);
  CHECK(head.method == Method::post);
  CHECK(head.target == "/shows/7/reserve?a=1&b");
  CHECK(head.path == "/shows/7/reserve");
  CHECK(head.query == "a=1&b");
  CHECK(head.host == "example.org:8080");
  CHECK(head.authorization == "Bearer abc");
  CHECK(head.content_type == "application/json");
  CHECK(head.content_length == 12);
  CHECK(head.idempotency_key == "k1");
  CHECK(head.cookie == "a=b");
  CHECK(head.x_forwarded_for == "1.2.3.4");
  CHECK(head.keep_alive);
  CHECK(find_field(head, "x-anything") == "\xc3\xa4");
  CHECK_FALSE(find_field(head, "x-any").has_value());
}

TEST_CASE("head: cut at every byte: more is asked for, never another verdict") {
  const std::vector<std::string> whole{
      "POST /shows/7/reserve HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\nConnection: keep-alive\r\n\r\n",
      "\r\nGET / HTTP/1.0\r\nHost: [::1]:80\r\n\r\n"};
  for (const std::string& bytes : whole) {
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      RequestHead head;
      const std::string part = bytes.substr(0, size);
      CHECK_MESSAGE(parse(part, head).status == ParseStatus::need_more, size);
    }
    RequestHead head;
    CHECK(parse(bytes, head).status == ParseStatus::complete);
  }
}

TEST_CASE("head: a wrong request cut at every byte: the same error as whole, or more is asked for") {
  const std::vector<std::string> wrong{
      "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
      "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n",
      "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
      "BREW / HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET x HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET / HTTP/1.1\r\nX: b\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"};
  for (const std::string& bytes : wrong) {
    const ParseError whole = error_of(bytes);
    CHECK_MESSAGE(whole != ParseError::none, bytes);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const ParseError part = error_of(bytes.substr(0, size));
      CHECK_MESSAGE((part == ParseError::none || part == whole), bytes.substr(0, size));
    }
  }
}

TEST_CASE("head: Host: exactly one valid on 1.1, at most one on 1.0") {
  CHECK(error_of("GET / HTTP/1.1\r\n\r\n") == ParseError::missing_host);
  CHECK(error_of("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n") == ParseError::duplicate_host);
  CHECK(error_of("GET / HTTP/1.0\r\nHost: a\r\nhost: a\r\n\r\n") == ParseError::duplicate_host);
  CHECK(error_of("GET / HTTP/1.0\r\n\r\n") == ParseError::none);
  for (const char* host :
       {"", "a b", "a/b", "a:b", "a:123456", "[::1", "[]", "[g::1]", "a@b", ":80", "a\"", "[::1]x"}) {
    CHECK_MESSAGE(error_of("GET / HTTP/1.1\r\nHost: " + std::string{host} + "\r\n\r\n") == ParseError::bad_host, host);
  }
  for (const char* host : {"a", "a:", "a:80", "127.0.0.1:8080", "[::1]", "[2001:db8::1]:443", "a_b.c-d~"}) {
    CHECK_MESSAGE(error_of("GET / HTTP/1.1\r\nHost: " + std::string{host} + "\r\n\r\n") == ParseError::none, host);
  }
}

TEST_CASE("head: framing fields: nothing that two parsers could read differently") {
  CHECK(error_of(with("Content-Length: 5\r\nContent-Length: 5\r\n")) == ParseError::duplicate_content_length);
  for (const char* length : {"", "+5", "-1", "5, 5", "0x5", "5 5", "five", "1e3"}) {
    CHECK_MESSAGE(error_of(with("Content-Length: " + std::string{length} + "\r\n")) == ParseError::bad_content_length,
                  length);
  }
  CHECK(error_of(with("Content-Length: 99999999999999999999\r\n")) == ParseError::body_too_large);
  CHECK(error_of(with("Transfer-Encoding: chunked\r\n")) == ParseError::none);
  CHECK(error_of(with("Transfer-Encoding: Chunked\r\n")) == ParseError::none);
  for (const char* coding : {"gzip", "gzip, chunked", "chunked, chunked", "identity", "", "xchunked", "chunked;q=1"}) {
    CHECK_MESSAGE(
        error_of(with("Transfer-Encoding: " + std::string{coding} + "\r\n")) == ParseError::bad_transfer_encoding,
        coding);
  }
  CHECK(error_of(with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")) ==
        ParseError::bad_transfer_encoding);
  CHECK(error_of(with("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n")) ==
        ParseError::transfer_encoding_and_length);
  CHECK(error_of("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n") ==
        ParseError::bad_transfer_encoding);
  CHECK(error_of(with("Content-Length: 5\r\nContent-Length: 6\r\n")) == ParseError::duplicate_content_length);
  CHECK(error_of(with("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n")) ==
        ParseError::transfer_encoding_and_length);
  CHECK(error_of(with("Connection: close keep-alive\r\n")) == ParseError::bad_field_value);
}

TEST_CASE("head: field lines: no folding, no space before the colon, no bare CR or LF, no controls") {
  CHECK(error_of(with("A: b\r\n c\r\n")) == ParseError::folded_field);
  CHECK(error_of(with("\tA: b\r\n")) == ParseError::folded_field);
  CHECK(error_of(with("A:\r\n b\r\n")) == ParseError::folded_field);
  CHECK(error_of(with("A: \r\n \r\n")) == ParseError::folded_field);
  CHECK(error_of(with("A: b\r\n " + std::string(5'000, 'c') + "\r\n")) == ParseError::folded_field);
  CHECK(error_of(with("Content-Length: 1\r\n 2\r\n")) == ParseError::folded_field);
  CHECK(error_of(with("A : b\r\n")) == ParseError::space_before_colon);
  CHECK(error_of(with(": b\r\n")) == ParseError::bad_field_name);
  CHECK(error_of(with("A\x01: b\r\n")) == ParseError::bad_field_name);
  CHECK(error_of(with("A(: b\r\n")) == ParseError::bad_field_name);
  CHECK(error_of(with("A\r\n")) == ParseError::bad_field_name);
  CHECK(error_of(with("A: b\nC: d\r\n")) == ParseError::bad_field_value);
  CHECK(error_of(with("A: b\rC: d\r\n")) == ParseError::bad_field_value);
  CHECK(error_of(with("A: b\x7f\r\n")) == ParseError::bad_field_value);
  CHECK(error_of(with(std::string("A: b\0c\r\n", 8))) == ParseError::bad_field_value);
  CHECK(error_of(with("A: a control behind sixteen bytes \x02\r\n")) == ParseError::bad_field_value);
  CHECK(error_of("GET / HTTP/1.1\r\nHost: a\r\n\rX") == ParseError::bad_field_name);
  CHECK(error_of("GET / HTTP/1.1\nHost: a\n\n") == ParseError::bad_request_line);
  CHECK(error_of(with("Authorization: a\r\nAuthorization: b\r\n")) == ParseError::duplicate_field);
  CHECK(error_of(with("Idempotency-Key: a\r\nIdempotency-Key: a\r\n")) == ParseError::duplicate_field);
}

TEST_CASE("head: request line: methods, targets and versions") {
  CHECK(error_of("BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n") == ParseError::method_not_implemented);
  CHECK(error_of("CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n") == ParseError::method_not_implemented);
  CHECK(error_of("get / HTTP/1.1\r\nHost: a\r\n\r\n") == ParseError::method_not_implemented);
  CHECK(error_of("G{T / HTTP/1.1\r\nHost: a\r\n\r\n") == ParseError::bad_request_line);
  CHECK(error_of("GET /\r\nHost: a\r\n\r\n") == ParseError::bad_request_line);
  CHECK(error_of("GET / HTTP/1.1 \r\nHost: a\r\n\r\n") == ParseError::bad_request_line);
  CHECK(error_of("GET / http/1.1\r\nHost: a\r\n\r\n") == ParseError::bad_request_line);
  CHECK(error_of("GET / HTTP/1.2\r\nHost: a\r\n\r\n") == ParseError::version_not_supported);
  CHECK(error_of("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") == ParseError::version_not_supported);
  CHECK(error_of("GET  / HTTP/1.1\r\nHost: a\r\n\r\n") == ParseError::bad_target);
  CHECK(error_of("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n") == ParseError::bad_target);
  CHECK(error_of("GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n") == ParseError::bad_target);
  CHECK(error_of("GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n") == ParseError::bad_target);
  CHECK(error_of("GET * HTTP/1.1\r\nHost: a\r\n\r\n") == ParseError::bad_target);
  CHECK(error_of("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n") == ParseError::none);
  CHECK(error_of("\x16\x03\x01\x02\x00\x01") == ParseError::bad_request_line);
}

TEST_CASE("head: absolute form: the authority of the target replaces Host") {
  RequestHead head;
  REQUIRE(parse("GET http://shop.example/a?b HTTP/1.1\r\nHost: other\r\n\r\n", head).status == ParseStatus::complete);
  CHECK(head.host == "shop.example");
  CHECK(head.path == "/a");
  CHECK(head.query == "b");
  REQUIRE(parse("GET https://shop.example HTTP/1.1\r\nHost: other\r\n\r\n", head).status == ParseStatus::complete);
  CHECK(head.path == "/");
  CHECK(error_of("GET http:/// HTTP/1.1\r\nHost: a\r\n\r\n") == ParseError::bad_target);
}

TEST_CASE("head: limits at -1, 0, +1") {
  for (const std::size_t size : {limits.target_bytes_max - 1, limits.target_bytes_max, limits.target_bytes_max + 1}) {
    const std::string bytes = "GET /" + std::string(size - 1, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n";
    CHECK(error_of(bytes) == (size <= limits.target_bytes_max ? ParseError::none : ParseError::target_too_long));
  }
  for (const std::size_t count : {limits.fields_max - 1, limits.fields_max, limits.fields_max + 1}) {
    std::string fields;
    for (std::size_t i = 1; i < count; ++i) fields += "A: b\r\n";
    CHECK(error_of(with(fields)) == (count <= limits.fields_max ? ParseError::none : ParseError::too_many_fields));
  }
  for (const std::size_t size : {limits.head_bytes_max - 1, limits.head_bytes_max, limits.head_bytes_max + 1}) {
    const std::string bytes = with("A: " + std::string(size - with("A: \r\n").size(), 'b') + "\r\n");
    REQUIRE(bytes.size() == size);
    CHECK(error_of(bytes) == (size <= limits.head_bytes_max ? ParseError::none : ParseError::head_too_large));
  }
  CHECK(error_of("GET / HTTP/1.1\r\nA: " + std::string(limits.head_bytes_max, 'b')) == ParseError::head_too_large);
  CHECK(error_of("GET /" + std::string(limits.head_bytes_max, 'b')) == ParseError::target_too_long);
  CHECK(error_of(std::string(100, 'A')) == ParseError::bad_request_line);
}

TEST_CASE("head: persistence: by version and Connection") {
  const auto keep_alive = [](std::string_view bytes) {
    RequestHead head;
    REQUIRE(parse(bytes, head).status == ParseStatus::complete);
    return head.keep_alive;
  };
  CHECK(keep_alive("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  CHECK_FALSE(keep_alive("GET / HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n"));
  CHECK_FALSE(keep_alive("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nConnection: x, close\r\n\r\n"));
  CHECK_FALSE(keep_alive("GET / HTTP/1.0\r\nHost: a\r\n\r\n"));
  CHECK(keep_alive("GET / HTTP/1.0\r\nHost: a\r\nConnection: Keep-Alive\r\n\r\n"));
}

TEST_CASE("head: expectations: 100-continue or 417, and none on 1.0") {
  RequestHead head;
  REQUIRE(parse(with("Expect: 100-Continue\r\n"), head).status == ParseStatus::complete);
  CHECK(head.expects_continue);
  CHECK(error_of(with("Expect: something\r\n")) == ParseError::expectation_failed);
  REQUIRE(parse("GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n", head).status == ParseStatus::complete);
  CHECK_FALSE(head.expects_continue);
}

TEST_CASE("head: WebSocket handshake: seen when all of it is there") {
  const std::string fields = "Upgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n";
  const std::string whole = with(fields + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
  const std::string part = with(fields);
  RequestHead head;
  REQUIRE(parse(whole, head).status == ParseStatus::complete);
  CHECK(head.wants_websocket());
  REQUIRE(parse(part, head).status == ParseStatus::complete);
  CHECK_FALSE(head.wants_websocket());
}

TEST_CASE("head: every error has a status of 4xx or 5xx, a code and a detail") {
  for (std::size_t i = 1; i < static_cast<std::size_t>(ParseError::count_); ++i) {
    const ParseErrorInfo& info = describe(static_cast<ParseError>(i));
    CHECK(info.status >= 400);
    CHECK_FALSE(info.code.empty());
    CHECK_FALSE(info.detail.empty());
  }
}

}  // namespace
