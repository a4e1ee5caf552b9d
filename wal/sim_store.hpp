#pragma once
/// A Store in memory, for the simulator and for tests: it knows what is synced, and can lose what is not.
///
/// SimDisk is the disk: it outlives the stores that are opened on it, as a disk outlives a process. A power cut keeps
/// the synced prefix and, as told, some of the unsynced batches, the last of them torn. Guarded by one mutex, so that
/// the threads of a log may share it; meant for one thread.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "wal/store.hpp"

namespace usher::wal {

class SimDisk {
 public:
  using Rows = std::map<std::string, std::string, std::less<>>;

  /// The process dies, the disk stays: all that was written is there, synced or not.
  void kill();
  /// Keeps what is synced, then the first `unsynced_kept` unsynced batches; with `torn` the last value of the last kept
  /// one is cut in half. Anchor slots fall back to their synced state unless `anchor_kept`.
  void power_cut(std::size_t unsynced_kept = 0, bool torn = false, bool anchor_kept = false);
  /// The sync after the next `count` fails, and every one after it; nothing of it is known to be on the disk.
  void fail_sync_after(std::uint64_t count);
  /// Lets syncs succeed again.
  void heal();

  [[nodiscard]] std::size_t unsynced_batches() const;
  [[nodiscard]] std::uint64_t syncs() const;

  /// For tests that damage bytes: the rows of a place, as they are now, on the disk too.
  void edit(Place place, const std::function<void(Rows&)>& change);
  void edit_anchor(const std::function<void(std::string (&slots)[2])>& change);

 private:
  friend class SimStore;
  friend class SimBatch;
  struct Op {
    Place place;
    std::string key;
    std::string value;
    bool erase = false;
  };
  /// Tables are shared with cursors and between the two states until somebody writes to them.
  struct State {
    std::map<Place, std::shared_ptr<Rows>> tables;
    std::string anchor[2];
  };
  static Rows& own_rows(State& state, Place place);
  static void apply(State& state, const std::vector<Op>& batch);

  mutable std::mutex mutex_;
  State live_;
  State durable_;
  std::vector<std::vector<Op>> unsynced_;
  std::uint64_t syncs_ = 0;
  std::uint64_t syncs_left_ = ~std::uint64_t{0};
};

class SimStore final : public Store {
 public:
  explicit SimStore(SimDisk& disk) : disk_(disk) {}

  [[nodiscard]] std::unique_ptr<StoreBatch> make_batch() override;
  [[nodiscard]] Status write(StoreBatch& batch, bool sync) override;
  [[nodiscard]] Result<std::unique_ptr<StoreCursor>> cursor(Place place) override;
  [[nodiscard]] Result<std::optional<std::string>> get(Place place, std::string_view key) override;
  [[nodiscard]] std::vector<SegmentNumber> segments() const override;
  [[nodiscard]] Status create_segment(SegmentNumber segment) override;
  [[nodiscard]] Status drop_segment(SegmentNumber segment) override;
  [[nodiscard]] Status flush_segment(SegmentNumber segment) override;
  [[nodiscard]] std::uint64_t segment_bytes(SegmentNumber segment) const override;
  [[nodiscard]] Status write_anchor_slot(unsigned slot, std::string_view bytes) override;
  [[nodiscard]] Status sync_anchor() override;
  [[nodiscard]] Result<std::string> read_anchor_slot(unsigned slot, std::size_t size_bytes) override;
  [[nodiscard]] Status close() override;

 private:
  [[nodiscard]] Status sync_all();

  SimDisk& disk_;
};

}  // namespace usher::wal
