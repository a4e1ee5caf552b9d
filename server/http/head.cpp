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

// The first digit of a longer number would not fit 64 bits.
constexpr std::size_t length_digits_max = 19;
constexpr std::size_t method_bytes_max = 32;
constexpr std::size_t version_bytes = 8;

/// One pass over a head. Every step returns `ok`, or stops the parse with need_more or an error.
class HeadParser {
 public:
  HeadParser(std::string_view input, const HeadLimits& limits, RequestHead& head) noexcept
      : begin_(input.data()), at_(begin_), end_(begin_ + input.size()), limits_(limits), head_(head) {}

  HeadResult run() noexcept;

 private:
  // What a step found: go on, or stop here.
  enum class Step : std::uint8_t { ok, stop };

  Step fail(ParseError error) noexcept {
    result_.status = ParseStatus::error;
    result_.error = error;
    return Step::stop;
  }
  Step need_more() noexcept {
    if (static_cast<std::size_t>(end_ - begin_) > limits_.head_bytes_max) return fail(ParseError::head_too_large);
    return Step::stop;
  }

  Step skip_empty_line() noexcept;
  Step request_line() noexcept;
  Step method(std::string_view line, std::size_t& size) noexcept;
  Step target(std::string_view text) noexcept;
  Step version(std::string_view text) noexcept;
  Step fields() noexcept;
  Step field() noexcept;
  Step line_end(const char* control, ParseError error) noexcept;
  Step name_error(const char* name) noexcept;
  Step keep(std::string_view name, std::string_view value) noexcept;
  Step keep_short(std::string_view name, std::string_view value) noexcept;
  Step keep_long(std::string_view name, std::string_view value) noexcept;
  Step once(std::string_view& member, std::string_view value, ParseError error = ParseError::duplicate_field) noexcept {
    if (member.data() != nullptr) return fail(error);
    member = value;
    return Step::ok;
  }
  Step first(std::string_view& member, std::string_view value) noexcept {
    if (member.data() == nullptr) member = value;
    return Step::ok;
  }
  Step connection_tokens(std::string_view value) noexcept;
  Step framing() noexcept;
  Step content_length() noexcept;

  const char* begin_;
  const char* at_;
  const char* end_;
  const HeadLimits& limits_;
  RequestHead& head_;
  HeadResult result_;
  const char* fields_begin_ = nullptr;
  std::string_view content_length_;
  std::string_view transfer_encoding_;
  std::string_view expect_;
  std::string_view authority_;  // of a target in absolute form: it replaces Host (RFC 9112 section 3.2.2)
  bool close_ = false;
  bool keep_alive_ = false;
};

bool valid_host(std::string_view host) noexcept {
  if (host.empty() || host.size() > 255 + 6) return false;
  std::size_t name_end = 0;
  if (host.front() == '[') {
    name_end = host.find(']');
    if (name_end == std::string_view::npos || name_end < 3) return false;
    for (const char c : host.substr(1, name_end - 1)) {
      if (!chars::is(c, chars::hex) && c != ':' && c != '.') return false;
    }
    ++name_end;
  } else {
    while (name_end < host.size() && chars::is(host[name_end], chars::host)) ++name_end;
    if (name_end == 0) return false;
  }
  if (name_end == host.size()) return true;
  if (host[name_end] != ':' || host.size() - name_end > 6) return false;
  for (const char c : host.substr(name_end + 1)) {
    if (!chars::is_digit(c)) return false;
  }
  return true;
}

HeadResult HeadParser::run() noexcept {
  head_ = RequestHead{};
  if (skip_empty_line() == Step::stop || request_line() == Step::stop || fields() == Step::stop) return result_;
  if (framing() == Step::stop) return result_;
  result_.status = ParseStatus::complete;
  result_.size = static_cast<std::size_t>(at_ - begin_);
  return result_;
}

HeadParser::Step HeadParser::skip_empty_line() noexcept {
  if (at_ == end_) return need_more();
  if (*at_ != '\r') return Step::ok;
  if (end_ - at_ < 2) return need_more();
  if (at_[1] != '\n') return fail(ParseError::bad_request_line);
  at_ += 2;
  return at_ == end_ ? need_more() : Step::ok;
}

// Steps over CR LF at `control`, which is where find_control() stopped; any other control is an error.
HeadParser::Step HeadParser::line_end(const char* control, ParseError error) noexcept {
  if (control == end_) return need_more();
  if (*control != '\r') return fail(error);
  if (control + 1 == end_) return need_more();
  if (control[1] != '\n') return fail(error);
  at_ = control + 2;
  return Step::ok;
}

