/// Idempotency keys as the show actor keeps them (DESIGN 6): the effect is remembered, a refusal is not.

#include <doctest/doctest.h>

#include "tests/support/show_script.hpp"

using namespace usher;
using namespace usher::testing;

TEST_CASE("idempotency: reserve and release: said again, and nothing happens twice") {
  CHECK(run_script(R"(
    show S1 seats 10 now 0 limit 0
    reserve R1 U1 {1} key 1 body 5 -> reserved
    reserve R1 U1 {1} key 1 body 5 -> reserved again
    reserve R1 U1 {1} key 1 body 6 -> idempotency_key_reused
    reserve R2 U2 {2} key 1 body 6 -> reserved
    best R3 U1 2 key 2 -> reserved {3,4}
    best R3 U1 2 key 2 -> reserved again
    release R1 key 3 -> released
    release R1 key 3 -> released again
    seats S1 -> R:2,3,4 F:rest
  )") == "");
}

TEST_CASE("idempotency: a refusal is decided anew") {
  CHECK(run_script(R"(
    show S1 seats 10 now 0 limit 0
    reserve R1 U1 {1} -> reserved
    reserve R2 U2 {1} key 1 -> seats_unavailable {1}
    release R1 -> released
    reserve R2 U2 {1} key 1 -> reserved
    reserve R2 U2 {1} key 1 -> reserved again
  )") == "");
}

TEST_CASE("idempotency: payment: in flight until the gateway tells, then its word is said again") {
  CHECK(run_script(R"(
    show S1 seats 10 now 0 limit 0
    reserve R1 U1 {1} -> reserved
    pay R1 key 1 body 1 -> paying
    pay R1 key 1 body 1 -> idempotency_in_flight
    pay R1 key 1 body 2 -> idempotency_key_reused
    unknown R1 -> paying
    pay R1 key 1 body 1 -> idempotency_in_flight
    declined R1 -> payment_declined insufficient_funds
    pay R1 key 1 body 1 -> payment_declined insufficient_funds again
    pay R1 key 2 body 1 -> paying
    captured R1 -> booked
    pay R1 key 2 body 1 -> booked again
    pay R1 key 1 body 1 -> payment_declined insufficient_funds again
    pay R1 key 3 body 1 -> already_booked
  )") == "");
}

TEST_CASE("idempotency: a second attempt without a key: the first one's answer stays what it was") {
  CHECK(run_script(R"(
    show S1 seats 10 now 0 limit 0
    reserve R1 U1 {1} -> reserved
    pay R1 key 1 -> paying
    declined R1 -> payment_declined insufficient_funds
    pay R1 -> paying
    captured R1 -> booked
    pay R1 key 1 -> payment_declined insufficient_funds again
  )") == "");
}

TEST_CASE("idempotency: seats lost: charged and refunded, said again as that") {
  CHECK(run_script(R"(
    show S1 seats 10 now 0 limit 0 ttl 1000 grace 500
    reserve R1 U1 {1} -> reserved
    pay R1 key 1 -> paying
    now 1500
    reserve R2 U2 {1} -> reserved
    pay R1 key 1 -> idempotency_in_flight
    captured R1 -> seats_lost
    pay R1 key 1 -> seats_lost again
  )") == "");
}

TEST_CASE("idempotency: cancel: the refund is told again, not given again") {
  CHECK(run_script(R"(
    show S1 seats 10 now 0 limit 0
    reserve R1 U1 {1,2} -> reserved
    book R1 -> booked
    cancel R1 {1} key 1 -> booked 100% 1000
    cancel R1 {1} key 1 -> booked 100% 1000 again
    cancel R1 {1} -> already_cancelled
  )") == "");
}

TEST_CASE("idempotency: 24 hours: remembered one millisecond before, forgotten at it, with the wheel or without") {
  for (const char* move : {"now", "tick"}) {
    CAPTURE(move);
    const std::string at(move);
    CHECK(
        run_script("show S1 seats 10 now 0 limit 0 abandoned 0 ttl 1000\nreserve R1 U1 {1} key 1 body 1 -> reserved\n" +
                   at + " 86399999\nreserve R1 U1 {1} key 1 body 1 -> reserved again\n" + at +
                   " 86400000\nreserve R1 U1 {1} key 1 body 2 -> reserved\n" + at +
                   " 86400500\nreserve R1 U1 {1} key 1 body 2 -> reserved again\n"
                   "reserve R1 U1 {1} key 1 body 1 -> idempotency_key_reused\n") == "");
  }
}

TEST_CASE("idempotency: a hundred keys of one user: no more until one is over") {
  std::string lines = "show S1 seats 200 now 0 limit 0 abandoned 0 ttl 1000\n";
  for (int i = 0; i < 100; ++i) {
    lines +=
        "reserve R" + std::to_string(i) + " U1 {" + std::to_string(i) + "} key " + std::to_string(i) + " -> reserved\n";
  }
  lines += "reserve R100 U1 {100} key 100 -> idempotency_keys_exhausted\n";
  lines += "reserve R0 U1 {0} key 0 -> reserved again\n";
  lines += "reserve R100 U1 {100} -> reserved\n";
  lines += "reserve R101 U2 {101} key 100 -> reserved\n";
  lines += "tick 86400000\nreserve R102 U1 {102} key 100 -> reserved\n";
  CHECK(run_script(lines) == "");
}

TEST_CASE("idempotency: a key of a payment that takes longer than a day lives until it ends") {
  CHECK(run_script(R"(
    show S1 seats 10 now 0 limit 0 ttl 1000 grace 500
    reserve R1 U1 {1} -> reserved
    pay R1 key 1 -> paying
    tick 86400000
    tick 90000000
    captured R1 -> booked
    tick 97200000
    seats S1 -> B:1 F:rest
  )") == "");
}
