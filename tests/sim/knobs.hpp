#pragma once
/// Everything about one simulation that is drawn from its seed before it begins: sizes, policies, rates, and which
/// faults it has at all (a swarm: each seed has about half of them; Groce et al., "Swarm Testing", 2012). Plain data.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/sim/counters.hpp"
#include "usher/policy.hpp"
#include "usher/time.hpp"

namespace usher::sim {

/// What a command line may take away from a seed to make a failure smaller.
struct Cuts {
  std::uint32_t commands_max = ~0U;
  std::uint32_t faults_off = 0;  ///< by bit of Fault
  bool few_shows = false;
  bool few_users = false;
  bool one_loop = false;
  bool canary = false;  ///< the first booking is called wrong: does anybody notice?

  [[nodiscard]] bool off(Fault fault) const noexcept {
    return ((faults_off >> static_cast<unsigned>(fault)) & 1U) != 0;
  }
  void turn_off(Fault fault) noexcept { faults_off |= 1U << static_cast<unsigned>(fault); }
};

struct ShowKnobs {
  std::vector<std::string> rows;  ///< a picture, see tests/engine/catalog/halls.hpp
  std::int64_t price_standard = 0;
  std::int64_t price_premium = 0;
  Duration starts_after{};
  Duration lasts{};
  Policy policy;
  bool opened_late = false;
};

struct Knobs {
  std::uint64_t seed = 0;
  std::array<bool, fault_count> faults{};
  std::uint16_t shards = 1;
  std::uint16_t loops = 1;
  std::vector<ShowKnobs> shows;
  std::uint32_t users = 1;
  std::uint32_t commands = 0;
  std::int64_t step_ms_max = 0;         ///< of time between two steps
  std::uint32_t crash_per_mille = 0;    ///< of steps
  std::uint32_t retry_per_mille = 0;    ///< of commands that repeat an earlier one
  std::uint32_t key_per_mille = 0;      ///< of commands with an idempotency key
  std::uint32_t decline_per_mille = 0;  ///< of cards
  std::uint32_t commit_per_mille = 0;   ///< of steps in which a committer has time
  std::uint32_t inline_per_mille = 0;   ///< of rounds that their own loop syncs
  std::uint32_t idle_per_mille = 0;     ///< of steps without a command
  bool refunds_fail = false;            ///< some, for good

  bool retain = true;
  bool anchor_every_commit = false;
  std::uint64_t segment_bytes = 0;
  Duration segment_age{};
  Duration checkpoint_interval{};
  std::uint32_t outbox_capacity = 0;
  std::uint32_t mailbox_capacity = 0;
  std::uint32_t timers_per_cycle = 0;

  [[nodiscard]] bool has(Fault fault) const noexcept { return faults[static_cast<std::size_t>(fault)]; }
};

[[nodiscard]] Knobs draw_knobs(std::uint64_t seed, const Cuts& cuts);

}  // namespace usher::sim
