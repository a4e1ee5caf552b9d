#include "bench/flash_sale/response.hpp"

#include <doctest/doctest.h>

using namespace usher::flash;
using Found = ResponseParser::Found;

namespace {

constexpr std::string_view plain =
    "HTTP/1.1 201 Created\r\nContent-Length: 5\r\nETag: \"7\"\r\nset-cookie: session=abc; HttpOnly; "
    "Path=/\r\nRetry-After: "
    "3\r\n\r\nhello";

}  // namespace

TEST_CASE("response: a whole answer: status, body and the fields that matter") {
  ResponseParser parser;
  Response response;
  std::size_t size = 0;
  REQUIRE(parser.next(std::string(plain) + "HTTP/1.1 200", response, size) == Found::whole);
  CHECK(size == plain.size());
  CHECK(response.status == 201);
  CHECK(response.body.size() == 5);
  CHECK(response.retry_after_s == 3);
  CHECK_FALSE(response.closes);
}

TEST_CASE("response: views: they show the very bytes") {
  ResponseParser parser;
  Response response;
  std::size_t size = 0;
  REQUIRE(parser.next(plain, response, size) == Found::whole);
  CHECK(response.body == "hello");
  CHECK(response.etag == "\"7\"");
  CHECK(response.set_cookie == "session=abc");
}

TEST_CASE("response: any shorter prefix: partial") {
  ResponseParser parser;
  for (std::size_t count = 0; count < plain.size(); ++count) {
    Response response;
    std::size_t size = 0;
    CHECK(parser.next(plain.substr(0, count), response, size) == Found::partial);
  }
}

TEST_CASE("response: no body by its status: the next one begins after the head") {
  ResponseParser parser;
  for (const std::string_view text :
       {"HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 304 Not Modified\r\nContent-Length: 900\r\n\r\n"}) {
    Response response;
    std::size_t size = 0;
    REQUIRE(parser.next(text, response, size) == Found::whole);
    CHECK(size == text.size());
    CHECK(response.body.empty());
  }
}

TEST_CASE("response: chunked, as a proxy may send it: joined, in any number of pieces") {
  const std::string text =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n4;x=1\r\nWiki\r\nA\r\npedia in "
      "c\r\n0\r\nT: 1\r\n\r\n";
  ResponseParser parser;
  Response response;
  std::size_t size = 0;
  for (std::size_t count = 0; count < text.size(); ++count) {
    CHECK(parser.next(std::string_view(text).substr(0, count), response, size) == Found::partial);
  }
  REQUIRE(parser.next(text, response, size) == Found::whole);
  CHECK(response.body == "Wikipedia in c");
  CHECK(size == text.size());
  CHECK(response.closes);
}

TEST_CASE("response: what is no HTTP, or says two things: malformed") {
  ResponseParser parser;
  for (const std::string_view text :
       {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"}) {
    Response response;
    std::size_t size = 0;
    CHECK_MESSAGE(parser.next(text, response, size) == Found::malformed, text);
  }
}
