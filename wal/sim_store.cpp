#include "wal/sim_store.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace usher::wal {

class SimBatch final : public StoreBatch {
 public:
  void clear() override {
    ops.clear();
    bytes = 0;
  }
  void put(Place place, std::string_view key, std::string_view value) override {
    ops.push_back({place, std::string(key), std::string(value), false});
    bytes += key.size() + value.size();
  }
  void erase(Place place, std::string_view key) override {
    ops.push_back({place, std::string(key), {}, true});
    bytes += key.size();
  }
  [[nodiscard]] std::size_t size_bytes() const override { return bytes; }

  std::vector<SimDisk::Op> ops;
  std::size_t bytes = 0;
};

namespace {

/// Walks rows that nobody changes while it holds them: whoever writes makes a copy first.
class SimCursor final : public StoreCursor {
 public:
  explicit SimCursor(std::shared_ptr<const SimDisk::Rows> rows) : rows_(std::move(rows)), at_(rows_->end()) {}
  void seek(std::string_view key) override { at_ = rows_->lower_bound(key); }
  void seek_back(std::string_view key) override {
    at_ = rows_->upper_bound(key);
    at_ = at_ == rows_->begin() ? rows_->end() : std::prev(at_);
  }
  void next() override { ++at_; }
  [[nodiscard]] bool valid() const override { return at_ != rows_->end(); }
  [[nodiscard]] std::string_view key() const override { return at_->first; }
  [[nodiscard]] std::string_view value() const override { return at_->second; }
  [[nodiscard]] Status status() const override { return Done{}; }

 private:
  std::shared_ptr<const SimDisk::Rows> rows_;
  SimDisk::Rows::const_iterator at_;
};

}  // namespace

/// Requires: the mutex, so that nobody takes a share meanwhile.
SimDisk::Rows& SimDisk::own_rows(State& state, Place place) {
  std::shared_ptr<Rows>& rows = state.tables[place];
  if (!rows) {
    rows = std::make_shared<Rows>();
  } else if (rows.use_count() > 1) {
    rows = std::make_shared<Rows>(*rows);
  }
  return *rows;
}

void SimDisk::apply(State& state, const std::vector<Op>& batch) {
  for (const Op& op : batch) {
    Rows& rows = own_rows(state, op.place);
    if (op.erase) {
      rows.erase(op.key);
    } else {
      rows.insert_or_assign(op.key, op.value);
    }
  }
}

void SimDisk::kill() {
  const std::lock_guard lock(mutex_);
  syncs_left_ = ~std::uint64_t{0};
}

void SimDisk::power_cut(std::size_t unsynced_kept, bool torn, bool anchor_kept) {
  const std::lock_guard lock(mutex_);
  const std::size_t kept = std::min(unsynced_kept, unsynced_.size());
  for (std::size_t at = 0; at < kept; ++at) {
    std::vector<Op>& batch = unsynced_[at];
    if (torn && at + 1 == kept && !batch.empty()) batch.back().value.resize(batch.back().value.size() / 2);
    apply(durable_, batch);
  }
  if (anchor_kept) std::copy(std::begin(live_.anchor), std::end(live_.anchor), std::begin(durable_.anchor));
  unsynced_.clear();
  live_ = durable_;
  syncs_left_ = ~std::uint64_t{0};
}

void SimDisk::fail_sync_after(std::uint64_t count) {
  const std::lock_guard lock(mutex_);
  syncs_left_ = count;
}

void SimDisk::heal() {
  fail_sync_after(~std::uint64_t{0});
}

std::size_t SimDisk::unsynced_batches() const {
  const std::lock_guard lock(mutex_);
  return unsynced_.size();
}

std::uint64_t SimDisk::syncs() const {
  const std::lock_guard lock(mutex_);
  return syncs_;
}

void SimDisk::edit(Place place, const std::function<void(Rows&)>& change) {
  const std::lock_guard lock(mutex_);
  change(own_rows(live_, place));
  durable_.tables[place] = live_.tables[place];
}

void SimDisk::edit_anchor(const std::function<void(std::string (&slots)[2])>& change) {
  const std::lock_guard lock(mutex_);
  change(live_.anchor);
  std::copy(std::begin(live_.anchor), std::end(live_.anchor), std::begin(durable_.anchor));
}

