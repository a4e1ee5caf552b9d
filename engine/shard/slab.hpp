#pragma once
/// Slab: objects of one type at stable addresses, named by 32-bit indices instead of pointers. For one thread. Freed
/// places are used again last in, first out; a chunk is never given back, so that the steady state allocates nothing.

#include <cstdint>
#include <memory>
#include <vector>

#include "usher/assert.hpp"

namespace usher::engine {

/// 0 is "none" in every slab.
using SlabIndex = std::uint32_t;

template <class T>
class Slab {
 public:
  static constexpr std::uint32_t chunk_bits = 10;
  static constexpr std::uint32_t chunk_size = 1U << chunk_bits;

  [[nodiscard]] T& operator[](SlabIndex index) noexcept {
    return chunks_[index >> chunk_bits][index & (chunk_size - 1)];
  }
  [[nodiscard]] const T& operator[](SlabIndex index) const noexcept {
    return chunks_[index >> chunk_bits][index & (chunk_size - 1)];
  }

  /// Returns: the index of a value-initialised object.
  [[nodiscard]] SlabIndex allocate() {
    if (!free_.empty()) {
      const SlabIndex index = free_.back();
      free_.pop_back();
      (*this)[index] = T{};
      ++size_;
      return index;
    }
    if ((next_ >> chunk_bits) == chunks_.size()) {
      chunks_.push_back(std::make_unique<T[]>(chunk_size));
      free_.reserve(chunks_.size() * chunk_size);
    }
    ++size_;
    return next_++;
  }

  /// Requires: allocate() gave `index` and it was not released since.
  void release(SlabIndex index) {
    USHER_ASSERT(index != 0 && index < next_);
    free_.push_back(index);
    --size_;
  }

  /// Calls `visit(object)` for all that are in use; for reports, not for the hot path.
  template <class Visit>
  void for_each(Visit&& visit) const {
    std::vector<bool> is_free(next_);
    for (const SlabIndex index : free_) is_free[index] = true;
    for (SlabIndex index = 1; index < next_; ++index) {
      if (!is_free[index]) visit((*this)[index]);
    }
  }

  [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t capacity_bytes() const noexcept {
    return chunks_.size() * chunk_size * sizeof(T) + free_.capacity() * sizeof(SlabIndex);
  }
  void prefetch(SlabIndex index) const noexcept { __builtin_prefetch(&(*this)[index]); }

 private:
  std::vector<std::unique_ptr<T[]>> chunks_;
  std::vector<SlabIndex> free_;
  SlabIndex next_ = 1;
  std::uint32_t size_ = 0;
};

}  // namespace usher::engine
