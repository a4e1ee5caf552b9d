#pragma once
/// The state of the system shard: what is shown where and when. Written by that shard's thread alone, by applying
/// `catalog_changed` payloads in the order of the log; readers use snapshots of it. It reads no clock and sells
/// nothing.

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/catalog/catalog_data.hpp"
#include "engine/catalog/snapshot.hpp"
#include "usher/result.hpp"

namespace usher::engine {

class Catalog {
 public:
  /// Applies all entries of a `catalog_changed` payload. Applying a payload again changes nothing.
  /// Returns: `corrupt` when an entry is malformed or refers to something unknown; entries before it are applied then,
  /// and the log is not one that this program wrote.
  [[nodiscard]] Status apply(std::string_view payload);

  /// What the engine stores per entity in a checkpoint, under the key that says what it is and where.
  [[nodiscard]] static constexpr std::uint64_t checkpoint_key(EntityKind kind, std::uint32_t at) noexcept {
    return (static_cast<std::uint64_t>(kind) << 32U) | at;
  }
  /// Appends the canonical bytes of the entity with that key. Requires: a key that this class gave.
  void encode(std::uint64_t key, Bytes& out) const;
  /// Takes one row of a checkpoint back. Rows come in the order of their keys.
  /// Returns: `corrupt` when the bytes are not those of an entity for this key.
  [[nodiscard]] Status restore(std::uint64_t key, std::string_view bytes);
  /// Keys of all entities, ascending.
  [[nodiscard]] std::vector<std::uint64_t> keys() const;
  /// Keys of what changed since the last call, ascending, each once.
  [[nodiscard]] std::vector<std::uint64_t> take_dirty();

  [[nodiscard]] const CatalogData& data() const noexcept { return data_; }
  [[nodiscard]] ShowNumber highest_number() const noexcept { return data_.highest_number(); }
  /// Equal for equal content.
  [[nodiscard]] std::uint64_t digest() const { return data_.digest(); }
  /// A view for readers. Where 100 ms are too long for this thread, copy data() (a few ms) and build it elsewhere.
  [[nodiscard]] std::shared_ptr<const Snapshot> snapshot() const { return std::make_shared<const Snapshot>(data_); }

 private:
  CatalogData data_;
  std::vector<std::uint64_t> dirty_;
};

}  // namespace usher::engine
