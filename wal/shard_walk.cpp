#include "wal/shard_walk.hpp"

#include <utility>

#include "usher/assert.hpp"
#include "usher/mutant.hpp"

namespace usher::wal {

std::string describe(const Damage& damage) {
  std::string text = "shard " + std::to_string(damage.shard) + ", LSN " + std::to_string(damage.lsn);
  if (damage.lsn_found != 0 && damage.lsn_found != damage.lsn)
    text += " (found " + std::to_string(damage.lsn_found) + ")";
  text += damage.segment != 0 ? ", segment log." + std::to_string(damage.segment) : ", no segment";
  return text + ": " + damage.text;
}

ShardWalk::ShardWalk(Store& store, const std::vector<SegmentNumber>& segments, const WalkStart& start)
    : store_(store), segments_(segments), start_(start) {}

SegmentNumber ShardWalk::last_segment() const noexcept {
  if (segments_.empty()) return 0;
  return segment_at_ < segments_.size() ? segments_[segment_at_] : segments_.back();
}

/// Returns: false when the store cannot be read; error_ is set.
bool ShardWalk::open_segment(std::size_t index, std::string_view from) {
  auto cursor = store_.cursor({Table::log, segments_[index]});
  if (!cursor) {
    error_ = cursor.error();
    return false;
  }
  cursor_ = std::move(cursor).value();
  segment_at_ = index;
  cursor_->seek(from);
  return true;
}

bool ShardWalk::row_is_ours() const {
  return cursor_->valid() && cursor_->key().size() >= 2 &&
         get_big_endian<std::uint16_t>(cursor_->key().data()) == start_.shard;
}

/// Puts the cursor on the first row to look at, and says what is known of what lies before it.
bool ShardWalk::find_start() {
  last_lsn_ = start_.base.last_lsn;
  hash_ = start_.base.hash;
  if (start_.from > start_.base.last_lsn) {
    const auto from = log_key(start_.shard, start_.from);
    for (std::size_t index = segments_.size(); index-- > 0;) {
      if (!open_segment(index, from.view())) return false;
      cursor_->seek_back(from.view());
      if (!row_is_ours()) continue;
      LogKey found;
      if (!parse_log_key(cursor_->key(), found)) break;  // the walk from the front meets it and says so
      if (found.first_lsn == start_.base.last_lsn + 1) return true;
      hash_known_ = lsn_known_ = false;
      last_lsn_ = found.first_lsn - 1;
      return true;
    }
  }
  // From the front. A segment that trim was about to drop may still be there, below the base: begin in it.
  if (!segments_.empty() && !open_segment(0, log_key(start_.shard, 0).view())) return false;
  while (!segments_.empty() && !row_is_ours()) {
    if (Status walked = cursor_->status(); !walked) {
      error_ = walked.error();
      return false;
    }
    if (segment_at_ + 1 == segments_.size()) return true;
    if (!open_segment(segment_at_ + 1, log_key(start_.shard, 0).view())) return false;
  }
  LogKey first;
  if (cursor_ != nullptr && parse_log_key(cursor_->key(), first) && first.first_lsn <= start_.base.last_lsn) {
    hash_known_ = first.first_lsn == 1;
    hash_ = {};
    last_lsn_ = first.first_lsn - 1;
  }
  return true;
}

/// Returns: false at the shard's end or after an error (error_).
bool ShardWalk::to_next_row() {
  if (started_) {
    cursor_->next();
  } else {
    started_ = true;
    if (!find_start()) return false;
  }
  if (cursor_ == nullptr) return false;
  while (!row_is_ours()) {
    if (Status walked = cursor_->status(); !walked) {
      error_ = walked.error();
      return false;
    }
    if (segment_at_ + 1 >= segments_.size()) return false;
    if (!open_segment(segment_at_ + 1, log_key(start_.shard, 0).view())) return false;
  }
  return true;
}

ShardWalk::Step ShardWalk::next() {
  if (!to_next_row()) return error_ ? Step::failed : Step::end;
  return verify();
}

ShardWalk::Step ShardWalk::damaged(bool intact, std::string text, ErrorCode code) {
  damage_ = {start_.shard, last_lsn_ + 1,  key_named_ ? key_.first_lsn : 0, segments_[segment_at_], code,
             intact,       std::move(text)};
  return Step::damaged;
}

ShardWalk::Step ShardWalk::verify() {
  key_named_ = parse_log_key(cursor_->key(), key_);
  const BlobFault fault = read_blob_header(cursor_->value(), header_);
  if (fault == BlobFault::version) return damaged(false, std::string(describe(fault)), ErrorCode::version);
  if (fault != BlobFault::none) return damaged(false, std::string(describe(fault)));
  if (!key_named_ || header_.shard != key_.shard || header_.first_lsn != key_.first_lsn) {
    return damaged(true, "the key does not fit the blob");
  }
  if (auto wrong = chain_fault()) return damaged(true, std::move(*wrong));
  accept();
  return Step::blob;
}

std::optional<std::string> ShardWalk::chain_fault() const {
  if (lsn_known_ && header_.first_lsn > last_lsn_ + 1) {
    return "records " + std::to_string(last_lsn_ + 1) + " to " + std::to_string(header_.first_lsn - 1) + " are missing";
  }
  if (lsn_known_ && header_.first_lsn <= last_lsn_) return "the record is there twice";
  if (hash_known_ && header_.predecessor != hash_ && !USHER_MUTANT(36, "the chain is not checked")) {
    return "the chain is broken: this blob follows " + short_hex(header_.predecessor) + ", before it lies " +
           short_hex(hash_);
  }
  if (header_.epoch < epoch_) return "the epoch goes back from " + std::to_string(epoch_);
  if (header_.epoch > start_.epoch_max) return "the epoch " + std::to_string(header_.epoch) + " was never begun";
  return std::nullopt;
}

void ShardWalk::accept() {
  hash_ = Sha256::digest(cursor_->value());
  hash_known_ = lsn_known_ = true;
  last_lsn_ = header_.last_lsn();
  epoch_ = header_.epoch;
}

void ShardWalk::resume() {
  if (damage_.intact && key_named_ && header_.shard == start_.shard) return accept();
  hash_known_ = false;
  lsn_known_ = false;
}

Result<ShardWalk::Rest> ShardWalk::rest() {
  Rest rest;
  do {
    BlobHeader header;
    rest.keys.emplace_back(segments_[segment_at_], std::string(cursor_->key()));
    rest.intact_blob = rest.intact_blob || read_blob_header(cursor_->value(), header) == BlobFault::none;
  } while (to_next_row());
  if (error_) return *error_;
  return rest;
}

}  // namespace usher::wal
