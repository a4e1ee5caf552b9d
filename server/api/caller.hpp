#pragma once
/// Identity: who is asking, for one loop: a Bearer token, or the session cookie, or a session made on the spot. For the
/// loop's thread only; the keys behind it are shared.

#include <boost/unordered/unordered_flat_map.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "server/config/config.hpp"
#include "server/config/secrets.hpp"
#include "server/http/handler.hpp"
#include "server/identity/idempotency.hpp"
#include "server/identity/jwt.hpp"
#include "server/identity/session.hpp"

namespace usher::server::api {

using identity::Role;
using Caller = identity::Identity;

/// What identity is made from; one per process, read only.
struct IdentityKeys {
  identity::KeySet tokens;
  identity::DirectoryKeys directory;

  /// The secrets of the directory and what the configuration names beside them.
  [[nodiscard]] static Result<IdentityKeys> load(const config::IdentityConfig& config, const config::Secrets& secrets);
};

class Identity {
 public:
  Identity(const config::IdentityConfig& config, const IdentityKeys& keys)
      : keys_(keys),
        issuer_(config.issuer),
        tokens_(keys.tokens, {.issuer = config.issuer, .audience = config.audience}, keys.directory.users),
        sessions_(keys.directory, {.secure = config.cookie_secure}),
        tagger_(keys.directory.idempotency) {}

  struct Verdict {
    std::string_view code;  ///< empty: let in; else what the 401 says, for programs
    std::string_view text;  ///< the same for people
    Caller caller;
    std::string set_cookie;  ///< a header line for the answer, where a session was made
  };
  /// `make_session`: whoever shows nothing gets a session; else they are refused.
  [[nodiscard]] Verdict identify(const http::Request& request, Instant now, bool make_session);

  [[nodiscard]] IdempotencyTag tag(UserNumber user, std::string_view method, std::string_view path,
                                   std::string_view key, std::string_view body) const noexcept {
    return tagger_.tag(user, method, path, key, body);
  }
  /// The number of a customer whom a partner names in its own words: nobody else's customer.
  [[nodiscard]] UserNumber customer_of(const Caller& partner, std::string_view name);

 private:
  /// Customers whose number is known already: deriving one costs more than deciding on a reserve.
  static constexpr std::size_t customers_max = 65'536;

  const IdentityKeys& keys_;
  boost::unordered_flat_map<std::string, UserNumber> customers_;
  std::string customer_;  // the key looked up
  std::string issuer_;
  identity::JwtVerifier tokens_;
  identity::SessionKeeper sessions_;
  identity::IdempotencyTagger tagger_;
};

}  // namespace usher::server::api
