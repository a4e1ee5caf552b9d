/// What breaks, and how the program comes back.

#include <algorithm>

#include "engine/shard/checkpoint.hpp"
#include "tests/sim/world.hpp"
#include "wal/audit.hpp"

namespace usher::sim {
namespace {

constexpr std::uint64_t plenty = std::uint64_t{1} << 40U;

}  // namespace

// ---- what breaks ----

void World::trouble() {
  if (down()) return crash(false);
  trouble_with_disk();
  if (!random_.chance(knobs_.crash_per_mille)) return;
  constexpr Fault kinds[]{Fault::kill,
                          Fault::power_cut,
                          Fault::power_cut_in_io,
                          Fault::short_write,
                          Fault::sync_failed_kept,
                          Fault::sync_failed_lost,
                          Fault::sync_failed_cached,
                          Fault::anchor_failed,
                          Fault::bit_rot};
  const Fault fault = random_.pick(kinds);
  if (!knobs_.has(fault)) return;
  switch (fault) {
    case Fault::kill:
      counters_.hit(fault);
      return crash(false);
    case Fault::power_cut:
      counters_.hit(fault);
      return crash(true);
    case Fault::bit_rot:
      return close_cleanly();
    case Fault::power_cut_in_io:
      return disk_.arm(IoFault::power, random_.below(12));
    case Fault::short_write:
      return disk_.arm(IoFault::short_write, random_.below(8));
    case Fault::sync_failed_kept:
      return disk_.arm(IoFault::sync_kept, random_.below(8));
    case Fault::sync_failed_lost:
      return disk_.arm(IoFault::sync_lost, random_.below(8));
    case Fault::sync_failed_cached:
      return disk_.arm(IoFault::sync_cached, random_.below(8));
    default:
      return disk_.arm(IoFault::anchor, random_.below(4));
  }
}

void World::trouble_with_disk() {
  if (!knobs_.has(Fault::disk_full) || !random_.chance(10)) return;
  counters_.hit(Fault::disk_full);
  constexpr std::uint64_t left[]{plenty, plenty, 500'000, 500'000, 50'000};
  disk_.free_bytes = random_.pick(left);
  // answers may be on their way for a while
  disk_short_until_ = disk_.free_bytes == plenty ? steps_ + 500 : std::numeric_limits<std::uint64_t>::max();
  if (random_.chance(300)) process_->engine().runner(0).start_checkpoint();
}

// ---- coming back ----

void World::crash(bool power) {
  if (power) disk_.cut_power();
  restart();
}

std::vector<Lsn> World::ends() const {
  std::vector<Lsn> ends;
  for (const wal::ShardTail& tail : process_->log().report().tails) ends.push_back(tail.last_lsn);
  return ends;
}

void World::restart() {
  std::unique_ptr<Process> old = std::move(process_);
  if (old != nullptr) old->kill();
  for (std::size_t at = 0; at < sent_.size(); ++at) {
    if (sent_[at].answered || sent_[at].life != life_ || !sent_[at].command.idempotency.given()) continue;
    repeatable_.push_back({sent_[at].command, true});
  }
  while (repeatable_.size() > 60) repeatable_.pop_front();
  gateway_.forget_callers();
  disk_.disarm();
  const bool harsh = knobs_.has(Fault::crash_in_recovery) && !calm_ && old != nullptr;
  for (int tries = 0; process_ == nullptr && !failed(); ++tries) {
    disk_.power_on();
    fatal_ = false;
    ++life_;
    if (harsh && tries < 4 && random_.chance(300)) {
      constexpr IoFault faults[]{IoFault::power, IoFault::power, IoFault::sync_lost, IoFault::sync_cached,
                                 IoFault::sync_kept};
      counters_.hit(Fault::crash_in_recovery);
      disk_.arm(random_.pick(faults), random_.below(3));
    } else if (tries >= 4) {
      disk_.disarm();
    }
    const std::uint64_t before = disk_.faults_struck();
    auto started = Process::start(knobs_, disk_, gateway_, *this);
    ++counters_.recoveries;
    if (started && !down()) {
      process_ = std::move(started).value();
    } else if (!started && !disk_.off() && disk_.faults_struck() == before) {
      fail("a start is refused: " + started.error().detail);
    }
  }
  if (failed()) return;
  const wal::RecoveryReport& report = process_->log().report();
  if (!report.cut.empty()) counters_.hit(Path::tail_cut);
  if (report.checkpoint_rows > 0) counters_.hit(Path::recovered_from_rows);
  if (std::any_of(report.covered.begin(), report.covered.end(), [](Lsn lsn) { return lsn > 0; })) {
    counters_.hit(Path::covered);
  }
  if (disk_.free_bytes < 100'000) counters_.hit(Path::reopened_when_full);
  if (std::string wrong = model_.roll_back(ends()); !wrong.empty()) return fail(wrong);
  model_.born = now(0);
  for (const auto& [number, facts] : model_.shows()) {
    // the images of a fresh process are its memory
    const ShowState* state = model_.now(facts.number);
    shown_[number] = std::min(shown_[number], state == nullptr ? 0 : state->lsn);
    if (state != nullptr) count_resumed(*state);
  }
  look_at_memory();
  if (old != nullptr && !failed()) compare_with(*old);
  if (knobs_.retain && !failed() && random_.chance(200)) replay_whole();
}

void World::count_resumed(const ShowState& state) {
  for (const HeldPtr& held : state.held) {
    const bool open = held->state == ReservationState::paying || held->state == ReservationState::lapsed;
    if (open) counters_.hit(Path::payment_resumed);
    for (const Repayment& repayment : held->repayments) {
      if (repayment.state == Repayment::State::owed) counters_.hit(Path::refund_resumed);
    }
  }
}

/// Equal histories give equal digests (DESIGN 4.5).
void World::compare_with(Process& old) {
  if (!old.has_engine()) return;
  Instant as_of = model_.born;
  for (std::size_t loop = 0; loop < knobs_.loops; ++loop) as_of = std::max(as_of, old.engine().runner(loop).now());
  for (const auto& [number, facts] : model_.shows()) {
    const engine::ShardState& before = old.engine().shard(facts.shard).state();
    const engine::ShardState& after = process_->engine().shard(facts.shard).state();
    const engine::SlabIndex then = before.find_show(facts.number);
    const engine::SlabIndex now = after.find_show(facts.number);
    if (then == 0 || now == 0 || before.shows[then].lsn != after.shows[now].lsn) continue;
    if (engine::digest_of(before, then, as_of) != engine::digest_of(after, now, as_of)) {
      fail("show " + std::to_string(number) + " has another digest after the restart");
    }
  }
}

/// The whole log from its first record gives what recovery gave, checkpoints or not.
void World::replay_whole() {
  counters_.hit(Path::replayed_whole);
  engine::Engine copy(static_cast<ShardIndex>(knobs_.shards), process_->clocks_of(), model_.born);
  const auto targets = copy.replay_targets();
  for (std::size_t shard = 0; shard < targets.size(); ++shard) {
    const auto index = static_cast<ShardIndex>(shard);
    const Lsn end = process_->log().report().tails[shard].last_lsn;
    const auto replayed = process_->log().replay(index, {end, Instant::max()}, *targets[shard]);
    if (!replayed) return fail("the whole log cannot be replayed: " + replayed.error().detail);
    if (replayed.value().lsn != end) return fail("the whole log is replayed to another end");
  }
  copy.finish_recovery();
  for (const auto& [number, facts] : model_.shows()) {
    const std::string wrong = judge_.memory(copy.shard(facts.shard).state(), facts.number, model_.born);
    if (!wrong.empty()) return fail("replayed from the first record: " + wrong);
  }
}

// ---- damage ----

void World::close_cleanly() {
  closing_ = true;
  const std::uint64_t struck = disk_.faults_struck();
  const bool closed = process_->close();
  closing_ = false;
  if (closed && !down()) {
    counters_.hit(Path::closed_cleanly);
    for (ShardIndex shard = 0; shard <= knobs_.shards; ++shard) model_.reveal(shard, model_.end(shard));
    process_->kill();
    disk_.disarm();
    damage();
  } else if (!down() && disk_.faults_struck() == struck) {
    fail("the log does not close");
  }
  if (!failed()) restart();
}

/// Damages what was synced, and wants it to be noticed. Requires: closed cleanly, so that the anchor is up to date.
void World::damage() {
  disk_.cut_power();  // after a clean stop there is nothing left to lose
  disk_.power_on();
  std::vector<Lsn> anchored;
  for (ShardIndex shard = 0; shard <= knobs_.shards; ++shard) anchored.push_back(model_.end(shard));
  switch (random_.below(5)) {
    case 0:
      return judge_damaged(disk_.rot_log(anchored), true);
    case 1:
      return judge_damaged(disk_.rot_table(), true);
    case 2:
      counters_.hit(Path::anchor_slot_damaged);
      return judge_damaged(disk_.rot_anchor(), false);
    case 3:
      return judge_damaged(disk_.resurrect(), true);
    default:
      if (!knobs_.has(Fault::segment_lost)) return;
      return judge_damaged(disk_.lose_segment(), true);
  }
}

void World::judge_damaged(const std::string& what, bool must_be_seen) {
  if (what.empty()) return;
  const bool segment = what.starts_with("segment");
  counters_.hit(segment ? Fault::segment_lost : Fault::bit_rot);
  if (must_be_seen) {
    DiskStore store(disk_);
    const auto audited = wal::audit(store, {});
    if (audited && audited.value().clean()) return fail("damage to " + what + " is not seen by the audit");
  }
  std::unique_ptr<Process> old = std::move(process_);
  gateway_.forget_callers();
  ++life_;
  auto started = Process::start(knobs_, disk_, gateway_, *this);
  ++counters_.recoveries;
  if (!started) {
    if (started.error().code != ErrorCode::corrupt && started.error().code != ErrorCode::version) {
      return fail("damage to " + what + " is not called so: " + started.error().detail);
    }
    if (!must_be_seen) return fail("damage to " + what + " keeps it from starting: " + started.error().detail);
    counters_.hit(segment ? Path::lost_segment_refused : Path::rot_refused);
  } else {
    counters_.hit(Path::rot_harmless);
    process_ = std::move(started).value();
    if (std::string wrong = model_.roll_back(ends()); !wrong.empty())
      return fail("after damage to " + what + ", " + wrong);
    model_.born = now(0);
    look_at_memory();
    process_->kill();
  }
  disk_.restore();
}

}  // namespace usher::sim