std::unique_ptr<StoreBatch> SimStore::make_batch() {
  return std::make_unique<SimBatch>();
}

Status SimStore::write(StoreBatch& batch, bool sync) {
  const std::lock_guard lock(disk_.mutex_);
  const std::vector<SimDisk::Op>& ops = static_cast<SimBatch&>(batch).ops;
  SimDisk::apply(disk_.live_, ops);
  disk_.unsynced_.push_back(ops);
  return sync ? sync_all() : Status{Done{}};
}

/// Requires: the disk's mutex.
Status SimStore::sync_all() {
  if (disk_.syncs_left_ == 0) return make_error(ErrorCode::io, "simulated failure of a sync");
  if (disk_.syncs_left_ != ~std::uint64_t{0}) --disk_.syncs_left_;
  ++disk_.syncs_;
  for (const auto& batch : disk_.unsynced_) SimDisk::apply(disk_.durable_, batch);
  disk_.unsynced_.clear();
  return Done{};
}

Result<std::unique_ptr<StoreCursor>> SimStore::cursor(Place place) {
  const std::lock_guard lock(disk_.mutex_);
  const auto found = disk_.live_.tables.find(place);
  if (found == disk_.live_.tables.end()) {
    if (place.table == Table::log) return make_error(ErrorCode::not_found, "there is no such segment");
    return std::unique_ptr<StoreCursor>(std::make_unique<SimCursor>(std::make_shared<SimDisk::Rows>()));
  }
  return std::unique_ptr<StoreCursor>(std::make_unique<SimCursor>(found->second));
}

Result<std::optional<std::string>> SimStore::get(Place place, std::string_view key) {
  const std::lock_guard lock(disk_.mutex_);
  const auto table = disk_.live_.tables.find(place);
  if (table == disk_.live_.tables.end()) return std::optional<std::string>{};
  const auto row = table->second->find(key);
  return row == table->second->end() ? std::optional<std::string>{} : std::optional<std::string>{row->second};
}

std::vector<SegmentNumber> SimStore::segments() const {
  const std::lock_guard lock(disk_.mutex_);
  std::vector<SegmentNumber> found;
  for (const auto& [place, rows] : disk_.live_.tables) {
    if (place.table == Table::log) found.push_back(place.segment);
  }
  return found;
}

/// Creating and dropping are synced, as RocksDB's manifest is.
Status SimStore::create_segment(SegmentNumber segment) {
  const std::lock_guard lock(disk_.mutex_);
  (void)SimDisk::own_rows(disk_.live_, {Table::log, segment});
  (void)SimDisk::own_rows(disk_.durable_, {Table::log, segment});
  return Done{};
}

Status SimStore::drop_segment(SegmentNumber segment) {
  const std::lock_guard lock(disk_.mutex_);
  disk_.live_.tables.erase({Table::log, segment});
  disk_.durable_.tables.erase({Table::log, segment});
  return Done{};
}

Status SimStore::flush_segment(SegmentNumber) {
  const std::lock_guard lock(disk_.mutex_);
  return sync_all();
}

std::uint64_t SimStore::segment_bytes(SegmentNumber segment) const {
  const std::lock_guard lock(disk_.mutex_);
  const auto found = disk_.live_.tables.find({Table::log, segment});
  if (found == disk_.live_.tables.end()) return 0;
  std::uint64_t bytes = 0;
  for (const auto& [key, value] : *found->second) bytes += key.size() + value.size();
  return bytes;
}

Status SimStore::write_anchor_slot(unsigned slot, std::string_view bytes) {
  const std::lock_guard lock(disk_.mutex_);
  disk_.live_.anchor[slot % 2] = bytes;
  return Done{};
}

Status SimStore::sync_anchor() {
  const std::lock_guard lock(disk_.mutex_);
  std::copy(std::begin(disk_.live_.anchor), std::end(disk_.live_.anchor), std::begin(disk_.durable_.anchor));
  return Done{};
}

Result<std::string> SimStore::read_anchor_slot(unsigned slot, std::size_t size_bytes) {
  const std::lock_guard lock(disk_.mutex_);
  return disk_.live_.anchor[slot % 2].substr(0, size_bytes);
}

Status SimStore::close() {
  const std::lock_guard lock(disk_.mutex_);
  return sync_all();
}

}  // namespace usher::wal
