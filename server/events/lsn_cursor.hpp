#pragma once
/// A place in all shards' logs at once: one LSN per shard, as an opaque text. Pure.
///
///   cursor := base64url( version u8 = 1, shard_count varint, LSN varint * shard_count )

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "usher/ids.hpp"

namespace usher::server::events {

using LsnCursor = std::vector<Lsn>;

[[nodiscard]] std::string format_cursor(const LsnCursor& cursor);
/// Empty is the beginning. Returns: nothing for what format_cursor() does not write for so many shards.
[[nodiscard]] std::optional<LsnCursor> parse_cursor(std::string_view text, std::size_t shard_count);

}  // namespace usher::server::events
