#include "tests/sim/model.hpp"

#include <algorithm>

namespace usher::sim {

// ---- looking ----

std::int64_t Held::repaid() const noexcept {
  std::int64_t sum = 0;
  for (const Repayment& repayment : repayments) {
    if (repayment.state == Repayment::State::settled) sum += repayment.amount;
  }
  return sum;
}

std::uint32_t Held::used_mask() const noexcept {
  std::uint32_t mask = 0;
  for (const auto& [position, use] : uses) mask |= use.entered() ? 1U << position : 0U;
  return mask;
}

Scan scan_of(const Use& use, bool exit, Instant at, std::uint64_t nonce) noexcept {
  if (exit) {
    if (use.out_at != Instant{} && nonce == use.out_nonce) return Scan::repeats;
    if (use.inside()) return at >= use.in_at ? Scan::counts : Scan::refused;
    return use.out_at == Instant{} ? Scan::counts : Scan::refused;  // an exit may arrive before its entry
  }
  if (!use.entered()) return Scan::counts;
  if (nonce == use.in_nonce) return Scan::repeats;
  if (!use.inside() && at > use.out_at) return Scan::counts;
  // of two entries with no exit between them the earlier one stands
  const bool same_stay = !use.inside() || at > use.out_at;
  return at < use.in_at && same_stay ? Scan::replaces : Scan::refused;
}

const Held* ShowState::find(std::uint32_t sequence) const noexcept {
  for (const HeldPtr& one : held) {
    if (one->sequence == sequence) return one.get();
  }
  return nullptr;
}

/// Requires: it is there.
Held& ShowState::change(std::uint32_t sequence) {
  const auto at = std::find_if(held.begin(), held.end(), [&](const HeldPtr& one) { return one->sequence == sequence; });
  auto copy = std::make_shared<Held>(**at);
  *at = copy;
  return *copy;
}

const Visitor* ShowState::visitor(UserNumber user) const noexcept {
  for (const Visitor& one : visitors) {
    if (one.user == user) return &one;
  }
  return nullptr;
}

Visitor& ShowState::make_visitor(UserNumber user) {
  for (Visitor& one : visitors) {
    if (one.user == user) return one;
  }
  return visitors.emplace_back(Visitor{user, 0, {}});
}

const Remembered* ShowState::key(const IdempotencyTag& tag) const noexcept {
  for (const auto& one : keys) {
    if (one->tag.key_high == tag.key_high && one->tag.key_low == tag.key_low) return one.get();
  }
  return nullptr;
}

const Held* ShowState::owner(SeatIndex seat) const noexcept {
  for (const HeldPtr& one : held) {
    const auto at = std::find(one->seats.begin(), one->seats.end(), seat);
    if (at == one->seats.end()) continue;
    const auto bit = 1U << static_cast<unsigned>(at - one->seats.begin());
    if (one->live() || (one->state == ReservationState::booked && (one->cancelled & bit) == 0)) return one.get();
  }
  return nullptr;
}

bool ShowState::all_free(const Held& of) const noexcept {
  return std::all_of(of.seats.begin(), of.seats.end(), [&](SeatIndex seat) { return free(seat); });
}

std::uint32_t ShowState::live_of(UserNumber user) const noexcept {
  return static_cast<std::uint32_t>(
      std::count_if(held.begin(), held.end(), [&](const HeldPtr& one) { return one->live() && one->user == user; }));
}

Instant deadline_of(const Held& held, const Facts& facts) noexcept {
  return held.state == ReservationState::paying ? held.expires_at + facts.policy.payment_grace : held.expires_at;
}

int refund_percent(const Facts& facts, Instant now) noexcept {
  const Duration left = facts.start - now;
  for (std::size_t at = 0; at < facts.policy.refund_tier_count; ++at) {
    const RefundTier& tier = facts.policy.refund_tiers[at];
    if (left > tier.bound || (left == tier.bound && tier.inclusive)) return tier.percent;
  }
  return -1;
}

std::int64_t refund_amount(const Facts& facts, const Held& held, std::uint32_t mask, int percent) noexcept {
  std::int64_t sum = 0;
  for (std::size_t at = 0; at < held.seats.size(); ++at) {
    if (((mask >> at) & 1U) != 0) sum += (facts.price(held.seats[at]) * percent + 50) / 100;  // each rounded half up
  }
  return sum;
}

std::size_t let_die(ShowState& state, const Facts& facts, Instant now) {
  std::size_t died = 0;
  const std::vector<HeldPtr> before = state.held;
  for (const HeldPtr& one : before) {
    if (!one->live() || deadline_of(*one, facts) > now) continue;
    ++died;
    Held& dead = state.change(one->sequence);
    dead.expired_at = now;
    if (one->state == ReservationState::paying) {
      dead.state = ReservationState::lapsed;
      continue;
    }
    dead.state = ReservationState::expired;
    if (facts.policy.cooldown_after_abandoned == 0) continue;
    Visitor& visitor = state.make_visitor(one->user);
    if (++visitor.abandoned < facts.policy.cooldown_after_abandoned) continue;
    visitor.abandoned = 0;
    visitor.cooldown_until = std::max(visitor.cooldown_until, one->expires_at + facts.policy.cooldown);
  }
  return died;
}

// ---- the log ----

void Model::add(Facts facts) {
  facts_[to_value(facts.number)] = std::move(facts);
}

Model::End& Model::shard_end(ShardIndex shard) {
  if (ends_.size() <= shard) ends_.resize(shard + 1U);
  return ends_[shard];
}

void Model::reveal(ShardIndex shard, Lsn lsn) {
  End& end = shard_end(shard);
  end.revealed = std::max(end.revealed, lsn);
}

const ShowState* Model::now(ShowNumber show) const {
  const auto found = histories_.find(to_value(show));
  return found == histories_.end() || found->second.empty() ? nullptr : &found->second.back()->state;
}

const Moment* Model::as_of(ShowNumber show, Lsn lsn) const {
  const auto found = histories_.find(to_value(show));
  if (found == histories_.end()) return nullptr;
  for (auto at = found->second.rbegin(); at != found->second.rend(); ++at) {
    if ((*at)->state.lsn <= lsn) return at->get();
  }
  return nullptr;
}

const Moment* Model::before(ShowNumber show, Lsn lsn) const {
  const Moment* moment = as_of(show, lsn);
  return moment == nullptr || moment->state.lsn == 0 ? nullptr : as_of(show, moment->state.lsn - 1);
}

Instant Model::opened_at(ShowNumber show) const {
  const auto found = opened_.find(to_value(show));
  return found == opened_.end() ? Instant{} : found->second;
}

Lsn Model::payment_started(ShowNumber show, std::uint32_t sequence, std::uint32_t attempt) const {
  const auto found = histories_.find(to_value(show));
  if (found == histories_.end()) return 0;
  for (auto at = found->second.rbegin(); at != found->second.rend(); ++at) {
    for (const Event& event : (*at)->record.events) {
      const bool starts = event.type == EventType::payment_started;
      if (starts && event.sequence == sequence && event.attempt == attempt) return (*at)->record.lsn;
    }
  }
  return 0;
}

std::size_t Model::keys_of(ShardIndex shard, UserNumber user, Instant at) const {
  std::size_t count = 0;
  for (const auto& [number, history] : histories_) {
    if (history.empty() || facts_.at(number).shard != shard) continue;
    for (const auto& key : history.back()->state.keys) {
      if (key->user == user && key->created + key_lifetime > at) ++count;
    }
  }
  return count;
}

std::string Model::roll_back(const std::vector<Lsn>& ends) {
  for (std::size_t shard = 0; shard < ends.size(); ++shard) {
    End& end = shard_end(static_cast<ShardIndex>(shard));
    const std::string place = "shard " + std::to_string(shard) + " ends at LSN " + std::to_string(ends[shard]);
    if (ends[shard] < end.revealed) {
      return place + " after a restart, but somebody was told of LSN " + std::to_string(end.revealed);
    }
    if (ends[shard] > end.lsn) return place + " after a restart, which nobody appended";
    if (ends[shard] < end.lsn) counters_.hit(Path::tail_lost);
    end.lsn = ends[shard];
    end.now = {};  // time may be set back by what was lost
  }
  for (auto& [number, history] : histories_) {
    End& end = shard_end(facts_.at(number).shard);
    while (!history.empty() && history.back()->state.lsn > end.lsn) history.pop_back();
    if (!history.empty()) end.now = std::max(end.now, history.back()->record.now);
  }
  tries_.clear();
  return "";
}

}  // namespace usher::sim
