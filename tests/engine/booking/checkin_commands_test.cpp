#include <doctest/doctest.h>

#include "tests/support/show_script.hpp"

using namespace usher;
using namespace usher::testing;

TEST_CASE("check_in: a ticket: lets in once, and says by which gate and when") {
  CHECK(run_script(R"(
show S1 seats 10 now 0
reserve R1 U1 {1,2}       -> reserved
book R1                   -> booked
scan R1 0 at 5000 gate A  -> valid A at 5000
scan R1 0 at 6000 gate B  -> already_used A at 5000
scan R1 1 at 6000 gate B  -> valid B at 6000
seats S1                  -> B:1,2 F:rest
)") == "");
}

TEST_CASE("check_in: what is not to be let in: is told in the order of the codes") {
  CHECK(run_script(R"(
show S1 seats 10 now 0
reserve R1 U1 {1,2}           -> reserved
scan R1 0                     -> cancelled
book R1                       -> booked
scan R1 0 forged              -> cancelled
scan R1 0 early               -> too_early
scan R1 0 late                -> too_late
cancel R1 {1}                 -> booked 100% 1000
scan R1 0 early               -> cancelled
scan R1 1 at 5000             -> valid G1 at 5000
scan R1 1 at 6000 late        -> already_used G1 at 5000
)") == "");
}

TEST_CASE("check_in: the same scan twice: has the same answer, and is one use") {
  CHECK(run_script(R"(
show S1 seats 10 now 0
reserve R1 U1 {1}             -> reserved
book R1                       -> booked
scan R1 0 at 5000 nonce 7     -> valid G1 at 5000
scan R1 0 at 5000 nonce 7     -> valid G1 at 5000 again
scan R1 0 at 5000 nonce 8     -> already_used G1 at 5000
)") == "");
}

TEST_CASE("check_in: the same scan twice: neither answer leaves before the entry is durable") {
  ShowScript run;
  CHECK(run.run(R"(
show S1 seats 10 now 0
reserve R1 U1 {1}             -> reserved
book R1                       -> booked
scan R1 0 at 5000 nonce 7     -> valid G1 at 5000
scan R1 0 at 5000 nonce 7     -> valid G1 at 5000 again
)") == "");
  CHECK(run.last_reply().lsn == run.world().lane->last_lsn(0));
}

TEST_CASE("check_in: scans made offline: the earliest counts, in whatever order they arrive") {
  CHECK(run_script(R"(
show S1 seats 10 now 0
reserve R1 U1 {1}                    -> reserved
book R1                              -> booked
scan R1 0 at 7000 gate B nonce 2     -> valid B at 7000
scan R1 0 at 5000 gate A nonce 1     -> valid A at 5000 first
scan R1 0 at 7000 gate B nonce 2     -> already_used A at 5000
scan R1 0 at 6000 gate C nonce 3     -> already_used A at 5000
scan R1 0 at 5000 gate A nonce 1     -> valid A at 5000 again
)") == "");
}

TEST_CASE("check_in: who leaves: may come back, and not twice") {
  CHECK(run_script(R"(
show S1 seats 10 now 0
reserve R1 U1 {1}                    -> reserved
book R1                              -> booked
scan R1 0 at 5000 gate A             -> valid A at 5000
scan R1 0 at 6000 gate A out         -> valid A at 6000
scan R1 0 at 6500 gate A out         -> already_used A at 6000
scan R1 0 at 7000 gate B             -> valid B at 7000
scan R1 0 at 7500 gate B             -> already_used B at 7000
)") == "");
}

TEST_CASE("check_in: an exit that arrives before its entry: is kept") {
  CHECK(run_script(R"(
show S1 seats 10 now 0
reserve R1 U1 {1}                    -> reserved
book R1                              -> booked
scan R1 0 at 6000 gate A out         -> valid A at 6000
scan R1 0 at 5000 gate A             -> valid A at 5000
scan R1 0 at 7000 gate B             -> valid B at 7000
)") == "");
}

TEST_CASE("check_in: a used ticket: is not cancelled by its owner, but refunded with its show") {
  CHECK(run_script(R"(
show S1 seats 10 now 0
reserve R1 U1 {1,2}                  -> reserved
book R1                              -> booked
scan R1 0 at 5000                    -> valid G1 at 5000
cancel R1                            -> ticket_used
cancel R1 {2}                        -> booked 100% 1000
cancel_show S1                       -> done
tick 1
scan R1 0                            -> cancelled
)") == "");
}

TEST_CASE("check_in: uses and cancellations: are the same after replay and after a checkpoint") {
  ShowScript run;
  CHECK(run.run(R"(
show S1 seats 10 now 0
reserve R1 U1 {1,2,3}                -> reserved
book R1                              -> booked
scan R1 0 at 5000 gate A             -> valid A at 5000
scan R1 1 at 6000 gate B out         -> valid B at 6000
cancel R1 {3} key 1                  -> booked 100% 1000
cancel R1 {3} key 1                  -> booked 100% 1000 again
)") == "");
  TestShard& world = run.world();
  CHECK(engine::check_invariants(world.state()).empty());
  CHECK(replay_differs(world.state(), {}, world.log.records(0)) == "");
  std::vector<CheckpointRow> rows;
  (void)world.shard.begin_checkpoint();
  while (world.shard.collect_rows(1 << 20, rows)) {
  }
  CHECK(replay_differs(world.state(), {}, {}, rows) == "");
  std::vector<Uuid> tickets;
  const Lsn end = world.lane->last_lsn(0);
  CHECK(world.shard.revoked_since(0, end, 100, tickets) == end);
  CHECK(tickets.size() == 1);
  CHECK(world.shard.revoked_since(end, end, 100, tickets) == end);
  CHECK(tickets.size() == 1);
}
