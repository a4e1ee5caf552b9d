#include "usher/ids.hpp"

#include <doctest/doctest.h>

using namespace usher;

TEST_CASE("ids: an id becomes a UUIDv8 and back: nothing is lost") {
  const Id id{IdKind::booking, static_cast<ShowNumber>(0x12345678U), 0xabcdefU, 0xfedcba9876543210ULL};
  const std::string text = to_string(id);
  CHECK(text.size() == 36);
  CHECK(text[14] == '8');
  CHECK(parse_id(text, IdKind::booking) == id);
  CHECK_FALSE(parse_id(text, IdKind::reservation).has_value());
}

TEST_CASE("ids: malformed text: refused") {
  CHECK_FALSE(parse_uuid("").has_value());
  CHECK_FALSE(parse_uuid("12345678-1234-8234-8234-12345678901").has_value());
  CHECK_FALSE(parse_uuid("12345678-1234-8234-8234-12345678901g").has_value());
  CHECK_FALSE(parse_uuid("12345678x1234-8234-8234-123456789012").has_value());
  CHECK(parse_uuid("12345678-1234-8234-8234-123456789012").has_value());
  // version 4, and show 0
  CHECK_FALSE(parse_id("12345678-1234-4234-8234-123456789012", IdKind::reservation).has_value());
  CHECK_FALSE(parse_id("00000000-1234-8234-8234-123456789012", IdKind::reservation).has_value());
}

TEST_CASE("ids: tickets of one booking: all different") {
  const auto show = static_cast<ShowNumber>(7);
  CHECK(ticket_id(show, 1, 99, 0) != ticket_id(show, 1, 99, 1));
  CHECK(ticket_id(show, 1, 99, 0) == ticket_id(show, 1, 99, 0));
}
