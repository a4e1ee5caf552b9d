#pragma once
/// The requests of one connection that are not answered yet, in the order they came: the ring that keeps pipelined
/// answers in order. A slot's number counts up for the life of the connection and wraps at 2^32; the ring holds the 64
/// between head and tail. Owned by its Connection.

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "server/http/response.hpp"
#include "server/json/text_buffer.hpp"

namespace usher::server::http {

/// An answer that was ready before one in front of it. Pooled by the loop, so that its buffer lives on.
struct HeldAnswer {
  json::TextBuffer bytes;
  std::shared_ptr<const std::string> shared;
};

class SlotRing {
 public:
  /// Requests in flight per connection; reading pauses beyond.
  static constexpr std::uint32_t slots_max = 64;

  struct Slot {
    ResponseStyle style;
    bool ready = false;
    std::unique_ptr<HeldAnswer> held;
  };

  [[nodiscard]] std::uint32_t size() const noexcept { return tail_ - head_; }
  [[nodiscard]] bool empty() const noexcept { return tail_ == head_; }
  [[nodiscard]] bool full() const noexcept { return size() == slots_max; }
  [[nodiscard]] std::uint32_t head() const noexcept { return head_; }
  [[nodiscard]] std::uint32_t tail() const noexcept { return tail_; }
  /// Whether the number is one of a request that waits for its answer.
  [[nodiscard]] bool waits(std::uint32_t number) const noexcept {
    return number - head_ < size() && !ring_[number % slots_max].ready;
  }
  [[nodiscard]] Slot& operator[](std::uint32_t number) noexcept { return ring_[number % slots_max]; }

  /// Requires: not full(). Returns: the number of the new slot.
  std::uint32_t push(ResponseStyle style) noexcept {
    Slot& slot = ring_[tail_ % slots_max];
    slot.style = style;
    slot.ready = false;
    return tail_++;
  }
  /// Requires: not empty().
  void pop() noexcept { ++head_; }
  /// Drops what is in flight; numbers given out before are not used again.
  void drop_all() noexcept { head_ = tail_; }

 private:
  std::uint32_t head_ = 0;
  std::uint32_t tail_ = 0;
  std::array<Slot, slots_max> ring_;
};

}  // namespace usher::server::http
