#pragma once
/// The API's description in OpenAPI 3.1, as served at `/openapi.json`. The text is server/openapi/openapi.json,
/// embedded while building (openapi.cmake); it never changes while the program runs, and any thread may read it.

#include <string_view>

namespace usher::server::openapi {

/// Returns: the whole document, UTF-8 JSON; lives as long as the program.
[[nodiscard]] std::string_view document() noexcept;

}  // namespace usher::server::openapi
