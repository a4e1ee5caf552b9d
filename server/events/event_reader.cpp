#include "server/events/event_reader.hpp"

#include <algorithm>

#include "wal/blob.hpp"

namespace usher::server::events {
namespace {

class EachRecord final : public ReplayTarget {
 public:
  EachRecord(Lsn& after, const std::function<void(const Record&)>& each) : after_(after), each_(each) {}
  [[nodiscard]] Status restore(const CheckpointRow&) override { return Done{}; }
  [[nodiscard]] Status replay(const Record& record) override {
    each_(record);
    after_ = record.lsn;
    return Done{};
  }

 private:
  Lsn& after_;
  const std::function<void(const Record&)>& each_;
};

}  // namespace

Result<std::size_t> EventReader::read_shard(ShardIndex shard, Lsn& after, std::size_t records_max,
                                            const std::function<void(const Record&)>& each) {
  if (const auto blobs = hub_.read(shard, after, 64)) {
    std::size_t count = 0;
    for (const EventHub::Blob& blob : *blobs) {
      wal::BlobHeader header;
      if (wal::read_blob_header(*blob.bytes, header) != wal::BlobFault::none) {
        return make_error(ErrorCode::corrupt, "a blob of shard " + std::to_string(shard) + " in memory is damaged");
      }
      wal::RecordReader reader(*blob.bytes, header);
      while (count < records_max && reader.next(record_)) {
        if (record_.lsn <= after) continue;
        each(record_);
        after = record_.lsn;
        ++count;
      }
      if (count >= records_max) break;
    }
    return count;
  }
  // the disk had nothing more, and nothing was committed since the start: there is still nothing
  if (looked_[shard] == after + 1 && hub_.last(shard) == 0) return std::size_t{0};
  EachRecord target(after, each);
  const Result<wal::ReplayEnd> end = log_.read_since(shard, after, records_max, target);
  if (!end) return end.error();
  if (end.value().records == 0) looked_[shard] = after + 1;
  return static_cast<std::size_t>(end.value().records);
}

Result<std::size_t> EventReader::read(LsnCursor& cursor, std::size_t records_max,
                                      const std::function<void(const Record&)>& each) {
  looked_.resize(cursor.size());
  std::size_t count = 0;
  const std::size_t first = next_shard_++ % cursor.size();
  for (std::size_t i = 0; i < cursor.size() && count < records_max; ++i) {
    const std::size_t shard = (first + i) % cursor.size();
    const Result<std::size_t> read =
        read_shard(static_cast<ShardIndex>(shard), cursor[shard], records_max - count, each);
    if (!read) return read.error();
    count += read.value();
  }
  return count;
}

}  // namespace usher::server::events
