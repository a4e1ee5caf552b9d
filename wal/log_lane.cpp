#include "wal/log_lane.hpp"

#include <algorithm>
#include <utility>

#include "usher/assert.hpp"
#include "usher/limits.hpp"
#include "usher/mutant.hpp"
#include "wal/blob.hpp"
#include "wal/codec.hpp"

namespace usher::wal {
namespace {

constexpr std::uint16_t not_owned = 0xffff;
/// A buffer that an import blew up is not kept for the sale.
constexpr std::size_t pooled_bytes_max = std::size_t{1} << 20U;

}  // namespace

Lane::Lane(GroupCommit& commit, std::uint64_t epoch, const std::vector<ShardIndex>& shards,
           const std::vector<ShardTail>& tails, std::function<void()> wake, GiveBack give_back)
    : commit_(commit),
      slot_(commit.add_lane(std::move(wake))),
      give_back_(std::move(give_back)),
      epoch_(epoch),
      end_by_shard_(tails.size(), not_owned) {
  ends_.resize(shards.size());
  for (std::size_t index = 0; index < shards.size(); ++index) {
    ShardEnd& end = ends_[index];
    end.shard = shards[index];
    USHER_ASSERT(end.shard < tails.size() && end_by_shard_[end.shard] == not_owned);
    const ShardTail& tail = tails[end.shard];
    end.last_lsn = end.durable_lsn = tail.last_lsn;
    end.hash = tail.hash;
    end.highest_now = tail.highest_now;
    end_by_shard_[end.shard] = static_cast<std::uint16_t>(index);
  }
  gathering_.reserve(ends_.size());
  pool_.reserve(2 * ends_.size());
}

Lane::~Lane() {
  commit_.retire(slot_);
  for (const ShardEnd& end : ends_) give_back_(end.shard, {end.last_lsn - end.count, end.hash, end.highest_now});
}

const Lane::ShardEnd& Lane::at(ShardIndex shard) const noexcept {
  USHER_ASSERT(shard < end_by_shard_.size() && end_by_shard_[shard] != not_owned);
  return ends_[end_by_shard_[shard]];
}
Lane::ShardEnd& Lane::at(ShardIndex shard) noexcept {
  return const_cast<ShardEnd&>(static_cast<const Lane*>(this)->at(shard));
}

BlobBuffer Lane::take_buffer() {
  BlobBuffer buffer;
  if (!pool_.empty()) {
    buffer = std::move(pool_.back());
    pool_.pop_back();
  }
  buffer.clear();
  (void)buffer.reserve(blob_header_bytes);
  buffer.advance(blob_header_bytes);
  return buffer;
}

Lsn Lane::append(Record& record) {
  ShardEnd& end = at(record.shard);
  if (end.count == 0) {
    end.bytes = take_buffer();
    end.base = record.now;
    gathering_.push_back(end_by_shard_[record.shard]);
  }
  const std::size_t record_first = end.bytes.size();
  encode_record(record, end.base, end.bytes);
  const std::size_t record_size = end.bytes.size() - record_first;
  if (end.bytes.size() > limits::blob_bytes_max) split(end, record_first);
  end.highest_now = std::max(end.highest_now, record.now);
  gathered_bytes_ += record_size;
  ++end.count;
  record.lsn = ++end.last_lsn;
  return record.lsn;
}

/// Moves the record that was one too many to a blob of its own.
void Lane::split(ShardEnd& end, std::size_t record_first) {
  USHER_ASSERT(end.count > 0);  // else one record alone is too large, and record_bytes_max forbids that
  BlobBuffer next = take_buffer();
  next.append(end.bytes.data() + record_first, end.bytes.size() - record_first);
  end.bytes.shrink_to(record_first);
  seal(end);
  end.bytes = std::move(next);
}

void Lane::append_side(SideWrite write) {
  gathered_bytes_ += write.key.size() + write.value.size();
  gathered_.sides.push_back(std::move(write));
}

void Lane::seal(ShardEnd& end) {
  BlobHeader header;
  header.shard = end.shard;
  header.count = end.count;
  header.epoch = epoch_;
  header.first_lsn = end.last_lsn - end.count + 1;
  header.base = end.base;
  header.predecessor = end.hash;
  seal_blob(header, end.bytes);
  end.hash = Sha256::digest(end.bytes.view());
  gathered_.blobs.push_back({end.shard, header.first_lsn, end.count, end.hash, std::move(end.bytes)});
  end.count = 0;
}

void Lane::seal_all() {
  USHER_ASSERT(!in_flight_);
  for (const std::uint16_t index : gathering_) seal(ends_[index]);
  gathering_.clear();
  USHER_ASSERT(!gathered_.blobs.empty() || !gathered_.sides.empty());
  gathered_bytes_ = 0;
  std::swap(gathered_, slot_->round);
  slot_->durable.store(false, std::memory_order_relaxed);  // ours again since collect()
  in_flight_ = true;
}

void Lane::submit() {
  seal_all();
  commit_.submit(*slot_);
}

bool Lane::submit_inline() {
  seal_all();
  return commit_.submit_inline(*slot_);
}

bool Lane::collect() {
  // acquire: pairs with the release in GroupCommit::commit()
  if (!in_flight_ || !slot_->durable.load(std::memory_order_acquire)) return false;
  for (SealedBlob& blob : slot_->round.blobs) {
    at(blob.shard).durable_lsn =
        USHER_MUTANT(32, "what still gathers is taken for durable") ? at(blob.shard).last_lsn : blob.last_lsn();
    if (blob.bytes.capacity() <= pooled_bytes_max) pool_.push_back(std::move(blob.bytes));
  }
  slot_->round.blobs.clear();
  slot_->round.sides.clear();
  in_flight_ = false;
  return true;
}

}  // namespace usher::wal
