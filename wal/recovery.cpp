#include "wal/recovery.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "usher/assert.hpp"
#include "usher/limits.hpp"
#include "usher/mutant.hpp"
#include "wal/checkpoint_row.hpp"
#include "wal/keys.hpp"

namespace usher::wal {
namespace {

using SteadyClock = std::chrono::steady_clock;

/// What the threads share.
struct Shared {
  std::atomic<std::size_t> next_shard{0};
  std::atomic<std::uint64_t> records{0};
  std::atomic<bool> stop{false};
  std::mutex mutex;
  std::condition_variable changed;
  unsigned running = 0;
  std::optional<Error> error;  ///< that of the lowest shard, so that it is the same each time

  std::size_t error_shard = 0;
};

/// What one shard's recovery found.
struct ShardOutcome {
  ShardTail tail;
  std::uint64_t records = 0;
  std::uint64_t blobs = 0;
  std::uint64_t bytes = 0;
  std::uint64_t rows = 0;
  std::optional<CutTail> cut;
  std::vector<std::pair<SegmentNumber, std::string>> cut_keys;
};

/// Recovers one shard. For one thread; other shards have their own.
class ShardRecovery {
 public:
  ShardRecovery(Store& store, const std::vector<SegmentNumber>& segments, const Meta& meta, const AnchorEntry& anchor,
                ShardIndex shard, ReplayTarget* target, Shared& shared)
      : store_(store),
        meta_(meta),
        anchor_(anchor),
        shard_(shard),
        target_(target),
        shared_(shared),
        walk_(store, segments, {shard, meta.covered[shard], meta.bases[shard], meta.epoch}) {}

  [[nodiscard]] Status run(ShardOutcome& outcome);

 private:
  [[nodiscard]] Status restore(ShardOutcome& outcome);
  [[nodiscard]] Status walk(ShardOutcome& outcome);
  [[nodiscard]] Status feed(ShardOutcome& outcome);
  [[nodiscard]] Status check_anchor();
  [[nodiscard]] Status cut(ShardOutcome& outcome);
  [[nodiscard]] Status check_end() const;
  [[nodiscard]] Error refuse(const std::string& text) const;

