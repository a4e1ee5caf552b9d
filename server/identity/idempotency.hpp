#pragma once
/// From an Idempotency-Key to the tag that a command carries: 128 bits that stand for (user, method, path, key) and 64
/// that stand for the body, both keyed by the directory's secret, so that neither key nor body appears in the log
/// (DESIGN 6). SipHash-2-4 (128 and 64 bits): a keyed pseudo-random function, some tens of nanoseconds where
/// HMAC-SHA256 takes 600. A pure object, shared by loops.

#include <string_view>

#include "server/identity/crypto.hpp"
#include "server/identity/identity.hpp"
#include "usher/record.hpp"

namespace usher::server::identity {

/// 1 to 255 visible ASCII characters.
[[nodiscard]] bool is_idempotency_key(std::string_view key) noexcept;

class IdempotencyTagger {
 public:
  explicit IdempotencyTagger(const Key& key) noexcept;
  /// Requires: is_idempotency_key(key). The tag is never the empty one.
  [[nodiscard]] IdempotencyTag tag(UserNumber user, std::string_view method, std::string_view path,
                                   std::string_view key, std::string_view body) const noexcept;

 private:
  SipKey names_;
  SipKey bodies_;
};

}  // namespace usher::server::identity
