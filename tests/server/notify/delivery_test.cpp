#include "server/notify/delivery.hpp"

#include <doctest/doctest.h>

using namespace usher;
using namespace usher::server::notify;

TEST_CASE("delivery: a row: is read back, and not when it is damaged") {
  Delivery delivery;
  delivery.id = "mail-3-17-0-booked";
  delivery.kind = "booked";
  delivery.target = "https://example.org/hook";
  delivery.body = R"({"a":1})";
  delivery.show = static_cast<ShowNumber>(7);
  delivery.sequence = 5;
  delivery.number = 1;
  delivery.due = instant_from_ms(1'795'500'000'000);
  delivery.attempts = 3;
  delivery.dead = true;
  delivery.error = "answered 500";
  const SideWrite row = to_row(delivery);
  CHECK(row.key == "dmail-3-17-0-booked");
  const auto read = from_row(row.key, row.value);
  REQUIRE(read);
  CHECK(read->id == delivery.id);
  CHECK(read->body == delivery.body);
  CHECK(read->due == delivery.due);
  CHECK(read->attempts == 3);
  CHECK(read->dead);
  CHECK(read->error == delivery.error);
  for (std::size_t cut = 0; cut < row.value.size(); ++cut) CHECK_FALSE(from_row(row.key, row.value.substr(0, cut)));
}
