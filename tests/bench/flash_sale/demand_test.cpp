#include "bench/flash_sale/demand.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace usher;
using namespace usher::flash;
using server::journal::Decision;

namespace {

DemandEvent event(std::int64_t at_ms, CommandType type, std::uint64_t reservation, std::uint32_t seats = 0,
                  std::int64_t expires_ms = 0, std::string result = "ok") {
  return {at_ms, type, std::move(result), 1, reservation, seats, expires_ms};
}

}  // namespace

TEST_CASE("weigh: a small sale: seats, refusals, the moment it is sold out, and time in vain") {
  const DemandFacts facts = weigh(
      {
          event(0, CommandType::reserve, 1, 2, 60'000),
          event(1'000, CommandType::reserve, 2, 1, 61'000),
          event(2'000, CommandType::reserve, 0, 2, 0, "seats_unavailable"),
          event(31'000, CommandType::release, 2),
          event(40'000, CommandType::finish_payment, 1, 0, 0, "payment_declined"),
          event(41'000, CommandType::finish_payment, 1),
          event(50'000, CommandType::reserve, 3, 2, 110'000),
          event(200'000, CommandType::reserve, 4, 2, 260'000),
          event(210'000, CommandType::finish_payment, 4),
      },
      {{1, 4}});
  CHECK(facts.reserves.at("ok") == 4);
  CHECK(facts.reserves.at("seats_unavailable") == 1);
  CHECK(facts.payments.at("payment_declined") == 1);
  CHECK(facts.bookings == 2);
  CHECK(facts.seats_booked == 4);
  CHECK(facts.released == 1);
  CHECK(facts.sold_out_ms.at(1) == 50'000);
  // one seat for half a minute, then two for a whole one, which expired
  CHECK(facts.seat_minutes_in_vain == doctest::Approx(0.5 + 2.0));
  CHECK(facts.last_booked_ms == 210'000);
}

TEST_CASE("weigh: seats that come back by a cancellation or an expiry: not sold out before they are taken again") {
  const DemandFacts facts = weigh(
      {
          event(0, CommandType::reserve, 1, 3, 10'000),
          event(1'000, CommandType::finish_payment, 1),
          event(2'000, CommandType::cancel, 1, 1),
          event(3'000, CommandType::reserve, 2, 1, 4'000),
          event(4'000, CommandType::reserve, 3, 1, 14'000),
          event(5'000, CommandType::reserve, 4, 1, 15'000),
      },
      {{1, 4}});
  CHECK(facts.cancelled == 1);
  CHECK(facts.sold_out_ms.at(1) == 5'000);
  CHECK(weigh({event(0, CommandType::reserve, 1, 3, 10'000)}, {{1, 4}}).sold_out_ms.empty());
}

TEST_CASE("weigh: events out of order: sorted by time first") {
  std::vector<DemandEvent> events{event(0, CommandType::reserve, 1, 2, 60'000),
                                  event(5'000, CommandType::finish_payment, 1)};
  std::reverse(events.begin(), events.end());
  CHECK(weigh(events, {}).bookings == 1);
}

TEST_CASE("recording: two loops' commands: in the order of time, repeats left out, times from the first") {
  Recording recording;
  Decision decision;
  decision.type = CommandType::reserve;
  decision.show = static_cast<ShowNumber>(5);
  decision.sequence = 2;
  decision.at = instant_from_ms(10'500);
  decision.expires = instant_from_ms(20'500);
  recording.on_decision(decision);
  decision.at = instant_from_ms(10'000);
  decision.expires = {};
  decision.refusal = Refusal::cooldown;
  recording.on_decision(decision);
  decision.replayed = true;
  recording.on_decision(decision);
  recording.on_show({static_cast<ShowNumber>(5), "five", 40, {}});
  recording.finish();
  const std::vector<DemandEvent> events = recording.events();
  REQUIRE(events.size() == 2);
  CHECK(events[0].at_ms == 0);
  CHECK(events[0].result == "cooldown");
  CHECK(events[1].at_ms == 500);
  CHECK(events[1].expires_ms == 10'500);
  CHECK(events[1].reservation == reservation_key(static_cast<ShowNumber>(5), 2));
  CHECK(recording.capacity().at(5) == 40);
}

TEST_CASE("rehearsal settings: the recorded policy, then overrides; durations at the speed, defaults too") {
  const auto settings = rehearsal_settings({{"policy.reservation_ttl", "\"5m\""},
                                            {"policy.refund_tiers", "[\">24h:100\", \">=2h:50\"]"},
                                            {"http.port", "80"},
                                            {"identity.hs256_secret", "(hidden)"}},
                                           {"policy.cooldown_after_abandoned=0", "policy.payment_grace=30s"}, 10);
  REQUIRE(settings);
  const std::vector<std::string>& list = settings.value();
  const auto has = [&list](const char* setting) { return std::find(list.begin(), list.end(), setting) != list.end(); };
  CHECK(has("policy.reservation_ttl=30000ms"));
  CHECK(has("policy.payment_grace=3000ms"));
  CHECK(has("policy.cooldown=30000ms"));
  CHECK(has("policy.refund_tiers=>24h:100, >=2h:50"));
  CHECK(has("policy.cooldown_after_abandoned=0"));
  CHECK(std::none_of(list.begin(), list.end(),
                     [](const std::string& one) { return one.starts_with("http") || one.starts_with("identity"); }));
  CHECK_FALSE(rehearsal_settings({}, {"policy.cooldown"}, 1).ok());
  CHECK_FALSE(rehearsal_settings({}, {"policy.cooldown=soon"}, 1).ok());
}

TEST_CASE("shift_starts: every start in UTC lies later by as much; others stay") {
  std::string document =
      R"({"shows":[{"start_time":"2026-12-01T18:00:00Z"},{"start_time" : "2026-12-31T23:30:00.000Z"},{"start_time":"in 3 days"}]})";
  CHECK(shift_starts(document, 3'600'000) == 2);
  CHECK(
      document ==
      R"({"shows":[{"start_time":"2026-12-01T19:00:00Z"},{"start_time" : "2027-01-01T00:30:00Z"},{"start_time":"in 3 days"}]})");
}
