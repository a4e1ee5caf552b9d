#pragma once
/// The seam below the log: what codec, chain, anchor, group commit, checkpoints, recovery, trim and audit need from a
/// disk. RocksDbStore is the real one, SimStore the simulator's. Above it everything is written once.
///
/// Thread-safe where it says so. A write that fails has an unknown outcome (DESIGN 4.4): a Store never retries it, it
/// reports, and the caller ends the process.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "usher/result.hpp"

namespace usher::wal {

/// Called once when going on would risk a lie. The one given by default prints the text and ends the process.
using FatalHandler = std::function<void(const std::string&)>;

/// Segments count from 1 and are never reused.
using SegmentNumber = std::uint64_t;

enum class Table : std::uint8_t { log, checkpoints, people, meta };

/// Where a row lies: a table, and for the log its segment.
struct Place {
  Table table = Table::meta;
  SegmentNumber segment = 0;
  auto operator<=>(const Place&) const = default;
};

/// Rows that become visible and durable together. For one thread; reused, so that the steady state allocates little.
class StoreBatch {
 public:
  virtual ~StoreBatch() = default;
  virtual void clear() = 0;
  virtual void put(Place place, std::string_view key, std::string_view value) = 0;
  virtual void erase(Place place, std::string_view key) = 0;
  [[nodiscard]] virtual std::size_t size_bytes() const = 0;
};

/// Walks the rows of one place in key order, as they were when it was made. For one thread.
class StoreCursor {
 public:
  virtual ~StoreCursor() = default;
  /// To the first row whose key is `key` or above.
  virtual void seek(std::string_view key) = 0;
  /// To the last row whose key is `key` or below.
  virtual void seek_back(std::string_view key) = 0;
  virtual void next() = 0;
  /// False at the end and after an error: status() tells which.
  [[nodiscard]] virtual bool valid() const = 0;
  [[nodiscard]] virtual std::string_view key() const = 0;
  [[nodiscard]] virtual std::string_view value() const = 0;
  /// ErrorCode::corrupt or ErrorCode::io when the walk ended before its end.
  [[nodiscard]] virtual Status status() const = 0;
};

class Store {
 public:
  virtual ~Store() = default;

  [[nodiscard]] virtual std::unique_ptr<StoreBatch> make_batch() = 0;
  /// Applies the batch; with `sync` it is on the disk when this returns. Thread-safe.
  [[nodiscard]] virtual Status write(StoreBatch& batch, bool sync) = 0;
  /// Thread-safe. ErrorCode::not_found when there is no such segment.
  [[nodiscard]] virtual Result<std::unique_ptr<StoreCursor>> cursor(Place place) = 0;
  /// Returns: nothing when there is no such row. Thread-safe.
  [[nodiscard]] virtual Result<std::optional<std::string>> get(Place place, std::string_view key) = 0;

  /// In ascending order. Thread-safe.
  [[nodiscard]] virtual std::vector<SegmentNumber> segments() const = 0;
  [[nodiscard]] virtual Status create_segment(SegmentNumber segment) = 0;
  /// Drops it whole. Requires: nobody writes to it any more.
  [[nodiscard]] virtual Status drop_segment(SegmentNumber segment) = 0;
  /// Moves a segment, and what the other tables gathered meanwhile, out of the write-ahead log into its final form.
  [[nodiscard]] virtual Status flush_segment(SegmentNumber segment) = 0;
  /// About how many bytes it holds.
  [[nodiscard]] virtual std::uint64_t segment_bytes(SegmentNumber segment) const = 0;

  /// `slot` is 0 or 1; all writes of a slot have the same size. One writer at a time.
  [[nodiscard]] virtual Status write_anchor_slot(unsigned slot, std::string_view bytes) = 0;
  /// Thread-safe beside write_anchor_slot().
  [[nodiscard]] virtual Status sync_anchor() = 0;
  /// Returns: an empty string when the slot was never written.
  [[nodiscard]] virtual Result<std::string> read_anchor_slot(unsigned slot, std::size_t size_bytes) = 0;

  /// Everything into its final form; then nothing may be called any more.
  [[nodiscard]] virtual Status close() = 0;
};

}  // namespace usher::wal
