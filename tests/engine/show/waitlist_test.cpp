#include "engine/show/waitlist.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>

#include "engine/show/best_available.hpp"
#include "tests/support/show_script.hpp"
#include "tests/support/workload.hpp"

using namespace usher;
using namespace usher::engine;
using namespace usher::testing;

TEST_CASE("waitlist: two wait, seats expire: the first party gets them in the same record, with its own clock") {
  CHECK(run_script(R"(
show S1 seats 4 now 0 ttl 1000 cooldown 300000
reserve R1 U1 {0,1,2,3}    -> reserved
wait U2 2                  -> waiting 0
wait U3 2                  -> waiting 1
wait U2 2                  -> waiting 0
now 1000
reserve R4 U4 {0,1}        -> seats_unavailable {0,1}
waiting U2                 -> reserved {0,1} until 2000
waiting U3                 -> reserved {2,3} until 2000
seats S1                   -> R:0,1,2,3 F:rest
book RU2                   -> booked
now 2000
waiting U3                 -> not_on_waitlist
seats S1                   -> B:0,1 F:rest
tick 2016
reserve R5 U3 {2}          -> reserved
)") == "");  // U3 let it lapse and has no cool-down
}

TEST_CASE("waitlist: release, cancel and unblock hand over; a party that does not fit lets the next one go first") {
  CHECK(run_script(R"(
show S1 seats 6 now 0 limit 1
reserve R1 U1 {0,1}        -> reserved
reserve R2 U2 {2}          -> reserved
book R2                    -> booked
block S1 {3,4,5}           -> done
wait U3 3                  -> waiting 0
wait U4 1                  -> waiting 1
wait U5 2                  -> waiting 2
cancel R2                  -> cancelled 100% 1000
waiting U4                 -> reserved {2} until 600000
waiting U3                 -> waiting 0
release R1                 -> released
waiting U5                 -> reserved {0,1} until 600000
unblock S1 {3,4,5}         -> done
waiting U3                 -> reserved {3,4,5} until 600000
seats S1                   -> R:0,1,2,3,4,5 F:rest
)") == "");
}

TEST_CASE("waitlist: who may not reserve is passed over and keeps the place; who leaves is forgotten") {
  CHECK(run_script(R"(
show S1 seats 3 now 0 limit 1
reserve R1 U1 {0}          -> reserved
reserve R2 U2 {1}          -> reserved
reserve R3 U3 {2}          -> reserved
wait U1 1                  -> reservation_limit
wait U4 4                  -> waiting 0
wait U5 1                  -> waiting 1
wait U6 1                  -> waiting 2
unwait U5                  -> left
unwait U5                  -> not_on_waitlist
release R1                 -> released
waiting U6                 -> reserved {0} until 600000
waiting U4                 -> waiting 0
cancel_show S1             -> done
waiting U4                 -> not_on_waitlist
wait U7 1                  -> show_cancelled
)") == "");
}

TEST_CASE("waitlist: an idempotent release that hands over: said again it is still a release") {
  CHECK(run_script(R"(
show S1 seats 1 now 0
reserve R1 U1 {0}          -> reserved
wait U2 1                  -> waiting 0
release R1 key 5           -> released
release R1 key 5           -> released again
waiting U2                 -> reserved {0} until 600000
)") == "");
}

TEST_CASE("waitlist: the 1,001st party: is told that the list is full") {
  TestShard world;
  (void)world.open(static_cast<ShowNumber>(1), rectangle(1, 1), usual_terms(world.intern(rectangle(1, 1))), {});
  Command command;
  command.show = static_cast<ShowNumber>(1);
  command.type = CommandType::reserve;
  command.user = static_cast<UserNumber>(1);
  command.seat_count = 1;
  REQUIRE(world.execute(command, {}).refusal == Refusal::none);
  command.type = CommandType::join_waitlist;
  for (std::uint64_t user = 2; user < 1'002; ++user) {
    command.user = static_cast<UserNumber>(user);
    REQUIRE(world.execute(command, {}).refusal == Refusal::none);
  }
  command.user = static_cast<UserNumber>(5'000);
  CHECK(world.execute(command, {}).refusal == Refusal::waitlist_full);
}

TEST_CASE("waitlist: random histories: no record leaves a seat free that the first fitting party could have") {
  std::uint64_t handed = 0;
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    CAPTURE(seed);
    Workload work(seed * 977);
    for (int step = 0; step < 2'500; ++step) REQUIRE(work.step() == "");
    work.world.commit();
    // every record that frees seats while somebody waits: afterwards no party fits that may reserve
    SharedTables shared;
    Shard copy(0, shared, {});
    for (const Record& record : work.world.log.records(0)) {
      REQUIRE(copy.replay(record).ok());
      bool freed = false;
      for (const Event& event : record.events) {
        freed = freed || frees_seats(event.type);
        handed += event.type == EventType::reserved && event.code == 1 ? 1U : 0U;
      }
      const SlabIndex show = copy.state().find_show(record.show);
      const auto list = copy.state().waitlists.find(show);
      if (!freed || list == copy.state().waitlists.end() || record.now >= copy.state().shows[show].start) continue;
      for (const Party& party : list->second.parties) {
        const SlabIndex user = copy.state().find_user(show, party.user);
        const std::uint8_t live_max = copy.state().shows[show].terms->policy.reservations_per_user_and_show;
        const bool barred = user != 0 && (copy.state().users[user].cooldown_until > record.now ||
                                          (live_max != 0 && copy.state().users[user].live >= live_max));
        if (barred) continue;
        SeatWish wish{party.seat_count, std::nullopt, false};
        if (party.seat_type != 0) wish.type = static_cast<SeatType>(party.seat_type - 1);
        CHECK(best_available(*copy.state().shows[show].layout, copy.state().planes(copy.state().shows[show]), wish)
                  .count == 0);
      }
    }
  }
  CHECK(handed > 50);
}

TEST_CASE("guard: a show with a waiting room: only an admission of that room, not over yet, reserves") {
  CHECK(run_script(R"(
show S1 seats 10 now 0
guard S1 7
reserve R1 U1 {1}                              -> admission_required
reserve R1 U1 {1} room 8 place 3 until 5000    -> admission_required
reserve R1 U1 {1} room 7 place 3 until 0       -> admission_required
reserve R1 U1 {1} room 7 place 3 until 5000    -> reserved
read R1                                        -> reserved
now 5000
best R2 U2 1 room 7 place 4 until 5000         -> admission_required
best R2 U2 1 room 7 place 4 until 5001         -> reserved {4}
unguard S1 7
reserve R3 U3 {9}                              -> reserved
)") == "");
}
