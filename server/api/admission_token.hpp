#pragma once
/// The token that a waiting room gives to those it lets in: names room, place, user and end, signed by the directory's
/// key, so that any show can check it alone. Thread-safe.
///
///   token   = "UA1." base64url(content tag)
///   content = room:u32 place:u32 attempt:u32 expires_ms:u64 user:u64, little-endian
///   tag     = HMAC-SHA256(key, content), first 16 bytes; key = HMAC-SHA256(directory secret, "usher admission 1")

#include <optional>
#include <string>
#include <string_view>

#include "server/identity/crypto.hpp"
#include "usher/command.hpp"

namespace usher::server::api {

class AdmissionSigner {
 public:
  explicit AdmissionSigner(std::string_view directory_secret)
      : key_(identity::hmac_sha256(directory_secret, "usher admission 1")) {}

  [[nodiscard]] std::string sign(const Admission& admission, UserNumber user) const;
  /// Returns: what it says, or nothing when it is not ours or another user's. Whether it has ended is for the show to
  /// say.
  [[nodiscard]] std::optional<Admission> verify(std::string_view token, UserNumber user) const;

 private:
  [[nodiscard]] std::string tag(std::string_view content) const;

  identity::Digest key_;
};

}  // namespace usher::server::api
