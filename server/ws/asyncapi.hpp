#pragma once
/// The live feed's description in AsyncAPI 3.0, as served at `/asyncapi.json`. The text is server/ws/asyncapi.json,
/// embedded while building (asyncapi.cmake); it never changes while the program runs, and any thread may read it.

#include <string_view>

namespace usher::server::asyncapi {

/// Returns: the whole document, UTF-8 JSON; lives as long as the program.
[[nodiscard]] std::string_view document() noexcept;

}  // namespace usher::server::asyncapi
