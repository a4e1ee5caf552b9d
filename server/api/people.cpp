#include "server/api/people.hpp"

#include <openssl/evp.h>

#include <memory>

#include "usher/assert.hpp"

namespace usher::server::api {
namespace {

constexpr std::size_t key_bytes = 32;
constexpr std::size_t nonce_bytes = 12;
constexpr std::size_t tag_bytes = 16;

struct ContextDeleter {
  void operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, ContextDeleter>;

[[nodiscard]] const unsigned char* bytes_of(std::string_view text) noexcept {
  return reinterpret_cast<const unsigned char*>(text.data());
}
[[nodiscard]] unsigned char* bytes_of(std::string& text) noexcept {
  return reinterpret_cast<unsigned char*>(text.data());
}

[[nodiscard]] std::string row_key(char kind, UserNumber user) {
  std::string key(1, kind);
  for (unsigned shift = 64; shift > 0; shift -= 8) key.push_back(static_cast<char>(to_value(user) >> (shift - 8)));
  return key;
}

}  // namespace

std::string random_bytes(RandomPool& random, std::size_t size) {
  std::string bytes;
  while (bytes.size() < size) {
    const std::uint64_t word = random.next();
    bytes.append(reinterpret_cast<const char*>(&word), std::min(sizeof word, size - bytes.size()));
  }
  return bytes;
}

std::string seal(std::string_view key, std::string_view nonce, std::string_view text) {
  std::string row(nonce);
  row.resize(nonce_bytes + text.size() + tag_bytes);
  const Context context(EVP_CIPHER_CTX_new());
  int size = 0;
  unsigned char* out = bytes_of(row) + nonce_bytes;
  const bool sealed =
      context && EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key), bytes_of(nonce)) == 1 &&
      EVP_EncryptUpdate(context.get(), out, &size, bytes_of(text), static_cast<int>(text.size())) == 1 &&
      EVP_EncryptFinal_ex(context.get(), out + size, &size) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, tag_bytes, out + text.size()) == 1;
  USHER_ASSERT(sealed);  // fails for want of memory only
  return row;
}

void People::note(UserNumber user, std::string_view issuer, std::string_view subject, LogLane& lane) {
  if (subject.empty() || written_.contains(to_value(user))) return;
  if (written_.size() >= written_max) written_.clear();
  written_.insert(to_value(user));
  std::string text(issuer);
  text.push_back('\0');
  text += subject;
  std::string key = random_bytes(random_, key_bytes);
  std::string row = seal(key, random_bytes(random_, nonce_bytes), text);
  lane.append_side({row_key('k', user), std::move(key)});
  lane.append_side({row_key('p', user), std::move(row)});
}

std::optional<std::string> unseal(std::string_view key, std::string_view row) {
  if (key.size() != key_bytes || row.size() < nonce_bytes + tag_bytes) return std::nullopt;
  const std::string_view nonce = row.substr(0, nonce_bytes);
  const std::string_view text = row.substr(nonce_bytes, row.size() - nonce_bytes - tag_bytes);
  std::string tag(row.substr(row.size() - tag_bytes));
  std::string plain(text.size(), '\0');
  const Context context(EVP_CIPHER_CTX_new());
  int size = 0;
  const bool opened =
      context && EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key), bytes_of(nonce)) == 1 &&
      EVP_DecryptUpdate(context.get(), bytes_of(plain), &size, bytes_of(text), static_cast<int>(text.size())) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, tag_bytes, tag.data()) == 1 &&
      EVP_DecryptFinal_ex(context.get(), bytes_of(plain) + size, &size) == 1;
  if (!opened) return std::nullopt;
  return plain;
}

bool read_person(std::string_view key, std::string_view row, std::string& issuer, std::string& subject) {
  const std::optional<std::string> plain = unseal(key, row);
  const std::size_t zero = plain ? plain->find('\0') : std::string::npos;
  if (zero == std::string::npos) return false;
  issuer = plain->substr(0, zero);
  subject = plain->substr(zero + 1);
  return true;
}

}  // namespace usher::server::api
