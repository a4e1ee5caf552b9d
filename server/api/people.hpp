#pragma once
/// People: writes down who a user number stands for, outside of the shards' logs, in the same batch as what the person
/// does first (DESIGN 6). One per loop, for its thread. Rows of the log's `people` family:
///
///   'k' user:u64 big-endian -> key:32 random bytes          deleting it erases the person
///   'p' user:u64 big-endian -> nonce:12 ciphertext tag:16   AES-256-GCM of: issuer 0x00 subject

#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/api/random_pool.hpp"
#include "usher/ids.hpp"
#include "usher/log.hpp"

namespace usher::server::api {

class People {
 public:
  /// Users remembered as written, so that each is written about once per start and loop; beyond, it begins anew.
  static constexpr std::size_t written_max = 1'000'000;

  explicit People(RandomPool& random) : random_(random) {}

  /// Somebody was erased, on any loop: who comes back is written down anew.
  void begin_anew_after(std::uint64_t erasures) {
    if (erasures == erasures_) return;
    erasures_ = erasures;
    written_.clear();
  }
  /// Adds the rows to the round that gathers, unless they were before. `subject` empty (a session): nobody to name.
  void note(UserNumber user, std::string_view issuer, std::string_view subject, LogLane& lane);

 private:
  RandomPool& random_;
  boost::unordered_flat_set<std::uint64_t> written_;
  std::uint64_t erasures_ = 0;  ///< seen so far
};

[[nodiscard]] std::string random_bytes(RandomPool& random, std::size_t size);
/// AES-256-GCM: nonce, ciphertext, tag. Requires: a key of 32 bytes and a nonce of 12 that it has not seen.
[[nodiscard]] std::string seal(std::string_view key, std::string_view nonce, std::string_view text);
/// Returns: nothing when the row was not sealed with that key.
[[nodiscard]] std::optional<std::string> unseal(std::string_view key, std::string_view row);

/// Reads a 'p' row with its 'k' row. Returns: false when they do not belong together.
[[nodiscard]] bool read_person(std::string_view key, std::string_view row, std::string& issuer, std::string& subject);

}  // namespace usher::server::api
