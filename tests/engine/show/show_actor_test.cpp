#include "engine/show/show_actor.hpp"

#include <doctest/doctest.h>

#include "tests/support/show_script.hpp"

using namespace usher;
using namespace usher::engine;
using namespace usher::testing;

TEST_CASE("show actor: the example that teaches: reserve, conflict, book") {
  CHECK(run_script(R"(
    show S1 seats 10 now 0 ttl 1000
    reserve R1 U1 {1,2}  -> reserved
    reserve R2 U2 {2,3}  -> seats_unavailable {2}
    seats S1             -> R:1,2 F:rest
    tick 999
    book R1              -> booked
    seats S1             -> B:1,2 F:rest
    booking R1           -> booked
  )") == "");
}

TEST_CASE("show actor: reserve: all or nothing, and the taken ones are named") {
  CHECK(run_script(R"(
    show S1 seats 70 now 0
    reserve R1 U1 {0,63,64,69} -> reserved
    reserve R2 U2 {0,1,2,63,64,65,69} -> seats_unavailable {0,63,64,69}
    reserve R2 U2 {1,2,65} -> reserved
    release R1 -> released
    reserve R3 U3 {0,69} -> reserved
    seats S1 -> R:0,1,2,65,69 F:rest
  )") == "");
}

TEST_CASE("show actor: reserve: what is asked for wrongly is refused and changes nothing") {
  CHECK(run_script(R"(
    show S1 seats 10 now 0 max 3
    reserve R1 U1 -> no_seats
    reserve R1 U1 {1,2,3,4} -> too_many_seats
    reserve R1 U1 {1,1} -> duplicate_seat
    reserve R1 U1 {10} -> unknown_seat
    reserve R1 U1 {9,9,10} -> duplicate_seat
    best R1 U1 0 -> no_seats
    best R1 U1 4 -> too_many_seats
    reserve R1 U1 {1} show 2 -> unknown_show
    seats S1 -> F:rest
  )") == "");
}

TEST_CASE(
    "show actor: precedence: the show comes before the seats, the seats before the user, the user before conflict") {
  CHECK(run_script(R"(
    show S1 seats 10 now 0 max 3 start 5000 end 9000 ttl 1000
    reserve R1 U1 {1} -> reserved
    reserve R2 U1 {1,2,3,4} -> too_many_seats
    reserve R2 U1 {1} -> reservation_limit
    reserve R2 U2 {1} -> seats_unavailable {1}
    now 5000
    reserve R2 U2 {1,2,3,4} -> show_started
    now 9000
    cancel_show S1 -> show_started
    tick 9008
    reserve R2 U2 {1,2,3,4} -> show_completed
    cancel_show S1 -> show_completed
    seats S1 -> completed F:rest
  )") == "");
}

TEST_CASE("show actor: start of the show: one millisecond before it sells, at it no more") {
  CHECK(run_script(R"(
    show S1 seats 10 now 0 start 5000 end 9000 limit 0 ttl 100000
    now 4999
    reserve R1 U1 {1} -> reserved
    now 5000
    reserve R2 U1 {2} -> show_started
    best R2 U1 2 -> show_started
    pay R1 -> show_started
    now 5001
    reserve R2 U1 {2} -> show_started
  )") == "");
}

TEST_CASE("show actor: expiry: dead at expires_at, with the wheel or without it") {
  for (const char* move : {"now", "tick"}) {
    CAPTURE(move);
    const std::string at(move);
    CHECK(run_script("show S1 seats 10 now 0 ttl 1000 abandoned 0\n"
                     "reserve R1 U1 {1,2} -> reserved\n" +
                     at + " 999\nreserve R2 U2 {2} -> seats_unavailable {2}\nread R1 -> reserved\n" + at +
                     " 1000\nreserve R2 U2 {2} -> reserved\nread R1 -> unknown_reservation\nseats S1 -> R:2 F:rest\n" +
                     at + " 1001\nbook R1 -> seats_lost\nrelease R1 -> unknown_reservation\n") == "");
    CHECK(run_script("show S1 seats 10 now 0 ttl 1000\n"
                     "reserve R1 U1 {1,2} -> reserved\n" +
                     at + " 1000\nbook R1 -> reservation_expired\nseats S1 -> F:rest\n" + at +
                     " 601020\nread R1 -> unknown_reservation\n") == "");
  }
}

TEST_CASE("show actor: expiry: a command on another reservation of the show logs it too") {
  CHECK(run_script(R"(
    show S1 seats 10 now 0 ttl 1000 abandoned 0
    reserve R1 U1 {1} -> reserved
    now 500
    reserve R2 U2 {2} -> reserved
    now 1000
    read R2 -> reserved
    seats S1 -> R:2 F:rest
    now 1499
    read R2 -> reserved
    now 1500
    read R2 -> unknown_reservation
    seats S1 -> F:rest
  )") == "");
}

TEST_CASE("show actor: cooldown after abandoned: counted from the expiry, however late it is noticed") {
  CHECK(run_script(R"(
    show S1 seats 10 now 0 ttl 1000 cooldown 500
    reserve R1 U1 {1} -> reserved
    now 1400
    reserve R2 U1 {2} -> cooldown until 1500
    reserve R2 U2 {1} -> reserved
    now 1499
    reserve R3 U1 {2} -> cooldown until 1500
    now 1500
    reserve R3 U1 {2} -> reserved
    tick 9000
    reserve R4 U1 {3} -> reserved
  )") == "");
}

TEST_CASE("show actor: cooldown after three abandoned: the third counts; a release does not") {
  CHECK(run_script(R"(
    show S1 seats 10 now 0 ttl 1000 cooldown 5000 abandoned 3
    reserve R1 U1 {1} -> reserved
    tick 1016
    reserve R2 U1 {1} -> reserved
    release R2 -> released
    reserve R3 U1 {1} -> reserved
    tick 3000
    reserve R4 U1 {1} -> reserved
    tick 5000
    reserve R5 U1 {1} -> cooldown until 9000
    tick 9000
    reserve R5 U1 {1} -> reserved
  )") == "");
}

TEST_CASE("show actor: cooldown after refusals: the last allowed try within a minute starts it") {
  CHECK(run_script(R"(
    show S1 seats 10 now 0 refusals 3 cooldown 500
    reserve R1 U1 {1} -> reserved
    reserve R2 U2 {1} -> seats_unavailable {1}
    now 59999
    reserve R2 U2 {1} -> seats_unavailable {1}
    now 60000
    reserve R2 U2 {1} -> seats_unavailable {1}
    best R2 U2 10 -> no_adjacent_seats
    reserve R2 U2 {2} -> reserved
    release R2 -> released
    reserve R2 U2 {1} -> seats_unavailable {1}
    reserve R2 U2 {2} -> cooldown until 60500
    now 60500
    reserve R2 U2 {2} -> reserved
  )") == "");
}

TEST_CASE("show actor: reservation limit: live ones count, ended ones do not, none is none") {
  CHECK(run_script(R"(
    show S1 seats 10 now 0 limit 2 ttl 1000 abandoned 0
    show S2 seats 10 now 0 limit 0
    reserve R1 U1 {1} -> reserved
    reserve R2 U1 {2} -> reserved
    reserve R3 U1 {3} -> reservation_limit
    release R1 -> released
    reserve R3 U1 {3} -> reserved
    book R2 -> booked
    reserve R4 U1 {4} -> reserved
    pay R4 -> paying
    reserve R5 U1 {5} -> reservation_limit
    reserve R6 U1 {1} show 2 -> reserved
    reserve R7 U1 {2} show 2 -> reserved
  )") == "");
}

TEST_CASE("show actor: no limit: one user with 300 live reservations loses none") {
  ShowScript script;
  CHECK(script.run("show S1 seats 400 now 0 limit 0 ttl 100000 abandoned 0\n") == "");
  std::string lines;
  for (int i = 0; i < 300; ++i)
    lines += "reserve R" + std::to_string(i) + " U1 {" + std::to_string(i) + "} -> reserved\n";
  for (int i = 0; i < 299; ++i) lines += "release R" + std::to_string(i) + " -> released\n";
  lines += "seats S1 -> R:299 F:rest\ntick 100000\nseats S1 -> F:rest\n";
  CHECK(script.run(lines) == "");
}

TEST_CASE("show actor: whose it is: others are refused, a guess is unknown, staff may") {
  CHECK(run_script(R"(
    show S1 seats 10 now 0 limit 0
    reserve R1 U1 {1} -> reserved
    read R1 by U2 -> not_owner
    release R1 by U2 -> not_owner
    pay R1 by U2 -> not_owner
    read R1 forged -> unknown_reservation
    read R9 -> unknown_reservation
    booking R9 -> unknown_booking
    booking R1 -> unknown_booking
    read R1 by staff -> reserved
    book R1 -> booked
    booking R1 by U2 -> not_owner
    cancel R1 by U2 -> not_owner
    booking R1 by staff -> booked
    booking R1 forged -> unknown_booking
    release R1 -> already_booked
    pay R1 -> already_booked
  )") == "");
}

TEST_CASE("show actor: companion seats: only together with an accessible seat beside") {
  CHECK(run_script(R"(
    show S1 hall "SSCAC/SSSSC" now 0 limit 0
    reserve R1 U1 {2} -> companion_rule
    reserve R1 U1 {1,2} -> companion_rule
    reserve R1 U1 {2,3} -> reserved
    reserve R2 U2 {4} -> companion_rule
    reserve R3 U3 {9} -> reserved
  )") == "");
}

TEST_CASE("show actor: orphan rule: the house may forbid everybody to leave a single seat alone") {
  CHECK(run_script(R"(
    show S1 seats 5 now 0 orphan all limit 0
    show S2 seats 5 now 0 orphan best_available limit 0
    reserve R1 U1 {1,2} -> orphan_rule
    reserve R1 U1 {0,1} -> reserved
    reserve R2 U1 {3} -> orphan_rule
    reserve R2 U1 {2,3,4} -> reserved
    reserve R3 U1 {1,2} show 2 -> reserved
  )") == "");
}

TEST_CASE("show actor: best available: side by side in the middle, or in parts when asked") {
  CHECK(run_script(R"(
    show S1 seats 10 now 0 limit 0
    best R1 U1 2 -> reserved {4,5}
    best R2 U1 5 -> no_adjacent_seats
    best R2 U1 5 split -> reserved {0,1,2,3,6}
    best R3 U1 4 split -> no_adjacent_seats
    best R3 U1 3 type premium -> reserved {7,8,9}
  )") == "");
}

TEST_CASE("show actor: block: what is free only; blocked seats show as booked and come back") {
  CHECK(run_script(R"(
    show S1 seats 10 now 0
    reserve R1 U1 {1} -> reserved
    block S1 {0,1} -> seats_unavailable {1}
    block S1 {2,3} -> done
    block S1 {3,4} -> seats_unavailable {3}
    reserve R2 U2 {3} -> seats_unavailable {3}
    block S1 -> no_seats
    block S1 {10} -> unknown_seat
    seats S1 -> R:1 X:2,3 F:rest
    unblock S1 {3,4} -> done
    reserve R2 U2 {3} -> reserved
    seats S1 -> R:1,3 X:2 F:rest
    cancel_show S1 -> done
    block S1 {5} -> show_cancelled
  )") == "");
}

TEST_CASE("show actor: end of the show: sales end, bookings stay readable, a late payment books what it pinned") {
  CHECK(run_script(R"(
    show S1 seats 10 now 0 start 5000 end 9000 ttl 6000 grace 1000 limit 0 abandoned 0
    reserve R1 U1 {1} -> reserved
    book R1 -> booked
    now 4000
    reserve R2 U2 {2} -> reserved
    reserve R3 U3 {3} -> reserved
    pay R2 -> paying
    tick 8999
    seats S1 -> B:1 R:2,3 F:rest
    tick 9008
    seats S1 -> completed B:1 R:2,3 F:rest
    booking R1 -> booked
    cancel R1 -> cancellation_too_late
    captured R2 -> booked
    tick 10000
    seats S1 -> completed B:1,2 F:rest
    pay R3 -> reservation_expired
  )") == "");
  CHECK(run_script(R"(
    show S1 seats 10 now 0 start 5000 end 9000 ttl 6000 grace 1000 limit 0 abandoned 0
    reserve R1 U1 {1} -> reserved
    tick 9008
    pay R1 -> reservation_expired
    read R1 -> unknown_reservation
    seats S1 -> completed F:rest
  )") == "");
}

TEST_CASE("show actor: cancelled in bulk: more than one record's worth, payments in flight lapse and are refunded") {
  ShowScript script;
  std::string lines = "show S1 seats 400 now 0 limit 0\n";
  for (int i = 0; i < 250; ++i) {
    const std::string r = "R" + std::to_string(i);
    lines += "reserve " + r + " U" + std::to_string(i + 1) + " {" + std::to_string(i) + "} -> reserved\n";
    if (i < 230) lines += "book " + r + " -> booked\n";
  }
  lines += "pay R249 -> paying\ncancel_show S1 -> done\ncancel_show S1 -> done\n";
  CHECK(script.run(lines) == "");
  const std::size_t before = script.world().log.record_count();
  CHECK(script.run(
            "reserve R300 U300 {399} -> show_cancelled\npay R240 -> show_cancelled\ntick 100\n"
            "seats S1 -> cancelled F:rest\nbooking R7 -> cancelled\nread R240 -> unknown_reservation\n"
            "captured R249 -> seats_lost\nrefund R249 1 settled -> refunded\n"
            "refund R7 1 settled -> refunded\nbooking R7 -> refunded\nreserve R301 U301 {1} -> show_cancelled\n") ==
        "");
  CHECK(script.world().log.record_count() - before == 3 + 3);  // 249 cancellations in 100 each, three answers
}

TEST_CASE("show actor: sequence numbers: they wrap and skip what is in use") {
  TestShard world;
  engine::ShowTerms terms = usual_terms(world.intern(rectangle(1, 10)));
  terms.policy.reservations_per_user_and_show = 0;
  REQUIRE(world.open(static_cast<ShowNumber>(1), rectangle(1, 10), terms, {}));
  Record record;  // as if 16,777,214 reservations had come and gone
  record.shard = 0;
  record.show = static_cast<ShowNumber>(1);
  record.lsn = 100;
  record.seats = {0, 1};
  Event event{};
  event.type = EventType::reserved;
  event.seat_count = 1;
  event.user = static_cast<UserNumber>(5);
  event.at = instant_from_ms(600'000);
  event.sequence = 0;
  record.events.push_back(event);
  event.sequence = limits::sequence_max - 1;
  event.seat_first = 1;
  record.events.push_back(event);
  REQUIRE(world.shard.replay(record).ok());
  Command command;
  command.type = CommandType::reserve;
  command.show = static_cast<ShowNumber>(1);
  command.user = static_cast<UserNumber>(5);
  command.seat_count = 1;
  command.seats[0] = 2;
  CHECK(world.execute(command, {}).sequence == limits::sequence_max);
  command.seats[0] = 3;
  CHECK(world.execute(command, {}).sequence == 1);
  CHECK(check_invariants(world.state()).empty());
}
