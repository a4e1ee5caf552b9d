#include "tests/sim/counters.hpp"

namespace usher::sim {
namespace {

constexpr std::array<std::string_view, fault_count> fault_names{"kill",
                                                                "power_cut",
                                                                "power_cut_in_io",
                                                                "subset_kept",
                                                                "torn_write",
                                                                "zero_tail",
                                                                "short_write",
                                                                "sync_failed_kept",
                                                                "sync_failed_lost",
                                                                "sync_failed_cached",
                                                                "anchor_torn",
                                                                "anchor_failed",
                                                                "segment_lost",
                                                                "bit_rot",
                                                                "disk_full",
                                                                "slow_disk",
                                                                "crash_in_recovery",
                                                                "clock_step",
                                                                "stall",
                                                                "charge_lost",
                                                                "answer_lost",
                                                                "answer_twice",
                                                                "answer_late",
                                                                "refund_unknown"};

constexpr std::array<std::string_view, path_count> path_names{"expired_by_command",
                                                              "expired_by_wheel",
                                                              "expired_while_paying",
                                                              "booked",
                                                              "booked_after_lapse",
                                                              "refund_due",
                                                              "declined",
                                                              "declined_after_expiry",
                                                              "cancelled_in_part",
                                                              "refund_settled",
                                                              "refund_failed",
                                                              "show_cancelled",
                                                              "cancelled_in_bulk",
                                                              "show_completed",
                                                              "cooldown_after_expiry",
                                                              "cooldown_after_refusals",
                                                              "best_available",
                                                              "best_refused",
                                                              "seats_refused",
                                                              "limit_refused",
                                                              "cooldown_refused",
                                                              "late_refused",
                                                              "seats_lost_refused",
                                                              "key_replayed",
                                                              "key_replayed_after_crash",
                                                              "key_in_flight",
                                                              "key_reused",
                                                              "retried_and_done_before_crash",
                                                              "retried_and_lost_by_crash",
                                                              "mailed",
                                                              "mailbox_full",
                                                              "outbox_full",
                                                              "disk_refused",
                                                              "committed_inline",
                                                              "committed_later",
                                                              "view_behind_memory",
                                                              "tail_cut",
                                                              "tail_lost",
                                                              "recovered_from_rows",
                                                              "covered",
                                                              "rotated",
                                                              "trimmed",
                                                              "rot_refused",
                                                              "rot_harmless",
                                                              "lost_segment_refused",
                                                              "anchor_slot_damaged",
                                                              "reopened_when_full",
                                                              "replayed_whole",
                                                              "opened_late",
                                                              "closed_cleanly",
                                                              "payment_resumed",
                                                              "refund_resumed",
                                                              "charge_not_attempted",
                                                              "let_in",
                                                              "let_out",
                                                              "let_in_earlier",
                                                              "scanned_again",
                                                              "used_refused",
                                                              "cancelled_refused",
                                                              "used_kept"};
static_assert(!fault_names.back().empty() && !path_names.back().empty());

}  // namespace

std::string_view to_string(Fault fault) noexcept {
  return fault_names[static_cast<std::size_t>(fault)];
}
std::string_view to_string(Path path) noexcept {
  return path_names[static_cast<std::size_t>(path)];
}

void Counters::add(const Counters& other) noexcept {
  for (std::size_t at = 0; at < fault_count; ++at) faults[at] += other.faults[at];
  for (std::size_t at = 0; at < path_count; ++at) paths[at] += other.paths[at];
  seeds += other.seeds;
  commands += other.commands;
  answers += other.answers;
  records += other.records;
  recoveries += other.recoveries;
  simulated_ms += other.simulated_ms;
  unchecked += other.unchecked;
}

}  // namespace usher::sim
