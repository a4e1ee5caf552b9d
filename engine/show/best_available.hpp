#pragma once
/// Best available: which N seats side by side the house itself would choose. A pure function of layout, free seats and
/// wish. For any thread.
///
/// The choice is the least, in this order, of: orphans made (single free seats left alone beside the group), category
/// misfit (seats of another type than wished; without a wish, obstructed ones), squared distance of the group's centre
/// to the focal point, row, index. Accessible and companion seats are given to those only who wish for accessible ones.

#include <array>
#include <cstdint>
#include <optional>

#include "engine/catalog/layout.hpp"
#include "engine/show/seat_planes.hpp"
#include "usher/limits.hpp"

namespace usher::engine {

struct SeatWish {
  std::uint32_t count = 1;  ///< 1..32
  std::optional<SeatType> type;
  bool split = false;  ///< several groups will do where no one group is large enough
};

struct SeatChoice {
  std::uint32_t count = 0;                                       ///< 0: there is no such choice
  std::array<SeatIndex, limits::seats_per_request_max> seats{};  ///< ascending
};

/// Requires: 1 <= wish.count <= 32.
[[nodiscard]] SeatChoice best_available(const Layout& layout, const SeatPlanes& planes, const SeatWish& wish);

/// How many single seats, free and joined to something before, taking `seats` would leave alone. `seats` ascending.
[[nodiscard]] std::uint32_t orphans_made(const Layout& layout, const SeatPlanes& planes, const SeatIndex* seats,
                                         std::uint32_t count);

}  // namespace usher::engine
