#include "wal/checkpoint_writer.hpp"

#include <utility>

#include "usher/mutant.hpp"
#include "wal/checkpoint_row.hpp"
#include "wal/keys.hpp"

namespace usher::wal {
namespace {

std::size_t row_bytes(const CheckpointRow& row) noexcept {
  return sizeof(CheckpointRow) + row.state.size();
}

std::size_t rows_bytes(const std::vector<CheckpointRow>& rows) noexcept {
  std::size_t bytes = 0;
  for (const CheckpointRow& row : rows) bytes += row_bytes(row);
  return bytes;
}

}  // namespace

bool CheckpointWriter::try_push(std::vector<CheckpointRow>&& rows) {
  if (rows.empty()) return true;
  const std::size_t bytes = rows_bytes(rows);
  const std::lock_guard lock(mutex_);
  // One hand-over that alone exceeds the limit is taken when nothing else is there: it would never fit otherwise.
  if (queued_bytes_ != 0 && queued_bytes_ + bytes > limits_.queued_bytes_max) return false;
  queued_bytes_ += bytes;
  queue_.push_back({std::move(rows), 0, {}});
  return true;
}

void CheckpointWriter::push_complete(ShardIndex shard, Lsn lsn) {
  const std::lock_guard lock(mutex_);
  queue_.push_back({{}, 0, {shard, lsn}});
}

bool CheckpointWriter::idle() const {
  const std::lock_guard lock(mutex_);
  return queue_.empty();
}

/// Returns: one item of rows, or all completions before the next rows.
std::deque<CheckpointWriter::Item> CheckpointWriter::take_front() {
  std::deque<Item> taken;
  const std::lock_guard lock(mutex_);
  while (!queue_.empty()) {
    const bool has_rows = !queue_.front().rows.empty();
    if (has_rows && !taken.empty()) break;
    taken.push_back(std::move(queue_.front()));
    queue_.pop_front();
    if (has_rows) break;
  }
  return taken;
}

Result<CheckpointWriter::Step> CheckpointWriter::step() {
  Step result;
  std::deque<Item> items = take_front();
  if (items.empty()) return result;
  result.worked = true;
  Item& front = items.front();
  if (front.rows.empty()) {
    for (const Item& item : items) result.covered.push_back(item.covered);
    if (const Status written = write_covered(result.covered); !written) return written.error();
    return result;
  }
  if (const Status written = write_rows(front); !written) return written.error();
  const std::lock_guard lock(mutex_);
  if (front.done < front.rows.size()) {
    queue_.push_front(std::move(front));
  } else {
    queued_bytes_ -= rows_bytes(front.rows);
  }
  return result;
}

Status CheckpointWriter::write_rows(Item& item) {
  batch_->clear();
  while (item.done < item.rows.size() && batch_->size_bytes() < limits_.batch_bytes_max) {
    const CheckpointRow& row = item.rows[item.done];
    const auto key = checkpoint_key({row.kind, row.shard, row.key});
    if (row.state.empty()) {
      batch_->erase({Table::checkpoints, 0}, key.view());
    } else {
      encode_checkpoint(key.view(), row, value_);
      batch_->put({Table::checkpoints, 0}, key.view(), value_);
    }
    ++item.done;
  }
  return store_.write(*batch_, false);
}

/// The write-ahead log is one file in order: this sync makes all rows before it durable too.
Status CheckpointWriter::write_covered(const std::vector<Covered>& covered) {
  batch_->clear();
  for (const Covered& one : covered) batch_->put({Table::meta, 0}, meta_covered(one.shard), encode_number(one.lsn));
  return store_.write(*batch_, !USHER_MUTANT(33, "the log is trimmed before its checkpoint is synced"));
}

}  // namespace usher::wal
