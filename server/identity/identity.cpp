#include "server/identity/identity.hpp"

#include <algorithm>
#include <cstring>

#include "server/identity/crypto.hpp"
#include "usher/assert.hpp"

namespace usher::server::identity {
namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(AuthError::count_)> texts{
    "",
    "not a token, or larger than 4 kB",
    "no key of that `kid`",
    "alg: not that of the key",
    "the signature does not fit",
    "exp: it has expired",
    "nbf: it is not valid yet",
    "iss: not the issuer that is trusted here",
    "aud: not for this server",
    "sub, exp or role: missing or of no use"};

Key derive(std::string_view secret, std::string_view label) noexcept {
  return hmac_sha256(secret, label);
}

}  // namespace

std::string_view to_code(AuthError error) noexcept {
  return error == AuthError::expired ? "token_expired" : "invalid_token";
}

std::string_view to_text(AuthError error) noexcept {
  return texts[static_cast<std::size_t>(error)];
}

DirectoryKeys derive_keys(std::string_view secret) noexcept {
  USHER_ASSERT(secret.size() >= 16);
  return {derive(secret, "usher users 1"), derive(secret, "usher sessions 1"), derive(secret, "usher idempotency 1")};
}

UserNumber user_number(const Key& key, std::string_view issuer, std::string_view subject) noexcept {
  std::string message;
  message.reserve(issuer.size() + 1 + subject.size());
  message.append(issuer).push_back('\0');
  message.append(subject);
  const Digest digest = hmac_sha256({reinterpret_cast<const char*>(key.data()), key.size()}, message);
  std::uint64_t number = 0;
  std::memcpy(&number, digest.data(), sizeof number);
  return static_cast<UserNumber>(number == 0 ? 1 : number);
}

}  // namespace usher::server::identity
