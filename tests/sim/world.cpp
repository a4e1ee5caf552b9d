#include "tests/sim/world.hpp"

#include <algorithm>

#include "engine/shard/invariants.hpp"
#include "tests/engine/catalog/halls.hpp"

namespace usher::sim {
namespace {

constexpr std::int64_t ns_per_ms = 1'000'000;
/// 2023-11-14, so that nothing is near zero.
constexpr std::int64_t wall_begin_ms = 1'700'000'000'000;

}  // namespace

World::World(std::uint64_t seed, const Cuts& cuts)
    : cuts_(cuts),
      knobs_(draw_knobs(seed, cuts)),
      random_(seed, 4),
      clients_(seed, 5),
      disk_(knobs_, counters_, 6),
      gateway_(knobs_, counters_),
      model_(gateway_, counters_),
      judge_(model_, counters_) {
  clocks = {1'000'000'000, wall_begin_ms * ns_per_ms};
  begun_ns_ = clocks.monotonic_ns;
  gateway_.on_create = [this](const server::payments::PaymentRequest& request) { on_charge(request); };
}

void World::fail(const std::string& what) {
  if (wrong_.empty()) wrong_ = what;
}

Outcome World::run() {
  start();
  while (!failed() && commands_ < knobs_.commands) step();
  if (!failed()) finish();
  counters_.seeds = 1;
  counters_.commands = commands_;
  counters_.simulated_ms = static_cast<std::uint64_t>((clocks.monotonic_ns - begun_ns_) / ns_per_ms);
  if (process_ != nullptr) process_->kill();
  return {wrong_, commands_, counters_};
}

Facts World::facts_of(std::size_t index) const {
  const ShowKnobs& show = knobs_.shows[index];
  Facts facts;
  facts.number = static_cast<ShowNumber>(index + 1);
  facts.shard = static_cast<ShardIndex>(index % knobs_.shards);
  for (const std::string& row : show.rows) {
    for (std::size_t at = 0; at < row.size(); ++at) {
      if (row[at] == ' ') continue;
      facts.seats += row[at];
      facts.joined.push_back(at + 1 < row.size() && row[at + 1] != ' ');
    }
  }
  facts.price_standard = show.price_standard;
  facts.price_premium = show.price_premium;
  facts.start = instant_from_ms(wall_begin_ms) + show.starts_after;
  facts.end = facts.start + show.lasts;
  facts.policy = show.policy;
  return facts;
}

void World::start() {
  for (std::size_t index = 0; index < knobs_.shows.size(); ++index) model_.add(facts_of(index));
  restart();
  if (!failed()) open_missing();
}

/// Opens what is not open: at the beginning, late, or again when a crash took the opening.
void World::open_missing() {
  for (const auto& [number, facts] : model_.shows()) {
    if (down() || failed()) return;
    const ShowKnobs& show = knobs_.shows[number - 1];
    if (model_.now(facts.number) != nullptr) continue;
    if (show.opened_late && commands_ < knobs_.commands / 3 && !calm_) continue;
    if (show.opened_late) counters_.hit(Path::opened_late);
    std::vector<std::string_view> rows(show.rows.begin(), show.rows.end());
    engine::ShowTerms terms;
    terms.price_standard = facts.price_standard;
    terms.price_premium = facts.price_premium;
    terms.start = facts.start;
    terms.end = facts.end;
    terms.policy = facts.policy;
    (void)process_->cycle(process_->engine().loop_of(facts.shard), random_.chance(500),
                          [&] { process_->open_show(testing::hall(rows), terms, facts); });
  }
}

void World::pass_time() {
  std::int64_t ms = random_.chance(300) ? 0 : random_.between(0, knobs_.step_ms_max);
  if (!calm_ && knobs_.has(Fault::stall) && random_.chance(4)) {
    counters_.hit(Fault::stall);
    ms += random_.between(100, 60'000);
  }
  if (!calm_ && knobs_.has(Fault::clock_step) && random_.chance(4)) {
    counters_.hit(Fault::clock_step);
    clocks.wall_ns += random_.between(-86'400'000, 86'400'000) * ns_per_ms;
    clocks.wall_ns = std::max(clocks.wall_ns, (wall_begin_ms - 86'400'000) * ns_per_ms);
  }
  clocks.monotonic_ns += ms * ns_per_ms;
  clocks.wall_ns += ms * ns_per_ms;
  gateway_.advance(clocks.monotonic_ns / ns_per_ms);
  if (!gateway_.wrong().empty()) fail("the gateway: " + gateway_.wrong());
}

void World::step() {
  ++steps_;
  pass_time();
  const std::size_t loop = random_.below(knobs_.loops);
  const bool inline_sync = random_.chance(knobs_.inline_per_mille);
  const bool idle = random_.chance(knobs_.idle_per_mille);
  const bool any = process_->cycle(loop, inline_sync, [&] {
    for (std::uint64_t count = idle ? 0 : 1 + random_.below(3); count > 0 && !failed(); --count) ask(loop);
  });
  if (!any && !down()) check_prompt(loop);
  if (cuts_.canary && counters_.paths[static_cast<std::size_t>(Path::booked)] > 0) fail("the canary sings");
  if (random_.chance(knobs_.commit_per_mille) && !down()) {
    if (knobs_.has(Fault::slow_disk) && random_.chance(20)) {
      counters_.hit(Fault::slow_disk);
      clocks.monotonic_ns += random_.between(10, 5'000) * ns_per_ms;
    }
    process_->log().do_work();
  }
  if (!down() && random_.chance(100)) open_missing();
  if (!down() && !failed()) look();
  if (!failed()) trouble();
}

/// The wheel makes prompt what commands would do (DESIGN 4.7). Requires: the loop had nothing to do.
void World::check_prompt(std::size_t loop) {
  constexpr Duration tick{16};
  for (const auto& [number, facts] : model_.shows()) {
    const ShowState* state = model_.now(facts.number);
    if (state == nullptr || process_->engine().loop_of(facts.shard) != loop) continue;
    for (const HeldPtr& held : state->held) {
      if (held->live() && deadline_of(*held, facts) + 2 * tick <= now(loop)) {
        fail("show " + std::to_string(number) + " reservation " + std::to_string(held->sequence) +
             " is dead and the wheel has not noticed");
      }
    }
  }
}

// ---- looking ----

void World::look() {
  if (random_.chance(250)) {
    const auto& shows = model_.shows();
    look_at(std::next(shows.begin(), static_cast<std::ptrdiff_t>(random_.below(shows.size())))->second);
  }
  if (random_.chance(15)) look_at_memory();
}

void World::look_at(const Facts& facts) {
  const std::string who = "show " + std::to_string(to_value(facts.number));
  const engine::Engine& engine = process_->engine();
  const auto view = engine.shard(facts.shard).view(facts.number);
  if (!view) return shown_[to_value(facts.number)] != 0 ? fail(who + " is open, and has no seat map") : void();
  if (view->lsn > disk_.durable_lsn(facts.shard)) return fail(who + ": its seat map shows what a crash takes back");
  Lsn& shown = shown_[to_value(facts.number)];
  if (view->lsn < shown) return fail(who + ": its seat map falls behind what was told");
  shown = view->lsn;
  model_.reveal(facts.shard, view->lsn);
  if (std::string wrong = judge_.view(facts.number, *view); !wrong.empty()) return fail(wrong);
  const std::uint32_t available = view->status == engine::ShowStatus::scheduled ? view->available : 0;
  if (engine.available(facts.number) != available) fail(who + ": the directory counts other free seats");
}

void World::look_at_memory() {
  count_log();
  for (const auto& [number, facts] : model_.shows()) {
    const engine::ShardState& state = process_->engine().shard(facts.shard).state();
    const std::size_t loop = process_->engine().loop_of(facts.shard);
    const std::string wrong = judge_.memory(state, facts.number, std::max(now(loop), model_.born));
    if (!wrong.empty()) fail(wrong);
  }
  for (ShardIndex shard = 0; shard < knobs_.shards; ++shard) {
    const auto broken = engine::check_invariants(process_->engine().shard(shard).state());
    if (!broken.empty()) fail("invariant: " + broken.front());
  }
}

/// What the log and the loops say of themselves.
void World::count_log() {
  if (process_->log().rotations() > 0) counters_.hit(Path::rotated);
  if (process_->log().segments_dropped() > 0) counters_.hit(Path::trimmed);
  for (std::size_t loop = 0; loop < knobs_.loops; ++loop) {
    const engine::RunnerCounters& counters = process_->engine().runner(loop).counters();
    if (counters.rounds_inline > 0) counters_.hit(Path::committed_inline);
    if (counters.rounds > counters.rounds_inline) counters_.hit(Path::committed_later);
  }
}

// ---- what the program does ----

void World::on_record(const Record& record) {
  const std::string wrong = model_.on_record(record, disk_.durable_lsn(record.shard));
  if (!wrong.empty()) fail(wrong);
}

void World::on_reply(const Reply& reply) {
  if (reply.lsn > disk_.durable_lsn(reply.shard)) {
    fail("an answer of LSN " + std::to_string(reply.lsn) + " of shard " + std::to_string(reply.shard) +
         " leaves before it is durable");
  }
  model_.reveal(reply.shard, reply.lsn);
  Lsn& shown = shown_[to_value(reply.show)];
  shown = std::max(shown, reply.lsn);
}

void World::on_fatal(const std::string& why) {
  if (calm_ && !fatal_) fail("the log stops although nothing is broken: " + why);
  fatal_ = true;
}

/// No money moves before its attempt is durable (DESIGN 5).
void World::on_charge(const server::payments::PaymentRequest& request) {
  const auto uuid = parse_uuid(request.metadata.reservation_id);
  const auto id = uuid ? id_from_uuid(*uuid) : std::nullopt;
  if (!id) return fail("a charge without a reservation");
  const Lsn lsn = model_.payment_started(id->show, id->sequence, request.metadata.attempt);
  const ShardIndex shard = model_.facts(id->show).shard;
  if (lsn == 0 || lsn > disk_.durable_lsn(shard)) return fail("a card is charged before its attempt is durable");
  model_.reveal(shard, lsn);
}

}  // namespace usher::sim
