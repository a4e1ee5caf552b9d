#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

#include <algorithm>

#include "server/identity/crypto.hpp"
#include "server/identity/jwt.hpp"
#include "server/identity/signing_key.hpp"

namespace usher::server::identity {
namespace {

constexpr std::size_t secret_bytes_min = 32;
constexpr std::size_t ed25519_bytes = 32;
constexpr int rsa_bits_min = 2'048;
constexpr std::size_t jwks_bytes_max = 1U << 20U;
constexpr std::size_t keys_max = 64;
// An RSA key of 16,384 bits in base64url.
constexpr std::size_t member_bytes_max = 4'096;

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};
template <class T, auto Free>
using Owned = std::unique_ptr<T, Freer<Free>>;

const unsigned char* bytes_of(std::string_view text) noexcept {
  return reinterpret_cast<const unsigned char*>(text.data());
}

PublicKey make_ed25519(std::string_view x) {
  if (x.size() != ed25519_bytes) return nullptr;
  return PublicKey{EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(x), x.size())};
}

// By RFC 8017 from modulus and exponent, both big-endian.
PublicKey make_rsa(std::string_view modulus, std::string_view exponent) {
  const Owned<BIGNUM, BN_free> n{BN_bin2bn(bytes_of(modulus), static_cast<int>(modulus.size()), nullptr)};
  const Owned<BIGNUM, BN_free> e{BN_bin2bn(bytes_of(exponent), static_cast<int>(exponent.size()), nullptr)};
  const Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> builder{OSSL_PARAM_BLD_new()};
  if (!n || !e || !builder || BN_num_bits(n.get()) < rsa_bits_min || !BN_is_odd(e.get()) || BN_is_one(e.get())) {
    return nullptr;
  }
  if (OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
    return nullptr;
  }
  const Owned<OSSL_PARAM, OSSL_PARAM_free> parameters{OSSL_PARAM_BLD_to_param(builder.get())};
  const Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context{EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr)};
  EVP_PKEY* key = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1) return nullptr;
  if (EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) return nullptr;
  return PublicKey{key};
}

std::string member(json::Object& jwk, std::string_view name) {
  const std::string_view text = jwk.string(name, {1, member_bytes_max});
  const std::optional<std::string> bytes = decode_base64url(text);
  if (!bytes) jwk.fail(name, "must be base64url");
  return bytes.value_or(std::string{});
}

// Fills algorithm and key. Returns: false for keys that are for something else.
bool read_key(json::Object& jwk, Algorithm& algorithm, PublicKey& key) {
  const std::string_view type = jwk.string("kty", {1, 16});
  const auto use = jwk.optional_string("use", {0, 16});
  const auto name = jwk.optional_string("alg", {0, 16});
  if (use && *use != "sig") return false;
  if (type == "OKP") {
    if (jwk.string("crv", {1, 16}) != "Ed25519" || (name && *name != "EdDSA")) return false;
    algorithm = Algorithm::eddsa;
    key = make_ed25519(member(jwk, "x"));
  } else if (type == "RSA") {
    if (name && *name != "RS256") return false;
    algorithm = Algorithm::rs256;
    key = make_rsa(member(jwk, "n"), member(jwk, "e"));
  } else {
    return false;
  }
  if (!key) jwk.fail({}, "is not an Ed25519 key or an RSA key of 2048 bits or more");
  return true;
}

bool verify_with(EVP_PKEY* key, const EVP_MD* digest, std::string_view message, std::string_view signature) noexcept {
  const Owned<EVP_MD_CTX, EVP_MD_CTX_free> context{EVP_MD_CTX_new()};
  if (!context || EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key) != 1) return false;
  const int result =
      EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(message), message.size());
  if (result != 1) ERR_clear_error();
  return result == 1;
}

}  // namespace

std::string_view to_string(Algorithm algorithm) noexcept {
  switch (algorithm) {
    case Algorithm::hs256:
      return "HS256";
    case Algorithm::eddsa:
      return "EdDSA";
    case Algorithm::rs256:
      return "RS256";
  }
  return {};
}

bool KeySet::SigningKey::verifies(std::string_view message, std::string_view signature) const noexcept {
  switch (algorithm) {
    case Algorithm::hs256: {
      const Digest digest = hmac_sha256(secret, message);
      return equal_constant_time({reinterpret_cast<const char*>(digest.data()), digest.size()}, signature);
    }
    case Algorithm::eddsa:
      return verify_with(public_key.get(), nullptr, message, signature);
    case Algorithm::rs256:
      return verify_with(public_key.get(), EVP_sha256(), message, signature);
  }
  return false;
}

KeySet::KeySet() = default;
KeySet::~KeySet() = default;
KeySet::KeySet(KeySet&&) noexcept = default;
KeySet& KeySet::operator=(KeySet&&) noexcept = default;

bool KeySet::empty() const noexcept {
  return keys_.empty();
}

Status KeySet::add_hs256(std::string_view secret, std::string_view kid) {
  if (secret.size() < secret_bytes_min) return make_error(ErrorCode::invalid, "the secret must have 32 bytes or more");
  const auto same = [&](const SigningKey& other) { return other.kid == kid; };
  if (std::any_of(keys_.begin(), keys_.end(), same)) return make_error(ErrorCode::invalid, "two keys with one kid");
  SigningKey key;
  key.kid = kid;
  key.algorithm = Algorithm::hs256;
  key.secret = secret;
  keys_.push_back(std::move(key));
  return Done{};
}

Status KeySet::add_jwks(std::string_view json) {
  json::Reader reader(jwks_bytes_max);
  json::Object root = reader.parse_copy(json);
  json::Array list = root.array("keys", 0, keys_max);
  std::vector<SigningKey> added;
  while (list.next()) {
    json::Object jwk = list.object();
    SigningKey key;
    if (!jwk.present() || !read_key(jwk, key.algorithm, key.public_key)) continue;
    key.kid = jwk.optional_string("kid", {1, 255}).value_or(std::string_view{});
    const auto same = [&](const SigningKey& other) { return other.kid == key.kid; };
    if (std::any_of(added.begin(), added.end(), same) || std::any_of(keys_.begin(), keys_.end(), same)) {
      jwk.fail("kid", "names another key too");
    }
    added.push_back(std::move(key));
  }
  if (!reader.ok()) return make_error(ErrorCode::invalid, std::string{reader.error()});
  std::move(added.begin(), added.end(), std::back_inserter(keys_));
  return Done{};
}

// A token without `kid` belongs to the key without one, or to the only one there is.
const KeySet::SigningKey* KeySet::find(std::string_view kid) const noexcept {
  for (const SigningKey& key : keys_) {
    if (key.kid == kid) return &key;
  }
  return kid.empty() && keys_.size() == 1 ? &keys_.front() : nullptr;
}

}  // namespace usher::server::identity
