#pragma once
/// One key of a KeySet: an algorithm, and what it verifies with. Private to this folder.

#include <openssl/evp.h>

#include <memory>
#include <string>

#include "server/identity/jwt.hpp"

namespace usher::server::identity {

struct PublicKeyFree {
  void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
};
using PublicKey = std::unique_ptr<EVP_PKEY, PublicKeyFree>;

struct KeySet::SigningKey {
  std::string kid;
  Algorithm algorithm{};
  std::string secret;    // hs256
  PublicKey public_key;  // the others

  /// Whether `signature` is one of this key over `message`.
  [[nodiscard]] bool verifies(std::string_view message, std::string_view signature) const noexcept;
};

}  // namespace usher::server::identity
