#include "bench/load/tokens.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <cstdio>
#include <ctime>

namespace usher::bench {

namespace {

std::string base64url(std::string_view bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string out;
  std::uint32_t held = 0;
  unsigned bits = 0;
  for (const char c : bytes) {
    held = (held << 8U) | static_cast<unsigned char>(c);
    bits += 8;
    while (bits >= 6) {
      bits -= 6;
      out += digits[(held >> bits) & 63U];
    }
  }
  if (bits > 0) out += digits[(held << (6U - bits)) & 63U];
  return out;
}

}  // namespace

std::string make_token(std::string_view secret, std::string_view subject, std::string_view role) {
  const auto now = static_cast<long long>(std::time(nullptr));
  std::string token = base64url(R"({"alg":"HS256","typ":"JWT"})") + "." +
                      base64url("{\"sub\":\"" + std::string(subject) + "\",\"role\":\"" + std::string(role) +
                                "\",\"iat\":" + std::to_string(now) + ",\"exp\":" + std::to_string(now + 86'400) + "}");
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(token.data()), token.size(), digest.data(), &size);
  return token + "." + base64url({reinterpret_cast<const char*>(digest.data()), size});
}

std::vector<std::string> make_tokens(std::string_view secret, std::size_t count) {
  std::vector<std::string> tokens;
  tokens.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    char subject[32];
    std::snprintf(subject, sizeof subject, "load-%05zu", i);
    tokens.push_back(make_token(secret, subject));
  }
  return tokens;
}

}  // namespace usher::bench
