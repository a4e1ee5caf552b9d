#pragma once
/// From an external id to the position of the thing that has it: open addressing over 32-bit positions, 4 to 8 bytes
/// per id. The ids themselves stay with their owner, who is asked for them (`id_at`). Lookups allocate nothing.

#include <bit>
#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/catalog/hash.hpp"

namespace usher::engine {

/// "No such thing": the one position that is never used.
inline constexpr std::uint32_t position_none = UINT32_MAX;

class IdIndex {
 public:
  /// `id_at(position)` yields the id of what was inserted at that position.
  template <class IdAt>
  [[nodiscard]] std::uint32_t find(std::string_view id, const IdAt& id_at) const noexcept {
    if (slots_.empty()) return position_none;
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t slot = hash_bytes(id) & mask;; slot = (slot + 1) & mask) {
      const std::uint32_t position = slots_[slot];
      if (position == position_none || id_at(position) == id) return position;
    }
  }

  /// Requires: no position with this id was inserted before.
  template <class IdAt>
  void insert(std::uint32_t position, const IdAt& id_at) {
    if ((size_ + 1) * 4 > slots_.size() * 3) grow(id_at);
    place(position, id_at(position));
    ++size_;
  }

  /// Makes room for `count` ids in all.
  template <class IdAt>
  void reserve(std::size_t count, const IdAt& id_at) {
    while (count * 4 > slots_.size() * 3) grow(id_at);
  }

  [[nodiscard]] std::size_t memory_bytes() const noexcept { return slots_.capacity() * sizeof(std::uint32_t); }

 private:
  void place(std::uint32_t position, std::string_view id) noexcept {
    const std::size_t mask = slots_.size() - 1;
    std::size_t slot = hash_bytes(id) & mask;
    while (slots_[slot] != position_none) slot = (slot + 1) & mask;
    slots_[slot] = position;
  }

  template <class IdAt>
  void grow(const IdAt& id_at) {
    const std::vector<std::uint32_t> before = std::move(slots_);
    slots_.assign(before.empty() ? 16 : before.size() * 2, position_none);
    for (const std::uint32_t position : before) {
      if (position != position_none) place(position, id_at(position));
    }
  }

  std::vector<std::uint32_t> slots_;
  std::size_t size_ = 0;
};

}  // namespace usher::engine
