#include "tests/sim/knobs.hpp"

#include <algorithm>

#include "tests/sim/random.hpp"

namespace usher::sim {
namespace {

/// Times are drawn in steps of the simulation, so that each seed sees things end.
Policy draw_policy(Random& random, std::int64_t step_ms) {
  constexpr std::int64_t lifetimes[]{0, 2, 10, 60, 400};
  constexpr std::int64_t graces[]{0, 0, 1, 20};
  constexpr std::int64_t cooldowns[]{0, 1, 4, 40};
  constexpr std::uint8_t seat_limits[]{2, 4, 10, 32};
  constexpr std::uint8_t refusal_limits[]{0, 2, 5, 20};
  constexpr std::uint8_t user_limits[]{0, 0, 1, 3};
  Policy policy;
  policy.seats_per_reservation = random.pick(seat_limits);
  policy.reservations_per_user_and_show = random.pick(user_limits);
  policy.reservation_ttl = Duration{random.pick(lifetimes) * step_ms + random.between(1, 40)};
  policy.payment_grace = Duration{random.pick(graces) * step_ms};
  policy.cooldown = Duration{random.pick(cooldowns) * step_ms};
  policy.cooldown_after_abandoned = static_cast<std::uint8_t>(random.below(4));
  policy.cooldown_after_refusals = random.pick(refusal_limits);
  policy.orphan_rule = static_cast<OrphanRule>(random.below(3));
  if (random.chance(700)) {
    policy.refund_tiers[0] = {Duration{random.between(200, 2'000) * step_ms}, random.chance(500), 100};
    policy.refund_tiers[1] = {Duration{random.between(0, 200) * step_ms}, random.chance(500), 33};
  }
  return policy;
}

std::vector<std::string> draw_rows(Random& random) {
  std::vector<std::string> rows;
  const std::uint64_t count = 1 + random.below(4);
  const bool plain = random.chance(500);
  for (std::uint64_t row = 0; row < count; ++row) {
    std::string picture;
    for (std::int64_t seats = random.between(2, 24); seats > 0; --seats) {
      if (!picture.empty() && picture.back() != ' ' && random.chance(100)) picture += ' ';
      picture += plain ? "SP"[random.below(2)] : "SSSSPPACO"[random.below(9)];
    }
    rows.push_back(picture);
  }
  return rows;
}

ShowKnobs draw_show(Random& random, std::int64_t step_ms) {
  ShowKnobs show;
  show.rows = draw_rows(random);
  show.price_standard = random.between(0, 3) == 0 ? 0 : random.between(1, 5'000);
  show.price_premium = random.between(0, 9'999);
  constexpr std::int64_t starts[]{150, 1'000, 5'000, 100'000};
  show.starts_after = Duration{random.pick(starts) * step_ms + random.between(0, 20'000)};
  show.lasts = Duration{random.between(1, 7'200'000)};
  show.policy = draw_policy(random, step_ms);
  show.opened_late = random.chance(200);
  return show;
}

void draw_log(Random& random, Knobs& knobs) {
  constexpr std::uint64_t sizes[]{2'000, 10'000, 60'000, 1U << 20U};
  constexpr std::int64_t ages_ms[]{10'000, 600'000, 3'600'000};
  constexpr std::int64_t intervals_ms[]{50, 2'000, 60'000, 600'000};
  constexpr std::uint32_t outboxes[]{4, 16, 64, 256};
  constexpr std::uint32_t mailboxes[]{1, 3, 32};
  constexpr std::uint32_t timers[]{1, 8, 512};
  knobs.retain = random.chance(400);
  knobs.anchor_every_commit = random.chance(250);
  knobs.segment_bytes = random.pick(sizes);
  knobs.segment_age = Duration{random.pick(ages_ms)};
  knobs.checkpoint_interval = Duration{random.pick(intervals_ms)};
  knobs.outbox_capacity = random.pick(outboxes);
  knobs.mailbox_capacity = random.pick(mailboxes);
  knobs.timers_per_cycle = random.pick(timers);
}

}  // namespace

Knobs draw_knobs(std::uint64_t seed, const Cuts& cuts) {
  Random random(seed, 1);
  Knobs knobs;
  knobs.seed = seed;
  for (std::size_t at = 0; at < fault_count; ++at) {
    knobs.faults[at] = random.chance(500) && !cuts.off(static_cast<Fault>(at));
  }
  constexpr std::int64_t steps_ms[]{2, 30, 1'000, 40'000};
  constexpr std::uint32_t crashes[]{2, 5, 10, 30};
  knobs.shards = static_cast<std::uint16_t>(1 + random.below(4));
  knobs.loops = static_cast<std::uint16_t>(1 + random.below(3));
  const std::uint64_t shows = 1 + random.below(5);
  knobs.users = static_cast<std::uint32_t>(1 + random.below(12));
  knobs.commands = static_cast<std::uint32_t>(random.between(100, 1'500));
  knobs.step_ms_max = random.pick(steps_ms);
  knobs.crash_per_mille = random.pick(crashes);
  knobs.retry_per_mille = static_cast<std::uint32_t>(random.below(300));
  knobs.key_per_mille = static_cast<std::uint32_t>(random.below(1'000));
  knobs.decline_per_mille = static_cast<std::uint32_t>(random.below(400));
  knobs.commit_per_mille = static_cast<std::uint32_t>(random.between(50, 1'000));
  knobs.inline_per_mille = static_cast<std::uint32_t>(random.below(1'000));
  knobs.idle_per_mille = static_cast<std::uint32_t>(random.below(400));
  knobs.refunds_fail = random.chance(100);
  for (std::uint64_t show = 0; show < shows; ++show) knobs.shows.push_back(draw_show(random, knobs.step_ms_max));
  draw_log(random, knobs);
  knobs.commands = std::min(knobs.commands, cuts.commands_max);
  if (cuts.few_shows) knobs.shows.resize(1);
  if (cuts.few_users) knobs.users = std::min(knobs.users, 2U);
  if (cuts.one_loop) knobs.loops = 1;
  return knobs;
}

}  // namespace usher::sim
