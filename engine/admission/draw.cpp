#include "engine/admission/draw.hpp"

#include <cstring>
#include <numeric>
#include <utility>

namespace usher::engine {
namespace {

/// Uniform numbers from the stream.
class Stream {
 public:
  explicit Stream(const Hash& seed) noexcept : seed_(seed) {}

  [[nodiscard]] std::uint32_t below(std::uint32_t bound) noexcept {
    const std::uint64_t passed_over = (~std::uint64_t{0} - bound + 1) % bound;
    for (;;) {
      __extension__ using Wide = unsigned __int128;
      const Wide product = Wide{next()} * bound;
      if (static_cast<std::uint64_t>(product) >= passed_over) return static_cast<std::uint32_t>(product >> 64U);
    }
  }

 private:
  [[nodiscard]] std::uint64_t next() noexcept {
    if (used_ == 4) {
      Sha256 sum;
      sum.update(seed_);
      sum.update(&counter_, sizeof counter_);
      const Hash hash = sum.finish();
      std::memcpy(words_.data(), hash.data(), hash.size());
      ++counter_;
      used_ = 0;
    }
    return words_[used_++];
  }

  Hash seed_;
  std::array<std::uint64_t, 4> words_{};
  std::uint64_t counter_ = 0;
  unsigned used_ = 4;
};

}  // namespace

void ListHash::add(const DrawEntry& entry) noexcept {
  std::array<std::uint8_t, 12> bytes;
  std::memcpy(bytes.data(), &entry.sequence, sizeof entry.sequence);
  std::memcpy(bytes.data() + sizeof entry.sequence, &entry.random, sizeof entry.random);
  sum_.update(bytes.data(), bytes.size());
}

Hash commitment_of(const Hash& secret) noexcept {
  Sha256 sum;
  sum.update(secret);
  return sum.finish();
}

Hash seed_of(const Hash& secret, const Hash& list_hash, std::string_view beacon) noexcept {
  Sha256 sum;
  sum.update(std::string_view{"usher draw 1"});
  sum.update(secret);
  sum.update(list_hash);
  sum.update(beacon);
  return sum.finish();
}

std::vector<std::uint32_t> draw_order(const Hash& seed, std::uint32_t count) {
  std::vector<std::uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0U);
  Stream stream(seed);
  for (std::uint32_t left = count; left > 1; --left) std::swap(order[left - 1], order[stream.below(left)]);
  return order;
}

}  // namespace usher::engine
