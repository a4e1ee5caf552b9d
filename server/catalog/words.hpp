#pragma once
/// Word search over a movie's title, cast and keywords: each word asked for must begin some word of the movie. Letters
/// A to Z in either case are equal; bytes beyond ASCII count as letters, as they are.

#include <string>
#include <string_view>
#include <vector>

#include "engine/catalog/entities.hpp"

namespace usher::server::catalog {

/// "Star-Wars 4" becomes "star", "wars", "4".
[[nodiscard]] std::vector<std::string> split_words(std::string_view text);
/// Does every one of `prefixes` (made by split_words) begin a word of the movie?
[[nodiscard]] bool has_words(const engine::Movie& movie, const std::vector<std::string>& prefixes);

}  // namespace usher::server::catalog
