#include "wal/audit.hpp"

#include <algorithm>
#include <utility>

#include "wal/anchor.hpp"
#include "wal/checkpoint_row.hpp"
#include "wal/recovery.hpp"
#include "wal/rocksdb_store.hpp"
#include "wal/shard_walk.hpp"

namespace usher::wal {
namespace {

class Audit {
 public:
  Audit(Store& store, const AuditVisitor& visitor) : store_(store), visitor_(visitor) {}

  [[nodiscard]] Result<AuditReport> run();

 private:
  void load_anchor();
  void check_keys(SegmentNumber segment);
  void check_shard(ShardIndex shard);
  void check_blob(const ShardWalk& walk);
  void check_end(ShardIndex shard, const ShardWalk& walk, bool damaged);
  void check_checkpoints();
  void check_people();
  void add(Severity severity, ShardIndex shard, Lsn lsn, SegmentNumber segment, std::string text) {
    report_.findings.push_back({severity, shard, lsn, segment, std::move(text)});
  }

  Store& store_;
  const AuditVisitor& visitor_;
  AuditReport report_;
  Meta meta_;
  AnchorState anchor_;
  std::vector<SegmentNumber> segments_;
  std::vector<Lsn> ends_;
  Record record_;
};

Result<AuditReport> Audit::run() {
  Result<Meta> meta = read_meta(store_);
  if (!meta) return meta.error();
  meta_ = std::move(meta).value();
  report_.shard_count = meta_.shard_count;
  ends_.resize(meta_.shard_total());
  segments_ = store_.segments();
  report_.segments = segments_.size();
  load_anchor();
  for (const SegmentNumber segment : segments_) check_keys(segment);
  for (std::size_t shard = 0; shard < meta_.shard_total(); ++shard) check_shard(static_cast<ShardIndex>(shard));
  check_checkpoints();
  check_people();
  return std::move(report_);
}

void Audit::load_anchor() {
  Result<AnchorState> anchor = read_anchor(store_, meta_.shard_total());
  if (!anchor) {
    add(Severity::error, 0, 0, 0, "anchor: " + anchor.error().detail);
    anchor_.shards.resize(meta_.shard_total());
    return;
  }
  anchor_ = std::move(anchor).value();
  if (anchor_.slot_torn) add(Severity::note, 0, 0, 0, "anchor: one of its slots is torn");
}

/// Keys that no shard's walk would meet, and gaps in the numbers of segments.
void Audit::check_keys(SegmentNumber segment) {
  if (segment != segments_.front() && !std::binary_search(segments_.begin(), segments_.end(), segment - 1)) {
    add(Severity::error, 0, 0, segment - 1, "the segment is missing");
  }
  auto cursor = store_.cursor({Table::log, segment});
  if (!cursor) return add(Severity::error, 0, 0, segment, cursor.error().detail);
  for (cursor.value()->seek({}); cursor.value()->valid();) {
    LogKey key;
    if (!parse_log_key(cursor.value()->key(), key)) {
      add(Severity::error, 0, 0, segment, "a key has " + std::to_string(cursor.value()->key().size()) + " bytes");
      cursor.value()->next();
    } else if (key.shard >= meta_.shard_total()) {
      add(Severity::error, key.shard, key.first_lsn, segment, "there is no such shard");
      cursor.value()->next();
    } else {
      // One look per shard is enough here; its walk reads the rest.
      cursor.value()->seek(log_key(static_cast<ShardIndex>(key.shard + 1), 0).view());
    }
  }
  if (const Status walked = cursor.value()->status(); !walked) {
    add(Severity::error, 0, 0, segment, walked.error().detail);
  }
}

void Audit::check_shard(ShardIndex shard) {
  ShardWalk walk(store_, segments_, {shard, 0, meta_.bases[shard], meta_.epoch});
  bool damaged = false;
  for (;;) {
    const ShardWalk::Step step = walk.next();
    if (step == ShardWalk::Step::end) break;
    if (step == ShardWalk::Step::failed) {
      add(Severity::error, shard, walk.last_lsn() + 1, walk.last_segment(), walk.error().detail);
      break;
    }
    if (step == ShardWalk::Step::damaged) {
      const Damage& damage = walk.damage();
      damaged = true;
      const std::string found = damage.lsn_found != 0 && damage.lsn_found != damage.lsn
                                    ? " (found LSN " + std::to_string(damage.lsn_found) + ")"
                                    : "";
      add(Severity::error, shard, damage.lsn, damage.segment, damage.text + found);
      walk.resume();
      if (!damage.intact) continue;
    }
    check_blob(walk);
  }
  check_end(shard, walk, damaged);
}

void Audit::check_blob(const ShardWalk& walk) {
  const BlobHeader& header = walk.header();
  RecordReader reader{walk.blob(), header};
  ++report_.blobs;
  while (reader.next(record_)) {
    ++report_.records;
    if (visitor_.record) visitor_.record(record_);
  }
  if (!reader.whole()) {
    add(Severity::error, header.shard, header.first_lsn + reader.done(), walk.segment(), "the record cannot be read");
  }
  const AnchorEntry& anchor = anchor_.shards[header.shard];
  if (anchor.lsn < header.first_lsn || anchor.lsn > header.last_lsn()) return;
  if (anchor.lsn != header.last_lsn() || anchor.hash != walk.hash()) {
    add(Severity::error, header.shard, anchor.lsn, walk.segment(), "this is not the blob that the anchor saw");
  }
}

void Audit::check_end(ShardIndex shard, const ShardWalk& walk, bool damaged) {
  ends_[shard] = walk.last_lsn();
  const Lsn anchor = anchor_.shards[shard].lsn;
  if (walk.last_lsn() < anchor) {
    add(Severity::error, shard, walk.last_lsn() + 1, walk.last_segment(),
        "the log ends before this record, but the anchor proves that it reached LSN " + std::to_string(anchor));
  } else if (walk.last_lsn() > anchor && !damaged) {
    add(Severity::note, shard, anchor, walk.last_segment(),
        "the log goes on up to LSN " + std::to_string(walk.last_lsn()) + ", beyond the anchor");
  }
  if (walk.last_lsn() < meta_.covered[shard]) {
    add(Severity::error, shard, walk.last_lsn() + 1, walk.last_segment(),
        "the log ends before this record, but checkpoints cover LSN " + std::to_string(meta_.covered[shard]));
  }
}

void Audit::check_checkpoints() {
  auto cursor = store_.cursor({Table::checkpoints, 0});
  if (!cursor) return add(Severity::error, 0, 0, 0, cursor.error().detail);
  CheckpointRow row;
  for (cursor.value()->seek({}); cursor.value()->valid(); cursor.value()->next()) {
    ++report_.checkpoint_rows;
    CheckpointKey key;
    (void)parse_checkpoint_key(cursor.value()->key(), key);
    const std::string name =
        "checkpoint of kind " + std::to_string(key.kind) + ", key " + std::to_string(key.key) + ": ";
    const RowFault fault = decode_checkpoint(cursor.value()->key(), cursor.value()->value(), row);
    if (fault != RowFault::none) {
      add(Severity::error, key.shard, 0, 0, name + "the row is damaged");
    } else if (row.shard >= meta_.shard_total()) {
      add(Severity::error, row.shard, row.lsn, 0, name + "there is no such shard");
    } else if (row.lsn > ends_[row.shard]) {
      add(Severity::error, row.shard, row.lsn, 0, name + "it is of a record that the log does not have");
    } else if (visitor_.checkpoint) {
      visitor_.checkpoint(row);
    }
  }
  if (const Status walked = cursor.value()->status(); !walked) add(Severity::error, 0, 0, 0, walked.error().detail);
}

/// Only that it can be read: what is in it is the server's.
void Audit::check_people() {
  auto cursor = store_.cursor({Table::people, 0});
  if (!cursor) return add(Severity::error, 0, 0, 0, "people: " + cursor.error().detail);
  for (cursor.value()->seek({}); cursor.value()->valid(); cursor.value()->next()) ++report_.people_rows;
  if (const Status walked = cursor.value()->status(); !walked) {
    add(Severity::error, 0, 0, 0, "people: " + walked.error().detail);
  }
}

}  // namespace

std::string describe(const Finding& finding) {
  std::string text = finding.severity == Severity::error ? "error" : "note";
  text += ": shard " + std::to_string(finding.shard) + ", LSN " + std::to_string(finding.lsn);
  if (finding.segment != 0) text += ", segment log." + std::to_string(finding.segment);
  return text + ": " + finding.text;
}

bool AuditReport::clean() const noexcept {
  return std::none_of(findings.begin(), findings.end(),
                      [](const Finding& finding) { return finding.severity == Severity::error; });
}

Result<AuditReport> audit(Store& store, const AuditVisitor& visitor) {
  return Audit(store, visitor).run();
}

Result<AuditReport> audit_directory(const std::string& directory, const AuditVisitor& visitor,
                                    std::shared_ptr<rocksdb::FileSystem> file_system) {
  RocksDbOptions options;
  options.file_system = std::move(file_system);
  options.directory = directory;
  options.mode = RocksDbOptions::Mode::read_only;
  Result<std::unique_ptr<Store>> store = open_rocksdb_store(options);
  std::optional<Error> refused;
  if (!store && store.error().code == ErrorCode::corrupt) {
    // RocksDB itself sees damage: read what lies before it, so that the report can say which shards end early.
    refused = store.error();
    options.up_to_damage = true;
    store = open_rocksdb_store(options);
  }
  if (!store) return store.error();
  Result<AuditReport> report = audit(*store.value(), visitor);
  if (report && refused)
    report.value().findings.insert(report.value().findings.begin(), {Severity::error, 0, 0, 0, refused->detail});
  return report;
}

}  // namespace usher::wal
