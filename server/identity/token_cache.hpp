#pragma once
/// Remembers what was verified, by the exact bytes that were: signatures cost microseconds, a look-up some tens of
/// nanoseconds. Bounded and 8-way set-associative: a full set gives up its oldest entry. One per loop, for one thread.
/// A hit allocates nothing. Nothing is believed because of a hash: the whole text is compared.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/identity/crypto.hpp"
#include "server/identity/identity.hpp"

namespace usher::server::identity {

class TokenCache {
 public:
  struct Entry {
    std::string text;  // what was verified
    std::string subject;
    UserNumber user = UserNumber::none;
    Role role = Role::anonymous;
    std::int64_t valid_from_s = 0;   // inclusive, leeway included
    std::int64_t valid_until_s = 0;  // exclusive, leeway included
    std::int64_t expires_s = 0;      // as the token says
  };

  /// Holds about `entries` (rounded up to a power of two); 65,536 have room for 20,000 tokens with less than one in a
  /// thousand pushed out by its neighbours.
  explicit TokenCache(std::size_t entries = 65'536);

  /// Returns: the entry of exactly this text, valid or not, or nothing. It lives until the next insert().
  [[nodiscard]] const Entry* find(std::string_view text) noexcept;
  /// Returns: the entry as it now stands in the cache.
  const Entry& insert(Entry entry);

 private:
  static constexpr std::size_t ways = 8;
  struct Set {
    std::uint64_t hashes[ways]{};  // 0: free
  };

  [[nodiscard]] std::uint64_t hash(std::string_view text) const noexcept;

  SipKey key_;
  std::size_t set_mask_;
  std::vector<Set> sets_;
  std::vector<std::uint8_t> next_victim_;
  std::vector<std::unique_ptr<Entry>> entries_;
};

}  // namespace usher::server::identity
