#pragma once
/// The test payment methods that Stripe's users know, and what each does. A constant table; any thread may read it.

#include <array>
#include <optional>
#include <string_view>

#include "usher/refusal.hpp"

namespace usher::server::payments {

struct TestCard {
  std::string_view token;
  std::optional<PaymentDecline> decline;  ///< none: it is charged
  std::string_view message;
};

inline constexpr std::array<TestCard, 6> test_cards{{
    {"pm_card_visa", {}, ""},
    {"pm_card_mastercard", {}, ""},
    {"pm_card_chargeDeclined", PaymentDecline::generic, "Your card was declined."},
    {"pm_card_chargeDeclinedInsufficientFunds", PaymentDecline::insufficient_funds,
     "Your card has insufficient funds."},
    {"pm_card_chargeDeclinedExpiredCard", PaymentDecline::expired_card, "Your card has expired."},
    {"pm_card_chargeDeclinedLostCard", PaymentDecline::lost_card, "Your card was declined: reported lost."},
}};

/// Returns: the card of that token, or nullptr.
[[nodiscard]] constexpr const TestCard* find_test_card(std::string_view token) noexcept {
  for (const TestCard& card : test_cards) {
    if (card.token == token) return &card;
  }
  return nullptr;
}

}  // namespace usher::server::payments
