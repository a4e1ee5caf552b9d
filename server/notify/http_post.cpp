#include "server/notify/http_post.hpp"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netdb.h>
#include <openssl/evp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <memory>

#include "server/identity/crypto.hpp"

namespace usher::server::notify {
namespace {

constexpr std::string_view secret_prefix = "whsec_";
constexpr long timeout_s = 15;

struct EasyFree {
  void operator()(CURL* handle) const noexcept { curl_easy_cleanup(handle); }
};
struct ListFree {
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};

[[nodiscard]] std::string base64(std::string_view bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

[[nodiscard]] std::optional<std::string> decode_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return std::nullopt;
  std::string out(text.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && text[text.size() - 1 - padding] == '=') ++padding;
  out.resize(static_cast<std::size_t>(size) - padding);
  return out;
}

[[nodiscard]] bool in_net(std::uint32_t address, std::uint32_t net, unsigned bits) noexcept {
  const std::uint32_t mask = bits == 0 ? 0 : ~0U << (32U - bits);
  return (address & mask) == net;
}

[[nodiscard]] bool is_private_v4(std::uint32_t address) noexcept {
  struct Net {
    std::uint32_t net;
    unsigned bits;
  };
  static constexpr std::array<Net, 13> nets{{{0x00000000, 8},
                                             {0x0a000000, 8},
                                             {0x64400000, 10},
                                             {0x7f000000, 8},
                                             {0xa9fe0000, 16},
                                             {0xac100000, 12},
                                             {0xc0000000, 24},
                                             {0xc0000200, 24},
                                             {0xc0a80000, 16},
                                             {0xc6120000, 15},
                                             {0xc6336400, 24},
                                             {0xcb007100, 24},
                                             {0xe0000000, 3}}};
  for (const Net& net : nets) {
    if (in_net(address, net.net, net.bits)) return true;
  }
  return false;
}

[[nodiscard]] bool is_private_v6(const std::array<std::uint8_t, 16>& a) noexcept {
  static constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  const std::uint32_t low =
      std::uint32_t{a[12]} << 24U | std::uint32_t{a[13]} << 16U | std::uint32_t{a[14]} << 8U | a[15];
  if (std::memcmp(a.data(), mapped.data(), mapped.size()) == 0) return is_private_v4(low);
  if (a[0] == 0x00 && a[1] == 0x64 && a[2] == 0xff && a[3] == 0x9b) return is_private_v4(low);  // NAT64, RFC 6052
  // only 2000::/3 is the open internet's, and not all of it: documentation, 6to4, Teredo
  if ((a[0] & 0xe0U) != 0x20) return true;
  const bool documentation = a[0] == 0x20 && a[1] == 0x01 && a[2] == 0x0d && a[3] == 0xb8;
  const bool teredo = a[0] == 0x20 && a[1] == 0x01 && a[2] == 0 && a[3] == 0;
  return documentation || teredo || (a[0] == 0x20 && a[1] == 0x02);
}

/// libcurl asks for a socket when it knows the address: names that lead inside are found out here, however they do it.
curl_socket_t open_socket(void* allow_private, curlsocktype, curl_sockaddr* address) {
  std::array<char, NI_MAXHOST> text{};
  const int named = ::getnameinfo(&address->addr, static_cast<socklen_t>(address->addrlen), text.data(), text.size(),
                                  nullptr, 0, NI_NUMERICHOST);
  if (allow_private == nullptr && (named != 0 || is_private_address(text.data()))) return CURL_SOCKET_BAD;
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

std::size_t ignore(char*, std::size_t size, std::size_t count, void*) {
  return size * count;
}

}  // namespace

bool is_private_address(std::string_view address) noexcept {
  const std::string text{address.substr(0, address.find('%'))};
  in_addr v4{};
  if (::inet_pton(AF_INET, text.c_str(), &v4) == 1) return is_private_v4(ntohl(v4.s_addr));
  std::array<std::uint8_t, 16> v6{};
  return ::inet_pton(AF_INET6, text.c_str(), v6.data()) != 1 || is_private_v6(v6);
}

std::string webhook_key(std::string_view secret) {
  if (secret.starts_with(secret_prefix)) {
    if (auto bytes = decode_base64(secret.substr(secret_prefix.size()))) return *bytes;
  }
  return std::string{secret};
}

std::string webhook_signature(std::string_view key, std::string_view id, std::int64_t seconds, std::string_view body) {
  std::string text{id};
  text += "." + std::to_string(seconds) + ".";
  text += body;
  const identity::Digest digest = identity::hmac_sha256(key, text);
  return "v1," + base64({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

HttpAnswer http_post(const HttpPost& post) {
  const std::unique_ptr<CURL, EasyFree> curl{curl_easy_init()};
  if (!curl) return {0, "no memory"};
  const std::int64_t seconds = to_ms(post.now) / 1'000;
  std::unique_ptr<curl_slist, ListFree> fields;
  for (const std::string& field :
       {std::string("Content-Type: application/json"), "webhook-id: " + post.id,
        "webhook-timestamp: " + std::to_string(seconds),
        "webhook-signature: " + webhook_signature(post.key, post.id, seconds, post.body), std::string("Expect:")}) {
    fields.reset(curl_slist_append(fields.release(), field.c_str()));
  }
  std::array<char, CURL_ERROR_SIZE> error{};
  static char allowed = 1;
  curl_easy_setopt(curl.get(), CURLOPT_URL, post.url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, fields.get());
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(post.body.size()));
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, post.body.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, timeout_s);
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_PROXY, "");
  curl_easy_setopt(curl.get(), CURLOPT_USERAGENT, "usher/" USHER_VERSION);
  curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, error.data());
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, ignore);
  curl_easy_setopt(curl.get(), CURLOPT_OPENSOCKETFUNCTION, open_socket);
  curl_easy_setopt(curl.get(), CURLOPT_OPENSOCKETDATA, post.allow_private ? &allowed : nullptr);
  const CURLcode code = curl_easy_perform(curl.get());
  if (code != CURLE_OK) return {0, error[0] != 0 ? error.data() : curl_easy_strerror(code)};
  HttpAnswer answer;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &answer.status);
  return answer;
}

}  // namespace usher::server::notify
