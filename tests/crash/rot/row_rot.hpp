#pragma once
/// Damage to the rows of a log at rest, below RocksDB's own checksums: every bit of every blob, every cut, blobs and
/// segments missing, doubled, swapped; checkpoint rows and anchor. What codec, chain, anchor and recovery see of it by
/// themselves. On the simulator's disk; for one thread.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/crash/matrix/book.hpp"
#include "wal/keys.hpp"
#include "wal/sim_store.hpp"

namespace usher::crash {

struct RowCounters {
  std::atomic<std::uint64_t> flips{0};  ///< of bits of blobs, each found at its place
  std::atomic<std::uint64_t> opens{0};  ///< whole recoveries
  std::atomic<std::uint64_t> refused{0};
  std::atomic<std::uint64_t> harmless{0};
  std::atomic<std::uint64_t> reported{0};
  std::atomic<std::uint64_t> exception{0};
  std::atomic<std::uint64_t> failures{0};
};

class RowRot {
 public:
  RowRot(RowCounters& counters, std::uint64_t log_bytes) : counters_(counters), log_bytes_(log_bytes) {}

  void build();
  [[nodiscard]] std::size_t blob_count() const noexcept { return blobs_.size(); }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
  /// One per blob, then one per segment, then those of checkpoints and anchor.
  [[nodiscard]] std::size_t step_count() const noexcept { return blobs_.size() + segments_.size() + 2; }
  void run(std::uint64_t step);

 private:
  struct Blob {
    wal::Place place;
    std::string key;
    std::string bytes;
    ShardIndex shard = 0;
    Lsn first_lsn = 0;
    std::uint32_t count = 0;
    std::size_t before = none;  ///< the shard's neighbours
    std::size_t after = none;
  };
  static constexpr std::size_t none = ~std::size_t{0};
  using Tables = std::vector<std::pair<wal::Place, wal::SimDisk::Rows>>;
  using Change = std::function<void(wal::SimDisk&)>;

  void read_blobs(wal::SimDisk& disk);
  [[nodiscard]] std::unique_ptr<wal::SimDisk> copy() const;
  /// Every bit and every length of one blob, walked with its neighbours.
  void sweep(const Blob& blob);
  [[nodiscard]] bool is_found(wal::SimDisk& disk, const Blob& blob);
  void rearrange(std::size_t index);
  void rearrange_segment(std::size_t index);
  void rot_checkpoints();
  void rot_anchor();
  /// Audits and recovers the damaged disk.
  void judge(const Change& change, const std::string& what);
  void fail(const std::string& what, const std::string& why);

  RowCounters& counters_;
  std::uint64_t log_bytes_;
  std::uint64_t bytes_ = 0;
  Tables tables_;
  std::string anchor_[2];
  std::vector<Lsn> anchored_;
  std::vector<Blob> blobs_;
  std::vector<wal::SegmentNumber> segments_;
  std::vector<Lsn> tails_;
  std::vector<ShardState> states_;
};

}  // namespace usher::crash
