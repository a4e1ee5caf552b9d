#pragma once
/// How single settings are written and read: durations ("10m", "1h30m"), sizes ("1GiB"), refund tiers (">24h:100").
/// Pure functions; the formatted form of a value parses to the same value.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "usher/policy.hpp"
#include "usher/time.hpp"

namespace usher::server::config {

/// One or more `<integer><unit>` with units d, h, m, s, ms in falling order ("1h30m"), or "0". Never negative.
/// Returns: nothing for anything else, and for more than 10 years.
[[nodiscard]] std::optional<Duration> parse_duration(std::string_view text);
[[nodiscard]] std::string format_duration(Duration duration);

/// An integer, bytes by itself or followed by B, KiB, MiB, GiB, TiB, or kB, MB, GB, TB (powers of 1,000).
/// Returns: nothing for anything else, and for what does not fit 63 bits.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);
[[nodiscard]] std::string format_size(std::uint64_t bytes);

/// Decimal digits only. Returns: nothing for anything else, and for what does not fit 63 bits.
[[nodiscard]] std::optional<std::uint64_t> parse_integer(std::string_view text);
/// A number from 0 to 1, such as "0.05". Returns: nothing for anything else.
[[nodiscard]] std::optional<double> parse_fraction(std::string_view text);
/// "true" or "false". Returns: nothing for anything else.
[[nodiscard]] std::optional<bool> parse_flag(std::string_view text);

/// Items between commas, spaces around them dropped; an empty text is no item.
[[nodiscard]] std::vector<std::string_view> split_list(std::string_view text);

/// ">24h:100" (over 24 hours: all of it) or ">=2h:50" (from 2 hours on: half).
[[nodiscard]] std::optional<RefundTier> parse_refund_tier(std::string_view text);
[[nodiscard]] std::string format_refund_tier(const RefundTier& tier);

/// An IPv4 or IPv6 address without a port.
[[nodiscard]] bool is_address(std::string_view text);
/// An address, or an address, a slash and the number of leading bits.
[[nodiscard]] bool is_network(std::string_view text);

/// "*", or scheme, "://", host and perhaps a port, without a path (RFC 6454 section 6.2).
[[nodiscard]] bool is_origin(std::string_view text);

/// Levenshtein's distance: how many letters must be put in, taken out or changed.
[[nodiscard]] std::size_t edit_distance(std::string_view left, std::string_view right);

}  // namespace usher::server::config
