#include "server/identity/session.hpp"

#include "server/identity/crypto.hpp"

namespace usher::server::identity {
namespace {

constexpr std::size_t random_bytes = 16;
constexpr std::size_t time_bytes = 4;
constexpr std::size_t content_bytes = random_bytes + time_bytes;
constexpr std::size_t signature_bytes = 16;
// 36 bytes in base64url.
constexpr std::size_t cookie_bytes = 48;
// A clock that was set back must not lock anybody out.
constexpr std::int64_t future_s_max = 300;
constexpr std::string_view issuer = "usher_session";

std::int64_t to_seconds(Instant instant) noexcept {
  return std::chrono::floor<std::chrono::seconds>(instant).time_since_epoch().count();
}

std::int64_t read_time(std::string_view content) noexcept {
  std::int64_t seconds = 0;
  for (const char c : content.substr(random_bytes, time_bytes)) seconds = seconds << 8 | static_cast<unsigned char>(c);
  return seconds;
}

Identity to_identity(const TokenCache::Entry& entry) noexcept {
  return {entry.facts.user, Role::anonymous, {}, instant_from_ms(entry.facts.expires_s * 1'000)};
}

}  // namespace

SessionKeeper::SessionKeeper(const DirectoryKeys& keys, SessionOptions options, std::size_t cache_entries)
    : keys_(keys), options_(options), cache_(cache_entries) {}

std::optional<Identity> SessionKeeper::verify(std::string_view cookie_field, Instant now) {
  const std::optional<std::string_view> cookie = find_cookie(cookie_field, session_cookie_name);
  if (!cookie || cookie->size() != cookie_bytes) return std::nullopt;
  const std::int64_t now_s = to_seconds(now);
  const TokenCache::Entry* entry = cache_.find(*cookie);
  if (entry == nullptr) {
    const std::optional<std::string> bytes = decode_base64url(*cookie);
    if (!bytes) return std::nullopt;
    const std::string_view content = std::string_view{*bytes}.substr(0, content_bytes);
    if (!equal_constant_time(sign(content), std::string_view{*bytes}.substr(content_bytes))) return std::nullopt;
    entry = &cache_.insert(*cookie, {}, read_facts(content));
  }
  if (now_s < entry->facts.valid_from_s || now_s >= entry->facts.valid_until_s) return std::nullopt;
  return to_identity(*entry);
}

SessionKeeper::NewSession SessionKeeper::make(Instant now) {
  std::string content(random_bytes, '\0');
  fill_random(content.data(), content.size());
  const auto seconds = static_cast<std::uint32_t>(to_seconds(now));
  for (const unsigned shift : {24U, 16U, 8U, 0U}) content.push_back(static_cast<char>(seconds >> shift & 0xffU));
  std::string cookie;
  append_base64url(cookie, content + sign(content));
  NewSession session;
  session.identity = to_identity(cache_.insert(cookie, {}, read_facts(content)));
  session.set_cookie.append("Set-Cookie: ").append(session_cookie_name).append("=").append(cookie);
  session.set_cookie.append("; Path=/; HttpOnly; SameSite=Lax; Max-Age=");
  session.set_cookie.append(
      std::to_string(std::chrono::duration_cast<std::chrono::seconds>(options_.lifetime).count()));
  session.set_cookie.append(options_.secure ? "; Secure\r\n" : "\r\n");
  return session;
}

std::string SessionKeeper::sign(std::string_view random_and_time) const {
  const Digest digest =
      hmac_sha256({reinterpret_cast<const char*>(keys_.sessions.data()), keys_.sessions.size()}, random_and_time);
  return {reinterpret_cast<const char*>(digest.data()), signature_bytes};
}

TokenCache::Facts SessionKeeper::read_facts(std::string_view content) const {
  const std::int64_t issued_s = read_time(content);
  TokenCache::Facts facts;
  facts.user = user_number(keys_.users, issuer, content.substr(0, random_bytes));
  facts.expires_s = issued_s + std::chrono::duration_cast<std::chrono::seconds>(options_.lifetime).count();
  facts.valid_until_s = facts.expires_s;
  facts.valid_from_s = issued_s - future_s_max;
  return facts;
}

std::optional<std::string_view> find_cookie(std::string_view cookie_field, std::string_view name) noexcept {
  while (!cookie_field.empty()) {
    const std::size_t semicolon = cookie_field.find(';');
    std::string_view pair = cookie_field.substr(0, semicolon);
    while (pair.starts_with(' ')) pair.remove_prefix(1);
    if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=') {
      std::string_view value = pair.substr(name.size() + 1);
      while (value.ends_with(' ')) value.remove_suffix(1);
      return value;
    }
    cookie_field = semicolon == std::string_view::npos ? std::string_view{} : cookie_field.substr(semicolon + 1);
  }
  return std::nullopt;
}

}  // namespace usher::server::identity
