#pragma once
/// Names of things. Numbers inside, UUIDv8 (RFC 9562 section 5.8) outside for what the engine creates.

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace usher {

/// A show's number: assigned once by the catalog, from 1, never reused. 0 is "no show": the shard itself.
enum class ShowNumber : std::uint32_t { none = 0 };
/// A person, as the log knows them (DESIGN 6: personal data). 0 is "nobody".
enum class UserNumber : std::uint64_t { none = 0 };
/// A logical shard; the system shard (catalog) has the index `shard_count`.
using ShardIndex = std::uint16_t;
/// Number of a record in its shard's log, from 1, gap-free. 0 is "nothing yet".
using Lsn = std::uint64_t;
/// A place in a show's layout, 0..n-1.
using SeatIndex = std::uint16_t;

[[nodiscard]] constexpr std::uint32_t to_value(ShowNumber number) noexcept {
  return static_cast<std::uint32_t>(number);
}
[[nodiscard]] constexpr std::uint64_t to_value(UserNumber number) noexcept {
  return static_cast<std::uint64_t>(number);
}

struct Uuid {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  auto operator<=>(const Uuid&) const = default;
};

enum class IdKind : std::uint8_t { reservation = 0, booking = 1, ticket = 2, room = 3 };

/// What a reservation, booking or ticket id says. A booking has its reservation's sequence and random bits and differs
/// in `kind`; a ticket's random bits are derived from its booking's (see ticket_id()).
struct Id {
  IdKind kind = IdKind::reservation;
  ShowNumber show = ShowNumber::none;
  std::uint32_t sequence = 0;  ///< 24 bits
  std::uint64_t random = 0;
  auto operator<=>(const Id&) const = default;
};

/// Layout, high bits first: show 32, sequence 23..8 16, version (8) 4, sequence 7..0 8, kind 2, random 63..62 2,
/// variant (10) 2, random 61..0 62.
[[nodiscard]] constexpr Uuid to_uuid(const Id& id) noexcept {
  Uuid uuid;
  uuid.high = (std::uint64_t{to_value(id.show)} << 32U) | (std::uint64_t{(id.sequence >> 8U) & 0xffffU} << 16U) |
              0x8000U | ((id.sequence & 0xffU) << 4U) | (static_cast<std::uint64_t>(id.kind) << 2U) |
              (id.random >> 62U);
  uuid.low = (std::uint64_t{2} << 62U) | (id.random & 0x3fffffffffffffffULL);
  return uuid;
}
/// Returns: nothing when version or variant are not those of UUIDv8 or the show is 0.
[[nodiscard]] constexpr std::optional<Id> id_from_uuid(const Uuid& uuid) noexcept {
  if (((uuid.high >> 12U) & 0xfU) != 8 || (uuid.low >> 62U) != 2 || (uuid.high >> 32U) == 0) return std::nullopt;
  Id id;
  id.show = static_cast<ShowNumber>(uuid.high >> 32U);
  id.sequence = static_cast<std::uint32_t>(((uuid.high >> 16U) & 0xffffU) << 8U | ((uuid.high >> 4U) & 0xffU));
  id.kind = static_cast<IdKind>((uuid.high >> 2U) & 3U);
  id.random = ((uuid.high & 3U) << 62U) | (uuid.low & 0x3fffffffffffffffULL);
  return id;
}

namespace detail {
/// "000102...ff": a byte's two digits with one look-up.
inline constexpr std::array<char, 512> hex_pairs = [] {
  std::array<char, 512> pairs{};
  constexpr std::string_view digits = "0123456789abcdef";
  for (std::size_t byte = 0; byte < 256; ++byte) {
    pairs[2 * byte] = digits[byte >> 4U];
    pairs[2 * byte + 1] = digits[byte & 0xfU];
  }
  return pairs;
}();
}  // namespace detail

/// Writes the 36 characters 8-4-4-4-12 in lower case, without a terminator.
constexpr void write_uuid(const Uuid& uuid, char* out36) noexcept {
  std::size_t at = 0;
  for (unsigned byte = 0; byte < 16; ++byte) {
    if (byte == 4 || byte == 6 || byte == 8 || byte == 10) out36[at++] = '-';
    const std::uint64_t word = byte < 8 ? uuid.high : uuid.low;
    const std::size_t pair = 2 * ((word >> (56U - 8U * (byte % 8U))) & 0xffU);
    out36[at++] = detail::hex_pairs[pair];
    out36[at++] = detail::hex_pairs[pair + 1];
  }
}
[[nodiscard]] inline std::string to_string(const Uuid& uuid) {
  std::string text(36, '\0');
  write_uuid(uuid, text.data());
  return text;
}
[[nodiscard]] inline std::string to_string(const Id& id) {
  return to_string(to_uuid(id));
}
/// Accepts exactly 36 characters in either case. Returns: nothing for anything else.
[[nodiscard]] constexpr std::optional<Uuid> parse_uuid(std::string_view text) noexcept {
  if (text.size() != 36) return std::nullopt;
  Uuid uuid;
  unsigned nibble = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (at == 8 || at == 13 || at == 18 || at == 23) {
      if (c != '-') return std::nullopt;
      continue;
    }
    std::uint64_t value = 0;
    if (c >= '0' && c <= '9') {
      value = static_cast<std::uint64_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      value = static_cast<std::uint64_t>(c - 'a') + 10U;
    } else if (c >= 'A' && c <= 'F') {
      value = static_cast<std::uint64_t>(c - 'A') + 10U;
    } else {
      return std::nullopt;
    }
    std::uint64_t& word = nibble < 16 ? uuid.high : uuid.low;
    word = (word << 4U) | value;
    ++nibble;
  }
  return uuid;
}
/// parse_uuid and id_from_uuid in one, of the kind asked for.
[[nodiscard]] constexpr std::optional<Id> parse_id(std::string_view text, IdKind kind) noexcept {
  const std::optional<Uuid> uuid = parse_uuid(text);
  if (!uuid) return std::nullopt;
  const std::optional<Id> id = id_from_uuid(*uuid);
  if (!id || id->kind != kind) return std::nullopt;
  return id;
}

/// Sebastiano Vigna's finaliser of splitmix64: a bijection that spreads every input bit over every output bit.
[[nodiscard]] constexpr std::uint64_t mix64(std::uint64_t value) noexcept {
  value += 0x9e3779b97f4a7c15ULL;
  value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ (value >> 27U)) * 0x94d049bb133111ebULL;
  return value ^ (value >> 31U);
}

/// The id of the ticket for the seat at `position` of a booking; `ticket_random` comes from the booked event.
[[nodiscard]] constexpr Id ticket_id(ShowNumber show, std::uint32_t sequence, std::uint64_t ticket_random,
                                     std::uint32_t position) noexcept {
  return {IdKind::ticket, show, sequence, mix64(ticket_random + position)};
}

}  // namespace usher
