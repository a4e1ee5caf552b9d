#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/history/part.hpp"

/// Is a history linearizable: is there one order of its operations, each somewhere between its request and its answer,
/// in which each answer is what a single seat map would have said?
///
/// Wing and Gong 1993 with the memoization and the just-in-time order of Lowe 2017 ("Testing for linearizability"): the
/// events are gone through in time, with the set of all configurations (state of the seats, operations that took
/// effect before their answer) that explain them so far. An operation takes effect as late as can be: when its answer
/// comes, or before another that needs it. Three rules keep the sets small, none loses an order:
/// - A read takes effect as soon as the state allows it: this changes nothing for the others.
/// - Only what is linked by seats to the seat that does not fit is tried: the rest commutes with it.
/// - Equal configurations are one.
namespace usher::history {

enum class Verdict : std::uint8_t { linearizable, violation, undecided };

struct Judgement {
  Verdict verdict = Verdict::linearizable;
  std::string why;  // of a violation: the answer that nothing explains, what was under way, who had the seats
  std::size_t parts = 0;
  std::size_t operations = 0;
  std::size_t configurations_max = 0;  // the largest set of one moment
};

struct CheckOptions {
  unsigned threads = 1;
  std::size_t configurations_limit = 2'000'000;  // per answer; beyond it the verdict is `undecided`
};

[[nodiscard]] Judgement check(const History& history, const CheckOptions& options = {});

/// The same by trying every order: for histories of ten operations or so, to hold check() against.
[[nodiscard]] bool linearizable_by_brute_force(const History& history);

}  // namespace usher::history
