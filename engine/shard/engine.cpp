#include "engine/shard/engine.hpp"

#include <algorithm>

namespace usher::engine {

/// An import under way. Passed from loop to loop; each touches only its own part.
struct Engine::ImportRun {
  ImportPlan plan;
  std::function<void()> done;
  std::size_t loops_left = 0;  ///< for the first loop only
};

namespace {

/// Shows opened per turn of a loop: about 2 ms of work.
constexpr std::size_t openings_per_turn = 2'000;

}  // namespace

Engine::Engine(ShardIndex shard_count, const std::vector<Clock*>& clocks, Instant now, const RunnerOptions& options)
    : snapshot_(std::make_shared<const Snapshot>()) {
  const std::size_t loops = clocks.size();
  USHER_ASSERT(loops >= 1 && shard_count >= 1 && shard_count <= limits::shards_max);
  std::vector<std::vector<Shard*>> by_loop(loops);
  for (ShardIndex index = 0; index < shard_count; ++index) {
    shards_.push_back(std::make_unique<Shard>(index, shared_, now));
    loop_of_shard_.push_back(static_cast<std::uint16_t>(index % loops));
    by_loop[index % loops].push_back(shards_.back().get());
  }
  system_ = std::make_unique<SystemShard>(shard_count);
  loop_of_shard_.push_back(0);
  for (std::size_t loop = 0; loop < loops; ++loop) {
    runners_.push_back(std::make_unique<AgentRunner>(static_cast<std::uint16_t>(loop), by_loop[loop],
                                                     loop == 0 ? system_.get() : nullptr, *clocks[loop], options));
  }
}

std::vector<ReplayTarget*> Engine::replay_targets() {
  std::vector<ReplayTarget*> targets;
  for (const auto& shard : shards_) targets.push_back(shard.get());
  targets.push_back(system_.get());
  return targets;
}

void Engine::finish_recovery() {
  for (const auto& shard : shards_) shard->finish_recovery();
  snapshot_.store(system_->catalog().snapshot());
}

void Engine::attach(Log& log) {
  std::vector<AgentRunner*> all;
  for (const auto& runner : runners_) all.push_back(runner.get());
  for (const auto& runner : runners_) {
    runner->attach(log, shard_count());
    runner->connect(all, loop_of_shard_);
  }
}

Instant Engine::last_now() const noexcept {
  Instant latest = system_->last_now();
  for (const auto& shard : shards_) latest = std::max(latest, shard->state().last_now);
  return latest;
}

std::uint32_t Engine::available(ShowNumber number) const noexcept {
  const ShowDirectory::Entry* entry = shared_.directory.find(number);
  return entry == nullptr ? 0 : entry->available.load(std::memory_order_relaxed);
}

// ---- import ----

void Engine::import(ImportPlan plan, std::function<void()> done) {
  auto run = std::make_shared<ImportRun>(ImportRun{std::move(plan), std::move(done), runners_.size()});
  runners_[0]->post([this, run] { import_catalog(run); });
}

void Engine::import_catalog(const std::shared_ptr<ImportRun>& run) {
  AgentRunner& runner = *runners_[0];
  for (const Bytes& payload : run->plan.payloads) system_->change(payload, runner.now());
  for (Layout& layout : run->plan.layouts) {
    const auto interned = shared_.layouts.intern(std::move(layout));
    USHER_ASSERT(interned.ok());
  }
  runner.after_durable([this, run] {
    for (std::size_t loop = 0; loop < runners_.size(); ++loop) {
      runners_[loop]->post([this, run, loop] { import_shows(run, loop, 0); });
    }
  });
}

void Engine::import_shows(const std::shared_ptr<ImportRun>& run, std::size_t loop, std::size_t from) {
  AgentRunner& runner = *runners_[loop];
  const std::vector<ShowOpening>& shows = run->plan.shows;
  const std::size_t to = std::min(shows.size(), from + openings_per_turn);
  for (std::size_t i = from; i < to; ++i) {
    const ShowOpening& opening = shows[i];
    if (loop_of_shard_[opening.shard] != loop) continue;
    Shard& shard = *shards_[opening.shard];
    shard.define_layout(*shared_.layouts.find(opening.terms.layout_hash).layout, runner.now());
    (void)shard.open_show(opening.number, opening.terms, runner.now());
  }
  if (to < shows.size()) {
    runner.after_durable([this, run, loop, to] { import_shows(run, loop, to); });
    return;
  }
  runner.after_durable([this, run] { runners_[0]->post([this, run] { import_done(run); }); });
}

void Engine::import_done(const std::shared_ptr<ImportRun>& run) {
  if (--run->loops_left > 0) return;
  snapshot_.store(system_->catalog().snapshot());
  for (const auto& runner : runners_) runner->post([r = runner.get()] { r->start_checkpoint(); });
  run->done();
}

void Engine::change_catalog(Bytes payload, std::function<void()> done) {
  runners_[0]->post([this, payload = std::move(payload), done = std::move(done)] {
    system_->change(payload, runners_[0]->now());
    runners_[0]->after_durable([this, done] {
      snapshot_.store(system_->catalog().snapshot());
      done();
    });
  });
}

void Engine::mend_catalog() {
  const CatalogData& data = system_->catalog().data();
  Bytes payload;
  for (std::uint32_t at = 0; at < data.show_count(); ++at) {
    const ShowRow& row = data.show(at);
    const ShowDirectory::Entry* entry = shared_.directory.find(row.number);
    if (entry == nullptr || row.status != ShowStatus::scheduled) continue;
    const auto status = static_cast<ShowStatus>(entry->status.load(std::memory_order_relaxed));
    if (status == ShowStatus::cancelled) encode_entry(ShowStatusChange{row.number, status}, payload);
  }
  if (payload.empty()) return;
  bool done = false;
  change_catalog(std::move(payload), [&done] { done = true; });
  drive([&done] { return done; });
}

void Engine::drive(const std::function<bool()>& until) {
  bool any = true;
  while (any && !until()) {
    any = false;
    for (const auto& runner : runners_) {
      runner->begin_cycle();
      any |= runner->do_work();
      if (runner->wants_commit()) {
        runner->commit(true);
        any = true;
      }
      any |= runner->waiting_for_log();
    }
  }
}

}  // namespace usher::engine
