/// `usher token`: makes a token for trying things.

#include <cstdio>

#include "server/cli/commands.hpp"
#include "server/cli/logging.hpp"
#include "server/config/secrets.hpp"
#include "server/config/values.hpp"
#include "server/identity/jwt.hpp"
#include "server/shard_clock.hpp"

namespace usher::server::cli {

int token(const TokenOptions& options) {
  const Result<config::Config> config = config::load_config(options.config_file, options.settings);
  if (!config) return fail(config.error());
  identity::TokenRequest request;
  request.subject = options.user;
  request.issuer = config.value().identity.issuer;
  request.audience = config.value().identity.audience;
  request.issued_at = instant_from_ms(system_clocks.wall_ns() / 1'000'000);
  const auto role = std::find(identity::role_names.begin(), identity::role_names.end(), options.role);
  if (role == identity::role_names.end() || role == identity::role_names.begin()) {
    return fail(make_error(ErrorCode::invalid, "--role: must be customer, partner, gate, staff or admin"));
  }
  request.role = static_cast<identity::Role>(role - identity::role_names.begin());
  const std::optional<Duration> lifetime = config::parse_duration(options.lifetime);
  if (!lifetime) return fail(make_error(ErrorCode::invalid, "--lifetime: must be a duration such as 24h"));
  request.lifetime = *lifetime;
  std::string secret = config.value().identity.hs256_secret.text;
  if (secret.empty()) {
    const Result<config::Secrets> secrets = config::load_secrets(options.data);
    if (!secrets) return fail(secrets.error());
    secret = secrets.value().hs256;
  }
  std::printf("%s\n", identity::make_token(secret, request).c_str());
  return 0;
}

}  // namespace usher::server::cli
