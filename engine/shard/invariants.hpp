#pragma once
/// What must always hold of a shard's state (DESIGN 4.1, 4.2, 4.7, 4.8), checked the slow and obvious way: seats,
/// chains and money are counted anew from the reservations and compared with what the engine keeps. For audits and
/// tests, on the shard's thread; it changes nothing and trusts nothing but that indices lie in their slabs.

#include <string>
#include <vector>

#include "engine/shard/shard_state.hpp"

namespace usher::engine {

/// Returns: one line for each rule that is broken, naming show and reservation; nothing when all is well.
[[nodiscard]] std::vector<std::string> check_invariants(const ShardState& state);

}  // namespace usher::engine
