#pragma once
/// What the answers of the browse calls share: tags and how long a listing may be kept.

#include <cstdint>
#include <string>
#include <string_view>

namespace usher::server::api {

/// A strong ETag (RFC 9110 section 8.8.3) of 16 hex digits.
[[nodiscard]] inline std::string etag_of(std::uint64_t value) {
  char text[18];
  text[0] = '"';
  for (unsigned i = 0; i < 16; ++i) text[1 + i] = "0123456789abcdef"[(value >> (60U - 4U * i)) & 15U];
  text[17] = '"';
  return {text, sizeof text};
}

/// RFC 9110 section 13.1.2: a list of tags or "*"; weak ones compare equal to strong ones.
[[nodiscard]] inline bool matches(std::string_view if_none_match, std::string_view etag) noexcept {
  return if_none_match == "*" || if_none_match.find(etag) != std::string_view::npos;
}

/// What a CDN may do with a listing: free seats age within a second, the rest within a minute.
[[nodiscard]] inline std::string cache_fields(const std::string& etag, bool availability) {
  return std::string(availability ? "Cache-Control: public, max-age=0, s-maxage=1\r\n"
                                  : "Cache-Control: public, max-age=10, s-maxage=60\r\n") +
         "ETag: " + etag + "\r\n";
}

}  // namespace usher::server::api
