#include "server/api/rate_limits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <iterator>

#include "usher/assert.hpp"

namespace usher::server::api {

RateTable::RateTable(RateRule rule, Instant epoch, std::size_t buckets)
    : rule_(rule),
      epoch_(epoch),
      mask_(buckets - ways),
      buckets_(std::make_unique<std::atomic<std::uint64_t>[]>(buckets)) {
  USHER_ASSERT(buckets >= ways && (buckets & (buckets - 1)) == 0 && rule.quota > 0);
  window_ticks_ = static_cast<std::uint64_t>(rule.window.count() * ticks_per_ms);
  interval_ticks_ = std::max<std::uint64_t>(window_ticks_ / rule.quota, 1);
  window_ticks_ = interval_ticks_ * rule.quota;  // a whole number of requests
}

RateVerdict RateTable::verdict(std::uint64_t full_at, std::uint64_t now, bool allowed) const noexcept {
  const std::uint64_t debt = full_at > now ? full_at - now : 0;
  const std::uint64_t left = debt < window_ticks_ ? window_ticks_ - debt : 0;
  RateVerdict verdict;
  verdict.allowed = allowed;
  verdict.counted = true;
  verdict.remaining = static_cast<std::uint32_t>(left / interval_ticks_);
  verdict.full_in = Duration{static_cast<std::int64_t>(debt) / ticks_per_ms};
  if (!allowed) verdict.retry_in = Duration{static_cast<std::int64_t>(interval_ticks_ - left) / ticks_per_ms + 1};
  return verdict;
}

RateVerdict RateTable::take(std::uint64_t who, Instant at) noexcept {
  const auto now = static_cast<std::uint64_t>(std::max<std::int64_t>((at - epoch_).count(), 0) * ticks_per_ms);
  std::atomic<std::uint64_t>* set = &buckets_[(who & mask_) & ~std::size_t{ways - 1}];
  const std::uint64_t tag = (who >> (64U - tag_bits)) << (64U - tag_bits);
  for (;;) {
    unsigned chosen = 0;
    std::uint64_t chosen_word = 0;
    std::uint64_t full_at = now;
    for (unsigned way = 0; way < ways; ++way) {
      // relaxed: a bucket is one word and tells of nothing else
      const std::uint64_t word = set[way].load(std::memory_order_relaxed);
      const bool mine = (word & ~time_mask) == tag && word != 0;
      if (mine || way == 0 || (word & time_mask) < (chosen_word & time_mask)) {
        chosen = way;
        chosen_word = word;
      }
      if (!mine) continue;
      full_at = std::max(word & time_mask, now);
      break;
    }
    const std::uint64_t next = full_at + interval_ticks_;
    if (next - now > window_ticks_) return verdict(full_at, now, false);
    if (set[chosen].compare_exchange_weak(chosen_word, tag | (next & time_mask), std::memory_order_relaxed)) {
      return verdict(next, now, true);
    }
  }
}

namespace {

[[nodiscard]] std::unique_ptr<RateTable> make_table(std::uint32_t quota, Duration window, Instant epoch) {
  return quota == 0 ? nullptr : std::make_unique<RateTable>(RateRule{quota, window}, epoch);
}

}  // namespace

RateLimits::RateLimits(const config::LimitsConfig& config, std::uint64_t key, Instant epoch)
    : key_(key),
      addresses_(make_table(config.address_quota, config.address_window, epoch)),
      users_(make_table(config.user_quota, config.user_window, epoch)) {
  for (const std::string& network : config.exempt) (void)exempt_.add(network);
}

RateVerdict RateLimits::take(const http::ClientAddress& address, Instant now) noexcept {
  if (exempt_.contains(address)) return {};
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  std::memcpy(&high, address.bytes.data(), sizeof high);
  if (address.is_v4()) std::memcpy(&low, address.bytes.data() + sizeof high, sizeof low);
  return addresses_->take(mix64(mix64(high ^ key_) ^ low), now);
}

RateVerdict RateLimits::take(UserNumber user, Instant now) noexcept {
  return users_->take(mix64(to_value(user) ^ key_), now);
}

void RateLimits::append_fields(std::string& out, bool of_user, const RateVerdict& verdict) const {
  const RateRule& rule = of_user ? users_->rule() : addresses_->rule();
  const auto seconds = [](Duration time) { return (time.count() + 999) / 1'000; };
  const std::string_view name = of_user ? "user" : "address";
  fmt::format_to(std::back_inserter(out), "RateLimit-Policy: \"{}\";q={};w={}\r\nRateLimit: \"{}\";r={};t={}\r\n", name,
                 rule.quota, seconds(rule.window), name, verdict.remaining,
                 seconds(verdict.allowed ? verdict.full_in : verdict.retry_in));
}

}  // namespace usher::server::api
