#pragma once
/// Character classes of RFC 9110 and the few scanning loops that the parsers of this folder share. Pure functions.

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace usher::server::http {

namespace chars {
inline constexpr std::uint8_t token = 1;   ///< tchar
inline constexpr std::uint8_t target = 2;  ///< visible ASCII but '#', which never leaves a client
inline constexpr std::uint8_t host = 4;    ///< what may stand in a Host field outside brackets
inline constexpr std::uint8_t hex = 8;

[[nodiscard]] constexpr std::array<std::uint8_t, 256> make_table() noexcept {
  std::array<std::uint8_t, 256> table{};
  const auto mark = [&](std::string_view of, std::uint8_t bit) {
    for (const char c : of)
      table[static_cast<unsigned char>(c)] = static_cast<std::uint8_t>(table[static_cast<unsigned char>(c)] | bit);
  };
  constexpr std::string_view alnum = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  mark(alnum, token | host);
  mark("!#$%&'*+-.^_`|~", token);
  mark("-._~%!$&'()*+,;=", host);
  mark("0123456789abcdefABCDEF", hex);
  for (unsigned c = 0x21; c < 0x7f; ++c) {
    if (c != '#') table[c] = static_cast<std::uint8_t>(table[c] | target);
  }
  return table;
}
inline constexpr std::array<std::uint8_t, 256> table = make_table();

[[nodiscard]] constexpr bool is(char c, std::uint8_t kind) noexcept {
  return (table[static_cast<unsigned char>(c)] & kind) != 0;
}
[[nodiscard]] constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}
/// Requires: a hexadecimal digit.
[[nodiscard]] constexpr unsigned hex_value(char c) noexcept {
  return c <= '9' ? static_cast<unsigned>(c - '0') : static_cast<unsigned>((c | 0x20) - 'a' + 10);
}
[[nodiscard]] constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}
}  // namespace chars

/// Returns: the first byte of [at, end) that no field value may hold (a control other than the tab), or `end`.
[[nodiscard]] inline const char* find_control(const char* at, const char* end) noexcept {
#if defined(__SSE2__)
  const __m128i controls_max = _mm_set1_epi8(0x1f);
  const __m128i tab = _mm_set1_epi8('\t');
  const __m128i del = _mm_set1_epi8(0x7f);
  for (; end - at >= 16; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, controls_max), bytes);
    const __m128i bad = _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(bytes, tab), low), _mm_cmpeq_epi8(bytes, del));
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(bad));
    if (mask != 0) return at + __builtin_ctz(mask);
  }
#endif
  for (; at != end; ++at) {
    const auto c = static_cast<unsigned char>(*at);
    if ((c < 0x20U && c != '\t') || c == 0x7fU) return at;
  }
  return end;
}

/// Whether `text`, of a token's characters, equals `lower` when its letters are made small.
[[nodiscard]] inline bool equals_lower(std::string_view text, std::string_view lower) noexcept {
  if (text.size() != lower.size()) return false;
  unsigned different = 0;
  for (std::size_t i = 0; i < lower.size(); ++i) {
    different |=
        static_cast<unsigned>(static_cast<unsigned char>(chars::lower(text[i])) ^ static_cast<unsigned char>(lower[i]));
  }
  return different == 0;
}

/// Without the spaces and tabs at both ends.
[[nodiscard]] constexpr std::string_view trim(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace usher::server::http
