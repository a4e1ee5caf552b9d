#pragma once
/// IndexTable: finds slab indices by hash. Open addressing with linear probing and backward-shift deletion (Knuth,
/// TAOCP 3, 6.4, algorithm R), so that there are no tombstones and no rehash but on growth: a table whose population
/// is steady never allocates, which boost::unordered_flat_map does not promise. For one thread.

#include <cstdint>
#include <vector>

#include "engine/shard/slab.hpp"
#include "usher/assert.hpp"

namespace usher::engine {

class IndexTable {
 public:
  explicit IndexTable(std::uint32_t capacity = 64) : slots_(capacity) {
    USHER_ASSERT(capacity >= 4 && (capacity & (capacity - 1)) == 0);
  }

  /// Returns: the index whose `matches(index)` is true among those inserted under `hash`, or 0.
  template <class Matches>
  [[nodiscard]] SlabIndex find(std::uint64_t hash, Matches&& matches) const {
    const std::uint32_t tag = fold(hash);
    for (std::uint32_t at = tag & mask();; at = (at + 1) & mask()) {
      const Slot slot = slots_[at];
      if (slot.index == 0) return 0;
      if (slot.tag == tag && matches(slot.index)) return slot.index;
    }
  }

  /// Requires: `index` is not 0 and not in the table.
  void insert(std::uint64_t hash, SlabIndex index) {
    USHER_ASSERT(index != 0);
    if ((size_ + 1) * 2 > slots_.size()) grow();
    place(fold(hash), index);
    ++size_;
  }

  /// Requires: `index` was inserted under `hash`.
  void erase(std::uint64_t hash, SlabIndex index) {
    std::uint32_t at = fold(hash) & mask();
    while (slots_[at].index != index) {
      USHER_ASSERT(slots_[at].index != 0);
      at = (at + 1) & mask();
    }
    --size_;
    for (std::uint32_t next = (at + 1) & mask(); slots_[next].index != 0; next = (next + 1) & mask()) {
      const std::uint32_t home = slots_[next].tag & mask();
      // the slot may move back only if its home does not lie cyclically in (at, next]
      if (((next - home) & mask()) >= ((next - at) & mask())) {
        slots_[at] = slots_[next];
        at = next;
      }
    }
    slots_[at] = Slot{};
  }

  void prefetch(std::uint64_t hash) const noexcept { __builtin_prefetch(&slots_[fold(hash) & mask()]); }
  [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t capacity_bytes() const noexcept { return slots_.capacity() * sizeof(Slot); }

 private:
  struct Slot {
    std::uint32_t tag = 0;
    SlabIndex index = 0;
  };

  [[nodiscard]] static std::uint32_t fold(std::uint64_t hash) noexcept {
    return static_cast<std::uint32_t>(hash ^ (hash >> 32U));
  }
  [[nodiscard]] std::uint32_t mask() const noexcept { return static_cast<std::uint32_t>(slots_.size()) - 1; }

  void place(std::uint32_t tag, SlabIndex index) {
    std::uint32_t at = tag & mask();
    while (slots_[at].index != 0) at = (at + 1) & mask();
    slots_[at] = Slot{tag, index};
  }

  void grow() {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    for (const Slot slot : old) {
      if (slot.index != 0) place(slot.tag, slot.index);
    }
  }

  std::vector<Slot> slots_;
  std::uint32_t size_ = 0;
};

}  // namespace usher::engine
