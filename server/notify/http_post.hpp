#pragma once
/// Calls to other people's servers, signed as Standard Webhooks (standardwebhooks.com, version 1) describes, by
/// libcurl. Blocking: for a courier's thread.

#include <optional>
#include <string>
#include <string_view>

#include "server/notify/delivery.hpp"

namespace usher::server::notify {

/// The bytes of a secret: "whsec_" and base64, or any text as it is.
[[nodiscard]] std::string webhook_key(std::string_view secret);
/// "v1," and the base64 of HMAC-SHA-256 over "ID.SECONDS.BODY".
[[nodiscard]] std::string webhook_signature(std::string_view key, std::string_view id, std::int64_t seconds,
                                            std::string_view body);

/// Whether an address (in text) is none of the open internet's: loopback, private, link-local, shared, multicast,
/// documentation, and IPv4 within IPv6 likewise (RFC 6890).
[[nodiscard]] bool is_private_address(std::string_view address) noexcept;

struct HttpPost {
  std::string url;
  std::string id;    ///< webhook-id
  std::string body;  ///< JSON
  std::string key;   ///< of webhook_key()
  bool allow_private = false;
  Instant now{};
};
/// The status of the answer, or 0 and what went wrong. Redirects are not followed: they would be signed for somebody
/// else.
struct HttpAnswer {
  long status = 0;
  std::string error;
};
[[nodiscard]] HttpAnswer http_post(const HttpPost& post);

}  // namespace usher::server::notify