HeadParser::Step HeadParser::request_line() noexcept {
  const char* line = at_;
  const char* control = find_control(at_, end_);
  const auto size = static_cast<std::size_t>(control - line);
  if (size > limits_.target_bytes_max + method_bytes_max + version_bytes + 2) return fail(ParseError::target_too_long);
  const std::string_view text{line, size};
  std::size_t method_size = 0;
  if (method(text, method_size) == Step::stop) return Step::stop;
  if (line_end(control, ParseError::bad_request_line) == Step::stop) return Step::stop;
  const std::size_t target_end = text.rfind(' ');
  if (target_end <= method_size) return fail(ParseError::bad_request_line);
  if (version(text.substr(target_end + 1)) == Step::stop) return Step::stop;
  for (std::size_t i = 0; i < method_names.size(); ++i) {
    if (text.substr(0, method_size) != method_names[i]) continue;
    head_.method = static_cast<Method>(i);
    return target(text.substr(method_size + 1, target_end - method_size - 1));
  }
  return fail(ParseError::method_not_implemented);
}

// Checks as much of the method as there is, so that garbage is refused without waiting for an end of line.
HeadParser::Step HeadParser::method(std::string_view line, std::size_t& size) noexcept {
  while (size < line.size() && chars::is(line[size], chars::token)) ++size;
  if (size > method_bytes_max) return fail(ParseError::bad_request_line);
  if (size < line.size() && (size == 0 || line[size] != ' ')) return fail(ParseError::bad_request_line);
  return Step::ok;
}

HeadParser::Step HeadParser::version(std::string_view text) noexcept {
  if (text == "HTTP/1.1") return Step::ok;
  head_.http_1_0 = text == "HTTP/1.0";
  if (head_.http_1_0) return Step::ok;
  const bool is_version = text.size() == version_bytes && text.starts_with("HTTP/") && chars::is_digit(text[5]) &&
                          text[6] == '.' && chars::is_digit(text[7]);
  return fail(is_version ? ParseError::version_not_supported : ParseError::bad_request_line);
}

HeadParser::Step HeadParser::target(std::string_view text) noexcept {
  if (text.size() > limits_.target_bytes_max) return fail(ParseError::target_too_long);
  for (const char c : text) {
    if (!chars::is(c, chars::target)) return fail(ParseError::bad_target);
  }
  head_.target = text;
  std::string_view rest = text;
  if (rest.starts_with("http://") || rest.starts_with("https://")) {
    rest.remove_prefix(rest[4] == ':' ? 7 : 8);
    const std::size_t end = rest.find_first_of("/?");
    authority_ = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{"/"} : rest.substr(end);
    if (!valid_host(authority_) || rest.front() == '?') return fail(ParseError::bad_target);
  }
  const bool asterisk = rest == "*" && head_.method == Method::options;
  if (rest.empty() || (rest.front() != '/' && !asterisk)) return fail(ParseError::bad_target);
  const std::size_t question = rest.find('?');
  head_.path = rest.substr(0, question);
  if (question != std::string_view::npos) head_.query = rest.substr(question + 1);
  return Step::ok;
}

HeadParser::Step HeadParser::fields() noexcept {
  fields_begin_ = at_;
  for (std::size_t count = 0;; ++count) {
    if (static_cast<std::size_t>(at_ - begin_) > limits_.head_bytes_max) return fail(ParseError::head_too_large);
    if (at_ == end_) return need_more();
    if (*at_ == '\r') {
      head_.fields = {fields_begin_, static_cast<std::size_t>(at_ - fields_begin_)};
      return line_end(at_, ParseError::bad_field_name);
    }
    if (count == limits_.fields_max) return fail(ParseError::too_many_fields);
    if (field() == Step::stop) return Step::stop;
  }
}

HeadParser::Step HeadParser::field() noexcept {
  const char* name = at_;
  const char* colon = name;
  while (colon != end_ && chars::is(*colon, chars::token)) ++colon;
  if (colon == end_) return need_more();
  if (*colon != ':' || colon == name) {
    at_ = colon;
    return name_error(name);
  }
  const char* value = colon + 1;
  while (value != end_ && (*value == ' ' || *value == '\t')) ++value;
  const char* control = find_control(value, end_);
  if (line_end(control, ParseError::bad_field_value) == Step::stop) return Step::stop;
  const char* value_end = control;
  while (value_end != value && (value_end[-1] == ' ' || value_end[-1] == '\t')) --value_end;
  return keep({name, static_cast<std::size_t>(colon - name)}, {value, static_cast<std::size_t>(value_end - value)});
}

HeadParser::Step HeadParser::name_error(const char* name) noexcept {
  const bool space = *at_ == ' ' || *at_ == '\t';
  if (space) return fail(at_ == name ? ParseError::folded_field : ParseError::space_before_colon);
  return fail(ParseError::bad_field_name);
}

HeadParser::Step HeadParser::keep(std::string_view name, std::string_view value) noexcept {
  return name.size() <= 12 ? keep_short(name, value) : keep_long(name, value);
}

