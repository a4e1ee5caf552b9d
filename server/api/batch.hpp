#pragma once
/// Batches: the requests of POST /commands that are under way on one loop. Each line is a command of its own with an
/// answer of its own; the response leaves when the last answer is there. For the loop's thread only.

#include <cstdint>
#include <string>
#include <vector>

#include "usher/command.hpp"

namespace usher::server::api {

/// What is wrong with a line that never became a command.
struct LineProblem {
  std::uint32_t line = 0;  ///< from 0
  std::uint16_t status = 400;
  std::string code;
  std::string detail;
};

struct Batch {
  ReplyTo client;
  std::uint32_t generation = 0;
  std::uint32_t missing = 0;  ///< answers
  std::vector<Reply> answers;
  std::vector<LineProblem> problems;  ///< ascending lines
};

class Batches {
 public:
  static constexpr std::size_t lines_max = 10'000;
  /// At about 4 MB each for a full batch, so many may be under way on one loop.
  static constexpr std::size_t batches_max = 64;
  /// Set in ReplyTo::connection of a line; below it lies the batch's index, in `slot` the line.
  static constexpr std::uint32_t connection_bit = 0x80000000U;

  /// Returns: the index of a new batch, or batches_max when too many are under way.
  [[nodiscard]] std::size_t open(const ReplyTo& client) {
    std::size_t index = 0;
    while (index < batches_.size() && batches_[index].missing != 0) ++index;
    if (index == batches_max) return index;
    if (index == batches_.size()) batches_.emplace_back();
    Batch& batch = batches_[index];
    batch.client = client;
    batch.missing = 1;  // the reading of its lines
    batch.answers.clear();
    batch.problems.clear();
    ++open_;
    return index;
  }
  [[nodiscard]] Batch& operator[](std::size_t index) noexcept { return batches_[index]; }

  /// Where the answer to the next line belongs.
  [[nodiscard]] ReplyTo add_line(std::size_t index, std::uint16_t loop) {
    Batch& batch = batches_[index];
    batch.answers.emplace_back();
    ++batch.missing;
    return {loop, connection_bit | static_cast<std::uint32_t>(index), batch.generation,
            static_cast<std::uint32_t>(batch.answers.size() - 1)};
  }
  /// One answer, or the end of reading, has come. Returns: true when it was the last; then write it and close().
  [[nodiscard]] bool arrived(std::size_t index) noexcept { return --batches_[index].missing == 0; }
  void close(std::size_t index) noexcept {
    ++batches_[index].generation;
    --open_;
  }
  [[nodiscard]] std::size_t open() const noexcept { return open_; }

  [[nodiscard]] static bool owns(const ReplyTo& to) noexcept {
    return (to.connection & connection_bit) != 0 && to.connection != 0xffffffffU;
  }
  [[nodiscard]] static std::size_t index_of(const ReplyTo& to) noexcept { return to.connection & ~connection_bit; }

 private:
  std::vector<Batch> batches_;
  std::size_t open_ = 0;
};

}  // namespace usher::server::api
