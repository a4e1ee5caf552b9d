#pragma once
/// SeatHistory: what a show's log says of some of its seats and of one person: who took each seat when, by which
/// record, and what became of the person's own reservations. Fed with the log in order; pure. For one thread.

#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "usher/record.hpp"

namespace usher::server::explain {

/// What became of a seat.
enum class SeatFate : std::uint8_t { reserved, booked, freed, blocked, unblocked };
[[nodiscard]] std::string_view to_string(SeatFate fate) noexcept;

struct SeatChange {
  SeatIndex seat{};
  SeatFate fate{};
  UserNumber user = UserNumber::none;  ///< whose it was or is; none: blocked by the house
  Lsn lsn = 0;
  Instant at{};
  [[nodiscard]] bool takes() const noexcept {
    return fate == SeatFate::reserved || fate == SeatFate::booked || fate == SeatFate::blocked;
  }
};

/// An event of one of the person's reservations, or of the person.
struct OwnEvent {
  EventType type{};
  Lsn lsn = 0;
  Instant at{};
  std::vector<SeatIndex> seats;
};

class SeatHistory {
 public:
  /// Changes are kept of `seats` only, events of reservations of `user` only.
  SeatHistory(ShowNumber show, UserNumber user, std::span<const SeatIndex> seats);

  /// Records of other shows are passed over. Requires: ascending LSNs.
  void add(const Record& record);

  /// In the order of the log.
  [[nodiscard]] const std::vector<SeatChange>& changes() const noexcept { return changes_; }
  [[nodiscard]] const std::vector<OwnEvent>& own() const noexcept { return own_; }
  /// Rooms that have guarded the show, in the order in which they began.
  [[nodiscard]] const std::vector<std::uint32_t>& rooms() const noexcept { return rooms_; }
  /// When the show was opened; the epoch when the log does not tell.
  [[nodiscard]] Instant opened() const noexcept { return opened_; }
  /// Since which change somebody had the seat at that instant: where the seat was given back within the same
  /// millisecond, who had it before. Returns: nothing where it was free.
  [[nodiscard]] std::optional<SeatChange> holder(SeatIndex seat, Instant at) const;

 private:
  struct Holding {
    UserNumber user = UserNumber::none;
    std::vector<SeatIndex> seats;
  };
  void add(const Record& record, const Event& event);
  void note(const Record& record, std::span<const SeatIndex> seats, SeatFate fate, UserNumber user);
  void note_own(const Record& record, const Event& event, UserNumber user, std::span<const SeatIndex> seats);

  const ShowNumber show_;
  const UserNumber user_;
  std::vector<bool> wanted_;  ///< by seat
  std::vector<SeatChange> changes_;
  std::vector<OwnEvent> own_;
  std::vector<std::uint32_t> rooms_;
  std::unordered_map<std::uint32_t, Holding> holdings_;    ///< by sequence of the reservation
  std::unordered_map<std::uint32_t, UserNumber> parties_;  ///< of the waiting list, by number
  Instant opened_{};
};

}  // namespace usher::server::explain
