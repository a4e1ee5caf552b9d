#include "bench/flash_sale/response.hpp"

#include <charconv>

namespace usher::flash {
namespace {

constexpr std::size_t head_bytes_max = 64 * 1024;
constexpr std::size_t body_bytes_max = 1U << 30U;

char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equals(std::string_view text, std::string_view lowered) noexcept {
  if (text.size() != lowered.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (lower(text[i]) != lowered[i]) return false;
  }
  return true;
}

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

template <class Number>
bool number(std::string_view text, Number& value, int base = 10) noexcept {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return error == std::errc{} && end == text.data() + text.size();
}

struct Fields {
  std::size_t length = 0;
  bool chunked = false;
  bool valid = true;
};

void read_field(std::string_view name, std::string_view value, Response& response, Fields& fields) {
  if (equals(name, "content-length")) {
    fields.valid = fields.valid && number(value, fields.length);
  } else if (equals(name, "transfer-encoding")) {
    fields.chunked = equals(value, "chunked");
    fields.valid = fields.valid && fields.chunked;
  } else if (equals(name, "etag")) {
    response.etag = value;
  } else if (equals(name, "set-cookie")) {
    if (response.set_cookie.empty()) response.set_cookie = value.substr(0, value.find(';'));
  } else if (equals(name, "retry-after")) {
    (void)number(value, response.retry_after_s);
  } else if (equals(name, "connection")) {
    response.closes = equals(value, "close");
  } else if (equals(name, "content-type")) {
    response.event_stream = response.event_stream || value.starts_with("text/event-stream");
  }
}

Fields read_fields(std::string_view head, Response& response) {
  Fields fields;
  std::size_t at = head.find("\r\n");
  while (at != std::string_view::npos && at + 2 < head.size()) {
    const std::size_t end = head.find("\r\n", at + 2);
    const std::string_view line = head.substr(at + 2, end - at - 2);
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos) {
      read_field(line.substr(0, colon), trimmed(line.substr(colon + 1)), response, fields);
    }
    at = end;
  }
  return fields;
}

}  // namespace

ResponseParser::Found ResponseParser::next(std::string_view bytes, Response& response, std::size_t& size) {
  const std::size_t head_end = bytes.find("\r\n\r\n");
  if (bytes.size() >= 9 && (bytes.substr(0, 7) != "HTTP/1." || bytes[8] != ' ')) return Found::malformed;
  if (head_end == std::string_view::npos) return bytes.size() > head_bytes_max ? Found::malformed : Found::partial;
  response = Response{};
  if (head_end < 12 || !number(bytes.substr(9, 3), response.status) || response.status < 100) return Found::malformed;
  const Fields fields = read_fields(bytes.substr(0, head_end), response);
  if (!fields.valid) return Found::malformed;
  size = head_end + 4;
  if (response.status == 101) response.event_stream = true;
  if (response.event_stream || response.status < 200 || response.status == 204 || response.status == 304) {
    return Found::whole;
  }
  if (fields.chunked) return chunked(bytes.substr(size), response, size);
  if (fields.length > body_bytes_max) return Found::malformed;
  if (bytes.size() - size < fields.length) return Found::partial;
  response.body = bytes.substr(size, fields.length);
  size += fields.length;
  return Found::whole;
}

ResponseParser::Found ResponseParser::chunked(std::string_view rest, Response& response, std::size_t& size) {
  joined_.clear();
  std::size_t at = 0;
  for (;;) {
    const std::size_t end = rest.find("\r\n", at);
    if (end == std::string_view::npos) return Found::partial;
    const std::string_view line = rest.substr(at, end - at);
    std::size_t length = 0;
    if (!number(trimmed(line.substr(0, line.find(';'))), length, 16)) return Found::malformed;
    if (length > body_bytes_max) return Found::malformed;
    at = end + 2;
    if (length == 0) break;
    if (rest.size() < at + length + 2) return Found::partial;
    joined_ += rest.substr(at, length);
    at += length + 2;
  }
  for (;;) {  // trailers, to the empty line
    const std::size_t end = rest.find("\r\n", at);
    if (end == std::string_view::npos) return Found::partial;
    const bool last = end == at;
    at = end + 2;
    if (last) break;
  }
  response.body = joined_;
  size += at;
  return Found::whole;
}

}  // namespace usher::flash
