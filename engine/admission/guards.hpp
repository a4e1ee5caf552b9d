#pragma once
/// What shows and waiting rooms know of each other without asking: which room guards a show, what the show has left by
/// its newest durable image, and where a room lives. Thread-safe. The figures are facts for the rooms' ticks, which log
/// what they have used; nothing is decided here.

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "usher/ids.hpp"
#include "usher/limits.hpp"

namespace usher::engine {

/// Seats of one guarded show as they are durable. Written by the show's shard, read by the room's.
struct Inventory {
  std::atomic<std::uint32_t> free{0};
  std::atomic<std::uint32_t> held{0};             ///< reserved, and not booked yet
  std::atomic<std::uint32_t> return_permille{0};  ///< share of the last 200 seats held that came back
  std::atomic<std::uint32_t> room{0};             ///< 0: not guarded any more
  std::int64_t start_ms = 0;                      ///< of the show; from then on nothing is sold
};

/// From a show to its room and figures. Entries stay where they are for ever.
class GuardTable {
 public:
  /// Is any show guarded? One load: what a reserve pays when no room is on.
  [[nodiscard]] bool any() const noexcept { return guarded_.load(std::memory_order_relaxed) != 0; }

  [[nodiscard]] Inventory& make(ShowNumber show) {
    const std::unique_lock lock(mutex_);
    std::unique_ptr<Inventory>& place = shows_[show];
    if (place == nullptr) place = std::make_unique<Inventory>();
    return *place;
  }
  [[nodiscard]] const Inventory* find(ShowNumber show) const {
    const std::shared_lock lock(mutex_);
    const auto found = shows_.find(show);
    return found == shows_.end() ? nullptr : found->second.get();
  }
  /// Returns: the room that guards the show, 0 for none.
  [[nodiscard]] std::uint32_t room_of(ShowNumber show) const {
    if (!any()) return 0;
    const Inventory* found = find(show);
    return found == nullptr ? 0 : found->room.load(std::memory_order_relaxed);
  }
  /// For the show's shard: from now on `room` guards it, or nobody does.
  void set_room(Inventory& inventory, std::uint32_t room) noexcept {
    const std::uint32_t before = inventory.room.exchange(room, std::memory_order_relaxed);
    if ((before == 0) != (room == 0)) guarded_.fetch_add(room != 0 ? 1U : ~0U, std::memory_order_relaxed);
  }

 private:
  std::atomic<std::uint32_t> guarded_{0};
  mutable std::shared_mutex mutex_;
  std::map<ShowNumber, std::unique_ptr<Inventory>> shows_;
};

/// The rooms of a process by name and number.
class RoomTable {
 public:
  struct Entry {
    std::uint32_t number = 0;
    ShardIndex shard = 0;
    std::string id;
  };

  /// Returns: a number that no room has or had, taken for `id`; or nothing when the name is taken or all numbers are.
  [[nodiscard]] std::optional<std::uint32_t> allocate(std::string_view id, ShardIndex shard_count) {
    const std::unique_lock lock(mutex_);
    if (by_id_.contains(std::string(id)) || highest_ >= limits::rooms_max) return std::nullopt;
    const std::uint32_t number = ++highest_;
    insert(number, static_cast<ShardIndex>(number % shard_count), id);
    return number;
  }
  /// A room that the log tells of. A name that is taken already stays with its first owner.
  void note(std::uint32_t number, ShardIndex shard, std::string_view id) {
    const std::unique_lock lock(mutex_);
    highest_ = highest_ < number ? number : highest_;
    if (!id.empty()) insert(number, shard, id);
  }
  /// The room is gone; its number stays taken.
  void forget(std::uint32_t number) {
    const std::unique_lock lock(mutex_);
    const auto found = by_number_.find(number);
    if (found == by_number_.end()) return;
    const auto named = by_id_.find(found->second.id);
    if (named != by_id_.end() && named->second == number) by_id_.erase(named);
    by_number_.erase(found);
  }
  [[nodiscard]] std::optional<Entry> find(std::string_view id) const {
    const std::shared_lock lock(mutex_);
    const auto found = by_id_.find(std::string(id));
    if (found == by_id_.end()) return std::nullopt;
    return by_number_.at(found->second);
  }
  [[nodiscard]] std::optional<Entry> find(std::uint32_t number) const {
    const std::shared_lock lock(mutex_);
    const auto found = by_number_.find(number);
    if (found == by_number_.end()) return std::nullopt;
    return found->second;
  }
  [[nodiscard]] std::vector<Entry> list() const {
    const std::shared_lock lock(mutex_);
    std::vector<Entry> all;
    for (const auto& [number, entry] : by_number_) all.push_back(entry);
    return all;
  }

 private:
  void insert(std::uint32_t number, ShardIndex shard, std::string_view id) {
    by_number_[number] = {number, shard, std::string(id)};
    by_id_.emplace(std::string(id), number);
  }

  mutable std::shared_mutex mutex_;
  std::uint32_t highest_ = 0;
  std::map<std::uint32_t, Entry> by_number_;
  std::map<std::string, std::uint32_t> by_id_;
};

}  // namespace usher::engine
