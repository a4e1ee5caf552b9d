#pragma once

#include <cstdint>
#include <random>

#include "tests/history/history.hpp"

/// Histories with a known verdict: drawn from a seat map in which each operation takes effect at one moment between
/// request and answer, so they are linearizable; and mutations of them.
namespace usher::history {

struct Draw {
  std::uint64_t seed = 1;
  std::uint32_t shows = 2;
  std::uint32_t seats = 20;  // of a show
  std::uint32_t clients = 8;
  std::uint32_t operations = 1'000;  // without deadlines
  std::uint32_t seats_max = 4;       // of a reservation
  std::uint32_t maps_per_mille = 50;
  std::uint32_t unknown_per_mille = 20;
  std::uint32_t never_per_mille = 100;  // of these: never returned
  std::uint32_t duration = 100;         // of an operation, at most twice this; a client rests as long at most
  std::uint32_t time_to_live = 5'000;
};

[[nodiscard]] History draw_history(const Draw& draw);

/// Changes that no order explains, whatever else happens.
enum class Fault : std::uint8_t { sold_twice, lost, taken_by_nobody, stale_map };
inline constexpr Fault all_faults[] = {Fault::sold_twice, Fault::lost, Fault::taken_by_nobody, Fault::stale_map};

/// Plants one fault at a random place. Returns: false when the history has no place for it.
[[nodiscard]] bool plant(Fault fault, History& history, std::mt19937_64& random);

/// Changes an answer, a state in a map or a time of one operation at random: what comes out may be linearizable or not.
void mutate(History& history, std::mt19937_64& random);

}  // namespace usher::history
