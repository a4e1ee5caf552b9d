#pragma once
/// The draw of a waiting room: who registered before the opening gets a place at random, so that anybody can recompute
/// every place afterwards and nobody could choose it before. Pure functions; the room, the API and `usher verify-draw`
/// share them.
///
///   commitment = SHA-256(secret)                                  published when the room is made
///   list       = (sequence:u32 random:u64)*, little-endian        those registered, in the order of arrival
///   list_hash  = SHA-256("usher list 1" list)                     published at the opening, before the secret
///   seed       = SHA-256("usher draw 1" secret list_hash beacon)  beacon: text from outside, may be empty
///   order      = list, shuffled by Durstenfeld's algorithm (CACM 7, algorithm 235) with the words of a stream
///   stream     = SHA-256(seed 0:u64) SHA-256(seed 1:u64) ...      as little-endian u64
///   A number below n is the high half of word x n; words whose low half is below 2^64 mod n are passed over
///   (Lemire, ACM TOMACS 29, 2019), so that all orders are equally likely.

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/admission/sha256.hpp"

namespace usher::engine {

struct DrawEntry {
  std::uint32_t sequence = 0;
  std::uint64_t random = 0;
  bool operator==(const DrawEntry&) const = default;
};

/// The hash of a list, fed entry by entry.
class ListHash {
 public:
  ListHash() noexcept { sum_.update(std::string_view{"usher list 1"}); }
  void add(const DrawEntry& entry) noexcept;
  [[nodiscard]] Hash finish() noexcept { return sum_.finish(); }

 private:
  Sha256 sum_;
};

[[nodiscard]] Hash commitment_of(const Hash& secret) noexcept;
[[nodiscard]] Hash seed_of(const Hash& secret, const Hash& list_hash, std::string_view beacon) noexcept;
/// Returns: the indices of a list of `count` in the order drawn.
[[nodiscard]] std::vector<std::uint32_t> draw_order(const Hash& seed, std::uint32_t count);

}  // namespace usher::engine
