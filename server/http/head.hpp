#pragma once
/// The head of a request (request line and fields) and the framing guard: what an HTTP/1.1 server must refuse so that
/// it and a proxy in front of it never disagree about where a request ends (RFC 9112; RELIABILITY "framing guard").
/// A pure function over a flat buffer: no allocation, no copy, no state. The views of a RequestHead point into that
/// buffer and live as long as it is not moved.

#include <cstdint>
#include <optional>
#include <string_view>

namespace usher::server::http {

enum class Method : std::uint8_t { get, head, post, put, delete_, patch, options, trace, count_ };
[[nodiscard]] std::string_view to_string(Method method) noexcept;

/// What can be wrong with a request before anybody has looked at what it asks for. Each is answered, then the
/// connection is closed: after any of them the two sides may disagree about where the next request begins.
enum class ParseError : std::uint8_t {
  none = 0,
  bad_request_line,
  target_too_long,
  bad_target,
  version_not_supported,
  method_not_implemented,
  head_too_large,
  too_many_fields,
  bad_field_name,
  space_before_colon,
  folded_field,
  bad_field_value,
  missing_host,
  duplicate_host,
  bad_host,
  duplicate_field,
  duplicate_content_length,
  bad_content_length,
  bad_transfer_encoding,
  transfer_encoding_and_length,
  expectation_failed,
  body_too_large,
  bad_chunk,
  chunk_extension_too_long,
  trailer_too_large,
  head_timeout,
  body_timeout,
  memory_exhausted,
  count_
};

struct ParseErrorInfo {
  std::uint16_t status;     ///< HTTP
  std::string_view code;    ///< stable, on the wire
  std::string_view detail;  ///< for people
};
[[nodiscard]] const ParseErrorInfo& describe(ParseError error) noexcept;

struct HeadLimits {
  std::size_t head_bytes_max = 16U * 1024U;   ///< 431
  std::size_t target_bytes_max = 8U * 1024U;  ///< 414
  std::size_t fields_max = 100;               ///< 431
};

/// Everything of a head that the server uses. A field that was not sent is an empty view.
struct RequestHead {
  Method method = Method::get;
  bool http_1_0 = false;
  bool keep_alive = true;           ///< the client lets the connection live on after the answer
  bool chunked = false;             ///< Transfer-Encoding: chunked
  bool expects_continue = false;    ///< Expect: 100-continue, HTTP/1.1 only
  bool connection_upgrade = false;  ///< Connection names `upgrade`
  std::uint64_t content_length = 0;
  std::string_view target;  ///< as sent
  std::string_view path;    ///< of the target, still percent-encoded; "*" for OPTIONS *
  std::string_view query;   ///< behind the '?', still encoded; see Query
  std::string_view host;
  std::string_view authorization;
  std::string_view content_type;
  std::string_view content_encoding;
  std::string_view idempotency_key;
  std::string_view cookie;
  std::string_view if_none_match;
  std::string_view accept;
  std::string_view accept_encoding;
  std::string_view origin;
  std::string_view forwarded;        ///< the last one sent: the one the nearest proxy wrote
  std::string_view x_forwarded_for;  ///< the last one sent
  std::string_view traceparent;
  std::string_view last_event_id;
  std::string_view upgrade;
  std::string_view sec_websocket_key;
  std::string_view sec_websocket_version;
  std::string_view sec_websocket_protocol;
  std::string_view sec_websocket_extensions;
  std::string_view fields;  ///< all field lines, raw; see find_field()

  /// A WebSocket handshake by RFC 6455 section 4.2.1, as far as the head can tell.
  [[nodiscard]] bool wants_websocket() const noexcept;
};

enum class ParseStatus : std::uint8_t { complete, need_more, error };

struct HeadResult {
  ParseStatus status = ParseStatus::need_more;
  ParseError error = ParseError::none;
  std::size_t size = 0;  ///< bytes of the head, the empty line included, when complete
};

/// Reads the head at the start of `input` into `head`. One empty line in front of it is skipped (RFC 9112 section 2.2).
/// Returns: complete with its size; need_more when `input` ends before the head does; or the first error, which is the
/// same however the bytes were split.
[[nodiscard]] HeadResult parse_head(std::string_view input, const HeadLimits& limits, RequestHead& head) noexcept;

/// Looks up a field that RequestHead has no member for, by its name in lower case.
/// Returns: the value of the first such field, or nothing.
[[nodiscard]] std::optional<std::string_view> find_field(const RequestHead& head, std::string_view name) noexcept;

}  // namespace usher::server::http
