#pragma once
/// Opaque page cursors: where a list sorted by title and id goes on. They name the last thing seen, not a position, so
/// that they hold when the catalog changes between two pages.

#include <optional>
#include <string>
#include <string_view>

namespace usher::server::catalog {

struct TitleCursor {
  std::string title;
  std::string id;
  bool operator==(const TitleCursor&) const = default;
};

/// base64url (RFC 4648 section 5, no padding) of version, title, NUL, id.
[[nodiscard]] std::string write_cursor(std::string_view title, std::string_view id);
/// Returns: nothing for what write_cursor() did not write.
[[nodiscard]] std::optional<TitleCursor> read_cursor(std::string_view text);

}  // namespace usher::server::catalog
