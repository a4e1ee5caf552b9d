#pragma once
/// The pages that people see, as files within the program: bundled from src/ by build.mjs while building (web.cmake).
/// Nothing here changes while the program runs; any thread may read it. Which address shows which page is decided here,
/// and the fields that go with it; what a page then asks for is the API's business.

#include <span>
#include <string_view>

namespace usher::server::web {

struct File {
  std::string_view path;   ///< "/assets/app-1a2b3c4d.js"; of a page "/app.html"
  std::string_view type;   ///< Content-Type
  std::string_view etag;   ///< strong, with its quotes
  std::string_view plain;  ///< the bytes
  std::string_view gzip;   ///< the same compressed; empty where that gains nothing
};

/// All of them, sorted by path. Generated.
[[nodiscard]] std::span<const File> files() noexcept;

/// What is at an address: an asset, or the page that shows it ("/film/x" is one of the shop's).
/// Returns: nullptr when nothing is.
[[nodiscard]] const File* find(std::string_view path) noexcept;

/// Is the page for the people who run the house?
[[nodiscard]] bool is_for_operators(std::string_view path) noexcept;

/// Header lines for a file: how long it may be kept, and for pages a Content-Security-Policy (CSP Level 3) that runs
/// and loads only what comes from this server.
[[nodiscard]] std::string_view fields_of(const File& file) noexcept;

/// Does an Accept-Encoding field (RFC 9110 section 12.5.3) take gzip?
[[nodiscard]] bool accepts_gzip(std::string_view accept_encoding) noexcept;
/// Does an Accept field name HTML, as a browser's does for a page?
[[nodiscard]] bool accepts_html(std::string_view accept) noexcept;

}  // namespace usher::server::web
