#pragma once
/// How much comes back: the tiers of a policy by the time between cancellation and start. Pure.

#include <cstdint>
#include <optional>

#include "usher/policy.hpp"
#include "usher/time.hpp"

namespace usher::engine {

/// Returns: the percentage refunded, or nothing when it is too late to cancel.
[[nodiscard]] constexpr std::optional<std::uint8_t> refund_percent(const Policy& policy, Instant now,
                                                                   Instant start) noexcept {
  const Duration before = start - now;
  for (std::uint8_t i = 0; i < policy.refund_tier_count; ++i) {
    const RefundTier& tier = policy.refund_tiers[i];
    if (before > tier.bound || (tier.inclusive && before == tier.bound)) return tier.percent;
  }
  return std::nullopt;
}

/// `percent` of a price, rounded half up: a person is never given less than the percentage says by more than half a
/// unit. Requires: price >= 0, percent <= 100.
[[nodiscard]] constexpr std::int64_t refund_amount(std::int64_t price, std::uint8_t percent) noexcept {
  return price / 100 * percent + (price % 100 * percent + 50) / 100;
}

}  // namespace usher::engine
