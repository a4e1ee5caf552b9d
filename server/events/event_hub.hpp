#pragma once
/// EventHub: the newest part of the durable log in memory, for those who follow it. Thread-safe. The committing thread
/// puts each blob in as it becomes durable; readers take them from here, and from the disk what is older. Bounded:
/// beyond `bytes_max` the oldest blobs go. It never holds what is not durable. While somebody follows it slows a commit
/// by a copy; once `bytes_max` went by unread nobody does, and it keeps nothing until the next read().

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "usher/ids.hpp"

namespace usher::server::events {

class EventHub {
 public:
  EventHub(std::size_t shard_count, std::size_t bytes_max)
      : bytes_max_(bytes_max), unread_bytes_(bytes_max + 1), tails_(shard_count), last_(shard_count) {}

  /// On the committing thread, before anybody is told.
  void add(ShardIndex shard, Lsn first_lsn, std::uint32_t count, std::string_view blob);

  struct Blob {
    Lsn first_lsn = 0;
    std::uint32_t count = 0;
    std::shared_ptr<const std::string> bytes;
    [[nodiscard]] Lsn last_lsn() const noexcept { return first_lsn + count - 1; }
  };
  /// The blobs with records above `after`, at most `count_max`. Returns: nothing when the hub does not reach back so
  /// far, or has seen nothing of the shard yet: then the disk knows.
  [[nodiscard]] std::optional<std::vector<Blob>> read(ShardIndex shard, Lsn after, std::size_t count_max) const;
  /// The newest record of a shard that became durable in this process' life; 0: none did.
  [[nodiscard]] Lsn last(ShardIndex shard) const {
    const std::lock_guard lock(mutex_);
    return last_[shard];
  }
  [[nodiscard]] std::size_t shard_count() const noexcept { return tails_.size(); }

 private:
  void forget();

  mutable std::mutex mutex_;
  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  mutable std::size_t unread_bytes_;  ///< added since the last read(); beyond bytes_max_: nobody follows
  std::vector<std::deque<Blob>> tails_;
  std::vector<Lsn> last_;
  std::deque<ShardIndex> order_;  ///< shards of the blobs, oldest first
};

}  // namespace usher::server::events
