#include "server/events/lsn_cursor.hpp"

#include <doctest/doctest.h>

using namespace usher;
using namespace usher::server::events;

TEST_CASE("lsn_cursor: a cursor: is read back, and only for as many shards") {
  const LsnCursor cursor{0, 1, 300, 1ULL << 60U};
  const std::string text = format_cursor(cursor);
  CHECK(parse_cursor(text, 4) == cursor);
  CHECK_FALSE(parse_cursor(text, 5));
  CHECK_FALSE(parse_cursor(text, 3));
  CHECK(parse_cursor("", 2) == LsnCursor{0, 0});
}

TEST_CASE("lsn_cursor: what is not a cursor: is refused") {
  const std::string text = format_cursor({1, 2});
  for (std::size_t cut = 1; cut < text.size(); ++cut) CHECK_FALSE(parse_cursor(text.substr(0, cut), 2));
  CHECK_FALSE(parse_cursor(text + "AA", 2));
  CHECK_FALSE(parse_cursor("hello, world", 2));
  CHECK_FALSE(parse_cursor(std::string(100'000, 'A'), 2));
}
