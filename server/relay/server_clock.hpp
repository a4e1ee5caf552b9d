#pragma once
/// ServerClock: what the server's clock says now, as far as its messages tell, so that a relay's frames carry the
/// server's time and not that of the relay's machine. Thread-safe.
///
/// A message is heard later than it was said, so each one shows the server's clock too slow by its way; the one that
/// was quickest is believed. What it showed is given up by 1 ms a second, faster than the server's clock is ever slewed
/// (500 ppm, server/shard_clock.hpp), so that the two cannot part.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>

#include "usher/time.hpp"

namespace usher::server::relay {

class ServerClock {
 public:
  /// `monotonic`: of the moment when `server_time` was heard. For one thread.
  void hear(Instant server_time, std::int64_t monotonic_ms) noexcept {
    const std::int64_t heard = to_ms(server_time) - monotonic_ms;
    const std::int64_t kept = ahead_ms_.load(std::memory_order_relaxed) - (monotonic_ms - heard_ms_) / 1'000;
    if (heard_any_ && heard <= kept) return;
    heard_any_ = true;
    heard_ms_ = monotonic_ms;
    ahead_ms_.store(heard, std::memory_order_relaxed);  // relaxed: a number by itself
  }
  /// The server's time at `monotonic_ms`; meaningless before the first hear().
  [[nodiscard]] Instant at(std::int64_t monotonic_ms) const noexcept {
    return instant_from_ms(ahead_ms_.load(std::memory_order_relaxed) + monotonic_ms);
  }

 private:
  std::atomic<std::int64_t> ahead_ms_{0};  // of the monotonic clock
  std::int64_t heard_ms_ = 0;
  bool heard_any_ = false;
};

}  // namespace usher::server::relay
