#pragma once
/// Rules for short texts that people type: names and labels that end up in JSON, in URLs and on tickets.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace usher::engine {

/// Returns: the bytes of the well-formed UTF-8 sequence (RFC 3629 section 4) at `at`, 0 when it is malformed.
[[nodiscard]] constexpr std::size_t utf8_sequence(std::string_view text, std::size_t at) noexcept {
  const auto byte = [&](std::size_t i) noexcept { return static_cast<std::uint8_t>(text[at + i]); };
  const std::size_t left = text.size() - at;
  const std::uint8_t first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || left < size) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0U) != 0x80U) return 0;
  }
  if (first == 0xe0 && byte(1) < 0xa0) return 0;
  if (first == 0xed && byte(1) > 0x9f) return 0;
  if (first == 0xf0 && byte(1) < 0x90) return 0;
  if (first == 0xf4 && byte(1) > 0x8f) return 0;
  return size;
}

/// Well-formed UTF-8 without control characters (newlines included).
[[nodiscard]] constexpr bool is_line_of_text(std::string_view text) noexcept {
  for (std::size_t at = 0; at < text.size();) {
    const auto c = static_cast<std::uint8_t>(text[at]);
    if (c < 0x20 || c == 0x7f) return false;
    const std::size_t size = utf8_sequence(text, at);
    if (size == 0) return false;
    at += size;
  }
  return true;
}

/// A line of text that JSON can hold without an escape: seat labels and row names, copied as they are into seat maps.
[[nodiscard]] constexpr bool is_plain_label(std::string_view text) noexcept {
  return !text.empty() && is_line_of_text(text) && text.find('"') == std::string_view::npos &&
         text.find('\\') == std::string_view::npos && text.front() != ' ' && text.back() != ' ';
}

/// An id given by an import: 1 to `size_max` of A-Z a-z 0-9 . _ ~ - (what a URL path takes as it is, RFC 3986 2.3).
[[nodiscard]] constexpr bool is_external_id(std::string_view text, std::size_t size_max) noexcept {
  if (text.empty() || text.size() > size_max || text == "." || text == "..") return false;
  for (const char c : text) {
    const bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                      c == '_' || c == '~' || c == '-';
    if (!fits) return false;
  }
  return true;
}

}  // namespace usher::engine
