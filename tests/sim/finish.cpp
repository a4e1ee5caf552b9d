/// The liveness phase: nothing breaks any more, nobody asks for anything, and all that was begun must end.

#include <algorithm>

#include "tests/sim/world.hpp"
#include "wal/audit.hpp"

namespace usher::sim {
namespace {

constexpr std::int64_t ns_per_ms = 1'000'000;

}  // namespace

void World::finish() {
  calm_ = true;
  disk_.disarm();
  disk_.free_bytes = std::uint64_t{1} << 40U;
  gateway_.be_good();
  if (down()) restart();
  if (!failed()) open_missing();
  // reservations of up to five hours, grace, the gateway's latest answers, five minutes between two questions
  std::int64_t wait_ms = 10;
  for (int turn = 0; turn < 100 && !failed(); ++turn) {
    settle();
    if (unfinished().empty() && turn > 10) break;
    clocks.monotonic_ns += wait_ms * ns_per_ms;
    clocks.wall_ns += wait_ms * ns_per_ms;
    gateway_.advance(clocks.monotonic_ns / ns_per_ms);
    wait_ms = std::min<std::int64_t>(wait_ms * 2, 600'000);
  }
  if (failed()) return;
  if (std::string left = unfinished(); !left.empty()) return fail("it never ends: " + left);
  look_at_memory();
  for (const auto& [number, facts] : model_.shows()) look_at(facts);
  if (failed()) return;
  check_money();
  if (!process_->close()) return fail("the log does not close");
  for (ShardIndex shard = 0; shard <= knobs_.shards; ++shard) model_.reveal(shard, model_.end(shard));
  check_audit();
  if (failed()) return;
  restart();
  if (knobs_.retain && !failed()) replay_whole();
}

/// Lets all loops work until none has anything to do.
void World::settle() {
  for (int turn = 0; turn < 20'000 && !failed(); ++turn) {
    bool any = false;
    for (std::size_t loop = 0; loop < knobs_.loops; ++loop) {
      any |= process_->cycle(loop, turn % 2 == 0, {});
      any |= process_->engine().runner(loop).waiting_for_log();
    }
    process_->log().do_work();
    if (down()) return fail("the log stops although nothing is broken");
    if (any) continue;
    for (std::size_t loop = 0; loop < knobs_.loops; ++loop) check_prompt(loop);
    return;
  }
  fail("the loops never come to rest");
}

/// Returns: something that has not ended, or "".
std::string World::unfinished() {
  for (const Sent& sent : sent_) {
    if (!sent.answered && sent.life == life_) {
      return "command " + std::to_string(static_cast<int>(sent.command.type)) + " has no answer";
    }
  }
  for (std::size_t loop = 0; loop < knobs_.loops; ++loop) {
    if (process_->saga(loop).under_way() > 0) return "a saga is under way";
  }
  for (const auto& [number, facts] : model_.shows()) {
    const ShowState* state = model_.now(facts.number);
    if (state == nullptr) return "show " + std::to_string(number) + " is not open";
    for (const HeldPtr& held : state->held) {
      const std::string who = "show " + std::to_string(number) + " reservation " + std::to_string(held->sequence);
      if (held->live()) return who + " lives";
      if (held->state == ReservationState::lapsed) return who + " waits for the gateway";
      for (const Repayment& repayment : held->repayments) {
        if (repayment.state == Repayment::State::owed) return who + " is owed a refund";
      }
      if (state->stage == Stage::cancelled && held->state == ReservationState::booked) return who + " is not cancelled";
    }
  }
  return "";
}

/// The gateway's books beside the shows' (DESIGN 4.8).
void World::check_money() {
  std::map<std::string, const Held*> by_payment;
  for (const auto& [number, facts] : model_.shows()) {
    for (const HeldPtr& held : model_.now(facts.number)->held) {
      if (held->paid) by_payment[held->payment] = held.get();
    }
  }
  std::size_t captured = 0;
  for (const auto& [key, charge] : gateway_.charges()) {
    if (charge.under_way) return fail("a charge is under way for ever: " + key);
    if (!charge.captured) continue;
    ++captured;
    const auto found = by_payment.find(charge.payment);
    if (found == by_payment.end()) return fail("charged, and neither booked nor refunded: " + key);
    if (found->second->amount != charge.amount) return fail("charged another amount than booked for: " + key);
    if (found->second->repaid() != charge.refunded) return fail("another sum is refunded than the log says: " + key);
  }
  if (captured != by_payment.size()) fail("the log has bookings that nobody paid for");
}

void World::check_audit() {
  DiskStore store(disk_);
  const auto audited = wal::audit(store, {});
  if (!audited) return fail("the audit cannot read the log: " + audited.error().detail);
  for (const wal::Finding& finding : audited.value().findings) {
    if (finding.severity == wal::Severity::error) return fail("the audit finds: " + describe(finding));
  }
}

}  // namespace usher::sim
