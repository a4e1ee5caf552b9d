#pragma once
/// A number that one thread changes and any thread may read: what a hot path can afford. It costs what a plain integer
/// costs, since the single writer needs no locked instruction.

#include <atomic>
#include <cstdint>

namespace usher::server::metrics {

class Count {
 public:
  /// For the writer's thread only. Relaxed: a scrape wants each number soon and whole, not all of one instant.
  void add(std::uint64_t amount = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  /// For the writer's thread only.
  void set(std::uint64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
  /// Any thread.
  [[nodiscard]] std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

}  // namespace usher::server::metrics
