#include "server/api/ticket_code.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>

#include "usher/assert.hpp"

namespace usher::server::api {
namespace {

constexpr std::string_view prefix = "UT1.";
constexpr std::size_t part_chars = 22;  // 16 bytes in base64 without padding
constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void append_base64url(std::string& out, const std::array<std::uint8_t, 16>& bytes) {
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const std::uint8_t byte : bytes) {
    bits = (bits << 8U) | byte;
    for (count += 8; count >= 6; count -= 6) out.push_back(alphabet[(bits >> (count - 6)) & 63U]);
  }
  if (count > 0) out.push_back(alphabet[(bits << (6 - count)) & 63U]);
}

[[nodiscard]] bool read_base64url(std::string_view text, std::array<std::uint8_t, 16>& bytes) {
  std::uint32_t bits = 0;
  unsigned count = 0;
  std::size_t at = 0;
  for (const char c : text) {
    const std::size_t value = alphabet.find(c);
    if (value == std::string_view::npos) return false;
    bits = (bits << 6U) | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8 && at < bytes.size()) {
      count -= 8;
      bytes[at++] = static_cast<std::uint8_t>(bits >> count);
    }
  }
  return at == bytes.size();
}

[[nodiscard]] std::array<std::uint8_t, 16> to_bytes(const Uuid& uuid) noexcept {
  std::array<std::uint8_t, 16> bytes{};
  for (unsigned i = 0; i < 8; ++i) {
    bytes[i] = static_cast<std::uint8_t>(uuid.high >> (56U - 8U * i));
    bytes[8 + i] = static_cast<std::uint8_t>(uuid.low >> (56U - 8U * i));
  }
  return bytes;
}

}  // namespace

TicketSigner::TicketSigner(std::string_view directory_secret) {
  constexpr std::string_view purpose = "usher ticket code 1";
  unsigned size = 0;
  const unsigned char* made =
      HMAC(EVP_sha256(), directory_secret.data(), static_cast<int>(directory_secret.size()),
           reinterpret_cast<const unsigned char*>(purpose.data()), purpose.size(), key_.data(), &size);
  USHER_ASSERT(made != nullptr && size == key_.size());
}

std::array<std::uint8_t, 16> TicketSigner::tag(const Uuid& ticket) const {
  const auto bytes = to_bytes(ticket);
  std::array<std::uint8_t, 32> full{};
  unsigned size = 0;
  const unsigned char* made =
      HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()), bytes.data(), bytes.size(), full.data(), &size);
  USHER_ASSERT(made != nullptr);
  std::array<std::uint8_t, 16> cut{};
  std::copy_n(full.begin(), cut.size(), cut.begin());
  return cut;
}

std::string TicketSigner::code(const Id& ticket) const {
  const Uuid uuid = to_uuid(ticket);
  std::string text{prefix};
  append_base64url(text, to_bytes(uuid));
  text.push_back('.');
  append_base64url(text, tag(uuid));
  return text;
}

bool TicketSigner::verify(std::string_view text, Uuid& ticket) const {
  if (text.size() != prefix.size() + 2 * part_chars + 1 || !text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  std::array<std::uint8_t, 16> id{};
  std::array<std::uint8_t, 16> given{};
  if (text[part_chars] != '.' || !read_base64url(text.substr(0, part_chars), id) ||
      !read_base64url(text.substr(part_chars + 1), given)) {
    return false;
  }
  ticket = {};
  for (unsigned i = 0; i < 8; ++i) {
    ticket.high = (ticket.high << 8U) | id[i];
    ticket.low = (ticket.low << 8U) | id[8 + i];
  }
  const auto right = tag(ticket);
  return CRYPTO_memcmp(right.data(), given.data(), right.size()) == 0;
}

}  // namespace usher::server::api
