#pragma once
/// Asks: commands that the API sends for itself, each with what is to be done with its answer. One per loop, for its
/// thread. An ask is answered exactly once, when its answer is durable, as all answers are.

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "usher/command.hpp"

namespace usher::server::api {

class Asks {
 public:
  /// ReplyTo::connection of such commands.
  static constexpr std::uint32_t connection = 0xfffffffe;
  using Answer = std::function<void(const Reply&)>;

  /// Returns: where the answer belongs.
  [[nodiscard]] ReplyTo open(std::uint16_t loop, Answer answer) {
    std::uint32_t index = 0;
    if (free_.empty()) {
      index = static_cast<std::uint32_t>(entries_.size());
      entries_.emplace_back();
    } else {
      index = free_.back();
      free_.pop_back();
    }
    entries_[index].answer = std::move(answer);
    return {loop, connection, entries_[index].generation, index};
  }
  /// The command was not taken: forgets the ask.
  void close(const ReplyTo& to) { (void)take(to); }
  void answer(const Reply& reply) {
    if (const Answer answer = take(reply.to)) answer(reply);
  }
  [[nodiscard]] std::size_t waiting() const noexcept { return entries_.size() - free_.size(); }

 private:
  struct Entry {
    std::uint32_t generation = 0;
    Answer answer;
  };

  [[nodiscard]] Answer take(const ReplyTo& to) {
    if (to.slot >= entries_.size() || entries_[to.slot].generation != to.generation) return {};
    Answer answer = std::move(entries_[to.slot].answer);
    entries_[to.slot].answer = {};
    ++entries_[to.slot].generation;
    free_.push_back(to.slot);
    return answer;
  }

  std::vector<Entry> entries_;
  std::vector<std::uint32_t> free_;
};

}  // namespace usher::server::api
