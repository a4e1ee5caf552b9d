#include "server/catalog/cursor.hpp"

#include <cstdint>

namespace usher::server::catalog {
namespace {

constexpr char cursor_version = '1';
constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string to_base64url(std::string_view bytes) {
  std::string text;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : bytes) {
    bits = (bits << 8U) | static_cast<std::uint8_t>(c);
    for (count += 8; count >= 6; count -= 6) text += digits[(bits >> (count - 6)) & 63U];
  }
  if (count > 0) text += digits[(bits << (6 - count)) & 63U];
  return text;
}

std::optional<std::string> from_base64url(std::string_view text) {
  std::string bytes;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const std::size_t digit = digits.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = (bits << 6U) | static_cast<std::uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>((bits >> count) & 255U);
  }
  return bytes;
}

}  // namespace

std::string write_cursor(std::string_view title, std::string_view id) {
  std::string bytes{cursor_version};
  bytes += title;
  bytes += '\0';
  bytes += id;
  return to_base64url(bytes);
}

std::optional<TitleCursor> read_cursor(std::string_view text) {
  const std::optional<std::string> bytes = from_base64url(text);
  if (!bytes || bytes->empty() || bytes->front() != cursor_version) return std::nullopt;
  const std::size_t end = bytes->find('\0');
  if (end == std::string::npos || to_base64url(*bytes) != text) return std::nullopt;
  return TitleCursor{bytes->substr(1, end - 1), bytes->substr(end + 1)};
}

}  // namespace usher::server::catalog
