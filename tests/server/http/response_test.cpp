#include "server/http/response.hpp"

#include <doctest/doctest.h>

#include <string>

namespace {

using namespace usher::server;
using namespace usher::server::http;

constexpr std::string_view date = "Date: Tue, 24 Nov 2026 08:00:00 GMT\r\n";

std::string write(const Response& response, ResponseStyle style = {}) {
  json::TextBuffer out;
  append_response(out, response, date, style);
  return std::string{out.view()};
}

TEST_CASE("response: head and body, byte for byte") {
  Response response;
  response.status = 201;
  response.body = "{}";
  response.fields = "Cache-Control: no-store\r\n";
  CHECK(write(response) ==
        "HTTP/1.1 201 Created\r\nDate: Tue, 24 Nov 2026 08:00:00 GMT\r\nContent-Type: application/json\r\n"
        "Content-Length: 2\r\nCache-Control: no-store\r\n\r\n{}");
}

TEST_CASE("response: 204 and 304: no body, no length, no type") {
  Response response;
  response.status = 204;
  CHECK(write(response) == "HTTP/1.1 204 No Content\r\n" + std::string{date} + "\r\n");
  response.status = 304;
  response.body = "must not be sent";
  response.fields = "ETag: \"1\"\r\n";
  CHECK(write(response) == "HTTP/1.1 304 Not Modified\r\n" + std::string{date} + "ETag: \"1\"\r\n\r\n");
}

TEST_CASE("response: styles: HEAD, close, HTTP/1.0 keep-alive, shared body") {
  Response response;
  response.body = "12345";
  CHECK(write(response, {true, false, false}).ends_with("Content-Length: 5\r\n\r\n"));
  CHECK(write(response, {false, true, true}).find("Connection: close\r\n") != std::string::npos);
  CHECK(write(response, {false, false, true}).find("Connection: keep-alive\r\n") != std::string::npos);
  response.shared_body = std::make_shared<const std::string>("1234567");
  CHECK(write(response).ends_with("Content-Length: 7\r\n\r\n"));
}

TEST_CASE("response: every status the server uses has its phrase, others are legal still") {
  for (const std::uint16_t status :
       std::initializer_list<std::uint16_t>{200, 201, 202, 204, 304, 400, 401, 402, 403, 404, 405, 408, 409,
                                            410, 413, 414, 415, 417, 422, 426, 429, 431, 500, 501, 503, 505}) {
    CHECK_MESSAGE(reason_phrase(status) != "Unknown", status);
    Response response;
    response.status = status;
    CHECK(write(response).starts_with("HTTP/1.1 " + std::to_string(status) + " " + std::string{reason_phrase(status)} +
                                      "\r\n"));
  }
  Response response;
  response.status = 299;
  CHECK(write(response).starts_with("HTTP/1.1 299 Unknown\r\n"));
}

TEST_CASE("date: by RFC 9110, and another when the second changes") {
  DateField field;
  CHECK(field.at(784'111'777) == "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
  CHECK(field.at(784'111'778) == "Date: Sun, 06 Nov 1994 08:49:38 GMT\r\n");
}

TEST_CASE("problem: members of RFC 9457 and the code, what clients sent is escaped") {
  json::TextBuffer out;
  append_problem(out, to_problem(usher::Refusal::unknown_seat, "no seat \"Z9\"\n"));
  CHECK(out.view() == R"({"type":"urn:usher:problem:unknown_seat","title":"No such seat in this show","status":400,)"
                      R"("code":"unknown_seat","detail":"no seat \"Z9\"\n"})");
  out.clear();
  json::Writer writer(out);
  writer.begin_object();
  write_problem_members(writer, {409, "c", {}, {}});
  writer.field("lsn", 7);
  writer.end_object();
  CHECK(out.view() == R"({"type":"urn:usher:problem:c","title":"Conflict","status":409,"code":"c","lsn":7})");
}

TEST_CASE("static answers: 503 and 429 with Retry-After") {
  CHECK(write(overloaded_response()).starts_with("HTTP/1.1 503 Service Unavailable\r\n"));
  CHECK(write(overloaded_response()).find("Retry-After: 1\r\n") != std::string::npos);
  CHECK(write(too_many_requests_response()).find("\"code\":\"too_many_requests\"") != std::string::npos);
}

}  // namespace
