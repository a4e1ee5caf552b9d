#include "server/http/head_parser.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>

#include "server/http/chars.hpp"

namespace usher::server::http {
namespace {

namespace beast = boost::beast::http;

// The first digit of a longer number would not fit 64 bits.
constexpr std::size_t length_digits_max = 19;
constexpr std::size_t method_bytes_max = 32;
constexpr std::size_t version_bytes = 8;

std::string_view view(boost::beast::string_view text) noexcept {
  return {text.data(), text.size()};
}

// Returns: count_ for a method that is none of ours.
Method to_method(beast::verb verb) noexcept {
  switch (verb) {
    case beast::verb::get:
      return Method::get;
    case beast::verb::head:
      return Method::head;
    case beast::verb::post:
      return Method::post;
    case beast::verb::put:
      return Method::put;
    case beast::verb::delete_:
      return Method::delete_;
    case beast::verb::patch:
      return Method::patch;
    case beast::verb::options:
      return Method::options;
    case beast::verb::trace:
      return Method::trace;
    default:
      return Method::count_;
  }
}

bool valid_port(std::string_view text) noexcept {
  return text.size() <= 5 && std::all_of(text.begin(), text.end(), chars::is_digit);
}

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
  return name_end == host.size() || (host[name_end] == ':' && valid_port(host.substr(name_end + 1)));
}

bool is_blank(char c) noexcept {
  return c == ' ' || c == '\t';
}

}  // namespace

HeadParser::HeadParser(std::string_view input, const HeadLimits& limits, RequestHead& head) noexcept
    : input_(input.substr(0, limits.head_bytes_max)), limits_(limits), head_(head) {
  // The limits are ours: the input ends where the longest head would.
  header_limit(0xffffffffU);
  body_limit(boost::none);
}

HeadResult HeadParser::run() noexcept {
  head_ = RequestHead{};
  HeadResult result;
  std::size_t begin = 0;
  if (input_.starts_with('\r')) {
    if (input_.size() < 2) return result;
    if (input_[1] != '\n') return {ParseStatus::error, ParseError::bad_request_line, 0};
    begin = 2;
  }
  if (input_.size() == begin) return result;
  BeastError ec;
  const std::size_t size = begin + put(boost::asio::const_buffer{input_.data() + begin, input_.size() - begin}, ec);
  if (error_ != ParseError::none) return {ParseStatus::error, error_, 0};
  if (ec || !is_header_done()) return explain(ec && ec != beast::error::need_more, size);
  const char* const end = input_.data() + size - 2;
  head_.fields = {head_.fields.data(), static_cast<std::size_t>(end - head_.fields.data())};
  return {ParseStatus::complete, ParseError::none, size};
}

std::size_t HeadParser::line_bytes_max() const noexcept {
  return limits_.target_bytes_max + method_bytes_max + version_bytes + 2;
}

// Ends Beast's work where a check has failed. Which error it is given does not matter: error_ has ours.
void HeadParser::stop(BeastError& ec) const noexcept {
  if (error_ == ParseError::none) {
    ec = {};
  } else {
    ec = beast::error::bad_field;
  }
}

void HeadParser::on_request_impl(beast::verb verb, Text method, Text target, int version, BeastError& ec) {
  const Method known = to_method(verb);
  head_.http_1_0 = version == 10;
  // CR LF follows the version.
  head_.fields = {target.data() + target.size() + 1 + version_bytes + 2, 0};
  if (method.size() + 1 + target.size() + 1 + version_bytes > line_bytes_max()) {
    fail(ParseError::target_too_long);
  } else if (method.size() > method_bytes_max) {
    fail(ParseError::bad_request_line);
  } else if (known == Method::count_) {
    fail(ParseError::method_not_implemented);
  } else {
    head_.method = known;
    take_target(view(target));
  }
  stop(ec);
}

void HeadParser::take_target(std::string_view text) noexcept {
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
}

void HeadParser::on_field_impl(Field field, Text name, Text value, BeastError& ec) {
  // Beast unfolds: into a buffer of its own, or by skipping an empty first line. Either way the value is not where a
  // line that was not folded has it.
  const char* begin = name.data() + name.size() + 1;
  while (is_blank(*begin)) ++begin;
  if (begin != value.data()) {
    fail(ParseError::folded_field);
  } else if (++field_count_ > limits_.fields_max) {
    fail(ParseError::too_many_fields);
  } else {
    keep(field, view(name), view(value));
  }
  stop(ec);
}

