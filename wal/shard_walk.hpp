#pragma once
/// Walks one shard's blobs in order of LSN over all segments and verifies each against its predecessor: key, checksum,
/// dense LSN, SHA-256 of the predecessor, epoch. Recovery, replay and audit all read by it. For one thread.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "usher/result.hpp"
#include "wal/blob.hpp"
#include "wal/keys.hpp"
#include "wal/log_lane.hpp"
#include "wal/store.hpp"

namespace usher::wal {

/// What is wrong with a place of the log.
struct Damage {
  ShardIndex shard = 0;
  Lsn lsn = 0;        ///< expected there
  Lsn lsn_found = 0;  ///< what the key says; 0 when it says nothing
  SegmentNumber segment = 0;
  ErrorCode code = ErrorCode::corrupt;
  bool intact = false;  ///< the blob is whole in itself: it is its place that does not fit
  std::string text;
};
[[nodiscard]] std::string describe(const Damage& damage);

struct WalkStart {
  ShardIndex shard = 0;
  /// Begin with the blob that holds this record, or the first one there is when it is 0.
  Lsn from = 0;
  ShardTail base;  ///< where the trimmed part ended
  std::uint64_t epoch_max = ~std::uint64_t{0};
};

class ShardWalk {
 public:
  enum class Step : std::uint8_t { blob, end, damaged, failed };

  ShardWalk(Store& store, const std::vector<SegmentNumber>& segments, const WalkStart& start);

  /// To the next blob. After `damaged`, damage() says what; after `failed` (the store could not be read), error().
  [[nodiscard]] Step next();

  // After Step::blob:
  [[nodiscard]] const BlobHeader& header() const noexcept { return header_; }
  [[nodiscard]] std::string_view blob() const noexcept { return cursor_->value(); }
  /// SHA-256 of this blob.
  [[nodiscard]] const ChainHash& hash() const noexcept { return hash_; }
  [[nodiscard]] SegmentNumber segment() const noexcept { return segments_[segment_at_]; }

  /// Of the last sound blob; 0 (or the base) before the first one.
  [[nodiscard]] Lsn last_lsn() const noexcept { return last_lsn_; }
  /// The segment that was looked at last; 0 when there is none.
  [[nodiscard]] SegmentNumber last_segment() const noexcept;

  [[nodiscard]] const Damage& damage() const noexcept { return damage_; }
  [[nodiscard]] const Error& error() const noexcept { return *error_; }

  /// After `damaged`: takes the blob as it lies when it is intact, else skips it, so that an audit sees the rest.
  void resume();
  /// After `damaged`: the keys from there to the shard's end, and whether an intact blob is among them.
  struct Rest {
    std::vector<std::pair<SegmentNumber, std::string>> keys;
    bool intact_blob = false;
  };
  [[nodiscard]] Result<Rest> rest();

 private:
  [[nodiscard]] bool open_segment(std::size_t index, std::string_view from);
  [[nodiscard]] bool find_start();
  [[nodiscard]] bool to_next_row();
  [[nodiscard]] bool row_is_ours() const;
  [[nodiscard]] Step verify();
  [[nodiscard]] Step damaged(bool intact, std::string text, ErrorCode code = ErrorCode::corrupt);
  [[nodiscard]] std::optional<std::string> chain_fault() const;
  void accept();

  Store& store_;
  std::vector<SegmentNumber> segments_;
  WalkStart start_;
  std::unique_ptr<StoreCursor> cursor_;
  std::size_t segment_at_ = 0;
  bool started_ = false;
  bool key_named_ = false;
  LogKey key_;
  BlobHeader header_;
  ChainHash hash_{};
  bool hash_known_ = true;
  bool lsn_known_ = true;
  Lsn last_lsn_ = 0;
  std::uint64_t epoch_ = 0;
  Damage damage_;
  std::optional<Error> error_;
};

}  // namespace usher::wal
