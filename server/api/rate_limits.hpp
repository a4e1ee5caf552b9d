#pragma once
/// Fair use: token buckets by user and by address (DESIGN 8, `limits.*`). One object per process, shared by all loops:
/// Thread-safe, without locks, of fixed size whatever the crowd. It limits, it decides nothing: what it forgets at a
/// restart or when a table is full costs nobody a seat, so it is not in the log.
///
/// A bucket is kept as in GCRA (ITU-T I.371, virtual scheduling): the instant at which it would be full again, one
/// word.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "server/config/config.hpp"
#include "server/http/address.hpp"
#include "usher/ids.hpp"
#include "usher/result.hpp"
#include "usher/time.hpp"

namespace usher::server::api {

/// So many requests per window, all at once or spread. quota 0: no limit.
struct RateRule {
  std::uint32_t quota = 0;
  Duration window{std::chrono::seconds{60}};
};

struct RateVerdict {
  bool allowed = true;
  bool counted = false;         ///< false: exempt, nothing to tell
  std::uint32_t remaining = 0;  ///< requests left now
  Duration full_in{};           ///< until the whole quota is there again
  Duration retry_in{};          ///< when refused: until one is there
};

/// Buckets of one kind. Thread-safe.
class RateTable {
 public:
  /// Four buckets to a set, chosen by the hash. A full set forgets whoever is nearest to a full bucket.
  static constexpr std::size_t buckets_default = std::size_t{1} << 17U;

  /// Requires: a power of two of buckets, 4 at least.
  RateTable(RateRule rule, Instant epoch, std::size_t buckets = buckets_default);

  /// Takes one from the bucket of `who` (a hash that nobody outside can aim).
  [[nodiscard]] RateVerdict take(std::uint64_t who, Instant now) noexcept;
  [[nodiscard]] const RateRule& rule() const noexcept { return rule_; }

 private:
  static constexpr unsigned ways = 4;
  static constexpr unsigned tag_bits = 24;
  static constexpr std::uint64_t time_mask = (std::uint64_t{1} << (64U - tag_bits)) - 1;
  static constexpr std::int64_t ticks_per_ms = 16;

  [[nodiscard]] RateVerdict verdict(std::uint64_t full_at, std::uint64_t now, bool allowed) const noexcept;

  RateRule rule_;
  Instant epoch_;
  std::uint64_t interval_ticks_ = 1;  ///< one request more each
  std::uint64_t window_ticks_ = 1;
  std::size_t mask_;
  std::unique_ptr<std::atomic<std::uint64_t>[]> buckets_;  ///< tag, then the tick at which it is full
};

/// The two tables with their rules. Thread-safe.
class RateLimits {
 public:
  /// `key` keeps outsiders from aiming at a bucket. Networks of the configuration are known to be well-formed.
  RateLimits(const config::LimitsConfig& config, std::uint64_t key, Instant epoch);

  [[nodiscard]] bool by_address() const noexcept { return addresses_ != nullptr; }
  [[nodiscard]] bool by_user() const noexcept { return users_ != nullptr; }
  /// Addresses in `limits.exempt` are always allowed. IPv6 counts by /64: whoever has one address has all of it.
  [[nodiscard]] RateVerdict take(const http::ClientAddress& address, Instant now) noexcept;
  [[nodiscard]] RateVerdict take(UserNumber user, Instant now) noexcept;

  /// Appends RateLimit-Policy and RateLimit lines (draft-ietf-httpapi-ratelimit-headers-10, sections 3 and 4).
  void append_fields(std::string& out, bool of_user, const RateVerdict& verdict) const;

 private:
  std::uint64_t key_;
  http::Networks exempt_;
  std::unique_ptr<RateTable> addresses_;
  std::unique_ptr<RateTable> users_;
};

}  // namespace usher::server::api
