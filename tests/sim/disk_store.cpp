/// The Store on the simulated disk: rows in and out, with the disk deciding what becomes of them.

#include <iterator>
#include <utility>

#include "tests/sim/disk.hpp"

namespace usher::sim {

using wal::Place;
using wal::Table;

namespace {

class DiskBatch final : public wal::StoreBatch {
 public:
  void clear() override {
    ops.clear();
    bytes = 0;
  }
  void put(Place place, std::string_view key, std::string_view value) override {
    ops.push_back({place, std::string(key), std::make_shared<const std::string>(value)});
    bytes += key.size() + value.size();
  }
  void erase(Place place, std::string_view key) override {
    ops.push_back({place, std::string(key), nullptr});
    bytes += key.size();
  }
  [[nodiscard]] std::size_t size_bytes() const override { return bytes; }

  Disk::Batch ops;
  std::size_t bytes = 0;
};

/// Walks rows that nobody changes while it holds them: whoever writes makes a copy first.
class DiskCursor final : public wal::StoreCursor {
 public:
  explicit DiskCursor(std::shared_ptr<const Rows> rows) : rows_(std::move(rows)), at_(rows_->end()) {}
  void seek(std::string_view key) override { at_ = rows_->lower_bound(key); }
  void seek_back(std::string_view key) override {
    at_ = rows_->upper_bound(key);
    at_ = at_ == rows_->begin() ? rows_->end() : std::prev(at_);
  }
  void next() override { ++at_; }
  [[nodiscard]] bool valid() const override { return at_ != rows_->end(); }
  [[nodiscard]] std::string_view key() const override { return at_->first; }
  [[nodiscard]] std::string_view value() const override { return *at_->second; }
  [[nodiscard]] Status status() const override { return Done{}; }

 private:
  std::shared_ptr<const Rows> rows_;
  Rows::const_iterator at_;
};

}  // namespace

std::unique_ptr<wal::StoreBatch> DiskStore::make_batch() {
  return std::make_unique<DiskBatch>();
}

Status DiskStore::write(wal::StoreBatch& batch, bool sync) {
  return disk_.write(static_cast<DiskBatch&>(batch).ops, sync);
}

Result<std::unique_ptr<wal::StoreCursor>> DiskStore::cursor(Place place) {
  if (disk_.off_) return Disk::power_is_off().error();
  const auto found = disk_.live_.find(place);
  if (found != disk_.live_.end()) {
    return std::unique_ptr<wal::StoreCursor>(std::make_unique<DiskCursor>(found->second));
  }
  if (place.table == Table::log) return make_error(ErrorCode::not_found, "there is no such segment");
  return std::unique_ptr<wal::StoreCursor>(std::make_unique<DiskCursor>(std::make_shared<Rows>()));
}

Result<std::optional<std::string>> DiskStore::get(Place place, std::string_view key) {
  if (disk_.off_) return Disk::power_is_off().error();
  const auto table = disk_.live_.find(place);
  if (table == disk_.live_.end()) return std::optional<std::string>{};
  const auto row = table->second->find(key);
  return row == table->second->end() ? std::optional<std::string>{} : std::optional<std::string>{*row->second};
}

std::vector<wal::SegmentNumber> DiskStore::segments() const {
  std::vector<wal::SegmentNumber> found;
  for (const auto& [place, rows] : disk_.live_) {
    if (place.table == Table::log) found.push_back(place.segment);
  }
  return found;
}

/// Creating and dropping are synced, as RocksDB's manifest is. A power cut comes before or after.
Status DiskStore::create_segment(wal::SegmentNumber segment) {
  if (disk_.off_) return Disk::power_is_off();
  const bool cut = disk_.strikes(IoFault::power, IoFault::power);
  if (!cut || disk_.random_.chance(500)) {
    (void)Disk::own(disk_.live_, {Table::log, segment});
    (void)Disk::own(disk_.durable_, {Table::log, segment});
  }
  if (!cut) return Done{};
  disk_.counters_.hit(Fault::power_cut_in_io);
  disk_.cut_power();
  return Disk::power_is_off();
}

Status DiskStore::drop_segment(wal::SegmentNumber segment) {
  if (disk_.off_) return Disk::power_is_off();
  const bool cut = disk_.strikes(IoFault::power, IoFault::power);
  if (!cut || disk_.random_.chance(500)) {
    disk_.live_.erase({Table::log, segment});
    disk_.durable_.erase({Table::log, segment});
  }
  if (!cut) return Done{};
  disk_.counters_.hit(Fault::power_cut_in_io);
  disk_.cut_power();
  return Disk::power_is_off();
}

Status DiskStore::flush_segment(wal::SegmentNumber) {
  return disk_.write({}, true);
}

std::uint64_t DiskStore::segment_bytes(wal::SegmentNumber segment) const {
  const auto found = disk_.live_.find({Table::log, segment});
  if (found == disk_.live_.end()) return 0;
  std::uint64_t bytes = 0;
  for (const auto& [key, value] : *found->second) bytes += key.size() + value->size();
  return bytes;
}

Status DiskStore::write_anchor_slot(unsigned slot, std::string_view bytes) {
  if (disk_.off_) return Disk::power_is_off();
  const bool struck = disk_.strikes(IoFault::anchor, IoFault::anchor);
  if (struck && disk_.armed_ == IoFault::anchor) {
    disk_.armed_ = IoFault::none;
    disk_.counters_.hit(Fault::anchor_failed);
    if (disk_.random_.chance(500)) disk_.anchor_live_[slot] = bytes;
    return make_error(ErrorCode::io, "simulated: the anchor could not be written");
  }
  disk_.anchor_live_[slot] = bytes;
  if (!struck) return Done{};
  disk_.counters_.hit(Fault::power_cut_in_io);
  disk_.cut_power();
  return Disk::power_is_off();
}

Status DiskStore::sync_anchor() {
  if (disk_.off_) return Disk::power_is_off();
  if (disk_.strikes(IoFault::anchor, IoFault::anchor)) {
    if (disk_.armed_ == IoFault::anchor) {
      disk_.armed_ = IoFault::none;
      disk_.counters_.hit(Fault::anchor_failed);
      return make_error(ErrorCode::io, "simulated: the anchor could not be synced");
    }
    disk_.counters_.hit(Fault::power_cut_in_io);
    disk_.cut_power();
    return Disk::power_is_off();
  }
  for (unsigned at = 0; at < 2; ++at) disk_.anchor_durable_[at] = disk_.anchor_live_[at];
  return Done{};
}

Result<std::string> DiskStore::read_anchor_slot(unsigned slot, std::size_t size_bytes) {
  if (disk_.off_) return Disk::power_is_off().error();
  return disk_.anchor_live_[slot].substr(0, size_bytes);
}

Status DiskStore::close() {
  return disk_.write({}, true);
}

}  // namespace usher::sim
