#pragma once
/// EventReader: follows the durable log of all shards from a cursor: gap-free, each record at least once, in order
/// within a shard (and so within a show). For one thread at a time, never a loop's: it may read the disk.

#include <functional>

#include "server/events/event_hub.hpp"
#include "server/events/lsn_cursor.hpp"
#include "usher/record.hpp"
#include "wal/log.hpp"

namespace usher::server::events {

class EventReader {
 public:
  EventReader(const EventHub& hub, wal::OpenedLog& log) : hub_(hub), log_(log) {}

  /// Hands on records above the cursor until about `records_max`, and moves the cursor past them.
  /// Returns: how many; `log_trimmed` when the log no longer reaches back so far, `corrupt`, `io`.
  [[nodiscard]] Result<std::size_t> read(LsnCursor& cursor, std::size_t records_max,
                                         const std::function<void(const Record&)>& each);

 private:
  [[nodiscard]] Result<std::size_t> read_shard(ShardIndex shard, Lsn& after, std::size_t records_max,
                                               const std::function<void(const Record&)>& each);

  const EventHub& hub_;
  wal::OpenedLog& log_;
  Record record_;
  std::vector<Lsn> looked_;     ///< by shard: one more than the LSN behind which the disk had nothing
  std::size_t next_shard_ = 0;  ///< begins elsewhere each time, so that a busy shard starves none
};

}  // namespace usher::server::events
