#include "server/ws/handshake.hpp"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "server/http/router.hpp"

namespace usher::server::ws {
namespace {

constexpr std::string_view websocket_guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::string_view upgrade_fields =
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n";

std::string_view trim(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equals_ignoring_case(std::string_view left, std::string_view right) noexcept {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

bool accepts_events(std::string_view accept) noexcept {
  for (std::size_t begin = 0; begin <= accept.size();) {
    const std::size_t end = std::min(accept.find(',', begin), accept.size());
    const std::string_view item = accept.substr(begin, end - begin);
    if (equals_ignoring_case(trim(item.substr(0, item.find(';'))), "text/event-stream")) return true;
    begin = end + 1;
  }
  return false;
}

// The first of the client's subprotocols that we know: its order is its preference (section 1.9).
void choose_protocol(std::string_view offered, Wish& wish) noexcept {
  for (std::size_t begin = 0; begin <= offered.size();) {
    const std::size_t end = std::min(offered.find(',', begin), offered.size());
    const std::string_view name = trim(offered.substr(begin, end - begin));
    if (name == json_protocol || name == binary_protocol) {
      wish.format = name == binary_protocol ? Format::binary : Format::json;
      wish.protocol = name == binary_protocol ? binary_protocol : json_protocol;
      return;
    }
    begin = end + 1;
  }
}

bool read_lsn(std::string_view text, std::optional<std::uint64_t>& lsn) noexcept {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return false;
  lsn = value;
  return true;
}

HandshakeError read_from(const http::RequestHead& head, Wish& wish) {
  static constexpr HandshakeError bad{400, "invalid_parameter", "from: must be an LSN: an integer from 0"};
  http::Query query;
  if (!query.parse(head.query)) return {400, "invalid_parameter", "query: malformed, or a name twice"};
  if (const std::string* from = query.find("from"); from != nullptr && !read_lsn(*from, wish.from)) return bad;
  if (!query.first_unknown().empty()) {
    return {400, "invalid_parameter", "query: the only parameter known here is from"};
  }
  // what a browser sends by itself when it connects again; anything else in it is not ours
  if (wish.format == Format::events && !wish.from && !head.last_event_id.empty()) {
    static_cast<void>(read_lsn(head.last_event_id, wish.from));
  }
  return {};
}

HandshakeError check_websocket(const http::RequestHead& head) noexcept {
  if (head.method != http::Method::get || head.http_1_0 || !head.connection_upgrade) {
    return {400, "invalid_handshake", "a WebSocket handshake is a GET of HTTP/1.1 with Connection: Upgrade"};
  }
  if (head.sec_websocket_version != "13") {
    return {426, "upgrade_required", "Sec-WebSocket-Version: must be 13", upgrade_fields};
  }
  if (!is_websocket_key(head.sec_websocket_key)) {
    return {400, "invalid_handshake", "Sec-WebSocket-Key: must be base64 of 16 bytes"};
  }
  return {};
}

}  // namespace

bool origin_allowed(const http::RequestHead& head, std::span<const std::string> allowed) noexcept {
  if (head.origin.empty()) return true;
  const std::size_t scheme = head.origin.find("://");
  if (scheme != std::string_view::npos && equals_ignoring_case(head.origin.substr(scheme + 3), head.host)) return true;
  return std::any_of(allowed.begin(), allowed.end(), [&](const std::string& entry) {
    return entry == "*" || equals_ignoring_case(entry, head.origin);
  });
}

HandshakeError read_wish(const http::RequestHead& head, std::span<const std::string> allowed_origins, Wish& wish) {
  const bool websocket = equals_ignoring_case(head.upgrade, "websocket");
  if (websocket) {
    if (const HandshakeError error = check_websocket(head); error.status != 0) return error;
    choose_protocol(head.sec_websocket_protocol, wish);
  } else if (accepts_events(head.accept) && head.method == http::Method::get) {
    wish.format = Format::events;
  } else {
    return {426, "upgrade_required", "open a WebSocket here, or ask for Accept: text/event-stream", upgrade_fields};
  }
  if (!origin_allowed(head, allowed_origins)) {
    return {403, "origin_not_allowed", "Origin: is not in feed.allowed_origins"};
  }
  return read_from(head, wish);
}

bool is_websocket_key(std::string_view key) noexcept {
  // 16 bytes are 22 digits and two signs of padding; the last digit carries 4 bits that must be 0
  if (key.size() != 24 || !key.ends_with("==")) return false;
  const auto is_digit = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
  };
  return std::all_of(key.begin(), key.begin() + 22, is_digit) &&
         std::string_view{"AQgw"}.find(key[21]) != std::string_view::npos;
}

std::string accept_key(std::string_view key) {
  const std::string text = std::string{key}.append(websocket_guid);
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest;
  ::SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  std::array<unsigned char, 32> encoded;
  const int size = ::EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(digest.size()));
  return {reinterpret_cast<const char*>(encoded.data()), static_cast<std::size_t>(size)};
}

std::string stream_head(const http::RequestHead& head, const Wish& wish) {
  std::string out;
  if (wish.format == Format::events) {
    out =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\nX-Accel-Buffering: no\r\n"
        "Connection: close\r\n";
    if (!head.origin.empty())
      out.append("Access-Control-Allow-Origin: ").append(head.origin).append("\r\nVary: Origin\r\n");
    // how long a browser waits before it connects again
    return out.append("\r\nretry: 1000\n\n");
  }
  out = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ";
  out.append(accept_key(head.sec_websocket_key)).append("\r\n");
  if (!wish.protocol.empty()) out.append("Sec-WebSocket-Protocol: ").append(wish.protocol).append("\r\n");
  return out.append("\r\n");
}

}  // namespace usher::server::ws
