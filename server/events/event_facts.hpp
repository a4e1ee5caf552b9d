#pragma once
/// What a record of the log means to somebody outside: ids, labels and the booking's facts, looked up in the state of
/// the show that the record belongs to. What is looked up never changes (id, user, seats, tickets, payment), so it does
/// not matter that the state is newer than the record; of a reservation that is forgotten only its number is known.

#include <map>
#include <utility>
#include <vector>

#include "engine/shard/engine.hpp"
#include "usher/command.hpp"

namespace usher::server::events {

/// By show and sequence.
using Facts = std::map<std::pair<ShowNumber, std::uint32_t>, Reply>;

/// Asks the loops and waits for their answers: for the work pool and for threads of their own, never for a loop.
/// Returns: false when a loop has not answered within 10 s, which only happens at the end of a process.
[[nodiscard]] bool look_up(engine::Engine& engine, const std::vector<Record>& records, Facts& facts);

}  // namespace usher::server::events
