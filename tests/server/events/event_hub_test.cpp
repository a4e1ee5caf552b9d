#include "server/events/event_hub.hpp"

#include <doctest/doctest.h>

using namespace usher;
using usher::server::events::EventHub;

TEST_CASE("event_hub: blobs: are given from the record asked for on, and not before they are there") {
  EventHub hub(2, 1'000);
  CHECK_FALSE(hub.read(0, 0, 10));  // nothing seen: only the disk knows
  hub.add(0, 5, 3, "aaa");
  hub.add(0, 8, 1, "b");
  CHECK_FALSE(hub.read(0, 3, 10));  // 4 is older than what is here
  REQUIRE(hub.read(0, 4, 10));
  CHECK(hub.read(0, 4, 10)->size() == 2);
  CHECK(hub.read(0, 4, 1)->size() == 1);
  CHECK(hub.read(0, 6, 10)->front().first_lsn == 5);  // in the middle of a blob
  CHECK(*hub.read(0, 7, 10)->front().bytes == "b");
  CHECK(hub.read(0, 8, 10)->empty());
  CHECK(hub.last(0) == 8);
  CHECK(hub.last(1) == 0);
  CHECK_FALSE(hub.read(1, 0, 10));
  hub.add(7, 1, 1, "of no shard of the sale");
}

TEST_CASE("event_hub: too many bytes: the oldest go, whosever they are") {
  EventHub hub(2, 100);
  (void)hub.read(1, 0, 10);
  hub.add(1, 1, 1, std::string(60, 'x'));
  (void)hub.read(1, 1, 10);
  hub.add(0, 1, 1, std::string(60, 'x'));
  CHECK_FALSE(hub.read(1, 0, 10));
  CHECK(hub.read(1, 1, 10)->empty());  // who has seen it misses nothing
  CHECK(hub.read(0, 0, 10)->size() == 1);
}

TEST_CASE("event_hub: nobody reads: nothing is kept, and who comes later is sent to the disk") {
  EventHub hub(1, 100);
  hub.add(0, 1, 1, "a");
  CHECK(hub.last(0) == 1);
  CHECK_FALSE(hub.read(0, 0, 10));  // from now on somebody follows
  hub.add(0, 2, 1, "b");
  REQUIRE(hub.read(0, 1, 10));
  CHECK(hub.read(0, 1, 10)->size() == 1);
  hub.add(0, 3, 1, std::string(60, 'x'));
  hub.add(0, 4, 1, std::string(60, 'x'));  // 120 bytes unread
  hub.add(0, 5, 1, "c");
  CHECK(hub.last(0) == 5);
  CHECK(hub.read(0, 5, 10)->empty());
  CHECK_FALSE(hub.read(0, 2, 10));
  hub.add(0, 6, 1, "d");
  CHECK_FALSE(hub.read(0, 4, 10));  // there is a gap before 6
  CHECK(hub.read(0, 5, 10)->front().first_lsn == 6);
}
