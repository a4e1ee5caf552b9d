#include "wal/reader.hpp"

#include <utility>

#include "wal/rocksdb_store.hpp"
#include "wal/shard_walk.hpp"

namespace usher::wal {
namespace {

Error trimmed(ShardIndex shard, const ShardTail& base) {
  return {ErrorCode::log_trimmed, "the log of shard " + std::to_string(shard) + " begins after LSN " +
                                      std::to_string(base.last_lsn) + "; the oldest instant that can be reached is " +
                                      std::to_string(to_ms(base.highest_now)) + " ms"};
}

/// Returns: false when the bound was met.
Result<bool> feed(const ShardWalk& walk, Lsn after, const Until& until, ReplayTarget& target, Record& record,
                  ReplayEnd& end) {
  RecordReader reader{walk.blob(), walk.header()};
  while (reader.next(record)) {
    if (record.lsn > until.lsn || record.now > until.time) return false;
    end.lsn = record.lsn;
    end.now = record.now;
    if (record.lsn <= after) continue;
    ++end.records;
    if (const Status replayed = target.replay(record); !replayed) return replayed.error();
  }
  if (reader.whole()) return true;
  const Damage damage{
      walk.header().shard,        walk.header().first_lsn + reader.done(), 0, walk.segment(), ErrorCode::corrupt, true,
      "the record cannot be read"};
  return Error{ErrorCode::corrupt, describe(damage)};
}

}  // namespace

Result<ReplayEnd> replay_shard(Store& store, const Meta& meta, ShardIndex shard, const Until& until,
                               bool use_checkpoints, ReplayTarget& target) {
  const bool from_checkpoints = use_checkpoints && !until.bounded();
  if (!from_checkpoints && meta.bases[shard].last_lsn != 0) return trimmed(shard, meta.bases[shard]);
  ReplayEnd end;
  if (from_checkpoints) {
    const auto rows = for_each_checkpoint(store, shard, [&](const CheckpointRow& row) { return target.restore(row); });
    if (!rows) return rows.error();
    end.lsn = meta.bases[shard].last_lsn;
    end.now = meta.bases[shard].highest_now;
  }
  const Lsn after = from_checkpoints ? meta.covered[shard] : 0;
  ShardWalk walk(store, store.segments(), {shard, after, meta.bases[shard], ~std::uint64_t{0}});
  Record record;
  for (;;) {
    switch (walk.next()) {
      case ShardWalk::Step::end:
        return end;
      case ShardWalk::Step::failed:
        return walk.error();
      case ShardWalk::Step::damaged:
        return Error{walk.damage().code, describe(walk.damage())};
      case ShardWalk::Step::blob:
        break;
    }
    const Result<bool> goes_on = feed(walk, after, until, target, record, end);
    if (!goes_on) return goes_on.error();
    if (!goes_on.value()) return end;
  }
}

Result<ReplayEnd> read_shard_since(Store& store, const Meta& meta, ShardIndex shard, Lsn after,
                                   std::uint64_t records_max, ReplayTarget& target) {
  if (after < meta.bases[shard].last_lsn) return trimmed(shard, meta.bases[shard]);
  ReplayEnd end;
  ShardWalk walk(store, store.segments(), {shard, after, meta.bases[shard], ~std::uint64_t{0}});
  Record record;
  while (end.records < records_max) {
    const ShardWalk::Step step = walk.next();
    if (step == ShardWalk::Step::end) break;
    if (step == ShardWalk::Step::failed) return walk.error();
    if (step == ShardWalk::Step::damaged) return Error{walk.damage().code, describe(walk.damage())};
    const Result<bool> fed = feed(walk, after, {}, target, record, end);
    if (!fed) return fed.error();
  }
  return end;
}

Result<std::unique_ptr<LogReader>> LogReader::open(const std::string& directory) {
  RocksDbOptions options;
  options.directory = directory;
  options.mode = RocksDbOptions::Mode::read_only;
  Result<std::unique_ptr<Store>> store = open_rocksdb_store(options);
  if (!store) return store.error();
  Result<Meta> meta = read_meta(*store.value());
  if (!meta) return meta.error();
  return std::make_unique<LogReader>(std::move(store).value(), std::move(meta).value());
}

}  // namespace usher::wal
