#include "server/relay/server_clock.hpp"

#include <doctest/doctest.h>

using namespace usher;
using usher::server::relay::ServerClock;

TEST_CASE("server clock: one message: time goes on from what it said") {
  ServerClock clock;
  clock.hear(instant_from_ms(1'000'000), 500);
  CHECK(clock.at(500) == instant_from_ms(1'000'000));
  CHECK(clock.at(1'700) == instant_from_ms(1'001'200));
}

TEST_CASE("server clock: a message that was longer on its way: changes nothing") {
  ServerClock clock;
  clock.hear(instant_from_ms(1'000'000), 500);
  clock.hear(instant_from_ms(1'000'100), 640);  // 40 ms later than the first one
  CHECK(clock.at(700) == instant_from_ms(1'000'200));
}

TEST_CASE(
    "server clock: a message that was quicker: is believed, also the first one before the monotonic clock's zero") {
  ServerClock clock;
  clock.hear(instant_from_ms(1'000), 900'000);  // a server whose clock lies far behind
  clock.hear(instant_from_ms(1'150), 900'100);
  CHECK(clock.at(900'100) == instant_from_ms(1'150));
}

TEST_CASE("server clock: a server that is slewed back: is followed, 1 ms a second") {
  ServerClock clock;
  clock.hear(instant_from_ms(1'000'000), 0);
  clock.hear(instant_from_ms(1'009'996), 10'000);  // 4 ms slow after 10 s: within what has been given up
  CHECK(clock.at(10'000) == instant_from_ms(1'009'996));
  clock.hear(instant_from_ms(1'010'990), 11'000);  // 10 ms slow after another one: not so soon
  CHECK(clock.at(11'000) == instant_from_ms(1'010'996));
}
