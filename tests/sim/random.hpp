#pragma once
/// Where all chance of a simulation comes from: xoshiro256** (Blackman and Vigna, "Scrambled Linear Pseudorandom Number
/// Generators", 2018), seeded by splitmix64. One per stream, so that what one part draws moves no other. For one
/// thread.

#include <cstddef>
#include <cstdint>

namespace usher::sim {

/// The product of two words.
__extension__ using Wide = unsigned __int128;

class Random {
 public:
  /// `stream` tells the parts of one seed apart.
  explicit Random(std::uint64_t seed, std::uint64_t stream = 0) noexcept {
    std::uint64_t at = seed * 0x9e3779b97f4a7c15ULL + stream * 0xd1342543de82ef95ULL + 1;
    for (std::uint64_t& word : state_) {
      at += 0x9e3779b97f4a7c15ULL;
      std::uint64_t mixed = (at ^ (at >> 30U)) * 0xbf58476d1ce4e5b9ULL;
      mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebULL;
      word = mixed ^ (mixed >> 31U);
    }
  }

  std::uint64_t next() noexcept {
    const std::uint64_t result = rotate(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17U;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = rotate(state_[3], 45);
    return result;
  }
  /// 0 to `bound` - 1. Requires: bound > 0. The bias of the multiplication is below 2^-32 for the bounds in use.
  std::uint64_t below(std::uint64_t bound) noexcept {
    return static_cast<std::uint64_t>((static_cast<Wide>(next()) * bound) >> 64U);
  }
  /// Both ends included.
  std::int64_t between(std::int64_t least, std::int64_t most) noexcept {
    return least + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(most - least) + 1));
  }
  /// True in `per_mille` of 1,000 cases.
  bool chance(std::uint32_t per_mille) noexcept { return below(1'000) < per_mille; }
  template <class T, std::size_t N>
  const T& pick(const T (&choices)[N]) noexcept {
    return choices[below(N)];
  }

 private:
  static std::uint64_t rotate(std::uint64_t word, unsigned by) noexcept { return (word << by) | (word >> (64U - by)); }
  std::uint64_t state_[4];
};

}  // namespace usher::sim