HeadParser::Step HeadParser::keep_short(std::string_view name, std::string_view value) noexcept {
  switch (name.size()) {
    case 4:
      if (equals_lower(name, "host")) return once(head_.host, value, ParseError::duplicate_host);
      break;
    case 6:
      if (equals_lower(name, "cookie")) return first(head_.cookie, value);
      if (equals_lower(name, "accept")) return first(head_.accept, value);
      if (equals_lower(name, "expect")) return once(expect_, value);
      if (equals_lower(name, "origin")) return once(head_.origin, value);
      break;
    case 7:
      if (equals_lower(name, "upgrade")) return once(head_.upgrade, value);
      break;
    case 9:
      if (equals_lower(name, "forwarded")) head_.forwarded = value;
      break;
    case 10:
      if (equals_lower(name, "connection")) return connection_tokens(value);
      break;
    case 11:
      if (equals_lower(name, "traceparent")) return first(head_.traceparent, value);
      break;
    case 12:
      if (equals_lower(name, "content-type")) return once(head_.content_type, value);
      break;
    default:
      break;
  }
  return Step::ok;
}

HeadParser::Step HeadParser::keep_long(std::string_view name, std::string_view value) noexcept {
  switch (name.size()) {
    case 13:
      if (equals_lower(name, "authorization")) return once(head_.authorization, value);
      if (equals_lower(name, "if-none-match")) return first(head_.if_none_match, value);
      if (equals_lower(name, "last-event-id")) return first(head_.last_event_id, value);
      break;
    case 14:
      if (!equals_lower(name, "content-length")) break;
      return once(content_length_, value, ParseError::duplicate_content_length);
    case 15:
      if (equals_lower(name, "idempotency-key")) return once(head_.idempotency_key, value);
      if (equals_lower(name, "accept-encoding")) return first(head_.accept_encoding, value);
      if (equals_lower(name, "x-forwarded-for")) head_.x_forwarded_for = value;
      break;
    case 16:
      if (equals_lower(name, "content-encoding")) return once(head_.content_encoding, value);
      break;
    case 17:
      if (equals_lower(name, "sec-websocket-key")) return once(head_.sec_websocket_key, value);
      if (!equals_lower(name, "transfer-encoding")) break;
      return once(transfer_encoding_, value, ParseError::bad_transfer_encoding);
    case 21:
      if (equals_lower(name, "sec-websocket-version")) return once(head_.sec_websocket_version, value);
      break;
    case 22:
      if (equals_lower(name, "sec-websocket-protocol")) return first(head_.sec_websocket_protocol, value);
      break;
    case 24:
      if (equals_lower(name, "sec-websocket-extensions")) return first(head_.sec_websocket_extensions, value);
      break;
    default:
      break;
  }
  return Step::ok;
}

HeadParser::Step HeadParser::connection_tokens(std::string_view value) noexcept {
  while (!value.empty()) {
    const std::size_t comma = value.find(',');
    const std::string_view token = trim(value.substr(0, comma));
    if (equals_lower(token, "close")) close_ = true;
    if (equals_lower(token, "keep-alive")) keep_alive_ = true;
    if (equals_lower(token, "upgrade")) head_.connection_upgrade = true;
    value = comma == std::string_view::npos ? std::string_view{} : value.substr(comma + 1);
  }
  return Step::ok;
}

// The framing guard proper: what the fields say together.
HeadParser::Step HeadParser::framing() noexcept {
  if (static_cast<std::size_t>(at_ - begin_) > limits_.head_bytes_max) return fail(ParseError::head_too_large);
  if (head_.host.data() == nullptr && !head_.http_1_0) return fail(ParseError::missing_host);
  if (head_.host.data() != nullptr && !valid_host(head_.host)) return fail(ParseError::bad_host);
  if (authority_.data() != nullptr) head_.host = authority_;
  if (transfer_encoding_.data() != nullptr) {
    if (content_length_.data() != nullptr) return fail(ParseError::transfer_encoding_and_length);
    if (head_.http_1_0 || !equals_lower(transfer_encoding_, "chunked")) return fail(ParseError::bad_transfer_encoding);
    head_.chunked = true;
  }
  if (content_length_.data() != nullptr && content_length() == Step::stop) return Step::stop;
  if (expect_.data() != nullptr && !head_.http_1_0) {
    if (!equals_lower(expect_, "100-continue")) return fail(ParseError::expectation_failed);
    head_.expects_continue = true;
  }
  head_.keep_alive = head_.http_1_0 ? keep_alive_ && !close_ : !close_;
  return Step::ok;
}

HeadParser::Step HeadParser::content_length() noexcept {
  if (content_length_.empty()) return fail(ParseError::bad_content_length);
  for (const char c : content_length_) {
    if (!chars::is_digit(c)) return fail(ParseError::bad_content_length);
  }
  if (content_length_.size() > length_digits_max) return fail(ParseError::body_too_large);
  for (const char c : content_length_)
    head_.content_length = head_.content_length * 10 + static_cast<unsigned>(c - '0');
  return Step::ok;
}

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

HeadResult parse_head(std::string_view input, const HeadLimits& limits, RequestHead& head) noexcept {
  return HeadParser{input, limits, head}.run();
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
