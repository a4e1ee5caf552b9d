#include "wal/log.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <utility>

#include "usher/assert.hpp"
#include "wal/checkpoint_writer.hpp"
#include "wal/keeper.hpp"
#include "wal/log_lane.hpp"
#include "wal/rocksdb_store.hpp"
#include "wal/trim.hpp"

namespace usher::wal {
namespace {

constexpr int exit_code_fatal = 3;

void print_and_exit(const std::string& why) {
  std::fprintf(stderr, "usher: %s\n", why.c_str());
  std::fflush(stderr);
  std::_Exit(exit_code_fatal);
}

std::uint64_t steady_ns() {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
          .count());
}

void fill_defaults(LogOptions& options) {
  if (!options.fatal) options.fatal = print_and_exit;
  if (!options.monotonic_ns) options.monotonic_ns = steady_ns;
}

std::unique_ptr<DiskGuard> make_guard(const LogOptions& options) {
  DiskGuardOptions guard;
  guard.directory = options.directory;
  guard.high_water_bytes = options.high_water_bytes;
  guard.low_water_bytes = options.low_water_bytes;
  guard.ballast_bytes = options.ballast_bytes;
  guard.free_bytes = options.free_bytes;
  guard.monotonic_ns = options.monotonic_ns;
  guard.fatal = options.fatal;
  return std::make_unique<DiskGuard>(std::move(guard));
}

class LiveLog final : public OpenedLog {
 public:
  LiveLog(std::unique_ptr<Store> store, std::unique_ptr<DiskGuard> guard, const LogOptions& options,
          RecoveryReport report)
      : store_(std::move(store)),
        guard_(std::move(guard)),
        report_(std::move(report)),
        tails_(report_.tails),
        commit_(*store_, Anchor(*store_, report_.anchor), store_->segments().back(), commit_options(options)),
        checkpoints_(*store_, CheckpointWriter::Limits{}),
        segments_(*store_, commit_,
                  {options.retain, options.segment_bytes, static_cast<std::uint64_t>(options.segment_age.count())},
                  report_.covered, store_->segment_bytes(commit_.segment()), options.monotonic_ns()),
        keeper_(checkpoints_, segments_, commit_, guard_.get(), options.monotonic_ns, options.own_threads) {}
  ~LiveLog() override { crash(); }

  [[nodiscard]] std::unique_ptr<LogLane> make_lane(std::vector<ShardIndex> shards, std::function<void()> wake) override;
  [[nodiscard]] bool try_checkpoint(std::vector<CheckpointRow>&& rows) override;
  void checkpoint_complete(ShardIndex shard, Lsn lsn) override;
  [[nodiscard]] bool has_space() const noexcept override { return guard_ == nullptr || guard_->has_space(); }

  [[nodiscard]] const RecoveryReport& report() const noexcept override { return report_; }
  [[nodiscard]] std::size_t shard_count() const noexcept override { return report_.shard_count; }
  [[nodiscard]] const CommitCounters& counters() const noexcept override { return commit_.counters(); }
  [[nodiscard]] std::uint64_t free_bytes() const noexcept override {
    return guard_ == nullptr ? ~std::uint64_t{0} : guard_->free_bytes();
  }
  [[nodiscard]] std::uint64_t rotations() const noexcept override { return keeper_.rotations(); }
  [[nodiscard]] std::uint64_t segments_dropped() const noexcept override { return keeper_.segments_dropped(); }
  [[nodiscard]] Result<ReplayEnd> replay(ShardIndex shard, const Until& until, ReplayTarget& target) override;
  [[nodiscard]] Result<ReplayEnd> read_since(ShardIndex shard, Lsn after, std::uint64_t records_max,
                                             ReplayTarget& target) override {
    USHER_ASSERT(shard < tails_.size());
    const Result<Meta> meta = read_meta(*store_);
    if (!meta) return meta.error();
    return read_shard_since(*store_, meta.value(), shard, after, records_max, target);
  }
  [[nodiscard]] Result<std::optional<std::string>> side_row(std::string_view key) override {
    return store_->get({Table::people, 0}, key);
  }
  [[nodiscard]] Status for_each_side(std::string_view prefix,
                                     const std::function<Status(std::string_view, std::string_view)>& each) override;
  [[nodiscard]] Status for_each_person(const std::function<Status(std::string_view, std::string_view)>& each) override;

