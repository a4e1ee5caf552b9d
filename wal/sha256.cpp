#include "wal/sha256.hpp"

// SHA256_Init and its like are marked as deprecated in favour of EVP, whose contexts cost more than the hash of a blob.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include "usher/assert.hpp"

namespace usher::wal {

ChainHash Sha256::digest(std::string_view bytes) noexcept {
  ChainHash hash{};
  SHA256_CTX context;
  const bool done = SHA256_Init(&context) == 1 && SHA256_Update(&context, bytes.data(), bytes.size()) == 1 &&
                    SHA256_Final(hash.data(), &context) == 1;
  USHER_ASSERT(done);
  return hash;
}

std::string short_hex(const ChainHash& hash) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (std::size_t at = 0; at < 8; ++at) {
    text += digits[hash[at] >> 4U];
    text += digits[hash[at] & 0xfU];
  }
  return text;
}

}  // namespace usher::wal
