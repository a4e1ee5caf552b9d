#pragma once
/// Anonymous sessions: whoever shows no token gets a signed cookie and is the same person for as long as they keep it.
/// The server stores nothing. One SessionKeeper per loop; it remembers what it has verified.
///
/// cookie value = base64url( random 16 bytes, issued_at u32 big-endian seconds, HMAC-SHA256 over both, first 16 bytes )

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/identity/identity.hpp"
#include "server/identity/token_cache.hpp"
#include "usher/time.hpp"

namespace usher::server::identity {

inline constexpr std::string_view session_cookie_name = "usher_session";

struct SessionOptions {
  bool secure = false;  ///< add Secure: set it wherever people come by HTTPS
  Duration lifetime{std::chrono::hours{24 * 30}};
};

class SessionKeeper {
 public:
  /// `keys` are the directory's; users get numbers by `keys.users` as people with tokens do, under an issuer of their
  /// own.
  SessionKeeper(const DirectoryKeys& keys, SessionOptions options, std::size_t cache_entries = 65'536);

  /// Looks for our cookie in a Cookie field. Returns: who it is, or nothing where there is none that is ours, whole and
  /// not too old; hand out a new one then. Allocates nothing for a cookie seen before.
  [[nodiscard]] std::optional<Identity> verify(std::string_view cookie_field, Instant now);

  struct NewSession {
    Identity identity;
    std::string set_cookie;  ///< a whole header line with its CR LF, for Response::fields
  };
  [[nodiscard]] NewSession make(Instant now);

 private:
  [[nodiscard]] std::string sign(std::string_view random_and_time) const;
  [[nodiscard]] TokenCache::Facts read_facts(std::string_view content) const;

  DirectoryKeys keys_;
  SessionOptions options_;
  TokenCache cache_;
};

/// Finds a cookie by its name (RFC 6265 section 4.2.1). Returns: the first one's value, or nothing.
[[nodiscard]] std::optional<std::string_view> find_cookie(std::string_view cookie_field,
                                                          std::string_view name) noexcept;

}  // namespace usher::server::identity
