/// Walks the refusals: each is either produced by the engine in the script beside it, or is the server's to give.

#include "usher/refusal.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "tests/support/show_script.hpp"

using namespace usher;
using namespace usher::testing;

namespace {

const std::map<Refusal, std::string> scripts{
    {Refusal::idempotency_key_reused, "reserve R1 U1 {1} key 1 body 1\nreserve R1 U1 {1} key 1 body 2"},
    {Refusal::idempotency_in_flight, "reserve R1 U1 {1}\npay R1 key 1\npay R1 key 1"},
    {Refusal::unknown_show, "reserve R1 U1 {1} show 2"},
    {Refusal::unknown_reservation, "read R1"},
    {Refusal::unknown_booking, "booking R1"},
    {Refusal::not_owner, "reserve R1 U1 {1}\nread R1 by U2"},
    {Refusal::show_cancelled, "cancel_show S1\nreserve R1 U1 {1}"},
    {Refusal::show_completed, "tick 210000016\nreserve R1 U1 {1}"},
    {Refusal::show_started, "now 200000000\nreserve R1 U1 {1}"},
    {Refusal::no_seats, "reserve R1 U1"},
    {Refusal::too_many_seats, "reserve R1 U1 {0,1,2,3,4,5,6,7,8,9,10}"},
    {Refusal::duplicate_seat, "reserve R1 U1 {1,1}"},
    {Refusal::unknown_seat, "reserve R1 U1 {99}"},
    {Refusal::cooldown, "reserve R1 U1 {1}\nnow 600000\nreserve R1 U1 {1}"},
    {Refusal::reservation_limit, "reserve R1 U1 {1}\nreserve R2 U1 {2}"},
    {Refusal::seats_unavailable, "reserve R1 U1 {1}\nreserve R2 U2 {1}"},
    {Refusal::no_adjacent_seats, "block S1 {2,5,8,10}\nbest R1 U1 3"},
    {Refusal::companion_rule, "show S3 hall \"CA\"\nreserve R1 U1 {0} show 3"},
    {Refusal::orphan_rule, "show S3 seats 5 orphan all\nreserve R1 U1 {1} show 3"},
    {Refusal::reservation_expired, "reserve R1 U1 {1}\nnow 600000\npay R1"},
    {Refusal::seats_lost, "reserve R1 U1 {1}\nnow 600000\nreserve R2 U2 {1}\npay R1"},
    {Refusal::payment_in_flight, "reserve R1 U1 {1}\npay R1\npay R1"},
    {Refusal::already_booked, "reserve R1 U1 {1}\nbook R1\npay R1"},
    {Refusal::payment_declined, "reserve R1 U1 {1}\npay R1\ndeclined R1"},
    {Refusal::already_cancelled, "reserve R1 U1 {1}\nbook R1\ncancel R1\ncancel R1"},
    {Refusal::unknown_seat_in_booking, "reserve R1 U1 {1}\nbook R1\ncancel R1 {2}"},
    {Refusal::ticket_used, "reserve R1 U1 {1}\nbook R1\nscan R1 0 at 5000\ncancel R1"},
    {Refusal::cancellation_too_late, "reserve R1 U1 {1}\nbook R1\nnow 199999999\ncancel R1"},
};

/// Given by the runner when it has too much to do (see agent_runner_test.cpp and idempotency_test.cpp), by the server's
/// gate, or only after 16 million reservations of one show (which no test makes).
const std::vector<Refusal> elsewhere{Refusal::mailbox_full,
                                     Refusal::log_behind,
                                     Refusal::disk_nearly_full,
                                     Refusal::draining,
                                     Refusal::idempotency_keys_exhausted,
                                     Refusal::show_full};

}  // namespace

TEST_CASE("refusals: every one that the engine gives: a script produces it last") {
  for (std::size_t at = 1; at < static_cast<std::size_t>(Refusal::count_); ++at) {
    const auto refusal = static_cast<Refusal>(at);
    CAPTURE(describe(refusal).code);
    const auto script = scripts.find(refusal);
    if (script == scripts.end()) {
      CHECK(std::find(elsewhere.begin(), elsewhere.end(), refusal) != elsewhere.end());
      continue;
    }
    ShowScript run;
    (void)run.run("show S1 seats 12 now 0\n" + script->second);
    REQUIRE(!run.refusals().empty());
    CHECK(run.refusals().back() == refusal);
    CHECK(run.refusals().size() == 1);
    CHECK(engine::check_invariants(run.world().state()).empty());
  }
}
