#include "tests/history/checker.hpp"

#include <algorithm>
#include <atomic>
#include <thread>

#include "tests/history/search.hpp"

namespace usher::history {
namespace {

/// All orders of one part, one operation after the other. `left`: what has not happened yet.
class BruteForce {
 public:
  explicit BruteForce(const Part& part) : part_(part), state_(part.seat_count), left_(part.operations) {}

  bool run() {
    const auto is_due = [&](std::uint32_t operation) { return must_happen(part_.at(operation)); };
    if (std::none_of(left_.begin(), left_.end(), is_due)) return true;
    for (std::size_t i = 0; i < left_.size(); ++i) {
      if (may_be_next(left_[i]) && try_next(i)) return true;
    }
    return false;
  }

 private:
  /// Nothing that is left, and has to happen, returned before it was invoked; what is optional and too late is lost.
  [[nodiscard]] bool may_be_next(std::uint32_t operation) const {
    const auto is_before = [&](std::uint32_t other) {
      return must_happen(part_.at(other)) && part_.at(other).returned < part_.at(operation).invoked;
    };
    return std::none_of(left_.begin(), left_.end(), is_before) && !came_too_late(operation) &&
           first_misfit(part_, part_.at(operation), state_) == fits;
  }
  [[nodiscard]] bool came_too_late(std::uint32_t operation) const {
    return std::any_of(order_.begin(), order_.end(),
                       [&](std::uint32_t other) { return part_.at(operation).returned < part_.at(other).invoked; });
  }

  bool try_next(std::size_t index) {
    const std::uint32_t operation = left_[index];
    const Seats before = state_;
    left_.erase(left_.begin() + static_cast<std::ptrdiff_t>(index));
    order_.push_back(operation);
    if (changes(part_.at(operation))) {
      apply(part_, part_.at(operation), before, [&](std::uint32_t seat, Holder holder) { state_[seat] = holder; });
    }
    if (run()) return true;
    state_ = before;
    order_.pop_back();
    left_.insert(left_.begin() + static_cast<std::ptrdiff_t>(index), operation);
    return false;
  }

  const Part& part_;
  Seats state_;
  std::vector<std::uint32_t> left_;
  std::vector<std::uint32_t> order_;
};

}  // namespace

Judgement check(const History& history, const CheckOptions& options) {
  const std::vector<Part> parts = divide(history);
  std::vector<Judgement> judgements(parts.size());
  std::atomic<std::size_t> next{0};
  std::atomic<bool> found{false};
  const auto work = [&] {
    for (std::size_t i = next++; i < parts.size() && !found; i = next++) {
      judgements[i] = Search{parts[i], options.configurations_limit}.run();
      if (judgements[i].verdict == Verdict::violation) found = true;
    }
  };
  std::vector<std::thread> threads;
  for (unsigned i = 1; i < options.threads; ++i) threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
  Judgement all;
  all.parts = parts.size();
  for (const Judgement& one : judgements) {
    all.operations += one.operations;
    all.configurations_max = std::max(all.configurations_max, one.configurations_max);
    const bool worse = one.verdict == Verdict::violation || all.verdict == Verdict::linearizable;
    if (one.verdict == Verdict::linearizable || !worse) continue;
    all.verdict = one.verdict;
    all.why = one.why;
  }
  return all;
}

bool linearizable_by_brute_force(const History& history) {
  const std::vector<Part> parts = divide(history);
  return std::all_of(parts.begin(), parts.end(), [](const Part& part) { return BruteForce{part}.run(); });
}

}  // namespace usher::history
