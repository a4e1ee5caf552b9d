#include "server/api/rate_limits.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <deque>
#include <map>
#include <random>
#include <thread>
#include <vector>

using namespace usher;
using namespace usher::server;
using namespace usher::server::api;

namespace {

const Instant start = instant_from_ms(1'000'000);

http::ClientAddress address(std::string_view text) {
  return *http::parse_address(text);
}

}  // namespace

TEST_CASE("rate table: a burst: exactly the quota at once, then one per interval, at -1, 0, +1 ms") {
  RateTable table({10, Duration{10'000}}, start, 64);
  for (std::uint32_t left = 10; left-- > 0;) {
    const RateVerdict verdict = table.take(7, start);
    CHECK(verdict.allowed);
    CHECK(verdict.remaining == left);
  }
  const RateVerdict refused = table.take(7, start);
  CHECK_FALSE(refused.allowed);
  CHECK(refused.remaining == 0);
  CHECK(refused.full_in == Duration{10'000});
  CHECK(refused.retry_in >= Duration{1'000});
  CHECK(refused.retry_in <= Duration{1'001});
  CHECK_FALSE(table.take(7, start + Duration{999}).allowed);
  CHECK(table.take(7, start + Duration{1'000}).allowed);
  CHECK_FALSE(table.take(7, start + Duration{1'001}).allowed);
  CHECK(table.take(8, start).allowed);  // somebody else
}

TEST_CASE("rate table: random traffic: never more than the quota in any window after a full one, and no idle refusal") {
  std::mt19937_64 random(3);
  RateTable table({20, Duration{4'000}}, start, 64);
  std::deque<Instant> allowed;
  Instant now = start;
  double tokens = 20;
  for (int step = 0; step < 20'000; ++step) {
    const auto wait = static_cast<std::int64_t>(random() % 300);
    now += Duration{wait};
    tokens = std::min(20.0, tokens + static_cast<double>(wait) / 200.0);
    const bool expected = tokens >= 1.0 - 1e-9;
    const RateVerdict verdict = table.take(5, now);
    REQUIRE(verdict.allowed == expected);
    if (verdict.allowed) tokens -= 1;
    CHECK(static_cast<double>(verdict.remaining) <= tokens + 1e-6);
  }
}

TEST_CASE("rate table: many threads at one bucket: the quota in all, not one more") {
  RateTable table({1'000, Duration{60'000}}, start, 64);
  std::atomic<int> allowed{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1'000; ++i) allowed += table.take(9, start).allowed ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(allowed == 1'000);
}

TEST_CASE("rate table: more people than buckets: somebody is forgotten, never refused for another") {
  RateTable table({3, Duration{60'000}}, start, 16);
  for (std::uint64_t who = 1; who <= 1'000; ++who) CHECK(table.take(mix64(who), start).allowed);
}

TEST_CASE("rate limits: addresses: exempt ones are not counted, IPv6 counts by its /64, IPv4 by itself") {
  config::LimitsConfig config;
  config.address_quota = 2;
  RateLimits limits(config, 99, start);
  CHECK(limits.by_address());
  CHECK_FALSE(limits.by_user());
  for (int i = 0; i < 9; ++i) {
    const RateVerdict verdict = limits.take(address("127.0.0.1"), start);
    CHECK(verdict.allowed);
    CHECK_FALSE(verdict.counted);
  }
  CHECK(limits.take(address("2001:db8::1"), start).allowed);
  CHECK(limits.take(address("2001:db8::2"), start).allowed);
  CHECK_FALSE(limits.take(address("2001:db8::3"), start).allowed);
  CHECK(limits.take(address("2001:db8:0:1::3"), start).allowed);
  CHECK(limits.take(address("192.0.2.1"), start).allowed);
  CHECK(limits.take(address("192.0.2.1"), start).allowed);
  CHECK_FALSE(limits.take(address("192.0.2.1"), start).allowed);
  CHECK(limits.take(address("192.0.2.2"), start).allowed);
}

TEST_CASE("rate limits: header lines: policy and state, of the user and of the address") {
  config::LimitsConfig config;
  config.address_quota = 5;
  config.user_quota = 2;
  config.user_window = Duration{10'000};
  RateLimits limits(config, 1, start);
  std::string lines;
  limits.append_fields(lines, true, limits.take(static_cast<UserNumber>(4), start));
  CHECK(lines == "RateLimit-Policy: \"user\";q=2;w=10\r\nRateLimit: \"user\";r=1;t=5\r\n");
  lines.clear();
  limits.append_fields(lines, false, limits.take(address("192.0.2.1"), start));
  CHECK(lines == "RateLimit-Policy: \"address\";q=5;w=60\r\nRateLimit: \"address\";r=4;t=12\r\n");
}