  void do_work() override {
    commit_.do_work();
    keeper_.do_work();
  }
  [[nodiscard]] Status close() override;
  void crash() override;

 private:
  [[nodiscard]] GroupCommitOptions commit_options(const LogOptions& options);

  std::unique_ptr<Store> store_;
  std::unique_ptr<DiskGuard> guard_;
  RecoveryReport report_;
  std::mutex tails_mutex_;
  std::vector<ShardTail> tails_;  ///< of shards that no lane holds
  GroupCommit commit_;
  CheckpointWriter checkpoints_;
  Segments segments_;
  Keeper keeper_;
  bool closed_ = false;
};

GroupCommitOptions LiveLog::commit_options(const LogOptions& options) {
  GroupCommitOptions commit;
  commit.own_thread = options.own_threads;
  commit.anchor_every_commit = options.anchor_every_commit;
  commit.fatal = options.fatal;
  commit.monotonic_ns = options.monotonic_ns;
  if (options.on_durable) {
    commit.on_durable = [tell = options.on_durable](const SealedBlob& blob) {
      tell(blob.shard, blob.first_lsn, blob.count, blob.bytes.view());
    };
  }
  if (guard_ != nullptr) commit.after_commit = [guard = guard_.get()] { guard->poll(); };
  return commit;
}

std::unique_ptr<LogLane> LiveLog::make_lane(std::vector<ShardIndex> shards, std::function<void()> wake) {
  const std::lock_guard lock(tails_mutex_);
  return std::make_unique<Lane>(commit_, report_.epoch, shards, tails_, std::move(wake),
                                [this](ShardIndex shard, const ShardTail& tail) {
                                  const std::lock_guard give_back(tails_mutex_);
                                  tails_[shard] = tail;
                                });
}

bool LiveLog::try_checkpoint(std::vector<CheckpointRow>&& rows) {
  for (const CheckpointRow& row : rows) USHER_ASSERT(row.shard < tails_.size());
  if (!checkpoints_.try_push(std::move(rows))) return false;
  keeper_.notify();
  return true;
}

void LiveLog::checkpoint_complete(ShardIndex shard, Lsn lsn) {
  USHER_ASSERT(shard < tails_.size());
  checkpoints_.push_complete(shard, lsn);
  keeper_.notify();
}

Result<ReplayEnd> LiveLog::replay(ShardIndex shard, const Until& until, ReplayTarget& target) {
  USHER_ASSERT(shard < tails_.size());
  const Result<Meta> meta = read_meta(*store_);
  if (!meta) return meta.error();
  return replay_shard(*store_, meta.value(), shard, until, false, target);
}

Status LiveLog::for_each_side(std::string_view prefix,
                              const std::function<Status(std::string_view, std::string_view)>& each) {
  auto cursor = store_->cursor({Table::people, 0});
  if (!cursor) return cursor.error();
  for (cursor.value()->seek(prefix); cursor.value()->valid(); cursor.value()->next()) {
    if (!cursor.value()->key().starts_with(prefix)) break;
    if (Status done = each(cursor.value()->key(), cursor.value()->value()); !done) return done;
  }
  return cursor.value()->status();
}

Status LiveLog::for_each_person(const std::function<Status(std::string_view, std::string_view)>& each) {
  auto cursor = store_->cursor({Table::people, 0});
  if (!cursor) return cursor.error();
  for (cursor.value()->seek({}); cursor.value()->valid(); cursor.value()->next()) {
    if (Status done = each(cursor.value()->key(), cursor.value()->value()); !done) return done;
  }
  return cursor.value()->status();
}

Status LiveLog::close() {
  if (closed_) return Done{};
  closed_ = true;
  commit_.stop();
  keeper_.stop(true);
  if (commit_.failed()) return make_error(ErrorCode::io, "the log failed before it was closed");
  commit_.sync_anchor();
  if (commit_.failed()) return make_error(ErrorCode::io, "the anchor could not be synced");
  return store_->close();
}

void LiveLog::crash() {
  if (closed_) return;
  closed_ = true;
  keeper_.stop(false);
  commit_.abandon();
}

/// RocksDB refuses damage in its write-ahead log, also where it is only a tail that power loss tore. Whether it is, the
/// anchor tells: look read-only first, and open up to the damage only when nothing acknowledged lies behind it.
Result<std::unique_ptr<Store>> open_store(const LogOptions& options, std::string& damage) {
  RocksDbOptions wanted;
  wanted.directory = options.directory;
  wanted.write_buffer_bytes = options.write_buffer_bytes;
  wanted.fatal = options.fatal;
  wanted.file_system = options.file_system;
  Result<std::unique_ptr<Store>> store = open_rocksdb_store(wanted);
  if (store || store.error().code != ErrorCode::corrupt) return store;

  wanted.up_to_damage = true;
  RocksDbOptions looking = wanted;
  looking.mode = RocksDbOptions::Mode::read_only;
  Result<std::unique_ptr<Store>> seen = open_rocksdb_store(looking);
  if (!seen) return store.error();
  RecoveryOptions look;
  look.writable = false;
  look.threads = options.recovery_threads;
  const Result<RecoveryReport> whole = recover(*seen.value(), look, {});
  if (!whole) return make_error(ErrorCode::corrupt, store.error().detail + "; " + whole.error().detail);
  seen.value().reset();
  damage = store.error().detail;
  return open_rocksdb_store(wanted);
}

Result<std::unique_ptr<OpenedLog>> open_live(std::unique_ptr<Store> store, const LogOptions& options,
                                             const TargetFactory& targets, std::string store_damage) {
  std::unique_ptr<DiskGuard> guard;
  if (!options.directory.empty()) guard = make_guard(options);
  RecoveryOptions recovery;
  recovery.shard_count = options.shard_count;
  recovery.threads = options.own_threads ? options.recovery_threads : 1;
  recovery.accept_lost_anchor = options.accept_lost_anchor;
  recovery.progress = options.progress;
  Result<RecoveryReport> report = recover(*store, recovery, targets);
  if (!report) return report.error();
  report.value().store_damage = std::move(store_damage);
  if (store->segments().empty()) return make_error(ErrorCode::corrupt, "the log has no segment");
  if (guard != nullptr) {
    if (const Status settled = guard->settle(); !settled) return settled.error();
  }
  return std::unique_ptr<OpenedLog>(
      std::make_unique<LiveLog>(std::move(store), std::move(guard), options, std::move(report).value()));
}

}  // namespace

Result<std::unique_ptr<OpenedLog>> open_on(std::unique_ptr<Store> store, LogOptions options,
                                           const TargetFactory& targets) {
  fill_defaults(options);
  return open_live(std::move(store), options, targets, {});
}

Result<std::unique_ptr<OpenedLog>> open(LogOptions options, const TargetFactory& targets) {
  fill_defaults(options);
  std::error_code failed;
  std::filesystem::create_directories(options.directory, failed);
  if (failed) return make_error(ErrorCode::io, options.directory + ": " + failed.message());
  if (const Status room = make_guard(options)->make_room(); !room) return room.error();
  std::string damage;
  Result<std::unique_ptr<Store>> store = open_store(options, damage);
  if (!store) return store.error();
  return open_live(std::move(store).value(), options, targets, std::move(damage));
}

}  // namespace usher::wal
