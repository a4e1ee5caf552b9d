#pragma once
/// SubscriberLimits: counts the subscribers of all loops of a process against a limit for all and one for each address.
/// Thread-safe. An IPv6 network of 64 bits counts as one address, since whoever has one address there has them all.

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>

#include "server/http/address.hpp"
#include "server/ws/handshake.hpp"

namespace usher::server::ws {

class SubscriberLimits {
 public:
  SubscriberLimits(std::uint32_t max, std::uint32_t per_address_max) noexcept
      : max_(max), per_address_max_(per_address_max) {}

  enum class Taken : std::uint8_t { yes, full, too_many_here };
  /// Counts one more, or says why not. Each `yes` wants one give().
  [[nodiscard]] Taken take(const http::ClientAddress& address) {
    const std::lock_guard lock(mutex_);
    if (count_.load(std::memory_order_relaxed) >= max_) return Taken::full;
    std::uint32_t& here = by_address_[network_of(address)];
    if (here >= per_address_max_) return Taken::too_many_here;
    ++here;
    count_.fetch_add(1, std::memory_order_relaxed);
    return Taken::yes;
  }
  void give(const http::ClientAddress& address) noexcept {
    const std::lock_guard lock(mutex_);
    const auto found = by_address_.find(network_of(address));
    if (found == by_address_.end()) return;
    if (--found->second == 0) by_address_.erase(found);
    count_.fetch_sub(1, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint32_t count() const noexcept { return count_.load(std::memory_order_relaxed); }

 private:
  using Network = std::array<std::uint8_t, 16>;
  [[nodiscard]] static Network network_of(const http::ClientAddress& address) noexcept {
    Network network = address.bytes;
    if (!address.is_v4()) std::fill(network.begin() + 8, network.end(), std::uint8_t{0});
    return network;
  }

  const std::uint32_t max_;
  const std::uint32_t per_address_max_;
  std::mutex mutex_;
  std::map<Network, std::uint32_t> by_address_;
  std::atomic<std::uint32_t> count_{0};  // relaxed: a number for the metrics; the limit is kept under the lock
};

/// What is answered where there is no place; status 0 for `yes`.
[[nodiscard]] constexpr HandshakeError to_error(SubscriberLimits::Taken taken) noexcept {
  switch (taken) {
    case SubscriberLimits::Taken::full:
      return {503, "feed_full", "the server has as many subscribers as it takes"};
    case SubscriberLimits::Taken::too_many_here:
      return {429, "too_many_subscribers", "this address has as many subscribers as it may"};
    case SubscriberLimits::Taken::yes:
      break;
  }
  return {};
}

}  // namespace usher::server::ws
