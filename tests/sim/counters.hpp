#pragma once
/// What a run has met. A fault class or a rare path that no seed of a run meets has not been tested by it, so the
/// program fails then ("sometimes" of FoundationDB and TigerBeetle). Plain data, for one thread; added up over seeds.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace usher::sim {

/// What can go wrong around the program. Which of them a seed has is drawn per seed.
enum class Fault : std::uint8_t {
  kill,                ///< the process dies between two steps, the machine lives on
  power_cut,           ///< the machine dies between two steps
  power_cut_in_io,     ///< in the middle of a write or sync
  subset_kept,         ///< of the unsynced writes any are kept, in any order
  torn_write,          ///< the last write that is kept is cut at any byte
  zero_tail,           ///< and filled with zeros from there
  short_write,         ///< a write fails and a part of it is there
  sync_failed_kept,    ///< a sync fails, all is on the disk nevertheless
  sync_failed_lost,    ///< a sync fails, nothing of it is there
  sync_failed_cached,  ///< a sync fails, the page cache shows it until the power goes
  anchor_torn,         ///< a slot of the anchor is torn by a power cut
  anchor_failed,       ///< a write or sync of the anchor fails
  segment_lost,        ///< a segment's directory entry is gone
  bit_rot,             ///< a bit of what was synced flips
  disk_full,           ///< free space goes down to nothing
  slow_disk,           ///< a sync takes seconds
  crash_in_recovery,   ///< the machine dies while the log is opened
  clock_step,          ///< the wall clock jumps, by up to a day
  stall,               ///< the process stands still, by up to a minute
  charge_lost,         ///< the gateway never gets the charge and says nothing of use
  answer_lost,         ///< the gateway charges and says nothing of use
  answer_twice,        ///< the gateway answers twice
  answer_late,         ///< the gateway answers after the grace
  refund_unknown,      ///< the gateway does not say what became of a refund
  count_
};

/// What must have happened at least once in a run of many seeds.
enum class Path : std::uint8_t {
  expired_by_command,
  expired_by_wheel,
  expired_while_paying,
  booked,
  booked_after_lapse,
  refund_due,
  declined,
  declined_after_expiry,
  cancelled_in_part,
  refund_settled,
  refund_failed,
  show_cancelled,
  cancelled_in_bulk,
  show_completed,
  cooldown_after_expiry,
  cooldown_after_refusals,
  best_available,
  best_refused,
  seats_refused,
  limit_refused,
  cooldown_refused,
  late_refused,
  seats_lost_refused,
  key_replayed,
  key_replayed_after_crash,
  key_in_flight,
  key_reused,
  retried_and_done_before_crash,
  retried_and_lost_by_crash,
  mailed,
  mailbox_full,
  outbox_full,
  disk_refused,
  committed_inline,
  committed_later,
  view_behind_memory,
  tail_cut,
  tail_lost,
  recovered_from_rows,
  covered,
  rotated,
  trimmed,
  rot_refused,
  rot_harmless,
  lost_segment_refused,
  anchor_slot_damaged,
  reopened_when_full,
  replayed_whole,
  opened_late,
  closed_cleanly,
  payment_resumed,
  refund_resumed,
  charge_not_attempted,
  let_in,
  let_out,
  let_in_earlier,  ///< a scan that was made offline comes after a later one
  scanned_again,
  used_refused,
  cancelled_refused,
  used_kept,  ///< a used ticket is not cancelled by its owner
  count_
};

[[nodiscard]] std::string_view to_string(Fault fault) noexcept;
[[nodiscard]] std::string_view to_string(Path path) noexcept;

inline constexpr std::size_t fault_count = static_cast<std::size_t>(Fault::count_);
inline constexpr std::size_t path_count = static_cast<std::size_t>(Path::count_);

struct Counters {
  std::array<std::uint64_t, fault_count> faults{};
  std::array<std::uint64_t, path_count> paths{};
  std::uint64_t seeds = 0;
  std::uint64_t commands = 0;
  std::uint64_t answers = 0;
  std::uint64_t records = 0;
  std::uint64_t recoveries = 0;
  std::uint64_t simulated_ms = 0;
  std::uint64_t unchecked = 0;  ///< answers whose state of then was forgotten already

  void hit(Fault fault) noexcept { ++faults[static_cast<std::size_t>(fault)]; }
  void hit(Path path) noexcept { ++paths[static_cast<std::size_t>(path)]; }
  void add(const Counters& other) noexcept;
};

}  // namespace usher::sim