  Store& store_;
  const Meta& meta_;
  const AnchorEntry& anchor_;
  ShardIndex shard_;
  ReplayTarget* target_;
  Shared& shared_;
  ShardWalk walk_;
  Record record_;
  Lsn checkpoint_lsn_max_ = 0;
  Lsn before_first_ = 0;
  bool anchor_met_ = false;
};

Error ShardRecovery::refuse(const std::string& text) const {
  const Damage damage{shard_, walk_.last_lsn() + 1, 0, walk_.last_segment(), ErrorCode::corrupt, false, text};
  return {ErrorCode::corrupt, describe(damage)};
}

Status ShardRecovery::run(ShardOutcome& outcome) {
  outcome.tail = meta_.bases[shard_];
  if (Status restored = restore(outcome); !restored) return restored;
  if (Status walked = walk(outcome); !walked) return walked;
  if (walk_.last_lsn() >= outcome.tail.last_lsn && outcome.blobs > 0) {
    outcome.tail.last_lsn = walk_.last_lsn();
    outcome.tail.hash = walk_.hash();
  }
  return check_end();
}

Status ShardRecovery::restore(ShardOutcome& outcome) {
  const auto rows = for_each_checkpoint(store_, shard_, [this](const CheckpointRow& row) -> Status {
    checkpoint_lsn_max_ = std::max(checkpoint_lsn_max_, row.lsn);
    return target_ != nullptr ? target_->restore(row) : Status{Done{}};
  });
  if (!rows) return rows.error();
  outcome.rows = rows.value();
  return Done{};
}

Status ShardRecovery::walk(ShardOutcome& outcome) {
  for (;;) {
    switch (walk_.next()) {
      case ShardWalk::Step::end:
        return Done{};
      case ShardWalk::Step::failed:
        return walk_.error();
      case ShardWalk::Step::damaged:
        return cut(outcome);
      case ShardWalk::Step::blob:
        break;
    }
    if (shared_.stop.load(std::memory_order_relaxed)) return Done{};
    if (outcome.blobs == 0) before_first_ = walk_.header().first_lsn - 1;
    if (Status anchored = check_anchor(); !anchored) return anchored;
    if (Status fed = feed(outcome); !fed) return fed;
  }
}

/// A blob's end is where the anchor may stand, and there the hashes must agree.
Status ShardRecovery::check_anchor() {
  const BlobHeader& header = walk_.header();
  if (anchor_.lsn < header.first_lsn || anchor_.lsn > header.last_lsn()) return Done{};
  anchor_met_ = true;
  if (anchor_.lsn == header.last_lsn() && anchor_.hash == walk_.hash()) return Done{};
  return Error{ErrorCode::corrupt,
               describe(Damage{shard_, header.first_lsn, 0, walk_.segment(), ErrorCode::corrupt, true,
                               "this is not the blob that the anchor saw at LSN " + std::to_string(anchor_.lsn)})};
}

Status ShardRecovery::feed(ShardOutcome& outcome) {
  const BlobHeader& header = walk_.header();
  RecordReader reader{walk_.blob(), header};
  const Lsn covered = meta_.covered[shard_];
  std::uint64_t fed = 0;
  while (reader.next(record_)) {
    outcome.tail.highest_now = std::max(outcome.tail.highest_now, record_.now);
    if (record_.lsn <= covered || target_ == nullptr) continue;
    ++fed;
    if (Status replayed = target_->replay(record_); !replayed) return replayed;
  }
  if (!reader.whole()) {
    return Error{ErrorCode::corrupt, describe(Damage{shard_, header.first_lsn + reader.done(), 0, walk_.segment(),
                                                     ErrorCode::corrupt, true, "the record cannot be read"})};
  }
  ++outcome.blobs;
  outcome.bytes += walk_.blob().size();
  outcome.records += fed;
  shared_.records.fetch_add(header.count, std::memory_order_relaxed);
  return Done{};
}

Status ShardRecovery::cut(ShardOutcome& outcome) {
  const Damage damage = walk_.damage();
  if (damage.code != ErrorCode::corrupt) return Error{damage.code, describe(damage)};
  const Error refusal{ErrorCode::corrupt, describe(damage)};
  // The first blob of the walk is not a tail: what is before it, checkpoints or trimmed, is older than the anchor.
  const Lsn sure =
      USHER_MUTANT(39, "damage below the anchor is cut") ? 0 : std::max(anchor_.lsn, meta_.covered[shard_]);
  if (damage.lsn <= sure) return refusal;
  auto rest = walk_.rest();
  if (!rest) return rest.error();
  if (rest.value().intact_blob) return refusal;
  outcome.cut = CutTail{damage, rest.value().keys.size()};
  outcome.cut_keys = std::move(rest.value().keys);
  return Done{};
}

Status ShardRecovery::check_end() const {
  if (shared_.stop.load(std::memory_order_relaxed)) return Done{};
  const Lsn last = walk_.last_lsn();
  if (last < anchor_.lsn && !USHER_MUTANT(37, "a log shorter than the anchor is served")) {
    return refuse("the log ends before this record, but the anchor proves that it reached LSN " +
                  std::to_string(anchor_.lsn) + ": acknowledged records are missing");
  }
  if (last < std::max(checkpoint_lsn_max_, meta_.covered[shard_])) {
    return refuse("the log ends before this record, but checkpoints reach up to LSN " +
                  std::to_string(std::max(checkpoint_lsn_max_, meta_.covered[shard_])));
  }
  return Done{};
}

/// Where each shard ends, as far as keys tell: only for the progress to be shown.
std::uint64_t records_expected(Store& store, const std::vector<SegmentNumber>& segments, const Meta& meta) {
  std::vector<Lsn> ends(meta.shard_total());
  for (const SegmentNumber segment : segments) {
    auto cursor = store.cursor({Table::log, segment});
    if (!cursor) continue;
    for (std::size_t shard = 0; shard < ends.size(); ++shard) {
      cursor.value()->seek_back(log_key(static_cast<ShardIndex>(shard), ~Lsn{0}).view());
      LogKey key;
      if (!cursor.value()->valid() || !parse_log_key(cursor.value()->key(), key) || key.shard != shard) continue;
      ends[shard] = std::max(ends[shard], key.first_lsn);
    }
  }
  std::uint64_t total = 0;
  for (std::size_t shard = 0; shard < ends.size(); ++shard) {
    if (ends[shard] > meta.covered[shard]) total += ends[shard] - meta.covered[shard];
  }
  return total;
}

/// Runs all shards on the threads asked for.
class Recovery {
 public:
  Recovery(Store& store, const RecoveryOptions& options, const Meta& meta, const AnchorState& anchor,
           std::vector<ReplayTarget*> targets)
      : store_(store),
        options_(options),
        meta_(meta),
        anchor_(anchor),
        targets_(std::move(targets)),
        segments_(store.segments()),
        outcomes_(meta.shard_total()),
        begun_(SteadyClock::now()) {}

