#include "engine/shard/outbox.hpp"

#include <doctest/doctest.h>

using namespace usher;
using namespace usher::engine;

TEST_CASE("outbox: a ring: first in, first out, full at its capacity, over many turns") {
  Outbox outbox(4);
  CHECK(outbox.empty());
  Lsn pushed = 0;
  Lsn popped = 0;
  for (int turn = 0; turn < 10; ++turn) {
    while (!outbox.full()) {
      outbox.next().lsn = ++pushed;
      outbox.keep();
    }
    CHECK(outbox.size() == 4);
    for (int i = 0; i < 3; ++i) {
      CHECK(outbox.front().lsn == ++popped);
      outbox.pop();
    }
    CHECK(outbox.size() == 1);
  }
}

TEST_CASE("outbox: an answer that is not kept: the next one is made in its place, empty") {
  Outbox outbox(2);
  outbox.next().lsn = 7;
  CHECK(outbox.empty());
  CHECK(outbox.next().lsn == 0);
}
