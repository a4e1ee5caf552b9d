#include "server/json/writer.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace usher::server::json {
namespace {

constexpr std::string_view digit_pairs =
    "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
    "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

void write_pair(unsigned value, char* out) noexcept {
  std::memcpy(out, digit_pairs.data() + 2U * value, 2);
}

struct CivilDate {
  unsigned year;
  unsigned month;
  unsigned day;
};

// Requires: `days` since 1970-01-01 lies in the years 0 to 9999, so that every intermediate is positive after the
// shift.
CivilDate civil_from_days(std::int64_t days) noexcept {
  const auto shifted = static_cast<std::uint64_t>(days + 719'468 + 146'097);
  const std::uint64_t era = shifted / 146'097;
  const std::uint64_t day_of_era = shifted % 146'097;
  const std::uint64_t year_of_era =
      (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::uint64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::uint64_t shifted_month = (5 * day_of_year + 2) / 153;
  const std::uint64_t day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
  const std::uint64_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  const std::uint64_t year = year_of_era + era * 400 - 400 + (month <= 2 ? 1 : 0);
  return {static_cast<unsigned>(year), static_cast<unsigned>(month), static_cast<unsigned>(day)};
}

// Length of the well-formed UTF-8 sequence at the start of `text` (RFC 3629 section 4); 0 when it is malformed.
std::size_t utf8_sequence(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto tail = [&](std::size_t i) { return i < text.size() && (byte(i) & 0xc0U) == 0x80U; };
  const unsigned char first = byte(0);
  if (first < 0x80U) return 1;
  if (first >= 0xc2U && first <= 0xdfU) return tail(1) ? 2 : 0;
  if (first >= 0xe0U && first <= 0xefU) {
    if (!tail(1) || !tail(2)) return 0;
    if (first == 0xe0U && byte(1) < 0xa0U) return 0;
    return first == 0xedU && byte(1) > 0x9fU ? 0 : 3;
  }
  if (first < 0xf0U || first > 0xf4U || !tail(1) || !tail(2) || !tail(3)) return 0;
  if (first == 0xf0U && byte(1) < 0x90U) return 0;
  return first == 0xf4U && byte(1) > 0x8fU ? 0 : 4;
}

void append_escape(TextBuffer& out, unsigned char c) {
  constexpr std::string_view hex = "0123456789abcdef";
  switch (c) {
    case '"':
      return out.append("\\\"");
    case '\\':
      return out.append("\\\\");
    case '\n':
      return out.append("\\n");
    case '\r':
      return out.append("\\r");
    case '\t':
      return out.append("\\t");
    case '\b':
      return out.append("\\b");
    case '\f':
      return out.append("\\f");
    default:
      break;
  }
  out.append("\\u00");
  out.push(hex[c >> 4U]);
  out.push(hex[c & 0xfU]);
}

bool is_plain(unsigned char c) noexcept {
  return c >= 0x20U && c < 0x80U && c != '"' && c != '\\';
}

}  // namespace

namespace {

// "2026-11-24T18:00:00." of the second.
void write_second(std::int64_t second, char* out20) noexcept {
  constexpr std::int64_t day_s = 86'400;
  std::int64_t days = second / day_s;
  if (second % day_s < 0) --days;
  const auto of_day = static_cast<unsigned>(second - days * day_s);
  const CivilDate date = civil_from_days(days);
  std::memcpy(out20, "0000-00-00T00:00:00.", 20);
  write_pair(date.year / 100, out20);
  write_pair(date.year % 100, out20 + 2);
  write_pair(date.month, out20 + 5);
  write_pair(date.day, out20 + 8);
  write_pair(of_day / 3'600, out20 + 11);
  write_pair(of_day / 60 % 60, out20 + 14);
  write_pair(of_day % 60, out20 + 17);
}

// The texts of a few seconds: an answer names now and ten minutes from now, as did the one before.
struct SecondText {
  std::int64_t second = std::numeric_limits<std::int64_t>::min();
  char text[20];
};

}  // namespace

void write_instant(Instant instant, char* out24) noexcept {
  constexpr std::int64_t year_0 = -62'167'219'200'000;
  constexpr std::int64_t year_9999_end = 253'402'300'799'999;
  static thread_local std::array<SecondText, 16> seconds;
  const std::int64_t ms = std::clamp(to_ms(instant), year_0, year_9999_end);
  std::int64_t second = ms / 1'000;
  if (ms % 1'000 < 0) --second;
  SecondText& cached = seconds[mix64(static_cast<std::uint64_t>(second)) % seconds.size()];
  if (cached.second != second) {
    cached.second = second;
    write_second(second, cached.text);
  }
  std::memcpy(out24, cached.text, sizeof cached.text);
  const auto of_second = static_cast<unsigned>(ms - second * 1'000);
  out24[20] = static_cast<char>('0' + of_second / 100);
  write_pair(of_second % 100, out24 + 21);
  out24[23] = 'Z';
}

void append_escaped(TextBuffer& out, std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t plain = at;
    while (plain < text.size() && is_plain(static_cast<unsigned char>(text[plain]))) ++plain;
    out.append(text.substr(at, plain - at));
    at = plain;
    if (at == text.size()) return;
    const auto c = static_cast<unsigned char>(text[at]);
    if (c < 0x80U) {
      append_escape(out, c);
      ++at;
      continue;
    }
    const std::size_t length = utf8_sequence(text.substr(at));
    out.append(length == 0 ? std::string_view{"\xef\xbf\xbd"} : text.substr(at, length));
    at += length == 0 ? 1 : length;
  }
}

void Writer::real(double value) {
  if (!std::isfinite(value)) return null();
  comma();
  char* at = out_.prepare(32);
  out_.commit(static_cast<std::size_t>(std::to_chars(at, at + 32, value).ptr - at));
}

}  // namespace usher::server::json
