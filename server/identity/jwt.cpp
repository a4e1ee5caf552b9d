#include "server/identity/jwt.hpp"

#include <algorithm>

#include "server/identity/crypto.hpp"
#include "server/identity/signing_key.hpp"
#include "server/json/writer.hpp"

namespace usher::server::identity {
namespace {

constexpr std::size_t kid_bytes_max = 255;
constexpr std::size_t subject_bytes_max = 255;
constexpr std::size_t audiences_max = 16;
// The end of the year 9999: later is not a time but a mistake.
constexpr double numeric_date_max = 253'402'300'799.0;

std::int64_t to_seconds(Instant instant) noexcept {
  return std::chrono::floor<std::chrono::seconds>(instant).time_since_epoch().count();
}

// Times outside are checked at every use, seen before or not.
AuthError check_times(const TokenCache::Facts& facts, std::int64_t now_s) noexcept {
  if (now_s >= facts.valid_until_s) return AuthError::expired;
  return now_s < facts.valid_from_s ? AuthError::not_yet_valid : AuthError::none;
}

Identity to_identity(const TokenCache::Entry& entry) noexcept {
  return {entry.facts.user, entry.facts.role, entry.subject(), instant_from_ms(entry.facts.expires_s * 1'000)};
}

struct TokenParts {
  std::string_view header;
  std::string_view claims;
  std::string_view signed_text;
  std::string_view signature;
};

std::optional<TokenParts> split(std::string_view token) noexcept {
  const std::size_t first = token.find('.');
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) return std::nullopt;
  return TokenParts{token.substr(0, first), token.substr(first + 1, second - first - 1), token.substr(0, second),
                    token.substr(second + 1)};
}

}  // namespace

JwtVerifier::JwtVerifier(const KeySet& keys, JwtOptions options, const Key& users, std::size_t cache_entries)
    : keys_(keys), options_(std::move(options)), users_(users), cache_(cache_entries), reader_(token_bytes_max) {}

JwtVerifier::Verdict JwtVerifier::verify(std::string_view token, Instant now) {
  const std::int64_t now_s = to_seconds(now);
  const TokenCache::Entry* known = cache_.find(token);
  if (known == nullptr) return verify_new(token, now_s);
  return {check_times(known->facts, now_s), to_identity(*known)};
}

JwtVerifier::Verdict JwtVerifier::verify_new(std::string_view token, std::int64_t now_s) {
  Verdict verdict;
  const std::optional<TokenParts> parts = split(token);
  if (token.size() > token_bytes_max || !parts) return verdict;
  const std::optional<std::string> header = decode_base64url(parts->header);
  const std::optional<std::string> claims = decode_base64url(parts->claims);
  const std::optional<std::string> signature = decode_base64url(parts->signature);
  if (!header || !claims || !signature) return verdict;
  const KeySet::SigningKey* key = nullptr;
  verdict.error = check_header(*header, key);
  if (verdict.error != AuthError::none) return verdict;
  // Nothing of the claims is looked at before the signature has been.
  verdict.error = AuthError::bad_signature;
  if (!key->verifies(parts->signed_text, *signature)) return verdict;
  TokenCache::Facts facts;
  std::string_view subject;
  verdict.error = read_claims(*claims, facts, subject);
  if (verdict.error != AuthError::none) return verdict;
  verdict.error = check_times(facts, now_s);
  if (verdict.error != AuthError::none) return verdict;
  verdict.identity = to_identity(cache_.insert(token, subject, facts));
  return verdict;
}

AuthError JwtVerifier::check_header(std::string_view header, const KeySet::SigningKey*& key) {
  json::Object root = reader_.parse_copy(header);
  const std::string_view algorithm = root.string("alg", {1, 16});
  const std::string_view kid = root.optional_string("kid", {1, kid_bytes_max}).value_or(std::string_view{});
  // Extensions that must be understood: we understand none (RFC 7515 section 4.1.11).
  if (!reader_.ok() || root.has("crit")) return AuthError::malformed;
  key = keys_.find(kid);
  if (key == nullptr) return AuthError::unknown_key;
  return algorithm == to_string(key->algorithm) ? AuthError::none : AuthError::wrong_algorithm;
}

AuthError JwtVerifier::read_claims(std::string_view claims, TokenCache::Facts& facts, std::string_view& subject) {
  json::Object root = reader_.parse_copy(claims);
  subject = root.string("sub", {1, subject_bytes_max});
  const double expires = root.number("exp", 0, numeric_date_max);
  const double not_before = root.optional_number("nbf", 0, numeric_date_max).value_or(0);
  const std::string_view issuer = root.optional_string("iss", {0, 1'024}).value_or(std::string_view{});
  const std::string_view role = root.optional_string("role", {1, 32}).value_or(to_string(Role::customer));
  const bool audience_fits = options_.audience.empty() || names_audience(root);
  if (!reader_.ok()) return AuthError::bad_claims;
  if (!options_.issuer.empty() && issuer != options_.issuer) return AuthError::wrong_issuer;
  if (!audience_fits) return AuthError::wrong_audience;
  const auto found = std::find(role_names.begin() + 1, role_names.end(), role);
  if (found == role_names.end()) return AuthError::bad_claims;
  facts.role = static_cast<Role>(found - role_names.begin());
  facts.user = user_number(users_, issuer, subject);
  facts.expires_s = static_cast<std::int64_t>(expires);
  facts.valid_until_s = facts.expires_s + options_.leeway_s;
  facts.valid_from_s = static_cast<std::int64_t>(not_before) - options_.leeway_s;
  return AuthError::none;
}

// `aud` is a string or an array of strings (RFC 7519 section 4.1.3).
bool JwtVerifier::names_audience(json::Object& claims) {
  if (!claims.has_array("aud")) return claims.optional_string("aud", {0, 1'024}) == options_.audience;
  json::Array audiences = claims.array("aud", 0, audiences_max);
  bool found = false;
  while (audiences.next()) found = audiences.string({0, 1'024}) == options_.audience || found;
  return found;
}

std::optional<std::string_view> bearer_token(std::string_view authorization) noexcept {
  constexpr std::string_view scheme = "bearer ";
  if (authorization.size() <= scheme.size()) return std::nullopt;
  for (std::size_t i = 0; i < scheme.size(); ++i) {
    const char c = authorization[i];
    if ((c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c) != scheme[i]) return std::nullopt;
  }
  authorization.remove_prefix(scheme.size());
  while (authorization.starts_with(' ')) authorization.remove_prefix(1);
  if (authorization.empty()) return std::nullopt;
  return authorization;
}

std::string make_token(std::string_view hs256_secret, const TokenRequest& request) {
  json::TextBuffer claims;
  claims.push('{');
  json::Writer writer(claims);
  if (!request.issuer.empty()) writer.field("iss", request.issuer);
  writer.field("sub", request.subject);
  if (!request.audience.empty()) writer.field("aud", request.audience);
  writer.field("role", to_string(request.role));
  writer.field("iat", to_seconds(request.issued_at));
  writer.field("exp", to_seconds(request.issued_at + request.lifetime));
  writer.end_object();
  std::string token;
  append_base64url(token, R"({"alg":"HS256","typ":"JWT"})");
  token.push_back('.');
  append_base64url(token, claims.view());
  const Digest digest = hmac_sha256(hs256_secret, token);
  token.push_back('.');
  append_base64url(token, {reinterpret_cast<const char*>(digest.data()), digest.size()});
  return token;
}

}  // namespace usher::server::identity
