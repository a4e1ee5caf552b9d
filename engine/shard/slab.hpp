#pragma once
/// Slab: objects of one type at stable addresses, named by 32-bit indices instead of pointers. For one thread. Freed
/// places are used again last in, first out, and hold the list of the free themselves; a chunk is never given back, so
/// that the steady state allocates nothing. Chunks are small: 64 shards of a process each waste half of one.

#include <cstdint>
#include <cstring>
#include <memory>
#include <type_traits>
#include <vector>

#include "usher/assert.hpp"

namespace usher::engine {

/// 0 is "none" in every slab.
using SlabIndex = std::uint32_t;

template <class T>
class Slab {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) >= sizeof(SlabIndex), "a free place holds an index");

 public:
  static constexpr std::uint32_t chunk_bits = 6;
  static constexpr std::uint32_t chunk_size = 1U << chunk_bits;

  [[nodiscard]] T& operator[](SlabIndex index) noexcept {
    return chunks_[index >> chunk_bits][index & (chunk_size - 1)];
  }
  [[nodiscard]] const T& operator[](SlabIndex index) const noexcept {
    return chunks_[index >> chunk_bits][index & (chunk_size - 1)];
  }

  /// Returns: the index of a value-initialised object.
  [[nodiscard]] SlabIndex allocate() {
    ++size_;
    if (free_ != 0) {
      const SlabIndex index = free_;
      free_ = next_free(index);
      (*this)[index] = T{};
      return index;
    }
    if ((next_ >> chunk_bits) == chunks_.size()) chunks_.push_back(std::make_unique<T[]>(chunk_size));
    return next_++;
  }

  /// Requires: allocate() gave `index` and it was not released since.
  void release(SlabIndex index) {
    USHER_ASSERT(index != 0 && index < next_ && size_ != 0);
    std::memcpy(static_cast<void*>(&(*this)[index]), &free_, sizeof free_);
    free_ = index;
    --size_;
  }

  /// Calls `visit(object)` for all that are in use; for reports, not for the hot path.
  template <class Visit>
  void for_each(Visit&& visit) const {
    std::vector<bool> is_free(next_);
    for (SlabIndex index = free_; index != 0; index = next_free(index)) is_free[index] = true;
    for (SlabIndex index = 1; index < next_; ++index) {
      if (!is_free[index]) visit((*this)[index]);
    }
  }

  [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t capacity_bytes() const noexcept {
    return chunks_.size() * chunk_size * sizeof(T) + chunks_.capacity() * sizeof(chunks_[0]);
  }
  /// All lines of the object.
  void prefetch(SlabIndex index) const noexcept {
    const char* first = reinterpret_cast<const char*>(&(*this)[index]);
    for (std::size_t at = 0; at < sizeof(T); at += 64) __builtin_prefetch(first + at);
  }

 private:
  [[nodiscard]] SlabIndex next_free(SlabIndex index) const noexcept {
    SlabIndex next = 0;
    std::memcpy(&next, static_cast<const void*>(&(*this)[index]), sizeof next);
    return next;
  }

  std::vector<std::unique_ptr<T[]>> chunks_;
  SlabIndex free_ = 0;  ///< the first of the free places
  SlabIndex next_ = 1;
  std::uint32_t size_ = 0;
};

}  // namespace usher::engine
