#include "server/http/response.hpp"

#include <array>
#include <charconv>

namespace usher::server::http {
namespace {

struct StatusLine {
  std::uint16_t status;
  std::string_view line;
};
// The most frequent first.
constexpr std::array status_lines{
    StatusLine{201, "HTTP/1.1 201 Created\r\n"},
    StatusLine{200, "HTTP/1.1 200 OK\r\n"},
    StatusLine{409, "HTTP/1.1 409 Conflict\r\n"},
    StatusLine{204, "HTTP/1.1 204 No Content\r\n"},
    StatusLine{304, "HTTP/1.1 304 Not Modified\r\n"},
    StatusLine{429, "HTTP/1.1 429 Too Many Requests\r\n"},
    StatusLine{503, "HTTP/1.1 503 Service Unavailable\r\n"},
    StatusLine{202, "HTTP/1.1 202 Accepted\r\n"},
    StatusLine{301, "HTTP/1.1 301 Moved Permanently\r\n"},
    StatusLine{302, "HTTP/1.1 302 Found\r\n"},
    StatusLine{303, "HTTP/1.1 303 See Other\r\n"},
    StatusLine{307, "HTTP/1.1 307 Temporary Redirect\r\n"},
    StatusLine{308, "HTTP/1.1 308 Permanent Redirect\r\n"},
    StatusLine{400, "HTTP/1.1 400 Bad Request\r\n"},
    StatusLine{401, "HTTP/1.1 401 Unauthorized\r\n"},
    StatusLine{402, "HTTP/1.1 402 Payment Required\r\n"},
    StatusLine{403, "HTTP/1.1 403 Forbidden\r\n"},
    StatusLine{404, "HTTP/1.1 404 Not Found\r\n"},
    StatusLine{405, "HTTP/1.1 405 Method Not Allowed\r\n"},
    StatusLine{406, "HTTP/1.1 406 Not Acceptable\r\n"},
    StatusLine{408, "HTTP/1.1 408 Request Timeout\r\n"},
    StatusLine{410, "HTTP/1.1 410 Gone\r\n"},
    StatusLine{412, "HTTP/1.1 412 Precondition Failed\r\n"},
    StatusLine{413, "HTTP/1.1 413 Content Too Large\r\n"},
    StatusLine{414, "HTTP/1.1 414 URI Too Long\r\n"},
    StatusLine{415, "HTTP/1.1 415 Unsupported Media Type\r\n"},
    StatusLine{417, "HTTP/1.1 417 Expectation Failed\r\n"},
    StatusLine{422, "HTTP/1.1 422 Unprocessable Content\r\n"},
    StatusLine{426, "HTTP/1.1 426 Upgrade Required\r\n"},
    StatusLine{431, "HTTP/1.1 431 Request Header Fields Too Large\r\n"},
    StatusLine{500, "HTTP/1.1 500 Internal Server Error\r\n"},
    StatusLine{501, "HTTP/1.1 501 Not Implemented\r\n"},
    StatusLine{502, "HTTP/1.1 502 Bad Gateway\r\n"},
    StatusLine{504, "HTTP/1.1 504 Gateway Timeout\r\n"},
    StatusLine{505, "HTTP/1.1 505 HTTP Version Not Supported\r\n"},
};

std::string_view find_status_line(std::uint16_t status) noexcept {
  for (const StatusLine& line : status_lines) {
    if (line.status == status) return line.line;
  }
  return {};
}

bool has_no_body(std::uint16_t status) noexcept {
  return status == 204 || status == 304 || status < 200;
}

// Copies into space that is known to be there.
char* put(char* at, std::string_view text) noexcept {
  if (!text.empty()) std::memcpy(at, text.data(), text.size());
  return at + text.size();
}

char* put_status_line(char* at, std::uint16_t status) noexcept {
  const std::string_view line = find_status_line(status);
  if (!line.empty()) return put(at, line);
  at = put(at, "HTTP/1.1 ");
  at = std::to_chars(at, at + 5, status).ptr;
  return put(at, " Unknown\r\n");
}

char* put_length(char* at, std::size_t length) noexcept {
  at = put(at, "Content-Length: ");
  at = std::to_chars(at, at + 20, length).ptr;
  return put(at, "\r\n");
}

// Longest status line, Date, Content-Length, Connection and the names of the rest: 340 in sum, rounded up.
constexpr std::size_t head_bytes_max = 512;

Response make_static(std::uint16_t status, std::string_view body) {
  Response response;
  response.status = status;
  response.content_type = content_type::problem;
  response.body = body;
  response.fields = "Retry-After: 1\r\nCache-Control: no-store\r\n";
  return response;
}

}  // namespace

std::string_view DateField::at(std::time_t now) noexcept {
  if (now == built_for_) return {text_, bytes};
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[64];
  const std::size_t size = std::strftime(text, sizeof text, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts);
  if (size != bytes) return {};
  std::memcpy(text_, text, bytes);
  built_for_ = now;
  return {text_, bytes};
}

std::string_view reason_phrase(std::uint16_t status) noexcept {
  constexpr std::size_t prefix = std::string_view{"HTTP/1.1 200 "}.size();
  const std::string_view line = find_status_line(status);
  return line.empty() ? std::string_view{"Unknown"} : line.substr(prefix, line.size() - prefix - 2);
}

void append_response(json::TextBuffer& out, const Response& response, std::string_view date_field,
                     ResponseStyle style) {
  const std::size_t length = response.shared_body ? response.shared_body->size() : response.body.size();
  const bool no_body = has_no_body(response.status);
  const std::string_view body = no_body || style.head_only || response.shared_body ? std::string_view{} : response.body;
  char* const begin = out.prepare(head_bytes_max + response.content_type.size() + response.fields.size() + body.size());
  char* at = put_status_line(begin, response.status);
  at = put(at, date_field);
  if (!no_body) {
    if (!response.content_type.empty()) {
      at = put(at, "Content-Type: ");
      at = put(at, response.content_type);
      at = put(at, "\r\n");
    }
    at = put_length(at, length);
  }
  at = put(at, response.fields);
  if (style.close) {
    at = put(at, "Connection: close\r\n");
  } else if (style.say_keep_alive) {
    at = put(at, "Connection: keep-alive\r\n");
  }
  at = put(at, "\r\n");
  if (!body.empty()) at = put(at, body);
  out.commit(static_cast<std::size_t>(at - begin));
}

void write_problem_members(json::Writer& writer, const Problem& problem) {
  writer.key("type");
  json::TextBuffer& out = writer.buffer();
  out.append("\"urn:usher:problem:");
  out.append(problem.code);
  out.push('"');
  writer.field("title", problem.title.empty() ? reason_phrase(problem.status) : problem.title);
  writer.field("status", std::uint32_t{problem.status});
  writer.key("code");
  writer.plain_string(problem.code);
  if (!problem.detail.empty()) writer.field("detail", problem.detail);
}

void append_problem(json::TextBuffer& out, const Problem& problem) {
  out.push('{');
  json::Writer writer(out);
  write_problem_members(writer, problem);
  writer.end_object();
}

Problem to_problem(ParseError error) noexcept {
  const ParseErrorInfo& info = describe(error);
  return {info.status, info.code, reason_phrase(info.status), info.detail};
}

const Response& overloaded_response() noexcept {
  static const Response response = make_static(
      503, R"({"type":"urn:usher:problem:overloaded","title":"Service Unavailable","status":503,"code":"overloaded"})");
  return response;
}

const Response& too_many_requests_response() noexcept {
  static const Response response =
      make_static(429, R"({"type":"urn:usher:problem:too_many_requests","title":"Too Many Requests","status":429,)"
                       R"("code":"too_many_requests"})");
  return response;
}

}  // namespace usher::server::http
