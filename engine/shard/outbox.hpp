#pragma once
/// Outbox: answers that wait until the log is durable up to what their decisions have seen (DESIGN 4.3). A ring of
/// fixed size, in order of decision; for the loop's thread only.

#include <cstdint>
#include <memory>

#include "usher/assert.hpp"
#include "usher/command.hpp"

namespace usher::engine {

class Outbox {
 public:
  explicit Outbox(std::uint32_t capacity) : ring_(std::make_unique<Reply[]>(capacity)), mask_(capacity - 1) {
    USHER_ASSERT(capacity != 0 && (capacity & (capacity - 1)) == 0);
  }

  [[nodiscard]] bool full() const noexcept { return last_ - first_ > mask_; }
  [[nodiscard]] bool empty() const noexcept { return first_ == last_; }
  [[nodiscard]] std::uint32_t size() const noexcept { return last_ - first_; }
  [[nodiscard]] const Reply& front() const noexcept { return ring_[first_ & mask_]; }
  void pop() noexcept { ++first_; }
  /// Where the next answer is made, emptied: so that it is not copied. keep() makes it wait. Requires: not full().
  [[nodiscard]] Reply& next() noexcept {
    USHER_ASSERT(!full());
    return ring_[last_ & mask_] = Reply{};
  }
  void keep() noexcept { ++last_; }

 private:
  std::unique_ptr<Reply[]> ring_;
  std::uint32_t mask_;
  std::uint32_t first_ = 0;
  std::uint32_t last_ = 0;
};

}  // namespace usher::engine
