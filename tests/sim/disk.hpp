#pragma once
/// The simulated disk with its faults, and the Store on it. Disk outlives the stores that are opened on it, as a disk
/// outlives a process. For one thread.
///
/// Three states: what a reader sees (`live`, the page cache), what a power cut leaves for certain (`durable`), and the
/// writes in between (`pending`). Batches of other tables than the log are atomic, and a power cut keeps a prefix of
/// them, as RocksDB's one file in order does. Batches of the log may be kept in any subset and order and torn at any
/// byte, which is worse than RocksDB ever does and what the chain must cope with. Opening a store writes everything
/// again that is seen, as RocksDB does (RELIABILITY, rule 4).

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/sim/knobs.hpp"
#include "tests/sim/random.hpp"
#include "usher/ids.hpp"
#include "wal/store.hpp"

namespace usher::sim {

using Value = std::shared_ptr<const std::string>;
using Rows = std::map<std::string, Value, std::less<>>;

/// What goes wrong in an operation of the disk, once.
enum class IoFault : std::uint8_t { none, power, short_write, sync_kept, sync_lost, sync_cached, anchor };

class Disk {
 public:
  struct Op {
    wal::Place place;
    std::string key;
    Value value;  ///< null: erase
  };
  using Batch = std::vector<Op>;

  Disk(const Knobs& knobs, Counters& counters, std::uint64_t stream);

  // ---- faults ----
  /// The fault comes in the operation after the next `after` ones that can have it.
  void arm(IoFault fault, std::uint64_t after);
  void disarm() { armed_ = IoFault::none; }
  /// The machine loses its power now.
  void cut_power();
  /// No operation succeeds between a cut and power_on().
  [[nodiscard]] bool off() const noexcept { return off_; }
  void power_on() noexcept { off_ = false; }
  /// A process opens the disk: all that is seen is written and synced.
  void open();

  // ---- rot ----
  /// Flips a bit of a log row that is synced and not above `anchored`. Returns: what was done, "" when there is none.
  std::string rot_log(const std::vector<Lsn>& anchored);
  /// Flips a bit of a row of checkpoints or meta.
  std::string rot_table();
  /// Flips a bit of one slot of the anchor.
  std::string rot_anchor();
  std::string lose_segment();
  /// Puts a blob that a power cut took in the place of the one that was written there afterwards.
  std::string resurrect();
  /// Takes the damage back.
  void restore();

  // ---- what is on it ----
  /// Up to where the records of a shard lie in synced blobs.
  [[nodiscard]] Lsn durable_lsn(ShardIndex shard) const noexcept {
    return shard < durable_lsns_.size() ? durable_lsns_[shard] : 0;
  }
  /// How many armed faults have come.
  [[nodiscard]] std::uint64_t faults_struck() const noexcept { return faults_struck_; }
  std::uint64_t free_bytes = std::uint64_t{1} << 40U;

 private:
  friend class DiskStore;
  using Tables = std::map<wal::Place, std::shared_ptr<Rows>>;

  static Rows& own(Tables& tables, wal::Place place);
  static void apply(Tables& tables, const Op& op);
  [[nodiscard]] bool strikes(IoFault first, IoFault last);
  [[nodiscard]] Status write(const Batch& batch, bool sync);
  void sync_pending();
  [[nodiscard]] Status fail_sync(const Batch& batch);
  [[nodiscard]] Status fail_short(const Batch& batch);
  [[nodiscard]] static bool is_log(const Batch& batch);
  [[nodiscard]] Batch torn(const Batch& batch);
  void cut_pending();
  void cut_anchor();
  void note_durable(const Op& op);
  [[nodiscard]] static Status power_is_off() { return make_error(ErrorCode::io, "the power is off"); }

  const Knobs& knobs_;
  Counters& counters_;
  Random random_;
  Tables live_;
  Tables durable_;
  std::vector<Batch> pending_;
  std::vector<Op> ghosts_;  ///< seen, taken for written, and not on the disk
  std::string anchor_live_[2];
  std::string anchor_durable_[2];
  std::vector<Lsn> durable_lsns_;
  IoFault armed_ = IoFault::none;
  std::uint64_t armed_after_ = 0;
  bool off_ = false;
  std::uint64_t faults_struck_ = 0;

  std::vector<Op> graves_;  ///< whole blobs that power cuts took

  // To take damage back.
  std::optional<Op> rotten_row_;
  std::optional<std::pair<unsigned, std::string>> rotten_slot_;
  std::optional<std::pair<wal::Place, std::shared_ptr<Rows>>> lost_;
};

/// A process' hold of the disk.
class DiskStore final : public wal::Store {
 public:
  explicit DiskStore(Disk& disk) : disk_(disk) {}

  [[nodiscard]] std::unique_ptr<wal::StoreBatch> make_batch() override;
  [[nodiscard]] Status write(wal::StoreBatch& batch, bool sync) override;
  [[nodiscard]] Result<std::unique_ptr<wal::StoreCursor>> cursor(wal::Place place) override;
  [[nodiscard]] Result<std::optional<std::string>> get(wal::Place place, std::string_view key) override;
  [[nodiscard]] std::vector<wal::SegmentNumber> segments() const override;
  [[nodiscard]] Status create_segment(wal::SegmentNumber segment) override;
  [[nodiscard]] Status drop_segment(wal::SegmentNumber segment) override;
  [[nodiscard]] Status flush_segment(wal::SegmentNumber segment) override;
  [[nodiscard]] std::uint64_t segment_bytes(wal::SegmentNumber segment) const override;
  [[nodiscard]] Status write_anchor_slot(unsigned slot, std::string_view bytes) override;
  [[nodiscard]] Status sync_anchor() override;
  [[nodiscard]] Result<std::string> read_anchor_slot(unsigned slot, std::size_t size_bytes) override;
  [[nodiscard]] Status close() override;

 private:
  Disk& disk_;
};

}  // namespace usher::sim
