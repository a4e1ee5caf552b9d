#include "server/identity/jwt.hpp"

#include <doctest/doctest.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <memory>
#include <string>

#include "server/identity/crypto.hpp"

namespace {

using namespace usher;
using namespace usher::server::identity;

const std::string secret = "0123456789abcdef0123456789abcdef";
const Key users = derive_keys("a directory's secret").users;
constexpr std::int64_t now_s = 1'800'000'000;
const Instant now = instant_from_ms(now_s * 1'000);

std::string encode(std::string_view bytes) {
  std::string out;
  append_base64url(out, bytes);
  return out;
}
std::string_view view(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::string sign_hs256(std::string_view header, std::string_view claims, std::string_view key = secret) {
  const std::string text = encode(header) + "." + encode(claims);
  return text + "." + encode(view(hmac_sha256(key, text)));
}
const std::string hs_header = R"({"alg":"HS256","typ":"JWT"})";
std::string claims_until(std::int64_t exp_s, std::string_view more = {}) {
  return R"({"sub":"u1","exp":)" + std::to_string(exp_s) + std::string{more} + "}";
}

struct KeyFree {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using PrivateKey = std::unique_ptr<EVP_PKEY, KeyFree>;

std::string sign_with(EVP_PKEY* key, const EVP_MD* digest, std::string_view header, std::string_view claims) {
  const std::string text = encode(header) + "." + encode(claims);
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  std::string signature(1'024, '\0');
  std::size_t size = signature.size();
  REQUIRE(EVP_DigestSignInit(context, nullptr, digest, nullptr, key) == 1);
  REQUIRE(EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()), &size,
                         reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1);
  EVP_MD_CTX_free(context);
  return text + "." + encode(std::string_view{signature}.substr(0, size));
}

std::string big_number(EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  REQUIRE(EVP_PKEY_get_bn_param(key, name, &number) == 1);
  std::string bytes(static_cast<std::size_t>(BN_num_bytes(number)), '\0');
  BN_bn2bin(number, reinterpret_cast<unsigned char*>(bytes.data()));
  BN_free(number);
  return encode(bytes);
}

struct Keys {
  PrivateKey ed{EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")};
  PrivateKey rsa{EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2'048})};
  std::string ed_jwk;
  std::string rsa_jwk;

  Keys() {
    std::string raw(32, '\0');
    std::size_t size = raw.size();
    REQUIRE(EVP_PKEY_get_raw_public_key(ed.get(), reinterpret_cast<unsigned char*>(raw.data()), &size) == 1);
    ed_jwk = R"({"kty":"OKP","crv":"Ed25519","kid":"ed","use":"sig","alg":"EdDSA","x":")" + encode(raw) + "\"}";
    rsa_jwk = R"({"kty":"RSA","kid":"rsa","e":")" + big_number(rsa.get(), "e") + R"(","n":")" +
              big_number(rsa.get(), "n") + "\"}";
  }
};
const Keys& keys() {
  static const Keys made;
  return made;
}

KeySet all_keys() {
  KeySet set;
  REQUIRE(set.add_hs256(secret).ok());
  REQUIRE(set.add_jwks("{\"keys\":[" + keys().ed_jwk + "," + keys().rsa_jwk + "]}").ok());
  return set;
}

AuthError verify(std::string_view token, JwtOptions options = {}, std::int64_t at_s = now_s) {
  const KeySet set = all_keys();
  JwtVerifier verifier(set, std::move(options), users, 64);
  return verifier.verify(token, instant_from_ms(at_s * 1'000)).error;
}

TEST_CASE("jwt: a token of each algorithm: let in, with user, role and expiry") {
  const KeySet set = all_keys();
  JwtVerifier verifier(set, {}, users, 64);
  const std::string claims = claims_until(now_s + 100, R"(,"role":"staff","iss":"shop")");
  const std::string tokens[] = {
      sign_hs256(hs_header, claims),
      sign_with(keys().ed.get(), nullptr, R"({"alg":"EdDSA","kid":"ed"})", claims),
      sign_with(keys().rsa.get(), EVP_sha256(), R"({"alg":"RS256","kid":"rsa"})", claims),
  };
  for (const std::string& token : tokens) {
    for (int seen = 0; seen < 2; ++seen) {
      const JwtVerifier::Verdict verdict = verifier.verify(token, now);
      REQUIRE(verdict.error == AuthError::none);
      CHECK(verdict.identity.user == user_number(users, "shop", "u1"));
      CHECK(verdict.identity.role == Role::staff);
      CHECK(verdict.identity.subject == "u1");
      CHECK(to_ms(verdict.identity.expires_at) == (now_s + 100) * 1'000);
    }
  }
}

TEST_CASE("jwt: make_token: verifies, and says what was asked for") {
  const KeySet set = all_keys();
  JwtVerifier verifier(set, {"me", "you", 60}, users, 64);
  TokenRequest request;
  request.subject = "U \"1\"";
  request.role = Role::gate;
  request.issuer = "me";
  request.audience = "you";
  request.issued_at = now;
  const auto verdict = verifier.verify(make_token(secret, request), now);
  REQUIRE(verdict.error == AuthError::none);
  CHECK(verdict.identity.subject == "U \"1\"");
  CHECK(verdict.identity.role == Role::gate);
}

TEST_CASE("jwt: algorithm confusion: the key decides, not the header") {
  const std::string claims = claims_until(now_s + 100);
  CHECK(verify(encode(R"({"alg":"none"})") + "." + encode(claims) + ".") == AuthError::wrong_algorithm);
  CHECK(verify(sign_hs256(R"({"alg":"none"})", claims)) == AuthError::wrong_algorithm);
  CHECK(verify(sign_hs256(R"({"alg":"hs256"})", claims)) == AuthError::wrong_algorithm);
  // HS256 with the public key's text as its secret, the classic.
  CHECK(verify(sign_hs256(R"({"alg":"HS256","kid":"rsa"})", claims, keys().rsa_jwk)) == AuthError::wrong_algorithm);
  CHECK(verify(sign_hs256(R"({"alg":"RS256","kid":"rsa"})", claims, keys().rsa_jwk)) == AuthError::bad_signature);
  CHECK(verify(sign_with(keys().ed.get(), nullptr, R"({"alg":"EdDSA","kid":"rsa"})", claims)) ==
        AuthError::wrong_algorithm);
  CHECK(verify(sign_with(keys().ed.get(), nullptr, R"({"alg":"EdDSA","kid":"../../ed"})", claims)) ==
        AuthError::unknown_key);
  CHECK(verify(sign_with(keys().ed.get(), nullptr, R"({"alg":"EdDSA"})", claims)) == AuthError::wrong_algorithm);
}

TEST_CASE("jwt: tampered and malformed: refused") {
  const std::string token = sign_hs256(hs_header, claims_until(now_s + 100));
  REQUIRE(verify(token) == AuthError::none);
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    CHECK_MESSAGE(verify(changed) != AuthError::none, i);
  }
  CHECK(verify(token + "A") != AuthError::none);
  CHECK(verify(token.substr(0, token.rfind('.') + 1)) == AuthError::bad_signature);
  CHECK(verify("") == AuthError::malformed);
  CHECK(verify("a.b") == AuthError::malformed);
  CHECK(verify(token + ".x") == AuthError::malformed);
  CHECK(verify(std::string(5'000, 'A') + "." + token) == AuthError::malformed);
  CHECK(verify(sign_hs256(R"({"alg":"HS256","crit":["x"],"x":1})", claims_until(now_s + 100))) == AuthError::malformed);
  CHECK(verify(sign_hs256(hs_header, claims_until(now_s + 100), "another secret of thirty-two byte")) ==
        AuthError::bad_signature);
}

TEST_CASE("jwt: expiry and not-before with 60 s leeway: at -1, 0, +1 s, fresh and remembered") {
  const KeySet set = all_keys();
  JwtVerifier verifier(set, {}, users, 64);
  const std::string token = sign_hs256(hs_header, claims_until(now_s, R"(,"nbf":)" + std::to_string(now_s - 100)));
  const auto at = [&](std::int64_t s) { return verifier.verify(token, instant_from_ms(s * 1'000)).error; };
  for (int seen = 0; seen < 2; ++seen) {
    CHECK(at(now_s - 161) == AuthError::not_yet_valid);
    CHECK(at(now_s - 160) == AuthError::none);
    CHECK(at(now_s + 59) == AuthError::none);
    CHECK(at(now_s + 60) == AuthError::expired);
    CHECK(at(now_s + 61) == AuthError::expired);
  }
  CHECK(verify(token, {}, now_s + 60) == AuthError::expired);
}

TEST_CASE("jwt: claims: each that is missing or wrong is refused") {
  const auto with = [](std::string_view claims) { return verify(sign_hs256(hs_header, claims)); };
  const std::string exp = std::to_string(now_s + 100);
  CHECK(with(R"({"exp":)" + exp + "}") == AuthError::bad_claims);
  CHECK(with(R"({"sub":"","exp":)" + exp + "}") == AuthError::bad_claims);
  CHECK(with(R"({"sub":1,"exp":)" + exp + "}") == AuthError::bad_claims);
  CHECK(with(R"({"sub":"u"})") == AuthError::bad_claims);
  CHECK(with(R"({"sub":"u","exp":"soon"})") == AuthError::bad_claims);
  CHECK(with(R"({"sub":"u","exp":)" + exp + R"(,"role":"root"})") == AuthError::bad_claims);
  CHECK(with(R"({"sub":"u","exp":)" + exp + R"(,"role":"anonymous"})") == AuthError::bad_claims);
  CHECK(with(R"({"sub":"u","sub":"v","exp":)" + exp + "}") == AuthError::bad_claims);
  CHECK(with("[]") == AuthError::bad_claims);
  CHECK(with("{") == AuthError::bad_claims);
  CHECK(with(R"({"sub":"u","anything":{"more":[1]},"exp":)" + exp + ".5}") == AuthError::none);
}

TEST_CASE("jwt: issuer and audience: demanded where configured") {
  const auto with = [](std::string_view more) {
    return verify(sign_hs256(hs_header, claims_until(now_s + 100, more)), {"shop", "usher", 60});
  };
  CHECK(with(R"(,"iss":"shop","aud":"usher")") == AuthError::none);
  CHECK(with(R"(,"iss":"shop","aud":["other","usher"])") == AuthError::none);
  CHECK(with(R"(,"iss":"shop","aud":["other"])") == AuthError::wrong_audience);
  CHECK(with(R"(,"iss":"shop","aud":"other")") == AuthError::wrong_audience);
  CHECK(with(R"(,"iss":"shop")") == AuthError::wrong_audience);
  CHECK(with(R"(,"iss":"shop","aud":7)") == AuthError::bad_claims);
  CHECK(with(R"(,"iss":"else","aud":"usher")") == AuthError::wrong_issuer);
  CHECK(with(R"(,"aud":"usher")") == AuthError::wrong_issuer);
}

TEST_CASE("key set: weak, malformed and ambiguous keys are refused with the reason, nothing is added") {
  KeySet set;
  CHECK_FALSE(set.add_hs256("too short").ok());
  CHECK_FALSE(set.add_jwks("{}").ok());
  CHECK_FALSE(set.add_jwks("nonsense").ok());
  CHECK_FALSE(set.add_jwks(R"({"keys":[{"kty":"OKP","crv":"Ed25519","x":"AAAA"}]})").ok());
  CHECK_FALSE(set.add_jwks(R"({"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]})").ok());
  const Status twice = set.add_jwks("{\"keys\":[" + keys().ed_jwk + "," + keys().ed_jwk + "]}");
  REQUIRE_FALSE(twice.ok());
  CHECK(twice.error().detail == "keys[1].kid: names another key too");
  CHECK(set.empty());
  CHECK(set.add_jwks(R"({"keys":[{"kty":"EC","crv":"P-256"},{"kty":"OKP","crv":"X25519","x":"AA"}]})").ok());
  CHECK(set.empty());
}

TEST_CASE("bearer: the scheme in any case, nothing else") {
  CHECK(bearer_token("Bearer abc") == "abc");
  CHECK(bearer_token("bEARER  abc") == "abc");
  CHECK_FALSE(bearer_token("Basic abc").has_value());
  CHECK_FALSE(bearer_token("Bearer").has_value());
  CHECK_FALSE(bearer_token("Bearer ").has_value());
  CHECK_FALSE(bearer_token("").has_value());
}

TEST_CASE("user number: by issuer and subject, never 0, another with another secret") {
  CHECK(user_number(users, "a", "b") == user_number(users, "a", "b"));
  CHECK(user_number(users, "a", "b") != user_number(users, "a", "c"));
  CHECK(user_number(users, "ab", "c") != user_number(users, "a", "bc"));
  CHECK(user_number(derive_keys("a different secret").users, "a", "b") != user_number(users, "a", "b"));
}

TEST_CASE("token cache: more than it holds: bounded, and what is found is what was put in") {
  TokenCache cache(64);
  for (int i = 0; i < 1'000; ++i) {
    TokenCache::Facts facts;
    facts.expires_s = i;
    cache.insert("token " + std::to_string(i), "subject " + std::to_string(i), facts);
    REQUIRE(cache.find("token " + std::to_string(i)) != nullptr);
  }
  int found = 0;
  for (int i = 0; i < 1'000; ++i) {
    const TokenCache::Entry* entry = cache.find("token " + std::to_string(i));
    if (entry == nullptr) continue;
    CHECK(entry->facts.expires_s == i);
    CHECK(entry->text() == "token " + std::to_string(i));
    CHECK(entry->subject() == "subject " + std::to_string(i));
    ++found;
  }
  CHECK(found > 30);
  CHECK(found <= 64);
}

}  // namespace
