#pragma once
/// SystemShard: the shard whose records are the catalog's. Runs on the first loop. Readers never ask it: they hold a
/// Snapshot, published by the engine when what it shows is durable.

#include <string_view>

#include "engine/catalog/catalog.hpp"
#include "engine/shard/checkpoint.hpp"
#include "usher/log.hpp"

namespace usher::engine {

class SystemShard final : public ReplayTarget {
 public:
  explicit SystemShard(ShardIndex index) : index_(index) {}

  [[nodiscard]] Status restore(const CheckpointRow& row) override {
    if (row.kind != static_cast<std::uint8_t>(CheckpointKind::catalog)) {
      return make_error(ErrorCode::corrupt, "checkpoint row of a kind that the system shard does not have");
    }
    return catalog_.restore(row.key, {reinterpret_cast<const char*>(row.state.data()), row.state.size()});
  }
  [[nodiscard]] Status replay(const Record& record) override {
    last_now_ = std::max(last_now_, record.now);
    for (const Event& event : record.events) {
      const bool fits = std::size_t{event.text_first} + event.text_size <= record.payload.size();
      if (event.type != EventType::catalog_changed || !fits)
        return make_error(ErrorCode::corrupt, "not an event of the catalog");
      if (Status status = catalog_.apply(record.text_of(event)); !status) return status;
    }
    return Done{};
  }

  void attach(LogLane& lane) noexcept { lane_ = &lane; }
  [[nodiscard]] ShardIndex index() const noexcept { return index_; }

  /// Logs and applies one payload of entries (see plan_import()). Requires: it fits the catalog.
  void change(const Bytes& payload, Instant now) {
    record_.clear();
    record_.shard = index_;
    record_.now = now;
    record_.payload = payload;
    Event event{};
    event.type = EventType::catalog_changed;
    event.text_size = static_cast<std::uint32_t>(payload.size());
    record_.events.push_back(event);
    const Status applied = catalog_.apply(record_.text_of(event));
    USHER_ASSERT(applied.ok());
    (void)lane_->append(record_);
    last_now_ = std::max(last_now_, now);
  }

  /// Rows of all that changed since the last call. Returns: the LSN that they cover.
  Lsn collect_rows(std::vector<CheckpointRow>& rows) {
    const Lsn covered = lane_->last_lsn(index_);
    for (const std::uint64_t key : catalog_.take_dirty()) {
      CheckpointRow row{index_, static_cast<std::uint8_t>(CheckpointKind::catalog), key, covered, {}};
      catalog_.encode(key, row.state);
      rows.push_back(std::move(row));
    }
    return covered;
  }

  [[nodiscard]] const Catalog& catalog() const noexcept { return catalog_; }
  [[nodiscard]] Instant last_now() const noexcept { return last_now_; }

 private:
  ShardIndex index_;
  LogLane* lane_ = nullptr;
  Catalog catalog_;
  Record record_;
  Instant last_now_{};
};

}  // namespace usher::engine
