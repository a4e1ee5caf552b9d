#pragma once
/// What a ticket's QR code says: a signed statement that a gate can check without asking anybody. Pure functions; any
/// thread. Nothing here knows a private key (see ticket_keys.hpp).
///
///   code      = "UT1." base64url(payload signature), without padding (RFC 4648 section 5)
///   payload   = version u8 = 1, key u32, ticket 16 bytes, valid_from u32, valid_until u32, seat_size u8, seat
///   signature = Ed25519 (RFC 8032, pure) over payload, 64 bytes
///
/// Numbers are big-endian; times are whole seconds since 1970. `key` names the signing key, `ticket` is the ticket's
/// id, whose first 32 bits are the show's number; `seat` is the label, ASCII or UTF-8, of at most 15 bytes. A seat of
/// three letters makes 97 bytes, 134 characters: a QR code of version 8 at error correction M.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "usher/ids.hpp"
#include "usher/time.hpp"

namespace usher::server::tickets {

struct TicketPayload {
  std::uint32_t key = 0;
  Uuid ticket;
  Instant valid_from{};   ///< cut to seconds
  Instant valid_until{};  ///< cut to seconds
  std::string seat;
  [[nodiscard]] ShowNumber show() const noexcept { return static_cast<ShowNumber>(ticket.high >> 32U); }
  bool operator==(const TicketPayload&) const = default;
};

/// A code taken apart; whether the signature is good is another question.
struct ParsedCode {
  TicketPayload payload;
  std::string payload_bytes;  ///< what the signature is over
  std::string signature;      ///< 64 bytes
};

inline constexpr std::size_t signature_bytes = 64;

/// Requires: the seat has at most 15 bytes, and the times lie within 1970 to 2106.
[[nodiscard]] std::string encode_payload(const TicketPayload& payload);
/// Requires: `signature` has 64 bytes.
[[nodiscard]] std::string format_code(std::string_view payload_bytes, std::string_view signature);
/// Strict: one payload has exactly one text. Returns: nothing for what is not a code of version 1.
[[nodiscard]] std::optional<ParsedCode> parse_code(std::string_view text);

/// A key's number as it is written: 8 hex digits.
[[nodiscard]] std::string key_text(std::uint32_t key);
[[nodiscard]] std::optional<std::uint32_t> parse_key(std::string_view text) noexcept;

}  // namespace usher::server::tickets
