#include "tests/crash/rot/row_rot.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "usher/assert.hpp"
#include "wal/anchor.hpp"
#include "wal/audit.hpp"
#include "wal/blob.hpp"
#include "wal/log.hpp"
#include "wal/shard_walk.hpp"

namespace usher::crash {
namespace {

using wal::Place;
using wal::SimDisk;
using wal::Table;

constexpr std::uint32_t records_per_round = 24;
constexpr std::uint64_t round_takes_ns = 3'000'000;

char flipped(char byte, unsigned bit) {
  return static_cast<char>(static_cast<unsigned char>(byte) ^ (1U << bit));
}

wal::RecoveryOptions one_thread() {
  wal::RecoveryOptions options;
  options.threads = 1;
  return options;
}

wal::TargetFactory feed(std::vector<ShardState>& states) {
  return [&states](std::size_t shards) {
    states.assign(shards + 1, ShardState{});
    std::vector<ReplayTarget*> targets;
    for (ShardState& state : states) targets.push_back(&state);
    return targets;
  };
}

/// The actors of all shards as they are after what was replayed so far, for a checkpoint in the middle.
std::vector<CheckpointRow> rows_of(std::vector<ShardState>& states, const LogLane& lane) {
  std::vector<CheckpointRow> rows;
  for (ShardIndex shard = 0; shard < shard_total; ++shard) {
    for (std::size_t actor = 0; actor < actor_count; ++actor) {
      if (states[shard].actors[actor].count == 0) continue;
      rows.push_back({shard, actor_kind, actor, lane.durable_lsn(shard), states[shard].actors[actor].encode()});
    }
  }
  return rows;
}

}  // namespace

void RowRot::fail(const std::string& what, const std::string& why) {
  if (counters_.failures.fetch_add(1) < 40) std::fprintf(stderr, "FAILED: %s: %s\n", what.c_str(), why.c_str());
}

void RowRot::build() {
  SimDisk disk;
  std::uint64_t now_ns = 1'000'000'000;
  wal::LogOptions options;
  options.shard_count = shard_count;
  options.own_threads = false;
  options.segment_bytes = log_bytes_ / 6;
  options.monotonic_ns = [&now_ns] { return now_ns; };
  auto log = wal::open_on(std::make_unique<wal::SimStore>(disk), options, {});
  USHER_ASSERT(log.ok());
  auto lane = log.value()->make_lane({0, 1, 2}, [] {});
  std::vector<ShardState> states(shard_total);
  bool checkpointed = false;
  Record record;
  for (std::uint32_t number = 1; log.value()->counters().bytes < log_bytes_;) {
    for (std::uint32_t n = 0; n < records_per_round; ++n, ++number) {
      fill_record(record, static_cast<ShardIndex>(mix64(number) % shard_total), number);
      (void)lane->append(record);
      states[record.shard].actors[actor_of(record)].apply(record);
    }
    lane->submit();
    log.value()->do_work();
    USHER_ASSERT(lane->collect());
    now_ns += round_takes_ns;
    if (checkpointed || log.value()->counters().bytes < log_bytes_ / 2) continue;
    checkpointed = true;
    USHER_ASSERT(log.value()->try_checkpoint(rows_of(states, *lane)));
    for (ShardIndex shard = 0; shard < shard_total; ++shard) {
      log.value()->checkpoint_complete(shard, lane->durable_lsn(shard));
    }
  }
  lane.reset();
  log.value()->crash();
  read_blobs(disk);
  wal::SimStore store(disk);
  const auto report = wal::recover(store, one_thread(), feed(states_));
  USHER_ASSERT(report.ok());
  for (const wal::ShardTail& tail : report.value().tails) tails_.push_back(tail.last_lsn);
}

void RowRot::read_blobs(SimDisk& disk) {
  wal::SimStore store(disk);
  segments_ = store.segments();
  const auto keep = [&](Place place) {
    disk.edit(place, [&](SimDisk::Rows& rows) { tables_.emplace_back(place, rows); });
  };
  for (const Table table : {Table::checkpoints, Table::people, Table::meta}) keep({table, 0});
  for (const wal::SegmentNumber segment : segments_) keep({Table::log, segment});
  disk.edit_anchor(
      [this](std::string(&slots)[2]) { std::copy(std::begin(slots), std::end(slots), std::begin(anchor_)); });
  const auto anchor = wal::read_anchor(store, shard_total);
  USHER_ASSERT(anchor.ok());
  for (const wal::AnchorEntry& entry : anchor.value().shards) anchored_.push_back(entry.lsn);
  std::array<std::size_t, shard_total> last{none, none, none};
  for (const auto& [place, rows] : tables_) {
    if (place.table != Table::log) continue;
    for (const auto& [key, bytes] : rows) {
      wal::BlobHeader header;
      USHER_ASSERT(wal::read_blob_header(bytes, header) == wal::BlobFault::none);
      std::size_t& before = last[header.shard];
      if (before != none) blobs_[before].after = blobs_.size();
      blobs_.push_back({place, key, bytes, header.shard, header.first_lsn, header.count, before, none});
      before = blobs_.size() - 1;
      bytes_ += bytes.size();
    }
  }
}

std::unique_ptr<SimDisk> RowRot::copy() const {
  auto disk = std::make_unique<SimDisk>();
  for (const auto& [place, rows] : tables_) {
    disk->edit(place, [&rows = rows](SimDisk::Rows& mine) { mine = rows; });
  }
  disk->edit_anchor(
      [this](std::string(&slots)[2]) { std::copy(std::begin(anchor_), std::end(anchor_), std::begin(slots)); });
  return disk;
}

void RowRot::run(std::uint64_t step) {
  if (step < blobs_.size()) {
    sweep(blobs_[step]);
    return rearrange(step);
  }
  step -= blobs_.size();
  if (step < segments_.size()) return rearrange_segment(step);
  step == segments_.size() ? rot_checkpoints() : rot_anchor();
}

bool RowRot::is_found(SimDisk& disk, const Blob& blob) {
  wal::SimStore store(disk);
  const Lsn from = blob.before == none ? 0 : blobs_[blob.before].first_lsn;
  wal::ShardWalk walk(store, {1}, {blob.shard, from, {}, ~std::uint64_t{0}});
  if (blob.before != none && walk.next() != wal::ShardWalk::Step::blob) return false;
  return walk.next() == wal::ShardWalk::Step::damaged && walk.damage().lsn == blob.first_lsn;
}

void RowRot::sweep(const Blob& blob) {
  SimDisk disk;
  const Place place{Table::log, 1};
  disk.edit(place, [&](SimDisk::Rows& rows) {
    for (const std::size_t neighbour : {blob.before, blob.after}) {
      if (neighbour != none) rows[blobs_[neighbour].key] = blobs_[neighbour].bytes;
    }
    rows[blob.key] = blob.bytes;
  });
  const std::string name = "shard " + std::to_string(blob.shard) + ", LSN " + std::to_string(blob.first_lsn);
  for (std::size_t bit = 0; bit < blob.bytes.size() * 8; ++bit) {
    const auto flip = [&](SimDisk::Rows& rows) {
      char& byte = rows[blob.key][bit / 8];
      byte = flipped(byte, bit % 8);
    };
    disk.edit(place, flip);
    if (!is_found(disk, blob)) fail(name, "bit " + std::to_string(bit) + " flipped and not found");
    disk.edit(place, flip);
    ++counters_.flips;
  }
  for (std::size_t size = 0; size < blob.bytes.size(); ++size) {
    disk.edit(place, [&](SimDisk::Rows& rows) { rows[blob.key] = blob.bytes.substr(0, size); });
    if (!is_found(disk, blob)) fail(name, "cut to " + std::to_string(size) + " bytes and not found");
  }
}

/// The blob missing, all from it on missing, swapped with its neighbours, doubled, its key flipped.
void RowRot::rearrange(std::size_t index) {
  const Blob& blob = blobs_[index];
  const std::string name = "shard " + std::to_string(blob.shard) + ", LSN " + std::to_string(blob.first_lsn);
  judge([&](SimDisk& disk) { disk.edit(blob.place, [&](SimDisk::Rows& rows) { rows.erase(blob.key); }); },
        name + " removed");
  judge(
      [&](SimDisk& disk) {
        for (std::size_t at = index; at != none; at = blobs_[at].after) {
          disk.edit(blobs_[at].place, [&](SimDisk::Rows& rows) { rows.erase(blobs_[at].key); });
        }
      },
      name + " and all behind it removed");
  if (blob.after != none) {
    const Blob& next = blobs_[blob.after];
    judge(
        [&](SimDisk& disk) {
          disk.edit(blob.place, [&](SimDisk::Rows& rows) { rows[blob.key] = next.bytes; });
          disk.edit(next.place, [&](SimDisk::Rows& rows) { rows[next.key] = blob.bytes; });
        },
        name + " swapped with the next");
    judge([&](SimDisk& disk) { disk.edit(next.place, [&](SimDisk::Rows& rows) { rows[next.key] = blob.bytes; }); },
          name + " copied over the next");
  }
  judge(
      [&](SimDisk& disk) {
        const auto behind = wal::log_key(blob.shard, tails_[blob.shard] + 1);
        disk.edit({Table::log, segments_.back()},
                  [&](SimDisk::Rows& rows) { rows[std::string(behind.view())] = blob.bytes; });
      },
      name + " doubled behind the end");
  for (std::size_t bit = 0; bit < blob.key.size() * 8; ++bit) {
    judge(
        [&](SimDisk& disk) {
          disk.edit(blob.place, [&](SimDisk::Rows& rows) {
            std::string key = blob.key;
            key[bit / 8] = flipped(key[bit / 8], bit % 8);
            rows.erase(blob.key);
            rows[key] = blob.bytes;
          });
        },
        name + ", bit " + std::to_string(bit) + " of its key flipped");
  }
}

void RowRot::rearrange_segment(std::size_t index) {
  const wal::SegmentNumber segment = segments_[index];
  const std::string name = "segment " + std::to_string(segment);
  const auto rows_of_segment = [this](wal::SegmentNumber number) {
    return std::find_if(tables_.begin(), tables_.end(),
                        [number](const auto& table) {
                          return table.first == Place{Table::log, number};
                        })
        ->second;
  };
  judge([&](SimDisk& disk) { USHER_ASSERT(wal::SimStore(disk).drop_segment(segment).ok()); }, name + " removed");
  judge(
      [&](SimDisk& disk) {
        disk.edit({Table::log, segment}, [](SimDisk::Rows& rows) { rows.clear(); });
      },
      name + " emptied");
  judge(
      [&](SimDisk& disk) {
        disk.edit({Table::log, segments_.back() + 1}, [&](SimDisk::Rows& rows) { rows = rows_of_segment(segment); });
      },
      name + " doubled");
  for (const wal::SegmentNumber other : segments_) {
    if (other == segment) continue;
    judge(
        [&](SimDisk& disk) {
          disk.edit({Table::log, segment}, [&](SimDisk::Rows& rows) { rows = rows_of_segment(other); });
          disk.edit({Table::log, other}, [&](SimDisk::Rows& rows) { rows = rows_of_segment(segment); });
        },
        name + " swapped with " + std::to_string(other));
  }
}

/// Their bytes. That a whole row is gone only RocksDB's checksums can tell, and `usher audit`, which compares what the
/// checkpoints say with what the whole log says.
void RowRot::rot_checkpoints() {
  const Place place{Table::checkpoints, 0};
  for (const auto& [key, value] : tables_[0].second) {
    for (std::size_t bit = 0; bit < value.size() * 8; ++bit) {
      judge(
          [&, &key = key](SimDisk& disk) {
            disk.edit(place, [&](SimDisk::Rows& rows) { rows[key][bit / 8] = flipped(rows[key][bit / 8], bit % 8); });
          },
          "bit " + std::to_string(bit) + " of a checkpoint row flipped");
    }
  }
}

void RowRot::rot_anchor() {
  for (unsigned slot = 0; slot < 2; ++slot) {
    for (std::size_t bit = 0; bit < 8 * anchor_[slot].size(); ++bit) {
      if (bit >= 8 * 160 && bit % 97 != 0) continue;  // behind the entries lie zeros that nobody reads
      judge(
          [&](SimDisk& disk) {
            disk.edit_anchor(
                [&](std::string(&slots)[2]) { slots[slot][bit / 8] = flipped(slots[slot][bit / 8], bit % 8); });
          },
          "bit " + std::to_string(bit) + " of anchor slot " + std::to_string(slot) + " flipped");
    }
  }
  judge([&](SimDisk& disk) { disk.edit_anchor([](std::string(&slots)[2]) { std::swap(slots[0], slots[1]); }); },
        "anchor slots swapped");
  judge([&](SimDisk& disk) { disk.edit_anchor([](std::string(&slots)[2]) { slots[0] = slots[1] = ""; }); },
        "anchor emptied");
}

void RowRot::judge(const Change& change, const std::string& what) {
  ++counters_.opens;
  const auto disk = copy();
  change(*disk);
  wal::SimStore store(*disk);
  const auto audit = wal::audit(store, {});
  const bool audit_clean = audit && audit.value().clean();
  std::vector<ShardState> states;
  const auto report = wal::recover(store, one_thread(), feed(states));
  if (!report) {
    ++counters_.refused;
    if (audit_clean) fail(what, "refused (" + report.error().detail + "), and the audit finds nothing");
    return;
  }
  bool same = true;
  bool above_anchor = true;
  for (std::size_t shard = 0; shard < shard_total; ++shard) {
    const Lsn tail = report.value().tails[shard].last_lsn;
    same = same && tail == tails_[shard];
    for (std::size_t actor = 0; actor < actor_count; ++actor) {
      const Actor& now = states[shard].actors[actor];
      const Actor& was = states_[shard].actors[actor];
      same = same && now.count == was.count && now.digest == was.digest;
    }
    above_anchor = above_anchor && tail >= anchored_[shard] && tail <= tails_[shard];
  }
  const bool said = !report.value().cut.empty();
  if (same) {
    ++counters_.harmless;
  } else if (said && above_anchor) {
    ++counters_.reported;
  } else if (above_anchor && what.find("removed") != std::string::npos) {
    ++counters_.exception;
  } else {
    fail(what, "SILENT");
  }
}

}  // namespace usher::crash
