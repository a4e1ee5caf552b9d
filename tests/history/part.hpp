#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "tests/history/history.hpp"

/// What operations mean: the sequential specification of a show, which the search and its oracle share.
namespace usher::history {

/// Who has a seat: 0 nobody, else (reservation + 1) * 2, and one more when it is booked.
using Holder = std::uint32_t;
using Seats = std::vector<Holder>;

[[nodiscard]] constexpr Holder holder_of(std::uint32_t reservation, bool booked) noexcept {
  return (reservation + 1) * 2 + (booked ? 1U : 0U);
}

/// Operations that can be ordered by themselves: of one show, and, where no map links its seats, of those of its seats
/// that operations link. (Linearizability is local: Herlihy and Wing 1990, theorem 1; seats that no operation links are
/// objects of their own.)
struct Part {
  const History* history = nullptr;
  std::vector<std::uint32_t> operations;                      // into History::operations
  std::shared_ptr<const std::vector<std::uint32_t>> indices;  // by seat of the show: its index in its part
  std::uint32_t seat_count = 0;

  [[nodiscard]] const Operation& at(std::uint32_t operation) const noexcept { return history->operations[operation]; }
  [[nodiscard]] std::uint32_t local(std::uint32_t seat) const noexcept { return (*indices)[seat]; }
  [[nodiscard]] std::span<const std::uint32_t> seats(const Operation& operation) const noexcept {
    return {history->seats.data() + operation.first, operation.count};
  }
  [[nodiscard]] std::span<const std::uint32_t> asked_seats(const Operation& operation) const noexcept {
    return {history->seats.data() + operation.also_first, operation.also_count};
  }
};

/// Divides a history, in the order of its first operations.
[[nodiscard]] std::vector<Part> divide(const History& history);

/// Whether it may change the state of a seat.
[[nodiscard]] bool changes(const Operation& operation) noexcept;

/// Whether it has to have happened when it returns (an unknown one need not).
[[nodiscard]] bool must_happen(const Operation& operation) noexcept;

inline constexpr std::uint32_t fits = 0xffffffff;

/// Returns: the first seat (index in the part) whose holder does not allow the operation with its outcome, or `fits`.
[[nodiscard]] std::uint32_t first_misfit(const Part& part, const Operation& operation, const Seats& state) noexcept;

/// Requires: changes() and that it fits. Calls `set(seat, holder)` for each seat that changes.
template <class Set>
void apply(const Part& part, const Operation& operation, const Seats& state, Set&& set) {
  for (const std::uint32_t global : part.seats(operation)) {
    const std::uint32_t seat = part.local(global);
    Holder holder = 0;
    if (operation.kind == Kind::reserve) holder = holder_of(operation.reservation, false);
    if (operation.kind == Kind::book) holder = holder_of(operation.reservation, true);
    if (operation.kind == Kind::expire && state[seat] != holder_of(operation.reservation, false)) continue;
    set(seat, holder);
  }
}

}  // namespace usher::history
