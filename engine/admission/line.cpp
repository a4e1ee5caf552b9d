#include "engine/admission/line.hpp"

#include <bit>

#include "usher/assert.hpp"

namespace usher::engine {

void Line::change(std::uint32_t word, std::uint32_t by) noexcept {
  for (std::uint32_t at = word + 1; at < tree_.size(); at += at & (~at + 1)) tree_[at] += by;
}

/// A new last node counts the range that ends with it: what lies before its own word is there already.
void Line::add_word() {
  words_.push_back(0);
  const auto at = static_cast<std::uint32_t>(words_.size());
  std::uint32_t sum = 0;
  const std::uint32_t stop = at & (at - 1);
  for (std::uint32_t below = at - 1; below > stop; below &= below - 1) sum += tree_[below];
  tree_.push_back(sum);
}

std::uint32_t Line::push() {
  USHER_ASSERT(length_ != none);
  if (length_ % 64 == 0) add_word();
  const std::uint32_t spot = length_++;
  take(spot);
  return spot;
}

void Line::reset(std::uint32_t length) {
  USHER_ASSERT(length_ == 0);
  length_ = length;
  while (words_.size() * 64 < length) add_word();
}

void Line::take(std::uint32_t spot) {
  USHER_ASSERT(spot < length_ && !taken(spot));
  words_[spot / 64] |= std::uint64_t{1} << (spot % 64);
  change(spot / 64, 1);
  ++count_;
  if (spot / 64 < first_word_) first_word_ = spot / 64;
}

void Line::leave(std::uint32_t spot) {
  USHER_ASSERT(taken(spot));
  words_[spot / 64] &= ~(std::uint64_t{1} << (spot % 64));
  change(spot / 64, ~0U);  // minus one
  --count_;
}

std::uint32_t Line::ahead_of(std::uint32_t spot) const noexcept {
  const std::uint64_t before = words_[spot / 64] & ((std::uint64_t{1} << (spot % 64)) - 1);
  auto ahead = static_cast<std::uint32_t>(std::popcount(before));
  for (std::uint32_t at = spot / 64; at > 0; at &= at - 1) ahead += tree_[at];
  return ahead;
}

std::uint32_t Line::first() const noexcept {
  if (count_ == 0) return none;
  while (words_[first_word_] == 0) ++first_word_;
  return first_word_ * 64 + static_cast<std::uint32_t>(std::countr_zero(words_[first_word_]));
}

}  // namespace usher::engine
