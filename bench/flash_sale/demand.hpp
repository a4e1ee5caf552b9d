#pragma once
/// Demand: a sale's commands with what became of each, whether recorded or rehearsed, and what they come to: how fast
/// seats went, who was refused, how long seats were held for nothing. Pure.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "server/journal/entry.hpp"
#include "usher/result.hpp"

namespace usher::flash {

/// One command with its answer. Times are sale time in ms since the first command.
struct DemandEvent {
  std::int64_t at_ms = 0;
  CommandType type{};
  std::string result = "ok";      ///< else the code of the refusal
  std::uint32_t show = 0;         ///< its number in the recording
  std::uint64_t reservation = 0;  ///< tells the recording's reservations apart: show, then sequence
  std::uint32_t seats = 0;
  std::int64_t expires_ms = 0;  ///< of a reservation that was made
};

/// What a sale came to.
struct DemandFacts {
  std::map<std::string, std::uint64_t> reserves;  ///< by result
  std::map<std::string, std::uint64_t> payments;  ///< by result
  std::uint64_t released = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t bookings = 0;
  std::uint64_t seats_booked = 0;
  std::map<std::uint32_t, std::int64_t> sold_out_ms;  ///< by show: when no seat was free for the first time
  double seat_minutes_in_vain = 0;                    ///< held by reservations that never became bookings
  std::optional<std::int64_t> last_booked_ms;
};

/// `capacity`: seats by show. Events need not be in order.
[[nodiscard]] DemandFacts weigh(std::vector<DemandEvent> events,
                                const std::map<std::uint32_t, std::uint32_t>& capacity);

/// A journal as a rehearsal needs it.
struct Recording final : server::journal::EntryVisitor {
  std::vector<server::journal::Decision> decisions;  ///< ascending in time
  std::map<std::uint32_t, server::journal::ShowEntry> shows;
  std::map<std::string, std::string> settings;  ///< those of its first file
  std::uint64_t dropped = 0;

  void on_setting(server::journal::Setting setting) override {
    settings.emplace(std::move(setting.key), std::move(setting.value));
  }
  void on_show(server::journal::ShowEntry show) override;
  void on_decision(const server::journal::Decision& decision) override { decisions.push_back(decision); }
  void on_dropped(std::uint64_t count) override { dropped += count; }

  /// Sorts by time: the loops' commands come in turns.
  void finish();
  [[nodiscard]] Instant began() const { return decisions.empty() ? Instant{} : decisions.front().at; }
  [[nodiscard]] std::map<std::uint32_t, std::uint32_t> capacity() const;
  /// What was recorded, as events.
  [[nodiscard]] std::vector<DemandEvent> events() const;
};

[[nodiscard]] constexpr std::uint64_t reservation_key(ShowNumber show, std::uint32_t sequence) noexcept {
  return (std::uint64_t{to_value(show)} << 32U) | sequence;
}

/// A setting as `--set` takes it, from the form in which a configuration prints it: "5m" without its quotes, a list
/// with commas.
[[nodiscard]] std::string plain_value(const std::string& printed);
/// The settings of a rehearsal's server: those recorded that decide how a sale goes, then `overrides` ("key=value");
/// the durations among them, defaults too, divided by `speed`. Returns: invalid for an override that is no key=value.
[[nodiscard]] Result<std::vector<std::string>> rehearsal_settings(const std::map<std::string, std::string>& recorded,
                                                                  const std::vector<std::string>& overrides,
                                                                  double speed);
/// A catalog document whose start times lie `shift_ms` later. Returns: how many were moved; those not in UTC stay.
std::size_t shift_starts(std::string& document, std::int64_t shift_ms);

}  // namespace usher::flash
