#include "server/api/caller.hpp"

#include <fstream>
#include <sstream>

namespace usher::server::api {

Result<IdentityKeys> IdentityKeys::load(const config::IdentityConfig& config, const config::Secrets& secrets) {
  IdentityKeys keys;
  keys.directory = identity::derive_keys(secrets.directory);
  const std::string& shared = config.hs256_secret.given() ? config.hs256_secret.text : secrets.hs256;
  if (Status added = keys.tokens.add_hs256(shared); !added) return added.error();
  if (config.jwks_file.empty()) return keys;
  std::ifstream in(config.jwks_file, std::ios::binary);
  if (!in) return make_error(ErrorCode::not_found, "identity.jwks_file: cannot read " + config.jwks_file);
  std::ostringstream text;
  text << in.rdbuf();
  if (Status added = keys.tokens.add_jwks(text.str()); !added) {
    return make_error(ErrorCode::invalid, "identity.jwks_file: " + added.error().detail);
  }
  return keys;
}

UserNumber Identity::customer_of(const Caller& partner, std::string_view name) {
  const UserNumber of = partner.user;
  customer_.assign(reinterpret_cast<const char*>(&of), sizeof of);
  customer_.append(name);
  if (const auto known = customers_.find(customer_); known != customers_.end()) return known->second;
  const UserNumber number =
      identity::user_number(keys_.directory.users, "partner " + std::to_string(to_value(of)), name);
  if (customers_.size() >= customers_max) customers_.clear();
  customers_.emplace(customer_, number);
  return number;
}

Identity::Verdict Identity::identify(const http::Request& request, Instant now, bool make_session) {
  Verdict verdict;
  if (!request.authorization.empty()) {
    const std::optional<std::string_view> token = identity::bearer_token(request.authorization);
    if (!token) {
      verdict.code = "invalid_token";
      verdict.text = "Authorization: must be `Bearer` and a token";
      return verdict;
    }
    const identity::JwtVerifier::Verdict verified = tokens_.verify(*token, now);
    if (verified.error != identity::AuthError::none) {
      verdict.code = to_code(verified.error);
      verdict.text = to_text(verified.error);
    }
    verdict.caller = verified.identity;
    return verdict;
  }
  if (const std::optional<Caller> known = sessions_.verify(request.cookie, now)) {
    verdict.caller = *known;
    return verdict;
  }
  if (!make_session) {
    verdict.code = "unauthorized";
    verdict.text = "a Bearer token or a session is needed";
    return verdict;
  }
  identity::SessionKeeper::NewSession made = sessions_.make(now);
  verdict.caller = made.identity;
  verdict.set_cookie = std::move(made.set_cookie);
  return verdict;
}

}  // namespace usher::server::api
