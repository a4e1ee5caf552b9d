#pragma once
/// Waitlist: parties that wait for so many seats together on a sold-out show. Part of the show's state, changed by the
/// two apply functions alone. The record that frees seats hands them on, so that they are never free in between.

#include <cstdint>
#include <vector>

#include "engine/shard/slab.hpp"
#include "usher/ids.hpp"
#include "usher/record.hpp"

namespace usher::engine {

struct ShardState;

/// Why a party left the list. Numbers are part of the log format.
enum class PartyEnd : std::uint8_t { none = 0, gave_up = 1, served = 2 };

struct Party {
  UserNumber user = UserNumber::none;
  std::uint64_t random = 0;  ///< of the reservation that it will get
  std::uint32_t sequence = 0;
  std::uint8_t seat_count = 0;
  std::uint8_t seat_type = 0;  ///< 1 + SeatType, 0 = any
};

struct Waitlist {
  /// So many expiries per record while somebody waits: each may free 32 seats for as many parties.
  static constexpr std::size_t freeing_events_max = 20;

  std::vector<Party> parties;  ///< first come first
  std::uint32_t sequence_next = 0;

  [[nodiscard]] const Party* find(UserNumber user) const noexcept {
    for (const Party& party : parties) {
      if (party.user == user) return &party;
    }
    return nullptr;
  }
};

/// Whether events of this type give seats back.
[[nodiscard]] constexpr bool frees_seats(EventType type) noexcept {
  return type == EventType::released || type == EventType::expired || type == EventType::seats_cancelled ||
         type == EventType::seats_unblocked;
}

[[nodiscard]] bool apply_waitlisted(ShardState& state, SlabIndex show, const Event& event);
[[nodiscard]] bool apply_waitlist_left(ShardState& state, SlabIndex show, const Event& event);
/// The show sells no more: nobody waits any longer.
void end_waitlist(ShardState& state, SlabIndex show);

}  // namespace usher::engine
