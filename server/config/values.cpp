#include "server/config/values.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace usher::server::config {

namespace {

struct DurationUnit {
  std::string_view name;
  std::uint64_t ms;
};
constexpr std::array<DurationUnit, 5> duration_units{
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr std::uint64_t duration_ms_max = 3'650ULL * 86'400'000ULL;

struct SizeUnit {
  std::string_view name;
  std::uint64_t bytes;
};
constexpr std::array<SizeUnit, 9> size_units{{{"TiB", 1ULL << 40U},
                                              {"GiB", 1ULL << 30U},
                                              {"MiB", 1ULL << 20U},
                                              {"KiB", 1ULL << 10U},
                                              {"TB", 1'000'000'000'000},
                                              {"GB", 1'000'000'000},
                                              {"MB", 1'000'000},
                                              {"kB", 1'000},
                                              {"B", 1}}};

constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

/// Takes the longest run of characters for which `wanted` holds from the front of `text`.
template <class Wanted>
std::string_view take_while(std::string_view& text, Wanted wanted) {
  const auto end = std::find_if_not(text.begin(), text.end(), wanted);
  const auto size = static_cast<std::size_t>(end - text.begin());
  const std::string_view taken = text.substr(0, size);
  text.remove_prefix(size);
  return taken;
}

}  // namespace

std::optional<std::uint64_t> parse_integer(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty() || !is_digit(text.front())) return {};
  if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return {};
  return value;
}

std::optional<Duration> parse_duration(std::string_view text) {
  if (text == "0") return Duration{0};
  std::uint64_t total = 0;
  std::size_t next_unit = 0;
  do {
    const std::optional<std::uint64_t> count = parse_integer(take_while(text, is_digit));
    const std::string_view name = take_while(text, [](char c) { return !is_digit(c); });
    const auto unit = std::find_if(duration_units.begin() + static_cast<std::ptrdiff_t>(next_unit),
                                   duration_units.end(), [&](const DurationUnit& u) { return u.name == name; });
    if (!count || unit == duration_units.end() || *count > duration_ms_max / unit->ms) return {};
    total += *count * unit->ms;
    if (total > duration_ms_max) return {};
    next_unit = static_cast<std::size_t>(unit - duration_units.begin()) + 1;
  } while (!text.empty());
  return Duration{static_cast<std::int64_t>(total)};
}

std::string format_duration(Duration duration) {
  std::string text;
  auto left = static_cast<std::uint64_t>(duration.count());
  for (const DurationUnit& unit : duration_units) {
    if (left < unit.ms) continue;
    text += std::to_string(left / unit.ms);
    text += unit.name;
    left %= unit.ms;
  }
  return text.empty() ? "0ms" : text;
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  const std::optional<std::uint64_t> count = parse_integer(take_while(text, is_digit));
  if (!count) return {};
  if (text.empty()) return count;
  for (const SizeUnit& unit : size_units) {
    if (unit.name != text) continue;
    if (*count > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / unit.bytes) return {};
    return *count * unit.bytes;
  }
  return {};
}

std::string format_size(std::uint64_t bytes) {
  for (const SizeUnit& unit : size_units) {
    if (bytes >= unit.bytes && bytes % unit.bytes == 0)
      return std::to_string(bytes / unit.bytes) + std::string{unit.name};
  }
  return "0B";
}

std::optional<double> parse_fraction(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  if (!(value >= 0 && value <= 1)) return {};
  return value;
}

std::optional<bool> parse_flag(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return {};
}

std::vector<std::string_view> split_list(std::string_view text) {
  std::vector<std::string_view> items;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    std::string_view item = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    while (!item.empty() && item.front() == ' ') item.remove_prefix(1);
    while (!item.empty() && item.back() == ' ') item.remove_suffix(1);
    if (!item.empty()) items.push_back(item);
  }
  return items;
}

std::optional<RefundTier> parse_refund_tier(std::string_view text) {
  RefundTier tier;
  if (!text.starts_with('>')) return {};
  text.remove_prefix(1);
  tier.inclusive = text.starts_with('=');
  if (tier.inclusive) text.remove_prefix(1);
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return {};
  const std::optional<Duration> bound = parse_duration(text.substr(0, colon));
  const std::optional<std::uint64_t> percent = parse_integer(text.substr(colon + 1));
  if (!bound || !percent || *percent > 100) return {};
  tier.bound = *bound;
  tier.percent = static_cast<std::uint8_t>(*percent);
  return tier;
}

std::string format_refund_tier(const RefundTier& tier) {
  return (tier.inclusive ? ">=" : ">") + format_duration(tier.bound) + ":" + std::to_string(tier.percent);
}

namespace {

/// Returns: how many bits an address of the text's family has; 0 when it is none.
unsigned address_bits(std::string_view text) {
  const std::string terminated{text};
  std::array<unsigned char, 16> bytes{};
  if (inet_pton(AF_INET, terminated.c_str(), bytes.data()) == 1) return 32;
  if (inet_pton(AF_INET6, terminated.c_str(), bytes.data()) == 1) return 128;
  return 0;
}

}  // namespace

bool is_address(std::string_view text) {
  return address_bits(text) != 0;
}

bool is_network(std::string_view text) {
  const std::size_t slash = text.find('/');
  const unsigned bits = address_bits(text.substr(0, slash));
  if (bits == 0 || slash == std::string_view::npos) return bits != 0;
  const std::optional<std::uint64_t> prefix = parse_integer(text.substr(slash + 1));
  return prefix && *prefix <= bits;
}

bool is_origin(std::string_view text) {
  if (text == "*") return true;
  const std::size_t mark = text.find("://");
  if (mark == std::string_view::npos || mark == 0) return false;
  const std::string_view host = text.substr(mark + 3);
  return !host.empty() && host.find_first_of("/?#@ *") == std::string_view::npos;
}

std::size_t edit_distance(std::string_view left, std::string_view right) {
  std::vector<std::size_t> row(right.size() + 1);
  for (std::size_t j = 0; j <= right.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= left.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= right.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (left[i - 1] == right[j - 1] ? 0U : 1U)});
      diagonal = above;
    }
  }
  return row[right.size()];
}

}  // namespace usher::server::config
