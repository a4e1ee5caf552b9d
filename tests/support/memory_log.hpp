#pragma once
/// A Log that keeps its records in memory, decoded, and makes them durable when the test says so. Lanes of different
/// shards may be used on different threads at once; everything else is for one thread.

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "usher/assert.hpp"
#include "usher/log.hpp"

namespace usher::testing {

class MemoryLog final : public Log {
 public:
  enum class Sync : std::uint8_t { manual, automatic };

  /// `shard_count` with the system shard. Automatic: a submitted round is durable at once.
  explicit MemoryLog(std::size_t shard_count, Sync sync = Sync::automatic) : shards_(shard_count), sync_(sync) {}

  [[nodiscard]] std::unique_ptr<LogLane> make_lane(std::vector<ShardIndex> shards, std::function<void()> wake) override;
  [[nodiscard]] bool try_checkpoint(std::vector<CheckpointRow>&& rows) override {
    const std::lock_guard lock(mutex_);
    if (checkpoint_queue_full) return false;
    for (CheckpointRow& row : rows) {
      USHER_ASSERT(row.lsn <= shards_[row.shard].durable);
      rows_[{row.shard, row.kind, row.key}] = row;
    }
    rows.clear();
    return true;
  }
  void checkpoint_complete(ShardIndex shard, Lsn lsn) override {
    const std::lock_guard lock(mutex_);
    covered_[shard] = lsn;
  }
  [[nodiscard]] bool has_space() const noexcept override { return has_space_; }

  // what a test does
  void set_space(bool has_space) noexcept { has_space_ = has_space; }
  void set_keep(bool keep) noexcept { keep_ = keep; }                ///< whether records are kept at all
  void set_extra_bytes(std::size_t bytes) { extra_bytes_ = bytes; }  ///< counted as gathered
  void set_baton(bool free) noexcept { baton_free_ = free; }         ///< whether submit_inline() may sync
  bool checkpoint_queue_full = false;
  /// Makes the rounds in flight durable.
  void sync();

  // what a test asks
  [[nodiscard]] const std::vector<Record>& records(ShardIndex shard) const noexcept { return shards_[shard].records; }
  [[nodiscard]] std::size_t record_count() const noexcept {
    std::size_t count = 0;
    for (const PerShard& shard : shards_) count += static_cast<std::size_t>(shard.last);
    return count;
  }
  /// In order of shard, kind and key, as recovery wants them.
  [[nodiscard]] std::vector<CheckpointRow> rows() const {
    std::vector<CheckpointRow> rows;
    for (const auto& [key, row] : rows_) rows.push_back(row);
    return rows;
  }
  [[nodiscard]] Lsn covered(ShardIndex shard) const {
    const auto found = covered_.find(shard);
    return found == covered_.end() ? 0 : found->second;
  }
  [[nodiscard]] Lsn durable(ShardIndex shard) const noexcept { return shards_[shard].durable; }

 private:
  class Lane;
  struct PerShard {
    std::vector<Record> records;
    Lsn last = 0;
    Lsn sealed = 0;
    Lsn durable = 0;
  };

  std::vector<PerShard> shards_;
  std::vector<Lane*> lanes_;
  Sync sync_;
  std::atomic<bool> has_space_{true};
  bool keep_ = true;
  bool baton_free_ = true;
  std::size_t extra_bytes_ = 0;
  std::mutex mutex_;
  std::map<std::tuple<ShardIndex, std::uint8_t, std::uint64_t>, CheckpointRow> rows_;
  std::map<ShardIndex, Lsn> covered_;
};

class MemoryLog::Lane final : public LogLane {
 public:
  Lane(MemoryLog& log, std::vector<ShardIndex> shards, std::function<void()> wake)
      : log_(log), own_(std::move(shards)), wake_(std::move(wake)) {}

  Lsn append(Record& record) override {
    USHER_ASSERT(std::find(own_.begin(), own_.end(), record.shard) != own_.end());
    PerShard& shard = log_.shards_[record.shard];
    record.lsn = ++shard.last;
    if (log_.keep_) shard.records.push_back(record);
    bytes_ += 64 + record.payload.size();
    return record.lsn;
  }
  void append_side(SideWrite write) override { bytes_ += write.key.size() + write.value.size(); }
  [[nodiscard]] std::size_t gathered_bytes() const noexcept override {
    return bytes_ == 0 ? 0 : bytes_ + log_.extra_bytes_;
  }
  [[nodiscard]] bool in_flight() const noexcept override { return in_flight_; }
  void submit() override {
    seal();
    if (log_.sync_ == Sync::automatic) finish();
  }
  bool submit_inline() override {
    seal();
    if (log_.sync_ == Sync::manual || !log_.baton_free_) return false;
    synced_ = true;
    return true;
  }
  [[nodiscard]] bool collect() override {
    if (!in_flight_ || !synced_) return false;
    for (const ShardIndex shard : own_) log_.shards_[shard].durable = log_.shards_[shard].sealed;
    in_flight_ = false;
    return true;
  }
  [[nodiscard]] Lsn durable_lsn(ShardIndex shard) const noexcept override { return log_.shards_[shard].durable; }
  [[nodiscard]] Lsn last_lsn(ShardIndex shard) const noexcept override { return log_.shards_[shard].last; }

  void finish() {
    if (!in_flight_ || synced_) return;
    synced_ = true;
    if (wake_) wake_();
  }

 private:
  void seal() {
    USHER_ASSERT(!in_flight_ && bytes_ > 0);
    for (const ShardIndex shard : own_) log_.shards_[shard].sealed = log_.shards_[shard].last;
    bytes_ = 0;
    in_flight_ = true;
    synced_ = false;
  }

  MemoryLog& log_;
  std::vector<ShardIndex> own_;
  std::function<void()> wake_;
  std::size_t bytes_ = 0;
  bool in_flight_ = false;
  bool synced_ = false;
};

inline std::unique_ptr<LogLane> MemoryLog::make_lane(std::vector<ShardIndex> shards, std::function<void()> wake) {
  auto lane = std::make_unique<Lane>(*this, std::move(shards), std::move(wake));
  lanes_.push_back(lane.get());
  return lane;
}

inline void MemoryLog::sync() {
  for (Lane* lane : lanes_) lane->finish();
}

}  // namespace usher::testing
