/// What proves who somebody is: tokens as they come, tokens that are signed well around any header and claims, key
/// sets, session cookies, admission tokens. The first byte picks which.

#include "server/api/admission_token.hpp"
#include "server/identity/crypto.hpp"
#include "server/identity/idempotency.hpp"
#include "server/identity/jwt.hpp"
#include "server/identity/session.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace usher;
using namespace usher::server;
using namespace usher::server::identity;

namespace {

constexpr std::string_view secret = "a-secret-of-the-tests-0123456789ab";
constexpr Instant now = instant_from_ms(1'700'000'000'000);

const KeySet& keys() {
  static const KeySet set = [] {
    KeySet made;
    USHER_ASSERT(made.add_hs256(secret).ok());
    return made;
  }();
  return set;
}

void verify(std::string_view token) {
  JwtVerifier verifier(keys(), {"", "", 60}, Key{}, 16);
  const JwtVerifier::Verdict first = verifier.verify(token, now);
  const JwtVerifier::Verdict again = verifier.verify(token, now);  // from the cache, or not
  USHER_ASSERT(first.error == again.error && first.identity.user == again.identity.user);
  USHER_ASSERT(first.error == AuthError::none || first.identity.user == UserNumber::none);
}

/// Signed by us, whatever stands in it.
std::string sign(std::string_view header, std::string_view claims) {
  std::string token;
  append_base64url(token, header);
  token += '.';
  append_base64url(token, claims);
  const auto mac = hmac_sha256(secret, token);
  token += '.';
  append_base64url(token, {reinterpret_cast<const char*>(mac.data()), mac.size()});
  return token;
}

void read_cookie(std::string_view field) {
  SessionKeeper keeper(derive_keys(secret), {}, 16);
  if (const auto found = keeper.verify(field, now)) USHER_ASSERT(found->user != UserNumber::none);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string_view rest = fuzz::text_of(data + 1, size - 1);
  switch (data[0]) {
    case 'T':
      verify(rest);
      break;
    case 'S': {
      const std::string_view header = fuzz::cut(rest, '\n');
      verify(sign(header, rest));
      break;
    }
    case 'K': {
      KeySet made;
      (void)made.add_jwks(rest);
      break;
    }
    case 'C':
      read_cookie(rest);
      break;
    case 'A': {
      const api::AdmissionSigner signer(secret);
      USHER_ASSERT(!signer.verify(rest, static_cast<UserNumber>(7)).has_value());
      break;
    }
    case 'I':
      if (is_idempotency_key(rest))
        (void)IdempotencyTagger(Key{}).tag(static_cast<UserNumber>(1), "POST", "/bookings", rest, "{}");
      break;
    default:
      break;
  }
  return 0;
}
