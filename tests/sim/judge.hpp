#pragma once
/// Holds what the program says against the model: answers, seat maps, and after a restart the whole state. Each
/// function answers with what is wrong, or "". For one thread.

#include <optional>
#include <string>

#include "engine/shard/shard.hpp"
#include "tests/sim/model.hpp"

namespace usher::sim {

/// What the rules say to a command.
struct Expected {
  bool replays = false;  ///< its idempotency key is answered again
  Refusal refusal = Refusal::none;
};
/// `now` is that of the decision. Nothing in `state` may be dead by then.
[[nodiscard]] Expected expect(const Model& model, const Facts& facts, const ShowState& state, const Command& command,
                              Instant now);
/// What a gate must be told of a ticket.
struct ScanVerdict {
  ScanResult result = ScanResult::cancelled;
  Scan scan = Scan::refused;
  unsigned position = 0;
};
[[nodiscard]] ScanVerdict expect_scan(const ShowState& state, const Command& command);
/// Whether the house could find such seats.
[[nodiscard]] bool has_best(const Facts& facts, const ShowState& state, const Command& command);

class Judge {
 public:
  Judge(const Model& model, Counters& counters) : model_(model), counters_(counters) {}

  /// Judges the answer that a client gets. `command` is what it asked.
  [[nodiscard]] std::string answer(const Command& command, const Reply& reply);
  /// Judges the durable image of a show.
  [[nodiscard]] std::string view(ShowNumber show, const engine::ShowView& view);
  /// Judges the memory of the program as of `now`, the newest instant.
  [[nodiscard]] std::string memory(const engine::ShardState& state, ShowNumber show, Instant now);

 private:
  [[nodiscard]] std::string refused(const Command& command, const Reply& reply);
  [[nodiscard]] std::string done(const Command& command, const Reply& reply);
  [[nodiscard]] std::string scanned(const Command& command, const Reply& reply);
  [[nodiscard]] std::string replayed(const Command& command, const Reply& reply);
  [[nodiscard]] std::string effect(const Command& command, const Reply& reply, const Moment& moment);
  void count(Refusal refusal);

  const Model& model_;
  Counters& counters_;
};

}  // namespace usher::sim
