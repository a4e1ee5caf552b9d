#pragma once
/// ShowDirectory: from a show's number to its shard and place, and the few figures of a show that any loop may read
/// without asking its owner. Thread-safe: written by the owning shards, read by all.

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>

#include "engine/shard/slab.hpp"
#include "usher/ids.hpp"

namespace usher::engine {

class ShowDirectory {
 public:
  static constexpr ShardIndex no_shard = 0xffff;
  static constexpr std::uint32_t shows_max = 1U << 24U;

  struct Entry {
    std::atomic<SlabIndex> slot{0};           ///< in the owner's slab; for the owner only
    std::atomic<std::uint32_t> available{0};  ///< free seats by the newest durable image
    std::atomic<std::uint16_t> shard{no_shard};
    std::atomic<std::uint8_t> status{0};  ///< ShowStatus by the newest durable image
  };

  ShowDirectory() = default;
  ShowDirectory(const ShowDirectory&) = delete;
  ShowDirectory& operator=(const ShowDirectory&) = delete;
  ~ShowDirectory() {
    for (auto& chunk : chunks_) delete[] chunk.load(std::memory_order_relaxed);
  }

  /// Returns: the entry, or nullptr when no show has that number.
  [[nodiscard]] Entry* find(ShowNumber number) const noexcept {
    const std::uint32_t value = to_value(number);
    if (value >= shows_max) return nullptr;
    // acquire: pairs with the release in make(), the chunk is initialised
    Entry* chunk = chunks_[value >> chunk_bits].load(std::memory_order_acquire);
    if (chunk == nullptr) return nullptr;
    Entry* entry = &chunk[value & (chunk_size - 1)];
    // acquire: pairs with the release store of `shard` by its owner, `slot` is written
    return entry->shard.load(std::memory_order_acquire) == no_shard ? nullptr : entry;
  }

  void prefetch(ShowNumber number) const noexcept {
    const std::uint32_t value = to_value(number);
    if (value >= shows_max) return;
    // relaxed: nothing is read there
    const Entry* chunk = chunks_[value >> chunk_bits].load(std::memory_order_relaxed);
    if (chunk != nullptr) __builtin_prefetch(&chunk[value & (chunk_size - 1)]);
  }
  /// Returns: the entry, made if need be. Requires: number < shows_max.
  [[nodiscard]] Entry& make(ShowNumber number) {
    const std::uint32_t value = to_value(number);
    USHER_ASSERT(value < shows_max);
    std::atomic<Entry*>& place = chunks_[value >> chunk_bits];
    if (place.load(std::memory_order_acquire) == nullptr) {
      const std::lock_guard lock(growing_);
      if (place.load(std::memory_order_relaxed) == nullptr) {
        // release: pairs with the acquire in find()
        place.store(new Entry[chunk_size], std::memory_order_release);
      }
    }
    return place.load(std::memory_order_acquire)[value & (chunk_size - 1)];
  }

 private:
  static constexpr std::uint32_t chunk_bits = 12;
  static constexpr std::uint32_t chunk_size = 1U << chunk_bits;

  std::array<std::atomic<Entry*>, (shows_max >> chunk_bits)> chunks_{};
  std::mutex growing_;
};

}  // namespace usher::engine
