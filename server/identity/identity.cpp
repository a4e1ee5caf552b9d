#include "server/identity/identity.hpp"

#include <algorithm>
#include <cstring>

#include "server/identity/crypto.hpp"
#include "usher/assert.hpp"

namespace usher::server::identity {
namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(AuthError::count_)> codes{
    "none",          "token_malformed",     "token_unknown_key",  "token_wrong_algorithm", "token_bad_signature",
    "token_expired", "token_not_yet_valid", "token_wrong_issuer", "token_wrong_audience",  "token_bad_claims"};

Key derive(std::string_view secret, std::string_view label) noexcept {
  return hmac_sha256(secret, label);
}

}  // namespace

std::string_view to_code(AuthError error) noexcept {
  return codes[static_cast<std::size_t>(error)];
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
