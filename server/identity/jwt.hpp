#pragma once
/// JSON Web Tokens (RFC 7519, signed as in RFC 7515) for `Authorization: Bearer`. A key has one algorithm, fixed when
/// it is configured (RFC 8725 section 3.1): what the token's header says can only agree or be refused, and `none` is
/// not an algorithm. `kid` is looked up in our table and means nothing else. KeySet is read only after its making and
/// may be shared by loops; a JwtVerifier is for one loop, since it remembers what it has verified.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/identity/identity.hpp"
#include "server/identity/token_cache.hpp"
#include "server/json/reader.hpp"
#include "usher/result.hpp"

namespace usher::server::identity {

enum class Algorithm : std::uint8_t { hs256, eddsa, rs256 };
[[nodiscard]] std::string_view to_string(Algorithm algorithm) noexcept;

/// The keys that tokens may be signed with.
class KeySet {
 public:
  KeySet();
  ~KeySet();
  KeySet(KeySet&&) noexcept;
  KeySet& operator=(KeySet&&) noexcept;

  /// The shared secret, for tokens without `kid` or with the one given. Returns: invalid below 32 bytes (RFC 7518
  /// section 3.2).
  [[nodiscard]] Status add_hs256(std::string_view secret, std::string_view kid = {});
  /// A JWK Set (RFC 7517): OKP keys on Ed25519 are EdDSA, RSA keys of 2,048 bits and more are RS256. Keys for another
  /// `use` than `sig` are skipped, and so are other kinds. Returns: invalid with the reason, nothing added then.
  [[nodiscard]] Status add_jwks(std::string_view json);
  [[nodiscard]] bool empty() const noexcept;

 private:
  friend class JwtVerifier;
  struct SigningKey;
  [[nodiscard]] const SigningKey* find(std::string_view kid) const noexcept;
  std::vector<SigningKey> keys_;
};

struct JwtOptions {
  std::string issuer;    ///< `iss` must equal it, where configured
  std::string audience;  ///< `aud` must name it, where configured
  std::int64_t leeway_s = 60;
};

class JwtVerifier {
 public:
  /// Tokens longer than this are refused unread.
  static constexpr std::size_t token_bytes_max = 4'096;

  /// `keys` must outlive the verifier. `users` is DirectoryKeys::users.
  JwtVerifier(const KeySet& keys, JwtOptions options, const Key& users, std::size_t cache_entries = 65'536);

  struct Verdict {
    AuthError error = AuthError::malformed;
    Identity identity;
  };
  /// `token` without the "Bearer ". `exp` is demanded, `role` is customer where it is not given; with a leeway of 60 s
  /// a token is accepted until just before exp + 60 and from nbf - 60 on. Allocates nothing for a token seen before.
  [[nodiscard]] Verdict verify(std::string_view token, Instant now);

 private:
  [[nodiscard]] Verdict verify_new(std::string_view token, std::int64_t now_s);
  [[nodiscard]] AuthError check_header(std::string_view header, const KeySet::SigningKey*& key);
  // `subject` becomes a view into reader_.
  [[nodiscard]] AuthError read_claims(std::string_view claims, TokenCache::Facts& facts, std::string_view& subject);
  [[nodiscard]] bool names_audience(json::Object& claims);

  const KeySet& keys_;
  JwtOptions options_;
  Key users_;
  TokenCache cache_;
  json::Reader reader_;
};

/// The token in an Authorization field, or nothing when it is not a Bearer one (RFC 6750 section 2.1).
[[nodiscard]] std::optional<std::string_view> bearer_token(std::string_view authorization) noexcept;

struct TokenRequest {
  std::string subject;
  Role role = Role::customer;
  std::string issuer;    ///< left out where empty
  std::string audience;  ///< left out where empty
  Instant issued_at{};
  Duration lifetime{std::chrono::hours{24}};
};
/// Makes an HS256 token, for `usher token` and for tests.
[[nodiscard]] std::string make_token(std::string_view hs256_secret, const TokenRequest& request);

}  // namespace usher::server::identity