  [[nodiscard]] Status run();
  [[nodiscard]] RecoveryReport report() const;
  /// Deletes damaged tails and begins the epoch, in one synced write.
  [[nodiscard]] Status seal(std::uint64_t epoch);

 private:
  void work();
  void show(std::uint64_t expected) const;

  Store& store_;
  const RecoveryOptions& options_;
  const Meta& meta_;
  const AnchorState& anchor_;
  std::vector<ReplayTarget*> targets_;
  std::vector<SegmentNumber> segments_;
  std::vector<ShardOutcome> outcomes_;
  Shared shared_;
  SteadyClock::time_point begun_;
};

void Recovery::work() {
  for (;;) {
    const std::size_t shard = shared_.next_shard.fetch_add(1, std::memory_order_relaxed);
    if (shard >= outcomes_.size() || shared_.stop.load(std::memory_order_relaxed)) break;
    ShardRecovery one(store_, segments_, meta_, anchor_.shards[shard], static_cast<ShardIndex>(shard), targets_[shard],
                      shared_);
    const Status done = one.run(outcomes_[shard]);
    if (done) continue;
    shared_.stop.store(true, std::memory_order_relaxed);
    const std::lock_guard lock(shared_.mutex);
    if (!shared_.error || shard < shared_.error_shard) {
      shared_.error = done.error();
      shared_.error_shard = shard;
    }
  }
  const std::lock_guard lock(shared_.mutex);
  --shared_.running;
  shared_.changed.notify_all();
}

void Recovery::show(std::uint64_t expected) const {
  if (!options_.progress) return;
  const std::chrono::duration<double> seconds = SteadyClock::now() - begun_;
  const std::uint64_t records = shared_.records.load(std::memory_order_relaxed);
  const double fraction = expected == 0 ? 1.0 : static_cast<double>(records) / static_cast<double>(expected);
  options_.progress({std::min(fraction, 1.0), records, seconds.count()});
}

Status Recovery::run() {
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  const unsigned threads = options_.threads != 0 ? options_.threads : cores;
  const std::uint64_t expected = options_.progress ? records_expected(store_, segments_, meta_) : 0;
  shared_.running = threads;
  std::vector<std::thread> started;
  if (threads == 1) work();
  for (unsigned at = 0; threads > 1 && at < threads; ++at) started.emplace_back([this] { work(); });
  {
    std::unique_lock lock(shared_.mutex);
    while (!shared_.changed.wait_for(lock, std::chrono::milliseconds{200}, [this] { return shared_.running == 0; })) {
      lock.unlock();
      show(expected);
      lock.lock();
    }
  }
  for (std::thread& thread : started) thread.join();
  if (shared_.error) return *shared_.error;
  show(expected);
  return Done{};
}

RecoveryReport Recovery::report() const {
  RecoveryReport report;
  report.shard_count = meta_.shard_count;
  report.covered = meta_.covered;
  report.anchor = anchor_;
  for (std::size_t shard = 0; shard < outcomes_.size(); ++shard) {
    const ShardOutcome& outcome = outcomes_[shard];
    report.tails.push_back(outcome.tail);
    report.records += outcome.records;
    report.blobs += outcome.blobs;
    report.bytes += outcome.bytes;
    report.checkpoint_rows += outcome.rows;
    report.highest_now = std::max(report.highest_now, outcome.tail.highest_now);
    if (outcome.cut) report.cut.push_back(*outcome.cut);
    report.anchor.shards[shard] = {outcome.tail.last_lsn, outcome.tail.hash};
  }
  report.duration = SteadyClock::now() - begun_;
  return report;
}

Status Recovery::seal(std::uint64_t epoch) {
  const auto batch = store_.make_batch();
  for (const ShardOutcome& outcome : outcomes_) {
    for (const auto& [segment, key] : outcome.cut_keys) {
      if (!USHER_MUTANT(38, "a damaged tail is not cut")) batch->erase({Table::log, segment}, key);
    }
  }
  batch->put({Table::meta, 0}, meta_epoch, encode_number(epoch));
  return store_.write(*batch, true);
}

Result<AnchorState> load_anchor(Store& store, const Meta& meta, bool accept_lost) {
  Result<AnchorState> anchor = read_anchor(store, meta.shard_total());
  if (anchor || anchor.error().code == ErrorCode::io || anchor.error().code == ErrorCode::version) return anchor;
  if (!accept_lost) {
    return make_error(ErrorCode::corrupt, anchor.error().detail +
                                              ": without it nobody can tell whether the log is whole. If you know that "
                                              "it is, start once with accept_lost_anchor");
  }
  AnchorState state;
  state.shards.resize(meta.shard_total());
  return state;
}

Result<std::uint64_t> read_number(Store& store, std::string_view key) {
  const auto row = store.get({Table::meta, 0}, key);
  if (!row) return row.error();
  std::uint64_t value = 0;
  if (!row.value()) return make_error(ErrorCode::not_found, "the row '" + std::string(key) + "' is missing");
  if (!decode_number(*row.value(), value)) {
    return make_error(ErrorCode::corrupt, "the row '" + std::string(key) + "' is damaged");
  }
  return value;
}

/// Returns: 0 for a row that is not there.
Result<std::uint64_t> read_number_or_zero(Store& store, std::string_view key) {
  Result<std::uint64_t> number = read_number(store, key);
  if (!number && number.error().code == ErrorCode::not_found) return std::uint64_t{0};
  return number;
}

/// A store without a format row: fresh, or one that lost it. The anchor tells.
Status must_be_fresh(Store& store, std::size_t shard_total) {
  const Result<bool> lived = anchor_tells_of_a_log(store, shard_total);
  if (!lived) return lived.error();
  if (lived.value()) {
    return make_error(ErrorCode::corrupt, "the anchor proves that there was a log, but there is none: it was lost");
  }
  for (const SegmentNumber segment : store.segments()) {
    auto cursor = store.cursor({Table::log, segment});
    if (!cursor) return cursor.error();
    cursor.value()->seek({});
    if (cursor.value()->valid())
      return make_error(ErrorCode::corrupt, "the log has records, but its format row is missing");
  }
  return Done{};
}

}  // namespace

Result<Meta> read_meta(Store& store) {
  Meta meta;
  const auto format = read_number(store, meta_format);
  if (!format) return format.error();
  if (format.value() > format_version) {
    return make_error(ErrorCode::version, "the directory has format " + std::to_string(format.value()) +
                                              ", this program knows formats up to " + std::to_string(format_version));
  }
  const auto shards = read_number(store, meta_shards);
  const auto epoch = read_number_or_zero(store, meta_epoch);
  if (!shards) return shards.error();
  if (!epoch) return epoch.error();
  if (shards.value() == 0 || shards.value() > limits::shards_max) {
    return make_error(ErrorCode::corrupt,
                      "the directory says that it has " + std::to_string(shards.value()) + " shards");
  }
  meta.shard_count = static_cast<std::size_t>(shards.value());
  meta.epoch = epoch.value();
  for (std::size_t shard = 0; shard < meta.shard_total(); ++shard) {
    const auto index = static_cast<ShardIndex>(shard);
    const auto covered = read_number_or_zero(store, meta_covered(index));
    if (!covered) return covered.error();
    const auto base = store.get({Table::meta, 0}, meta_base(index));
    if (!base) return base.error();
    meta.covered.push_back(covered.value());
    meta.bases.emplace_back();
    if (base.value() && !decode_base(*base.value(), meta.bases.back())) {
      return make_error(ErrorCode::corrupt, "the base row of shard " + std::to_string(shard) + " is damaged");
    }
  }
  return meta;
}

Result<Meta> create_meta(Store& store, std::size_t shard_count) {
  USHER_ASSERT(shard_count >= 1 && shard_count <= limits::shards_max);
  if (const Status fresh = must_be_fresh(store, shard_count + 1); !fresh) return fresh.error();
  AnchorState empty;
  empty.shards.resize(shard_count + 1);
  Status done = Anchor(store, std::move(empty)).write();
  if (done) done = store.sync_anchor();
  if (done && store.segments().empty()) done = store.create_segment(1);
  if (!done) return done.error();
  // Last: a directory without this row is set up anew.
  const auto batch = store.make_batch();
  batch->put({Table::meta, 0}, meta_shards, encode_number(shard_count));
  batch->put({Table::meta, 0}, meta_format, encode_number(format_version));
  if (const Status written = store.write(*batch, true); !written) return written.error();
  return read_meta(store);
}

Result<RecoveryReport> recover(Store& store, const RecoveryOptions& options, const TargetFactory& targets) {
  Result<Meta> meta = read_meta(store);
  const bool create = !meta && meta.error().code == ErrorCode::not_found && options.writable;
  if (create) meta = create_meta(store, options.shard_count);
  if (!meta) return meta.error();
  const Result<AnchorState> anchor = load_anchor(store, meta.value(), options.accept_lost_anchor);
  if (!anchor) return anchor.error();
  std::vector<ReplayTarget*> fed(meta.value().shard_total(), nullptr);
  if (targets) fed = targets(meta.value().shard_count);
  USHER_ASSERT(fed.size() == meta.value().shard_total());

  Recovery recovery(store, options, meta.value(), anchor.value(), std::move(fed));
  if (const Status done = recovery.run(); !done) return done.error();
  RecoveryReport report = recovery.report();
  report.created = create;
  report.epoch = meta.value().epoch + 1;
  if (!options.writable) return report;
  // what a killed process left in the page cache: Anchor writes the other slot next
  if (const Status synced = store.sync_anchor(); !synced) return synced.error();
  if (const Status sealed = recovery.seal(report.epoch); !sealed) return sealed.error();
  return report;
}

Result<std::uint64_t> for_each_checkpoint(Store& store, ShardIndex shard,
                                          const std::function<Status(const CheckpointRow&)>& each) {
  auto opened = store.cursor({Table::checkpoints, 0});
  if (!opened) return opened.error();
  StoreCursor& cursor = *opened.value();
  std::uint64_t rows = 0;
  CheckpointRow row;
  // Rows lie by kind first: seek this shard's rows within each kind that exists.
  for (unsigned kind = 0; kind <= 0xff;) {
    cursor.seek(checkpoint_key({static_cast<std::uint8_t>(kind), shard, 0}).view());
    CheckpointKey key;
    while (cursor.valid() && parse_checkpoint_key(cursor.key(), key) && key.kind == kind && key.shard == shard) {
      const RowFault fault = decode_checkpoint(cursor.key(), cursor.value(), row);
      if (fault != RowFault::none) {
        return make_error(fault == RowFault::version ? ErrorCode::version : ErrorCode::corrupt,
                          "checkpoint of shard " + std::to_string(shard) + ", kind " + std::to_string(kind) + ", key " +
                              std::to_string(key.key) + ": the row is damaged");
      }
      if (const Status done = each(row); !done) return done.error();
      ++rows;
      cursor.next();
    }
    if (!cursor.valid()) break;
    if (!parse_checkpoint_key(cursor.key(), key))
      return make_error(ErrorCode::corrupt, "a checkpoint has a damaged key");
    // A row of this kind belongs to a later shard: ours come in the next kind. A row of a later kind: look there.
    kind = key.kind == kind ? kind + 1 : key.kind;
  }
  if (const Status walked = cursor.status(); !walked) return walked.error();
  return rows;
}

}  // namespace usher::wal
