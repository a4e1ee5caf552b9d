#pragma once
/// Line: who stands where. Spots are given out in order and never again; a spot that was left stays empty. For one
/// thread.
///
/// One bit per spot, and a Fenwick tree (Fenwick, Software: Practice and Experience 24, 1994) over the counts of its
/// words: how many stand before a spot costs one step per bit of the number of words, a million people cost 190 kB.

#include <cstdint>
#include <vector>

namespace usher::engine {

class Line {
 public:
  static constexpr std::uint32_t none = 0xffffffff;

  /// Returns: the spot at the end, taken.
  std::uint32_t push();
  /// Makes the line `length` spots long, all empty: take() fills them. Requires: an empty line.
  void reset(std::uint32_t length);
  /// Requires: spot < length(), empty.
  void take(std::uint32_t spot);
  /// Requires: spot < length(), taken.
  void leave(std::uint32_t spot);
  [[nodiscard]] bool taken(std::uint32_t spot) const noexcept {
    return spot < length_ && ((words_[spot / 64] >> (spot % 64)) & 1U) != 0;
  }
  /// How many stand before the spot. Requires: spot < length().
  [[nodiscard]] std::uint32_t ahead_of(std::uint32_t spot) const noexcept;
  /// Returns: the first taken spot, or none.
  [[nodiscard]] std::uint32_t first() const noexcept;
  [[nodiscard]] std::uint32_t count() const noexcept { return count_; }
  /// Spots given out so far.
  [[nodiscard]] std::uint32_t length() const noexcept { return length_; }
  [[nodiscard]] std::size_t capacity_bytes() const noexcept {
    return words_.capacity() * sizeof(std::uint64_t) + tree_.capacity() * sizeof(std::uint32_t);
  }

 private:
  void change(std::uint32_t word, std::uint32_t by) noexcept;
  void add_word();

  std::vector<std::uint64_t> words_;
  std::vector<std::uint32_t> tree_{0};  ///< from index 1
  std::uint32_t length_ = 0;
  std::uint32_t count_ = 0;
  mutable std::uint32_t first_word_ = 0;  ///< no spot before this word is taken
};

}  // namespace usher::engine
