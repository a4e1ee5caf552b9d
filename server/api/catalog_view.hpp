#pragma once
/// CatalogView: the catalog's snapshot with what the API needs beside it: the layout of each screen at hand. Immutable;
/// made when a snapshot is published and shared by all loops.

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/catalog/layout_table.hpp"
#include "engine/catalog/snapshot.hpp"

namespace usher::server::api {

/// One show as the API sees it before it asks the show's shard.
struct ShowRef {
  std::string_view id;
  const engine::ShowRow* row = nullptr;
  const engine::Layout* layout = nullptr;
};

class CatalogView {
 public:
  CatalogView(std::shared_ptr<const engine::Snapshot> snapshot, const engine::LayoutTable& layouts)
      : snapshot_(std::move(snapshot)) {
    const engine::CatalogData& data = snapshot_->data();
    layouts_.reserve(data.screen_count());
    for (std::uint32_t at = 0; at < data.screen_count(); ++at) {
      layouts_.push_back(layouts.find(data.screen(at).layout_hash).layout);
    }
  }

  [[nodiscard]] const engine::Snapshot& snapshot() const noexcept { return *snapshot_; }
  [[nodiscard]] const std::shared_ptr<const engine::Snapshot>& shared_snapshot() const noexcept { return snapshot_; }

  [[nodiscard]] std::optional<ShowRef> find(std::string_view id) const noexcept {
    return at(snapshot_->data().find_show(id));
  }
  [[nodiscard]] std::optional<ShowRef> find(ShowNumber number) const noexcept {
    return at(snapshot_->data().find_show(number));
  }

 private:
  [[nodiscard]] std::optional<ShowRef> at(std::uint32_t position) const noexcept {
    if (position == engine::position_none) return std::nullopt;
    const engine::CatalogData& data = snapshot_->data();
    const engine::ShowRow& row = data.show(position);
    return ShowRef{data.show_id(position), &row, layouts_[row.screen]};
  }

  std::shared_ptr<const engine::Snapshot> snapshot_;
  std::vector<const engine::Layout*> layouts_;  ///< by screen; nullptr where no show has needed it yet
};

}  // namespace usher::server::api
