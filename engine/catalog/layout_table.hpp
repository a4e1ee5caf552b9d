#pragma once
/// Thread-safe. Every layout of the process, once: shows hold a 32-bit index or a pointer instead of a copy. Layouts
/// are never removed, so what it hands out stays valid as long as the table. It never looks into a layout.

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>

#include <boost/unordered/unordered_flat_map.hpp>

#include "engine/catalog/layout.hpp"
#include "usher/result.hpp"

namespace usher::engine {

using LayoutIndex = std::uint32_t;

class LayoutTable {
 public:
  struct Entry {
    const Layout* layout = nullptr;
    LayoutIndex index = 0;
    bool is_new = false;
  };

  LayoutTable() = default;
  ~LayoutTable();
  LayoutTable(const LayoutTable&) = delete;
  LayoutTable& operator=(const LayoutTable&) = delete;

  /// Returns: the layout equal to `layout`, added if there was none; `invalid` when another one has the same hash or
  /// the table is full (1,048,576 layouts).
  [[nodiscard]] Result<Entry> intern(Layout&& layout);
  /// The same from canonical bytes (the payload of `layout_defined`); bytes seen before are not decoded again.
  /// Returns: what Layout::decode() returns, else as above.
  [[nodiscard]] Result<Entry> intern_bytes(std::string_view bytes);
  /// Returns: an entry with a null layout when no layout has this hash.
  [[nodiscard]] Entry find(std::uint64_t hash) const;
  /// Takes no lock. Requires: `index` was handed out by this table.
  [[nodiscard]] const Layout& at(LayoutIndex index) const noexcept {
    // acquire: pairs with the release in add()
    return *(*chunks_[index / chunk_size].load(std::memory_order_acquire))[index % chunk_size];
  }
  [[nodiscard]] std::size_t size() const;

 private:
  static constexpr std::size_t chunk_size = 1'024;
  static constexpr std::size_t chunk_count = 1'024;
  using Chunk = std::array<std::unique_ptr<const Layout>, chunk_size>;

  [[nodiscard]] Result<Entry> add(Layout&& layout);

  mutable std::mutex mutex_;
  boost::unordered_flat_map<std::uint64_t, LayoutIndex> by_hash_;
  std::size_t size_ = 0;
  std::array<std::atomic<Chunk*>, chunk_count> chunks_{};
};

}  // namespace usher::engine
