#pragma once
/// DecisionTap: who is shown every command with what was decided, refusals too: the demand journal (DESIGN 6).

#include "usher/command.hpp"

namespace usher {

class DecisionTap {
 public:
  virtual ~DecisionTap() = default;
  /// On the thread of the deciding loop, before anything is durable. Must neither wait nor throw.
  virtual void on_decision(const Command& command, const Reply& reply) noexcept = 0;
};

}  // namespace usher