void HeadParser::keep(Field field, std::string_view name, std::string_view value) noexcept {
  switch (field) {
    case Field::host:
      return once(head_.host, value, ParseError::duplicate_host);
    case Field::content_length:
      return once(content_length_, value, ParseError::duplicate_content_length);
    case Field::transfer_encoding:
      return once(transfer_encoding_, value, ParseError::bad_transfer_encoding);
    case Field::connection:
      return connection_tokens(value);
    case Field::expect:
      return once(expect_, value);
    case Field::authorization:
      return once(head_.authorization, value);
    case Field::content_type:
      return once(head_.content_type, value);
    case Field::content_encoding:
      return once(head_.content_encoding, value);
    case Field::origin:
      return once(head_.origin, value);
    case Field::unknown:
      return keep_unnamed(name, value);
    default:
      return keep_rest(field, name, value);
  }
}

void HeadParser::keep_rest(Field field, std::string_view name, std::string_view value) noexcept {
  switch (field) {
    case Field::cookie:
      return first(head_.cookie, value);
    case Field::accept:
      return first(head_.accept, value);
    case Field::accept_encoding:
      return first(head_.accept_encoding, value);
    case Field::if_none_match:
      return first(head_.if_none_match, value);
    case Field::forwarded:
      head_.forwarded = value;
      return;
    case Field::upgrade:
      return once(head_.upgrade, value);
    case Field::sec_websocket_key:
      return once(head_.sec_websocket_key, value);
    case Field::sec_websocket_version:
      return once(head_.sec_websocket_version, value);
    case Field::sec_websocket_protocol:
      return first(head_.sec_websocket_protocol, value);
    case Field::sec_websocket_extensions:
      return first(head_.sec_websocket_extensions, value);
    default:
      return keep_unnamed(name, value);
  }
}

// Fields that Beast has no number for.
void HeadParser::keep_unnamed(std::string_view name, std::string_view value) noexcept {
  switch (name.size()) {
    case 11:
      if (equals_lower(name, "traceparent")) first(head_.traceparent, value);
      return;
    case 13:
      if (equals_lower(name, "last-event-id")) first(head_.last_event_id, value);
      return;
    case 15:
      if (equals_lower(name, "idempotency-key")) return once(head_.idempotency_key, value);
      if (equals_lower(name, "x-forwarded-for")) head_.x_forwarded_for = value;
      return;
    default:
      return;
  }
}

void HeadParser::connection_tokens(std::string_view value) noexcept {
  while (!value.empty()) {
    const std::size_t comma = value.find(',');
    const std::string_view token = trim(value.substr(0, comma));
    if (equals_lower(token, "close")) close_ = true;
    if (equals_lower(token, "keep-alive")) keep_alive_ = true;
    if (equals_lower(token, "upgrade")) head_.connection_upgrade = true;
    value = comma == std::string_view::npos ? std::string_view{} : value.substr(comma + 1);
  }
}

void HeadParser::on_header_impl(BeastError& ec) {
  framing();
  stop(ec);
}

// The framing guard proper: what the fields say together.
void HeadParser::framing() noexcept {
  if (head_.host.data() == nullptr && !head_.http_1_0) return fail(ParseError::missing_host);
  if (head_.host.data() != nullptr && !valid_host(head_.host)) return fail(ParseError::bad_host);
  if (authority_.data() != nullptr) head_.host = authority_;
  body_framing();
  if (expect_.data() != nullptr && !head_.http_1_0) {
    if (!equals_lower(expect_, "100-continue")) return fail(ParseError::expectation_failed);
    head_.expects_continue = true;
  }
  head_.keep_alive = head_.http_1_0 ? keep_alive_ && !close_ : !close_;
}

void HeadParser::body_framing() noexcept {
  if (transfer_encoding_.data() != nullptr) {
    if (content_length_.data() != nullptr) return fail(ParseError::transfer_encoding_and_length);
    if (head_.http_1_0 || !equals_lower(transfer_encoding_, "chunked")) return fail(ParseError::bad_transfer_encoding);
    head_.chunked = true;
  }
  if (content_length_.data() != nullptr) content_length();
}

void HeadParser::content_length() noexcept {
  if (content_length_.empty()) return fail(ParseError::bad_content_length);
  for (const char c : content_length_) {
    if (!chars::is_digit(c)) return fail(ParseError::bad_content_length);
  }
  if (content_length_.size() > length_digits_max) return fail(ParseError::body_too_large);
  head_.content_length = 0;
  for (const char c : content_length_)
    head_.content_length = head_.content_length * 10 + static_cast<unsigned>(c - '0');
}

