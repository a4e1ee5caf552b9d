#pragma once
/// The opening handshake (RFC 6455 section 4.2) and its sibling for server-sent events: reads what a request for the
/// live feed asks for and writes the head that answers it. Pure functions over a parsed request.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "server/http/head.hpp"

namespace usher::server::ws {

/// How a subscriber wants its messages.
enum class Format : std::uint8_t { json, binary, events, count_ };

inline constexpr std::string_view json_protocol = "usher.json.v1";
inline constexpr std::string_view binary_protocol = "usher.binary.v1";

/// What a request for the feed asks for.
struct Wish {
  Format format = Format::json;
  std::string_view protocol{};          ///< the subprotocol chosen; empty: none was asked for
  std::optional<std::uint64_t> from{};  ///< the LSN up to which the client knows the seats already
};

/// Why there will be no feed. `fields` are header lines that belong to the answer.
struct HandshakeError {
  std::uint16_t status = 0;  ///< 0: none
  std::string_view code;
  std::string_view detail;
  std::string_view fields{};
};

/// Whether `origin` may open the feed: none (no browser), that of the request's own host, one in the list, or any where
/// the list holds "*".
[[nodiscard]] bool origin_allowed(const http::RequestHead& head, std::span<const std::string> allowed) noexcept;

/// Reads the wish, `?from=` and Last-Event-ID included.
/// Returns: status 0; 400 `invalid_handshake` or `invalid_parameter`; 403 `origin_not_allowed`; 426 `upgrade_required`
/// when it is neither a WebSocket handshake of version 13 nor asks for text/event-stream.
[[nodiscard]] HandshakeError read_wish(const http::RequestHead& head, std::span<const std::string> allowed_origins,
                                       Wish& wish);

/// Sec-WebSocket-Accept for a key (section 4.2.2, item 5.4): base64 of SHA-1 of the key and a fixed GUID.
[[nodiscard]] std::string accept_key(std::string_view key);
/// Whether it is base64 of 16 bytes (section 4.1, item 7).
[[nodiscard]] bool is_websocket_key(std::string_view key) noexcept;

/// Status line and fields that begin the stream: 101, or 200 with text/event-stream.
[[nodiscard]] std::string stream_head(const http::RequestHead& head, const Wish& wish);

}  // namespace usher::server::ws
