#include "tests/sim/disk.hpp"

#include <algorithm>
#include <utility>

#include "wal/blob.hpp"

namespace usher::sim {

using wal::Place;
using wal::Table;

Disk::Disk(const Knobs& knobs, Counters& counters, std::uint64_t stream)
    : knobs_(knobs), counters_(counters), random_(knobs.seed, stream) {}

// ---- rows ----

Rows& Disk::own(Tables& tables, Place place) {
  std::shared_ptr<Rows>& rows = tables[place];
  if (!rows) {
    rows = std::make_shared<Rows>();
  } else if (rows.use_count() > 1) {  // a cursor walks them
    rows = std::make_shared<Rows>(*rows);
  }
  return *rows;
}

void Disk::apply(Tables& tables, const Op& op) {
  if (op.place.table == Table::log && tables.find(op.place) == tables.end()) return;  // the segment was dropped
  Rows& rows = own(tables, op.place);
  if (op.value) {
    rows.insert_or_assign(op.key, op.value);
  } else {
    rows.erase(op.key);
  }
}

void Disk::note_durable(const Op& op) {
  wal::BlobHeader header;
  if (op.place.table != Table::log || !op.value) return;
  if (wal::read_blob_header(*op.value, header) != wal::BlobFault::none) return;
  if (durable_lsns_.size() <= header.shard) durable_lsns_.resize(header.shard + 1U);
  durable_lsns_[header.shard] = std::max(durable_lsns_[header.shard], header.last_lsn());
}

// ---- faults ----

void Disk::arm(IoFault fault, std::uint64_t after) {
  armed_ = fault;
  armed_after_ = after;
}

/// Is it time for the armed fault, and is it one of this kind?
bool Disk::strikes(IoFault first, IoFault last) {
  const bool fits = armed_ == IoFault::power || (armed_ >= first && armed_ <= last);
  if (armed_ == IoFault::none || !fits) return false;
  if (armed_after_ > 0) return --armed_after_, false;
  ++faults_struck_;
  return true;
}

/// Nothing but blobs.
bool Disk::is_log(const Batch& batch) {
  return std::all_of(batch.begin(), batch.end(), [](const Op& op) { return op.place.table == Table::log && op.value; });
}

/// Cuts a batch of the log at any byte; what follows is zeros or nothing.
Disk::Batch Disk::torn(const Batch& batch) {
  if (!is_log(batch) || batch.empty()) return {};
  const std::size_t at = random_.below(batch.size());
  Batch kept(batch.begin(), batch.begin() + static_cast<std::ptrdiff_t>(at) + 1);
  std::string cut = kept.back().value->substr(0, random_.below(kept.back().value->size()));
  if (knobs_.has(Fault::zero_tail) && random_.chance(500)) {
    cut.resize(kept.back().value->size(), '\0');
    counters_.hit(Fault::zero_tail);
  }
  kept.back().value = std::make_shared<const std::string>(std::move(cut));
  counters_.hit(Fault::torn_write);
  return kept;
}

void Disk::cut_pending() {
  std::vector<Batch> kept;
  for (const Batch& batch : pending_) {
    for (const Op& op : batch) {
      if (op.place.table == Table::log && op.value && graves_.size() < 32) graves_.push_back(op);
    }
  }
  if (knobs_.has(Fault::subset_kept)) {
    bool tables_whole = true;
    std::vector<Batch> blobs;
    for (Batch& batch : pending_) {
      const bool keep = random_.chance(500);
      if (is_log(batch)) {
        if (keep) blobs.push_back(std::move(batch));
      } else if (tables_whole = tables_whole && keep; tables_whole) {
        kept.push_back(std::move(batch));
      }
    }
    for (std::size_t at = blobs.size(); at > 1; --at) std::swap(blobs[at - 1], blobs[random_.below(at)]);
    std::move(blobs.begin(), blobs.end(), std::back_inserter(kept));
    if (!kept.empty()) counters_.hit(Fault::subset_kept);
  } else {
    pending_.resize(random_.below(pending_.size() + 1));
    kept = std::move(pending_);
  }
  if (!kept.empty() && knobs_.has(Fault::torn_write) && random_.chance(500)) kept.back() = torn(kept.back());
  for (const Batch& batch : kept) {
    for (const Op& op : batch) {
      apply(durable_, op);
      note_durable(op);
    }
  }
  pending_.clear();
  ghosts_.clear();
}

/// Of unsynced slots any may be kept; one write was under way and may be torn.
void Disk::cut_anchor() {
  bool may_tear = knobs_.has(Fault::anchor_torn);
  for (unsigned slot = 0; slot < 2; ++slot) {
    if (anchor_live_[slot] == anchor_durable_[slot]) continue;
    if (may_tear && random_.chance(400) && !anchor_live_[slot].empty()) {
      std::string mixed = anchor_live_[slot];
      const std::size_t cut = random_.below(mixed.size());
      for (std::size_t at = cut; at < mixed.size(); ++at) {
        mixed[at] = at < anchor_durable_[slot].size() ? anchor_durable_[slot][at] : '\0';
      }
      anchor_durable_[slot] = mixed;
      may_tear = false;
      counters_.hit(Fault::anchor_torn);
    } else if (random_.chance(500)) {
      anchor_durable_[slot] = anchor_live_[slot];
    }
  }
}

void Disk::cut_power() {
  cut_pending();
  cut_anchor();
  live_.clear();
  for (const auto& [place, rows] : durable_) live_[place] = std::make_shared<Rows>(*rows);
  for (unsigned slot = 0; slot < 2; ++slot) anchor_live_[slot] = anchor_durable_[slot];
  armed_ = IoFault::none;
  off_ = true;
}

void Disk::open() {
  for (const Op& ghost : ghosts_) {
    apply(durable_, ghost);
    note_durable(ghost);
  }
  ghosts_.clear();
  sync_pending();
}

void Disk::sync_pending() {
  for (const Batch& batch : pending_) {
    for (const Op& op : batch) {
      apply(durable_, op);
      note_durable(op);
    }
  }
  pending_.clear();
}

Status Disk::fail_sync(const Batch& batch) {
  const IoFault fault = std::exchange(armed_, IoFault::none);
  if (fault == IoFault::sync_lost) {
    counters_.hit(Fault::sync_failed_lost);
    pending_.clear();
    live_.clear();
    for (const auto& [place, rows] : durable_) live_[place] = std::make_shared<Rows>(*rows);
    for (const Op& ghost : ghosts_) apply(live_, ghost);
  } else {
    for (const Op& op : batch) apply(live_, op);
    pending_.push_back(batch);
    if (fault == IoFault::sync_kept) {
      counters_.hit(Fault::sync_failed_kept);
      sync_pending();
    } else {
      counters_.hit(Fault::sync_failed_cached);
      for (Batch& unsynced : pending_) std::move(unsynced.begin(), unsynced.end(), std::back_inserter(ghosts_));
      pending_.clear();
    }
  }
  return make_error(ErrorCode::io, "simulated: the sync failed");
}

Status Disk::fail_short(const Batch& batch) {
  armed_ = IoFault::none;
  counters_.hit(Fault::short_write);
  Batch kept = torn(batch);
  for (const Op& op : kept) apply(live_, op);
  if (!kept.empty()) pending_.push_back(std::move(kept));
  return make_error(ErrorCode::io, "simulated: a short write");
}

Status Disk::write(const Batch& batch, bool sync) {
  if (off_) return power_is_off();
  if (strikes(IoFault::short_write, sync ? IoFault::sync_cached : IoFault::short_write)) {
    if (armed_ == IoFault::short_write) return fail_short(batch);
    if (armed_ != IoFault::power) return fail_sync(batch);
    pending_.push_back(batch);
    counters_.hit(Fault::power_cut_in_io);
    cut_power();
    return power_is_off();
  }
  for (const Op& op : batch) apply(live_, op);
  pending_.push_back(batch);
  if (sync) sync_pending();
  return Done{};
}

// ---- rot ----

namespace {

/// The n-th of all rows that `fits` says yes to, as an op that would put it back.
template <class Fits>
std::optional<Disk::Op> pick_row(const std::map<Place, std::shared_ptr<Rows>>& tables, Random& random, Fits&& fits) {
  std::vector<Disk::Op> found;
  for (const auto& [place, rows] : tables) {
    for (const auto& [key, value] : *rows) {
      if (fits(place, *value)) found.push_back({place, key, value});
    }
  }
  if (found.empty()) return std::nullopt;
  return found[random.below(found.size())];
}

std::string flipped(const std::string& bytes, Random& random) {
  std::string rotten = bytes;
  rotten[random.below(rotten.size())] ^= static_cast<char>(1U << random.below(8));
  return rotten;
}

}  // namespace

std::string Disk::rot_log(const std::vector<Lsn>& anchored) {
  rotten_row_ = pick_row(live_, random_, [&](Place place, const std::string& value) {
    wal::BlobHeader header;
    if (place.table != Table::log || wal::read_blob_header(value, header) != wal::BlobFault::none) return false;
    return header.shard < anchored.size() && header.last_lsn() <= anchored[header.shard];
  });
  if (!rotten_row_) return "";
  const auto rotten = std::make_shared<const std::string>(flipped(*rotten_row_->value, random_));
  for (Tables* tables : {&live_, &durable_}) apply(*tables, {rotten_row_->place, rotten_row_->key, rotten});
  return "a bit of segment " + std::to_string(rotten_row_->place.segment);
}

std::string Disk::rot_table() {
  rotten_row_ = pick_row(live_, random_, [](Place place, const std::string& value) {
    return place.table == Table::checkpoints && !value.empty();
  });
  if (!rotten_row_) return "";
  const auto rotten = std::make_shared<const std::string>(flipped(*rotten_row_->value, random_));
  for (Tables* tables : {&live_, &durable_}) apply(*tables, {rotten_row_->place, rotten_row_->key, rotten});
  return "a bit of a checkpoint";
}

std::string Disk::rot_anchor() {
  const auto slot = static_cast<unsigned>(random_.below(2));
  if (anchor_live_[slot].empty()) return "";
  rotten_slot_ = {slot, anchor_live_[slot]};
  anchor_live_[slot] = anchor_durable_[slot] = flipped(anchor_live_[slot], random_);
  return "a bit of the anchor";
}

std::string Disk::lose_segment() {
  std::vector<Place> segments;
  for (const auto& [place, rows] : live_) {
    if (place.table == Table::log && !rows->empty()) segments.push_back(place);
  }
  if (segments.empty()) return "";
  const Place place = segments[random_.below(segments.size())];
  lost_ = {place, live_[place]};
  live_.erase(place);
  durable_.erase(place);
  return "segment " + std::to_string(place.segment);
}

std::string Disk::resurrect() {
  for (const Op& grave : graves_) {
    const auto table = live_.find(grave.place);
    if (table == live_.end()) continue;
    const auto row = table->second->find(grave.key);
    if (row == table->second->end() || *row->second == *grave.value) continue;
    rotten_row_ = Op{grave.place, grave.key, row->second};
    for (Tables* tables : {&live_, &durable_}) apply(*tables, grave);
    return "an older blob in segment " + std::to_string(grave.place.segment);
  }
  return "";
}

void Disk::restore() {
  if (rotten_row_) {
    for (Tables* tables : {&live_, &durable_}) apply(*tables, *rotten_row_);
  }
  if (rotten_slot_) anchor_live_[rotten_slot_->first] = anchor_durable_[rotten_slot_->first] = rotten_slot_->second;
  if (lost_) {
    live_[lost_->first] = lost_->second;
    durable_[lost_->first] = std::make_shared<Rows>(*lost_->second);
  }
  rotten_row_.reset();
  rotten_slot_.reset();
  lost_.reset();
}

}  // namespace usher::sim
