#pragma once
/// Checks UTF-8 as it comes, byte by byte, and fails at the first byte that cannot be part of it. The method is the
/// "UTF-8 decoder" of the WHATWG Encoding Standard: how many bytes are to follow and between which bounds the next one
/// must lie, which refuses overlong forms, surrogates and what lies beyond U+10FFFF (RFC 3629 section 4).

#include <cstdint>
#include <string_view>

namespace usher::server::ws {

class Utf8Check {
 public:
  /// Returns: false at once when the text can no longer be UTF-8.
  [[nodiscard]] bool feed(std::uint8_t byte) noexcept {
    if (needed_ == 0) return begin(byte);
    if (byte < lower_ || byte > upper_) return false;
    lower_ = 0x80;
    upper_ = 0xBF;
    --needed_;
    return true;
  }
  /// Whether no character is half read.
  [[nodiscard]] bool complete() const noexcept { return needed_ == 0; }

 private:
  [[nodiscard]] bool begin(std::uint8_t byte) noexcept {
    if (byte <= 0x7F) return true;
    if (byte >= 0xC2 && byte <= 0xDF) {
      needed_ = 1;
    } else if (byte >= 0xE0 && byte <= 0xEF) {
      needed_ = 2;
      if (byte == 0xE0) lower_ = 0xA0;
      if (byte == 0xED) upper_ = 0x9F;
    } else if (byte >= 0xF0 && byte <= 0xF4) {
      needed_ = 3;
      if (byte == 0xF0) lower_ = 0x90;
      if (byte == 0xF4) upper_ = 0x8F;
    } else {
      return false;
    }
    return true;
  }

  std::uint8_t needed_ = 0;
  std::uint8_t lower_ = 0x80;
  std::uint8_t upper_ = 0xBF;
};

[[nodiscard]] inline bool is_utf8(std::string_view text) noexcept {
  Utf8Check check;
  for (const char c : text) {
    if (!check.feed(static_cast<std::uint8_t>(c))) return false;
  }
  return check.complete();
}

}  // namespace usher::server::ws
