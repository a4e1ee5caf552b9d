#pragma once
/// Remembers what was verified, by the exact bytes that were: signatures cost microseconds, a look-up some tens of
/// nanoseconds. Bounded and 8-way set-associative: a full set gives up its oldest entry. One per loop, for one thread.
/// A hit allocates nothing. Nothing is believed because of a hash: the whole text is compared.

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "server/identity/crypto.hpp"
#include "server/identity/identity.hpp"

namespace usher::server::identity {

class TokenCache {
 public:
  /// What a text was found to say.
  struct Facts {
    UserNumber user = UserNumber::none;
    std::int64_t valid_from_s = 0;   ///< inclusive, leeway included
    std::int64_t valid_until_s = 0;  ///< exclusive, leeway included
    std::int64_t expires_s = 0;      ///< as the token says
    Role role = Role::anonymous;
  };

  /// Facts, text and subject lie together in one piece of memory, so that a hit costs two misses of the processor's
  /// cache and not six.
  class Entry {
   public:
    Facts facts;
    [[nodiscard]] std::string_view text() const noexcept { return {bytes(), text_size_}; }
    [[nodiscard]] std::string_view subject() const noexcept { return {bytes() + text_size_, subject_size_}; }

   private:
    friend class TokenCache;
    [[nodiscard]] const char* bytes() const noexcept { return reinterpret_cast<const char*>(this + 1); }
    [[nodiscard]] char* bytes() noexcept { return reinterpret_cast<char*>(this + 1); }
    std::uint32_t text_size_ = 0;
    std::uint32_t subject_size_ = 0;
  };

  /// Holds about `entries` (rounded up to a power of two); 65,536 have room for 20,000 tokens with less than one in a
  /// thousand pushed out by its neighbours.
  explicit TokenCache(std::size_t entries = 65'536);

  /// Returns: the entry of exactly this text, valid or not, or nothing. It lives until the next insert().
  [[nodiscard]] const Entry* find(std::string_view text) const noexcept;
  /// Returns: the entry as it now stands in the cache.
  const Entry& insert(std::string_view text, std::string_view subject, const Facts& facts);

 private:
  static constexpr std::size_t ways = 8;
  static constexpr std::size_t line_bytes = 64;
  struct Free {
    void operator()(Entry* entry) const noexcept;
  };
  using OwnedEntry = std::unique_ptr<Entry, Free>;
  struct alignas(line_bytes) Set {
    std::array<std::uint64_t, ways> hashes{};  // 0: free
    std::array<OwnedEntry, ways> entries;
  };

  [[nodiscard]] static OwnedEntry make_entry(std::string_view text, std::string_view subject, const Facts& facts);
  [[nodiscard]] std::uint64_t hash(std::string_view text) const noexcept;

  SipKey key_;
  std::vector<Set> sets_;
  std::vector<std::uint8_t> next_victim_;
};

}  // namespace usher::server::identity
