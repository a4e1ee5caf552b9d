#include "server/api/work_gate.hpp"

#include <doctest/doctest.h>

using namespace usher;
using namespace usher::server::api;

namespace {

const Instant start = instant_from_ms(1'000'000);

int admitted(WorkGate& gate, Work work, Instant now, int tries) {
  int count = 0;
  for (int i = 0; i < tries; ++i) count += gate.admit(work, now, 0) ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("work gate: by depth: looking is given up at half of what selling may fill") {
  WorkGate gate({.waiting_max = 1'000, .waiting_min = 1'000});
  CHECK(gate.admit(Work::looking, start, 500));
  CHECK_FALSE(gate.admit(Work::looking, start, 501));
  CHECK(gate.admit(Work::selling, start, 1'000));
  CHECK_FALSE(gate.admit(Work::selling, start, 1'001));
  CHECK(gate.admit(Work::free, start, 100'000));
}

TEST_CASE("work gate: by age: only where many wait, and over when they do not") {
  WorkGate gate({.waiting_max = 10'000, .waiting_min = 100, .age_max = Duration{200}});
  gate.note_age(200'000);
  CHECK(gate.admit(Work::selling, start, 101));
  CHECK_FALSE(gate.admit(Work::looking, start, 101));
  gate.note_age(200'001);
  CHECK_FALSE(gate.admit(Work::selling, start, 101));
  CHECK(gate.admit(Work::selling, start, 100));
  gate.note_age(1'000);
  CHECK(gate.admit(Work::selling, start, 101));
}

TEST_CASE("work gate: by rate: what the limit gives, and a tenth of a second at once") {
  WorkGate gate({.per_second = 1'000});
  CHECK(admitted(gate, Work::selling, start, 500) == 100);
  CHECK(admitted(gate, Work::selling, start, 500) == 0);
  CHECK(admitted(gate, Work::selling, start + Duration{10}, 500) == 10);
  CHECK(admitted(gate, Work::selling, start + Duration{10'000}, 500) == 100);
}

TEST_CASE("work gate: by rate: the last half of the bucket is for selling") {
  WorkGate gate({.per_second = 1'000});
  CHECK(admitted(gate, Work::looking, start, 500) == 51);
  CHECK(admitted(gate, Work::selling, start, 500) == 49);
}

TEST_CASE("work gate: three times the rate it takes: the goodput stays that of the rate") {
  WorkGate gate({.per_second = 500});
  int taken = 0;
  for (int ms = 0; ms < 10'000; ++ms) {
    const int asked = ms % 2 == 0 ? 2 : 1;  // 1,500 a second
    taken += admitted(gate, Work::selling, start + Duration{ms}, asked);
  }
  CHECK(taken >= 5'000);
  CHECK(taken <= 5'050);
}
