#pragma once
/// Money: minor units plus an ISO 4217 code. Never a floating-point number.

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>

namespace usher {

/// Three upper-case letters.
struct Currency {
  std::array<char, 3> code{'U', 'S', 'D'};
  auto operator<=>(const Currency&) const = default;
  [[nodiscard]] std::string_view view() const noexcept { return {code.data(), code.size()}; }
};

/// Returns: nothing unless `text` is three letters A..Z.
[[nodiscard]] constexpr std::optional<Currency> parse_currency(std::string_view text) noexcept {
  if (text.size() != 3) return std::nullopt;
  Currency currency;
  for (std::size_t i = 0; i < 3; ++i) {
    if (text[i] < 'A' || text[i] > 'Z') return std::nullopt;
    currency.code[i] = text[i];
  }
  return currency;
}

struct Money {
  std::int64_t amount = 0;  ///< minor units: cents for USD
  Currency currency{};
  auto operator<=>(const Money&) const = default;
};

}  // namespace usher
