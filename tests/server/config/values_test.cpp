#include "server/config/values.hpp"

#include <doctest/doctest.h>

using namespace usher;
using namespace usher::server::config;
using namespace std::chrono_literals;

TEST_CASE("duration: what people write: is what they mean") {
  CHECK(parse_duration("10m") == Duration{10min});
  CHECK(parse_duration("500ms") == 500ms);
  CHECK(parse_duration("1h30m") == Duration{90min});
  CHECK(parse_duration("7d") == Duration{7 * 24h});
  CHECK(parse_duration("0") == 0ms);
  CHECK(parse_duration("0s") == 0ms);
}

TEST_CASE("duration: no unit, wrong order, sign or overflow: nothing") {
  for (const char* text : {"", "10", "m", "10x", "-1s", "1.5s", "1s1m", "1s1s", " 1s", "1s ", "99999999999999999999s",
                           "3651d", "9223372036854775807d"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_duration(text).has_value());
  }
  CHECK(parse_duration("3650d").has_value());
}

TEST_CASE("duration and size: formatted: parse to the same value") {
  for (const std::int64_t ms : {0LL, 1LL, 999LL, 1'000LL, 61'001LL, 5'400'000LL, 86'400'001LL}) {
    CHECK(parse_duration(format_duration(Duration{ms})) == Duration{ms});
  }
  for (const std::uint64_t bytes :
       {0ULL, 1ULL, 1'023ULL, 1'024ULL, 1'000ULL, 1ULL << 30U, (1ULL << 30U) + 1, 5'000'000ULL}) {
    CHECK(parse_size(format_size(bytes)) == bytes);
  }
  CHECK(format_size(1ULL << 30U) == "1GiB");
  CHECK(format_duration(Duration{90min}) == "1h30m");
}

TEST_CASE("size: units and limits: powers of 1024 and 1000, 63 bits") {
  CHECK(parse_size("1GiB") == 1'073'741'824U);
  CHECK(parse_size("2MB") == 2'000'000U);
  CHECK(parse_size("17") == 17U);
  CHECK(parse_size("9223372036854775807") == 9'223'372'036'854'775'807U);
  for (const char* text : {"", "GiB", "1gib", "-1", "1.5GiB", "9223372036854775808", "8388608TiB"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_size(text).has_value());
  }
}

TEST_CASE("integer and fraction: the whole text counts: nothing for a rest, a sign or more than fits") {
  CHECK(parse_integer("0") == 0U);
  for (const char* text : {"", "+1", "-1", "1 ", "0x1", "18446744073709551616"})
    CHECK_FALSE(parse_integer(text).has_value());
  CHECK(parse_fraction("0.25") == 0.25);
  CHECK(parse_fraction("1") == 1.0);
  for (const char* text : {"", "1.01", "-0.1", "nan", "0.5x"}) CHECK_FALSE(parse_fraction(text).has_value());
}

TEST_CASE("refund tier: bound, inclusive or not, and percent: read and written back") {
  const auto over = parse_refund_tier(">24h:100");
  REQUIRE(over.has_value());
  CHECK(*over == RefundTier{24h, false, 100});
  const auto from = parse_refund_tier(">=2h:50");
  REQUIRE(from.has_value());
  CHECK(*from == RefundTier{2h, true, 50});
  CHECK(parse_refund_tier(format_refund_tier(*from)) == *from);
  for (const char* text : {"", "24h:100", ">24h", ">24h:101", ">:5", "<2h:5", ">2h:-5"}) {
    CHECK_FALSE(parse_refund_tier(text).has_value());
  }
}

TEST_CASE("address and network: both families: others are refused") {
  CHECK(is_address("127.0.0.1"));
  CHECK(is_address("::1"));
  CHECK_FALSE(is_address("localhost"));
  CHECK_FALSE(is_address("127.0.0.1/8"));
  CHECK(is_network("10.0.0.0/8"));
  CHECK(is_network("10.0.0.1"));
  CHECK(is_network("fd00::/128"));
  CHECK_FALSE(is_network("10.0.0.0/33"));
  CHECK_FALSE(is_network("fd00::/129"));
  CHECK_FALSE(is_network("10.0.0.0/"));
}

TEST_CASE("edit distance: put in, taken out, changed: one each") {
  CHECK(edit_distance("", "") == 0);
  CHECK(edit_distance("http.port", "http.prot") == 2);
  CHECK(edit_distance("http.port", "htp.port") == 1);
  CHECK(edit_distance("abc", "") == 3);
  CHECK(edit_distance("kitten", "sitting") == 3);
}