// ---- why not ----

HeadResult HeadParser::explain(bool refused, std::size_t line) noexcept {
  // Of an empty line that does not end in LF, Beast has taken both bytes.
  if (line >= 2 && input_[line - 2] == '\r' && input_[line - 1] != '\n') line -= 2;
  const std::string_view text = input_.substr(line);
  const bool in_request_line = head_.target.data() == nullptr;
  const Line seen = in_request_line ? explain_request_line(text) : explain_field(text);
  if (error_ == ParseError::none && seen == Line::whole && refused) {
    // Only Beast minds: a Connection field that is no list, for one.
    fail(in_request_line ? ParseError::bad_request_line : ParseError::bad_field_value);
  }
  HeadResult result;
  result.error = error_;
  if (error_ != ParseError::none) result.status = ParseStatus::error;
  return result;
}

// Whether CR LF stands at `control`, which is where find_control() stopped; any other control is an error.
HeadParser::Line HeadParser::line_end(std::string_view text, std::size_t control, ParseError error) noexcept {
  if (control == text.size() || (text[control] == '\r' && control + 1 == text.size())) return Line::cut;
  if (text[control] != '\r' || text[control + 1] != '\n') fail(error);
  return Line::whole;
}

// Looks at as much of the method as there is, so that garbage is refused without waiting for an end of line.
HeadParser::Line HeadParser::explain_request_line(std::string_view text) noexcept {
  const auto size = static_cast<std::size_t>(find_control(text.data(), text.data() + text.size()) - text.data());
  const std::string_view line = text.substr(0, size);
  if (size > line_bytes_max()) fail(ParseError::target_too_long);
  std::size_t method = 0;
  while (method < size && chars::is(line[method], chars::token)) ++method;
  if (method > method_bytes_max || (method < size && (method == 0 || line[method] != ' '))) {
    fail(ParseError::bad_request_line);
  }
  if (line_end(text, size, ParseError::bad_request_line) == Line::cut) return Line::cut;
  const std::size_t target_end = line.rfind(' ');
  if (target_end == std::string_view::npos || target_end <= method) {
    fail(ParseError::bad_request_line);
    return Line::whole;
  }
  explain_version(line.substr(target_end + 1));
  const beast::verb verb = beast::string_to_verb({line.data(), method});
  if (to_method(verb) == Method::count_) fail(ParseError::method_not_implemented);
  // Beast would have taken the rest, but for a space or a control within the target.
  take_target(line.substr(method + 1, target_end - method - 1));
  return Line::whole;
}

void HeadParser::explain_version(std::string_view text) noexcept {
  if (text == "HTTP/1.1" || text == "HTTP/1.0") return;
  const bool is_version = text.size() == version_bytes && text.starts_with("HTTP/") && chars::is_digit(text[5]) &&
                          text[6] == '.' && chars::is_digit(text[7]);
  fail(is_version ? ParseError::version_not_supported : ParseError::bad_request_line);
}

HeadParser::Line HeadParser::explain_field(std::string_view text) noexcept {
  std::size_t colon = 0;
  while (colon < text.size() && chars::is(text[colon], chars::token)) ++colon;
  if (colon == text.size() || text == "\r") return Line::cut;
  if (text[colon] != ':' || colon == 0) {
    const ParseError space = colon == 0 ? ParseError::folded_field : ParseError::space_before_colon;
    fail(is_blank(text[colon]) ? space : ParseError::bad_field_name);
    return Line::whole;
  }
  const std::string_view name = text.substr(0, colon);
  const auto end =
      static_cast<std::size_t>(find_control(text.data() + colon + 1, text.data() + text.size()) - text.data());
  if (line_end(text, end, ParseError::bad_field_value) == Line::cut) return Line::cut;
  if (error_ != ParseError::none) return Line::whole;
  if (end + 2 == text.size()) return Line::cut;
  if (is_blank(text[end + 2])) fail(ParseError::folded_field);
  keep(beast::string_to_field({name.data(), name.size()}), name, trim(text.substr(colon + 1, end - colon - 1)));
  body_framing();
  return Line::whole;
}

HeadResult parse_head(std::string_view input, const HeadLimits& limits, RequestHead& head) noexcept {
  const HeadResult result = HeadParser{input, limits, head}.run();
  if (result.status != ParseStatus::need_more || input.size() <= limits.head_bytes_max) return result;
  return {ParseStatus::error, ParseError::head_too_large, 0};
}

}  // namespace usher::server::http
