#include "wal/sha256.hpp"

#include <openssl/evp.h>

#include "usher/assert.hpp"

namespace usher::wal {

Sha256::Sha256() : context_(EVP_MD_CTX_new()), algorithm_(EVP_MD_fetch(nullptr, "SHA256", nullptr)) {
  USHER_ASSERT(context_ != nullptr && algorithm_ != nullptr);
  USHER_ASSERT(EVP_DigestInit_ex2(static_cast<EVP_MD_CTX*>(context_), static_cast<EVP_MD*>(algorithm_), nullptr) == 1);
}

Sha256::~Sha256() {
  EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context_));
  EVP_MD_free(static_cast<EVP_MD*>(algorithm_));
}

ChainHash Sha256::digest(std::string_view bytes) noexcept {
  auto* context = static_cast<EVP_MD_CTX*>(context_);
  ChainHash hash{};
  // A null type keeps the algorithm of before: only the state is reset.
  const bool done = EVP_DigestInit_ex2(context, nullptr, nullptr) == 1 &&
                    EVP_DigestUpdate(context, bytes.data(), bytes.size()) == 1 &&
                    EVP_DigestFinal_ex(context, hash.data(), nullptr) == 1;
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
