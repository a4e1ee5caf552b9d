#pragma once
/// What is answered to a request, and how it becomes bytes. A Response owns nothing but, perhaps, a share of a prebuilt
/// body; it is read once, within Connection::respond(). Writing the head is a handful of copies of ready-made strings.

#include <cstdint>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>

#include "server/http/head.hpp"
#include "server/json/text_buffer.hpp"
#include "server/json/writer.hpp"
#include "usher/refusal.hpp"

namespace usher::server::http {

namespace content_type {
inline constexpr std::string_view json = "application/json";
inline constexpr std::string_view problem = "application/problem+json";
inline constexpr std::string_view ndjson = "application/x-ndjson";
inline constexpr std::string_view html = "text/html; charset=utf-8";
inline constexpr std::string_view text = "text/plain; charset=utf-8";
}  // namespace content_type

struct Response {
  std::uint16_t status = 200;
  std::string_view content_type = content_type::json;   ///< empty: the field is left out
  std::string_view body = {};                           ///< copied by respond()
  std::shared_ptr<const std::string> shared_body = {};  ///< instead of `body`, sent from where it lies
  std::string_view fields = {};                         ///< further header lines, ready made, each with its CR LF
  bool close = false;                                   ///< close the connection behind this answer
};

/// How the connection wants it.
struct ResponseStyle {
  bool head_only = false;       ///< the request was HEAD: the length, but no body
  bool close = false;           ///< say Connection: close
  bool say_keep_alive = false;  ///< an HTTP/1.0 client has to be told
};

/// The Date field (RFC 9110 section 6.6.1), rebuilt at most once per second. One per loop.
class DateField {
 public:
  /// Returns: "Date: Tue, 24 Nov 2026 08:00:00 GMT\r\n"; the view lives until the next call.
  [[nodiscard]] std::string_view at(std::time_t now) noexcept;

 private:
  static constexpr std::size_t bytes = 37;
  std::time_t built_for_ = -1;
  char text_[bytes]{};
};

/// "Created" for 201; "Unknown" for a status that the server never sends.
[[nodiscard]] std::string_view reason_phrase(std::uint16_t status) noexcept;

/// Appends status line, fields, empty line and (unless shared, or HEAD) the body.
void append_response(json::TextBuffer& out, const Response& response, std::string_view date_field, ResponseStyle style);

/// An RFC 9457 problem. `type` is "urn:usher:problem:" + code.
struct Problem {
  std::uint16_t status = 400;
  std::string_view code;  ///< plain ASCII without quotes
  std::string_view title{};
  std::string_view detail{};  ///< may be empty; may repeat what a client sent: it is escaped
};
/// Writes the members of a problem into an object that is open, so that further members can follow.
void write_problem_members(json::Writer& writer, const Problem& problem);
/// Appends a whole problem document.
void append_problem(json::TextBuffer& out, const Problem& problem);
[[nodiscard]] inline Problem to_problem(Refusal refusal, std::string_view detail = {}) noexcept {
  const RefusalInfo& info = describe(refusal);
  return {info.status, info.code, info.title, detail};
}
[[nodiscard]] Problem to_problem(ParseError error) noexcept;

/// Answers that are due when there is no time left to write one: 503 with Retry-After: 1, body and all from a static
/// buffer. `code` of the body is `overloaded`.
[[nodiscard]] const Response& overloaded_response() noexcept;
/// 429 with Retry-After: 1; `code` is `too_many_requests`.
[[nodiscard]] const Response& too_many_requests_response() noexcept;

}  // namespace usher::server::http
