#include "server/http/head.hpp"

#include <array>

#include "server/http/chars.hpp"

namespace usher::server::http {
namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(Method::count_)> method_names{
    "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"};

constexpr std::array<ParseErrorInfo, static_cast<std::size_t>(ParseError::count_)> error_table{{
    {200, "none", ""},
    {400, "bad_request_line", "The request line is malformed"},
    {414, "target_too_long", "The request target is too long"},
    {400, "bad_target", "The request target is malformed"},
    {505, "version_not_supported", "HTTP/1.1 and HTTP/1.0 are spoken here"},
    {501, "method_not_implemented", "No such method"},
    {431, "head_too_large", "The request head is too large"},
    {431, "too_many_fields", "The request has too many header fields"},
    {400, "bad_field_name", "A header field's name is malformed"},
    {400, "space_before_colon", "Space between a header field's name and its colon"},
    {400, "folded_field", "Folded header fields are obsolete"},
    {400, "bad_field_value", "A header field's value has a control character"},
    {400, "missing_host", "The Host field is missing"},
    {400, "duplicate_host", "More than one Host field"},
    {400, "bad_host", "The Host field is malformed"},
    {400, "duplicate_field", "A header field that may stand once is given twice"},
    {400, "duplicate_content_length", "More than one Content-Length field"},
    {400, "bad_content_length", "Content-Length must be digits only"},
    {400, "bad_transfer_encoding", "Transfer-Encoding must be exactly `chunked`, on HTTP/1.1"},
    {400, "transfer_encoding_and_length", "Transfer-Encoding and Content-Length exclude each other"},
    {417, "expectation_failed", "The only expectation met is 100-continue"},
    {413, "body_too_large", "The request body is too large"},
    {400, "bad_chunk", "The chunked body is malformed"},
    {400, "chunk_extension_too_long", "The chunk extensions are too long"},
    {431, "trailer_too_large", "The trailer section is too large"},
    {408, "head_timeout", "The request head did not come in time"},
    {408, "body_timeout", "The request body did not come in time"},
    {503, "memory_exhausted", "Too many large requests at once"},
}};

}  // namespace

std::string_view to_string(Method method) noexcept {
  return method_names[static_cast<std::size_t>(method)];
}

const ParseErrorInfo& describe(ParseError error) noexcept {
  return error_table[static_cast<std::size_t>(error)];
}

bool RequestHead::wants_websocket() const noexcept {
  return method == Method::get && !http_1_0 && connection_upgrade && equals_lower(upgrade, "websocket") &&
         !sec_websocket_key.empty();
}

std::optional<std::string_view> find_field(const RequestHead& head, std::string_view name) noexcept {
  std::string_view rest = head.fields;
  while (!rest.empty()) {
    const std::size_t end = rest.find("\r\n");
    const std::string_view line = rest.substr(0, end);
    const std::size_t colon = line.find(':');
    if (equals_lower(line.substr(0, colon), name)) return trim(line.substr(colon + 1));
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 2);
  }
  return std::nullopt;
}

}  // namespace usher::server::http
