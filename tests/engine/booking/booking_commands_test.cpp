/// Payment, booking, cancellation and refund, as text tables (see show_script.hpp).

#include <doctest/doctest.h>

#include "tests/support/show_script.hpp"

using namespace usher;
using namespace usher::testing;

TEST_CASE("payment: declined: the reservation lives on and another card books it") {
  CHECK(run_script(R"(
    show S1 seats 10 now 0 ttl 1000 grace 500
    reserve R1 U1 {1,2} -> reserved
    pay R1 -> paying
    pay R1 -> payment_in_flight
    release R1 -> payment_in_flight
    declined R1 -> payment_declined insufficient_funds
    read R1 -> reserved
    declined R1 -> payment_declined insufficient_funds
    book R1 -> booked
    captured R1 -> booked
    seats S1 -> B:1,2 F:rest
  )") == "");
}

TEST_CASE("payment: declined: the timer runs on, and a command at the old expiry finds the reservation dead") {
  CHECK(run_script(R"(
    show S1 seats 10 now 0 ttl 1000 grace 500 limit 0 abandoned 0
    reserve R0 U1 {0} -> reserved
    now 400
    reserve R1 U1 {1} -> reserved
    pay R1 -> paying
    now 1000
    read R0 -> unknown_reservation
    declined R1 -> payment_declined insufficient_funds
    now 1399
    reserve R2 U2 {1} -> seats_unavailable {1}
    now 1400
    reserve R2 U2 {1} -> reserved
  )") == "");
  CHECK(run_script(R"(
    show S1 seats 10 now 0 ttl 1000 grace 500
    reserve R1 U1 {1} -> reserved
    pay R1 -> paying
    now 1000
    declined R1 -> payment_declined insufficient_funds
    seats S1 -> F:rest
    pay R1 -> reservation_expired
  )") == "");
}

TEST_CASE("payment: grace: pins the seats to the millisecond, with the wheel or without it") {
  for (const char* move : {"now", "tick"}) {
    CAPTURE(move);
    const std::string at(move);
    CHECK(run_script("show S1 seats 10 now 0 ttl 1000 grace 500\nreserve R1 U1 {1} -> reserved\npay R1 -> paying\n" +
                     at + " 1000\nreserve R2 U2 {1} -> seats_unavailable {1}\n" + at +
                     " 1499\nreserve R2 U2 {1} -> seats_unavailable {1}\ncaptured R1 -> booked\n") == "");
    CHECK(
        run_script("show S1 seats 10 now 0 ttl 1000 grace 500\nreserve R1 U1 {1} -> reserved\npay R1 -> paying\n" + at +
                   " 1500\nreserve R2 U2 {1} -> reserved\ncaptured R1 -> seats_lost\nseats S1 -> R:1 F:rest\n") == "");
  }
}

TEST_CASE("payment: late success: books when all seats are free, else all of it is owed back") {
  CHECK(run_script(R"(
    show S1 seats 10 now 0 ttl 1000 grace 500 limit 0
    reserve R1 U1 {1,2} -> reserved
    reserve R2 U2 {3,4} -> reserved
    pay R1 -> paying
    pay R2 -> paying
    tick 2000
    seats S1 -> F:rest
    read R1 -> unknown_reservation
    pay R1 -> reservation_expired
    reserve R3 U3 {4} -> reserved
    captured R1 -> booked
    captured R1 -> booked
    captured R2 -> seats_lost
    booking R1 -> booked
    booking R2 -> unknown_booking
    seats S1 -> B:1,2 R:4 F:rest
    refund R2 2 settled -> unknown_booking
    refund R2 1 failed -> cancelled
    refund R2 1 settled -> refunded
    refund R2 1 failed -> refunded
  )") == "");
}

TEST_CASE("payment: unknown: the seats stay pinned for the grace, then the word may come late") {
  CHECK(run_script(R"(
    show S1 seats 10 now 0 ttl 1000 grace 500
    reserve R1 U1 {1} -> reserved
    pay R1 -> paying
    unknown R1 -> paying
    now 1500
    unknown R1 -> lapsed
    declined R1 -> payment_declined insufficient_funds
    read R1 -> unknown_reservation
    seats S1 -> F:rest
  )") == "");
}

TEST_CASE("payment: the word on an older attempt changes nothing") {
  CHECK(run_script(R"(
    show S1 seats 10 now 0
    reserve R1 U1 {1} -> reserved
    pay R1 -> paying
    declined R1 -> payment_declined insufficient_funds
    pay R1 -> paying
    declined R1 attempt 1 -> payment_declined insufficient_funds
    captured R1 attempt 1 -> paying
    read R1 -> paying
    captured R1 attempt 2 -> booked
    captured R9 -> unknown_reservation
  )") == "");
}

TEST_CASE("payment: more attempts than can be counted are declined, not asserted") {
  ShowScript script;
  std::string lines = "show S1 seats 10 now 0\nreserve R1 U1 {1} -> reserved\n";
  CHECK(script.run(lines) == "");
  TestShard& world = script.world();
  Command pay;
  pay.type = CommandType::start_payment;
  pay.show = static_cast<ShowNumber>(1);
  pay.user = static_cast<UserNumber>(1);
  world.state().reservations.for_each([&](const engine::Reservation& r) { pay.id_random = r.random; });
  Command decline = pay;
  decline.type = CommandType::finish_payment;
  decline.payment = PaymentOutcome::declined;
  decline.staff = true;
  for (std::uint32_t attempt = 1; attempt <= 0xffff; ++attempt) {
    if (world.execute(pay, {}).refusal != Refusal::none) FAIL("attempt " << attempt);
    decline.attempt = attempt;
    (void)world.execute(decline, {});
  }
  CHECK(world.execute(pay, {}).refusal == Refusal::payment_declined);
}

TEST_CASE("cancel: whole, in part, and a preview that changes nothing") {
  CHECK(run_script(R"(
    show S1 hall "SSPPSS" now 0 price 1000 premium 1501 start 100000000 end 110000000
    reserve R1 U1 {1,2,3} -> reserved
    book R1 -> booked
    preview R1 -> booked 100% 4002
    preview R1 {2} -> booked 100% 1501
    now 20000000
    cancel R1 {2} -> booked 50% 751
    cancel R1 {2,3} -> already_cancelled
    cancel R1 {0} -> unknown_seat_in_booking
    preview R1 -> booked 50% 1251
    seats S1 -> B:1,3 F:rest
    cancel R1 -> cancelled 50% 1251
    seats S1 -> F:rest
    cancel R1 -> already_cancelled
    refund R1 2 settled -> cancelled
    refund R1 1 settled -> refunded
    reserve R2 U2 {2} -> reserved
  )") == "");
}

TEST_CASE("cancel: the tiers: to the millisecond at 24 h and at 2 h") {
  // the show starts at 100,000,000; 24 h before is 13,600,000, 2 h before is 92,800,000
  CHECK(run_script(R"(
    show S1 seats 10 now 0 start 100000000 end 110000000
    reserve R1 U1 {1} -> reserved
    book R1 -> booked
    now 13599999
    preview R1 -> booked 100% 1000
    now 13600000
    preview R1 -> booked 50% 500
    now 13600001
    preview R1 -> booked 50% 500
    now 92799999
    preview R1 -> booked 50% 500
    now 92800000
    preview R1 -> booked 50% 500
    now 92800001
    preview R1 -> cancellation_too_late
    cancel R1 -> cancellation_too_late
    cancel R1 by staff -> cancellation_too_late
  )") == "");
}

TEST_CASE("cancel: a refund of nothing is settled at once") {
  CHECK(run_script(R"(
    show S1 seats 10 now 0 price 0
    reserve R1 U1 {1} -> reserved
    book R1 -> booked
    cancel R1 -> refunded 100% 0
    booking R1 -> refunded
  )") == "");
}
