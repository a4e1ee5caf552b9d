#include "wal/trim.hpp"

#include <algorithm>
#include <utility>

#include "usher/mutant.hpp"
#include "wal/blob.hpp"
#include "wal/checkpoint_row.hpp"
#include "wal/keys.hpp"

namespace usher::wal {
namespace {

std::string place_text(SegmentNumber segment, const LogKey& key) {
  return "shard " + std::to_string(key.shard) + ", LSN " + std::to_string(key.first_lsn) + ", segment log." +
         std::to_string(segment);
}

/// Reads the tail out of the last blob of a shard.
Result<ShardTail> tail_of(std::string_view blob, const std::string& place) {
  BlobHeader header;
  const BlobFault fault = read_blob_header(blob, header);
  if (fault != BlobFault::none) return make_error(ErrorCode::corrupt, place + ": " + std::string(describe(fault)));
  ShardTail tail;
  tail.last_lsn = header.last_lsn();
  tail.hash = Sha256::digest(blob);
  tail.highest_now = header.base;
  Record record;
  for (RecordReader reader{blob, header}; reader.next(record);) {
    tail.highest_now = std::max(tail.highest_now, record.now);
  }
  return tail;
}

}  // namespace

Segments::Segments(Store& store, GroupCommit& commit, SegmentOptions options, std::vector<Lsn> covered,
                   std::uint64_t bytes_already, std::uint64_t now_ns)
    : store_(store),
      commit_(commit),
      options_(options),
      covered_(std::move(covered)),
      bytes_already_(bytes_already),
      begun_ns_(now_ns) {}

void Segments::set_covered(ShardIndex shard, Lsn lsn) noexcept {
  covered_[shard] = std::max(covered_[shard], lsn);
}

Result<bool> Segments::rotate_if_due(std::uint64_t now_ns) {
  const std::uint64_t bytes = bytes_already_ + commit_.segment_bytes();
  const bool due = bytes >= options_.segment_bytes || now_ns - begun_ns_ >= options_.segment_age_ns;
  if (bytes == 0 || !due) return false;
  if (const Status rotated = rotate(now_ns); !rotated) return rotated.error();
  return true;
}

Status Segments::rotate(std::uint64_t now_ns) {
  const SegmentNumber old = commit_.segment();
  if (Status created = store_.create_segment(old + 1); !created) return created;
  commit_.switch_segment(old + 1);
  bytes_already_ = 0;
  begun_ns_ = now_ns;
  if (Status flushed = store_.flush_segment(old); !flushed) return flushed;
  return verify_segment(store_, old);
}

Result<std::size_t> Segments::trim() {
  std::size_t dropped = 0;
  if (options_.retain) return dropped;
  for (const SegmentNumber segment : store_.segments()) {
    if (segment >= commit_.segment()) break;
    const Result<std::vector<ShardTail>> tails = tails_of(segment);
    if (!tails) return tails.error();
    for (std::size_t shard = 0; shard < covered_.size(); ++shard) {
      const Lsn spared = USHER_MUTANT(35, "a segment is dropped one record too early") ? 1 : 0;
      if (tails.value()[shard].last_lsn > covered_[shard] + spared) return dropped;
    }
    const bool no_base = USHER_MUTANT(34, "trimming forgets where the chain goes on");
    if (const Status written = no_base ? Status{Done{}} : write_bases(tails.value()); !written) return written.error();
    if (const Status gone = store_.drop_segment(segment); !gone) return gone.error();
    ++dropped;
  }
  return dropped;
}

Result<std::vector<ShardTail>> Segments::tails_of(SegmentNumber segment) {
  std::vector<ShardTail> tails(covered_.size());
  auto cursor = store_.cursor({Table::log, segment});
  if (!cursor) return cursor.error();
  for (std::size_t shard = 0; shard < tails.size(); ++shard) {
    cursor.value()->seek_back(log_key(static_cast<ShardIndex>(shard), ~Lsn{0}).view());
    LogKey key;
    if (!cursor.value()->valid()) {
      if (const Status walked = cursor.value()->status(); !walked) return walked.error();
      continue;
    }
    if (!parse_log_key(cursor.value()->key(), key) || key.shard != shard) continue;
    Result<ShardTail> tail = tail_of(cursor.value()->value(), place_text(segment, key));
    if (!tail) return tail.error();
    tails[shard] = tail.value();
  }
  return tails;
}

Status Segments::write_bases(const std::vector<ShardTail>& tails) {
  const auto batch = store_.make_batch();
  for (std::size_t shard = 0; shard < tails.size(); ++shard) {
    if (tails[shard].last_lsn == 0) continue;
    batch->put({Table::meta, 0}, meta_base(static_cast<ShardIndex>(shard)), encode_base(tails[shard]));
  }
  return store_.write(*batch, true);
}

Status verify_segment(Store& store, SegmentNumber segment) {
  auto cursor = store.cursor({Table::log, segment});
  if (!cursor) return cursor.error();
  for (cursor.value()->seek({}); cursor.value()->valid(); cursor.value()->next()) {
    LogKey key;
    BlobHeader header;
    const bool named = parse_log_key(cursor.value()->key(), key);
    const BlobFault fault = read_blob_header(cursor.value()->value(), header);
    if (named && fault == BlobFault::none && header.shard == key.shard && header.first_lsn == key.first_lsn) continue;
    const std::string why = fault == BlobFault::none ? "the key does not fit the blob" : std::string(describe(fault));
    return make_error(ErrorCode::corrupt, place_text(segment, key) + ": " + why);
  }
  return cursor.value()->status();
}

}  // namespace usher::wal
