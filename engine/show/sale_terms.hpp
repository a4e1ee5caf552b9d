#pragma once
/// SaleTerms: what shows of one kind have in common: prices, currency, policy. Interned, since 100,000 shows have a few
/// dozen of them. Immutable; the table is Thread-safe, and what it gives out stays where it is for ever.

#include <deque>
#include <mutex>

#include "engine/catalog/layout.hpp"
#include "usher/money.hpp"
#include "usher/policy.hpp"

namespace usher::engine {

struct SaleTerms {
  Currency currency{};
  std::int64_t price_standard = 0;  ///< minor units
  std::int64_t price_premium = 0;
  Policy policy;
  bool operator==(const SaleTerms&) const = default;

  [[nodiscard]] std::int64_t price(SeatType type) const noexcept {
    return type == SeatType::premium ? price_premium : price_standard;
  }
};

class SaleTermsTable {
 public:
  /// Returns: the one object equal to `terms`.
  [[nodiscard]] const SaleTerms* intern(const SaleTerms& terms) {
    const std::lock_guard lock(mutex_);
    for (const SaleTerms& known : all_) {
      if (known == terms) return &known;
    }
    return &all_.emplace_back(terms);
  }

 private:
  std::mutex mutex_;
  std::deque<SaleTerms> all_;
};

}  // namespace usher::engine
