#include "engine/booking/refund_policy.hpp"

#include <doctest/doctest.h>

using namespace usher;
using namespace usher::engine;

namespace {

constexpr Instant start = instant_from_ms(1'000'000'000);

std::optional<std::uint8_t> before(Duration time) {
  return refund_percent(Policy{}, start - time, start);
}

}  // namespace

TEST_CASE("refund policy: the usual tiers: over 24 h all, 2 h to 24 h inclusive half, under 2 h nothing") {
  using std::chrono::hours;
  constexpr Duration ms{1};
  CHECK(before(hours{240}) == 100);
  CHECK(before(hours{24} + ms) == 100);
  CHECK(before(hours{24}) == 50);
  CHECK(before(hours{24} - ms) == 50);
  CHECK(before(hours{2} + ms) == 50);
  CHECK(before(hours{2}) == 50);
  CHECK(before(hours{2} - ms) == std::nullopt);
  CHECK(before(Duration{0}) == std::nullopt);
  CHECK(before(-ms) == std::nullopt);
}

TEST_CASE("refund policy: no tiers: no cancellation") {
  Policy policy;
  policy.refund_tier_count = 0;
  CHECK(refund_percent(policy, instant_from_ms(0), start) == std::nullopt);
}

TEST_CASE("refund policy: amounts: half up, whole at 100 %, large ones do not overflow") {
  CHECK(refund_amount(1'501, 50) == 751);
  CHECK(refund_amount(1'500, 50) == 750);
  CHECK(refund_amount(1, 49) == 0);
  CHECK(refund_amount(1, 50) == 1);
  CHECK(refund_amount(0, 100) == 0);
  CHECK(refund_amount(999, 0) == 0);
  CHECK(refund_amount(1'000'000'000'000'003, 100) == 1'000'000'000'000'003);
}
