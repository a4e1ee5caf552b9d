#pragma once
/// The rules of a sale (DESIGN 8). Each show carries its own copy by way of its `show_opened` event.

#include <array>
#include <cstdint>

#include "usher/limits.hpp"
#include "usher/time.hpp"

namespace usher {

enum class OrphanRule : std::uint8_t { off, best_available, all };

/// A refund of `percent` when the time from cancellation to start is over `bound`, or equal to it if `inclusive`.
struct RefundTier {
  Duration bound{};
  bool inclusive = false;
  std::uint8_t percent = 0;
  bool operator==(const RefundTier&) const = default;
};

struct Policy {
  std::uint8_t seats_per_reservation = 10;          ///< 1..32
  std::uint8_t reservations_per_user_and_show = 1;  ///< live at once; 0 = no limit
  Duration reservation_ttl{std::chrono::minutes{10}};
  Duration payment_grace{std::chrono::seconds{60}};
  Duration cooldown{std::chrono::minutes{5}};
  std::uint8_t cooldown_after_abandoned = 1;  ///< 0 = off
  std::uint8_t cooldown_after_refusals = 20;  ///< within a minute; 0 = off
  OrphanRule orphan_rule = OrphanRule::best_available;
  /// Tried in order; the first that fits decides; none: no cancellation.
  std::array<RefundTier, limits::refund_tiers_max> refund_tiers{RefundTier{std::chrono::hours{24}, false, 100},
                                                                RefundTier{std::chrono::hours{2}, true, 50}};
  std::uint8_t refund_tier_count = 2;
  bool operator==(const Policy&) const = default;
};

}  // namespace usher
