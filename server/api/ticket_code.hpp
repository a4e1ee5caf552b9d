#pragma once
/// What a ticket's QR code says: "UT1." + 22 characters of ticket id + "." + 22 characters of HMAC-SHA-256 (RFC 2104),
/// cut to 128 bits, both base64url without padding. Made from the directory's secret, so that nobody else can make one.
/// Thread-safe.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "usher/ids.hpp"

namespace usher::server::api {

class TicketSigner {
 public:
  explicit TicketSigner(std::string_view directory_secret);

  /// Returns: the code of the ticket, 49 characters.
  [[nodiscard]] std::string code(const Id& ticket) const;
  /// Returns: whether code() gives this text for some ticket; compares in constant time.
  [[nodiscard]] bool verify(std::string_view text, Uuid& ticket) const;

 private:
  [[nodiscard]] std::array<std::uint8_t, 16> tag(const Uuid& ticket) const;

  std::array<std::uint8_t, 32> key_{};
};

}  // namespace usher::server::api
