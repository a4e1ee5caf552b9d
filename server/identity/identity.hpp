#pragma once
/// Who is asking, in the words of the server. Plain values.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "usher/ids.hpp"
#include "usher/time.hpp"

namespace usher::server::identity {

enum class Role : std::uint8_t { anonymous, customer, partner, gate, staff, admin, count_ };

inline constexpr std::array<std::string_view, static_cast<std::size_t>(Role::count_)> role_names{
    "anonymous", "customer", "partner", "gate", "staff", "admin"};
[[nodiscard]] constexpr std::string_view to_string(Role role) noexcept {
  return role_names[static_cast<std::size_t>(role)];
}

struct Identity {
  UserNumber user = UserNumber::none;
  Role role = Role::anonymous;
  std::string_view subject;  ///< the token's `sub`; empty for a session. Lives until the next verify() of its verifier
  Instant expires_at{};

  /// May act on others' reservations and bookings.
  [[nodiscard]] bool is_staff() const noexcept { return role == Role::staff || role == Role::admin; }
  [[nodiscard]] bool is_admin() const noexcept { return role == Role::admin; }
};

/// Why somebody is not let in. On the wire: 401 with the code of to_code() and the text of to_text().
enum class AuthError : std::uint8_t {
  none = 0,
  malformed,        ///< not a token or session at all, or too large
  unknown_key,      ///< no key with that `kid`, or none configured
  wrong_algorithm,  ///< the header names another algorithm than the key has
  bad_signature,
  expired,
  not_yet_valid,
  wrong_issuer,
  wrong_audience,
  bad_claims,  ///< `sub`, `exp` or `role` missing or not usable
  count_
};
[[nodiscard]] std::string_view to_code(AuthError error) noexcept;
/// For people: which part of the token, and what is wrong with it.
[[nodiscard]] std::string_view to_text(AuthError error) noexcept;

using Key = std::array<std::uint8_t, 32>;

/// The keys of one data directory, all derived from its one secret, each for one purpose (HMAC-SHA256 as an extractor
/// with a label, as in RFC 5869 section 2.2 and 2.3 for one block).
struct DirectoryKeys {
  Key users;        ///< user numbers
  Key sessions;     ///< signing session cookies
  Key idempotency;  ///< tags of keys and bodies
};
/// Requires: `secret` has at least 16 bytes (the directory makes 32 random ones).
[[nodiscard]] DirectoryKeys derive_keys(std::string_view secret) noexcept;

/// The first 8 bytes of HMAC-SHA256(key, issuer 0x00 subject), never 0: the same person has the same number in every
/// run of a directory, and nobody without the secret can tell who it is.
[[nodiscard]] UserNumber user_number(const Key& key, std::string_view issuer, std::string_view subject) noexcept;

}  // namespace usher::server::identity
