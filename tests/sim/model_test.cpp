/// The model must be able to say no: each rule with a record that breaks it.

#include "tests/sim/model.hpp"

#include <doctest/doctest.h>

#include "tests/sim/gateway.hpp"
#include "tests/sim/shrink.hpp"

using namespace usher;
using namespace usher::sim;

namespace {

struct Sale {
  Sale() : gateway(knobs, counters), model(gateway, counters) {
    Facts facts;
    facts.number = static_cast<ShowNumber>(1);
    facts.seats = "SSPS";
    facts.joined = {true, true, true, false};
    facts.price_standard = 100;
    facts.price_premium = 150;
    facts.start = instant_from_ms(1'000'000);
    facts.end = instant_from_ms(2'000'000);
    facts.policy.reservation_ttl = Duration{1'000};
    facts.policy.cooldown_after_abandoned = 0;
    model.add(facts);
    CHECK(append(0, EventType::show_opened).empty());
  }
  Record& begin(std::int64_t now_ms) {
    record.clear();
    record.lsn = model.end(0) + 1;
    record.show = static_cast<ShowNumber>(1);
    record.now = instant_from_ms(now_ms);
    record.actor = static_cast<UserNumber>(7);
    return record;
  }
  std::string append(std::int64_t now_ms, EventType type) {
    begin(now_ms).events.emplace_back().type = type;
    record.events.back().sequence = 1;
    return model.on_record(record, 0);
  }
  std::string reserve(std::int64_t now_ms, std::uint32_t sequence, SeatIndex seat, std::int64_t amount,
                      std::uint64_t user = 7) {
    begin(now_ms).actor = static_cast<UserNumber>(user);
    Event& event = record.events.emplace_back();
    event.type = EventType::reserved;
    event.sequence = sequence;
    event.user = record.actor;
    event.at = record.now + Duration{1'000};
    event.amount = amount;
    event.seat_count = 1;
    record.seats = {seat};
    return model.on_record(record, 0);
  }

  Knobs knobs;
  Counters counters;
  Gateway gateway;
  Model model;
  Record record;
};

}  // namespace

TEST_CASE("model: a seat sold twice: not allowed") {
  Sale sale;
  CHECK(sale.reserve(10, 1, 2, 150).empty());
  CHECK(sale.reserve(20, 2, 2, 150, 8).find("sold twice") != std::string::npos);
}

TEST_CASE("model: an amount that is not the price, a second of the same user: not allowed") {
  Sale sale;
  CHECK(sale.reserve(10, 1, 0, 150).find("amount") != std::string::npos);
  Sale other;
  CHECK(other.reserve(10, 1, 0, 100).empty());
  CHECK(other.reserve(11, 2, 1, 100).find("policy allows") != std::string::npos);
}

TEST_CASE("model: expiry: not before its time, and not overlooked after it") {
  Sale sale;
  CHECK(sale.reserve(10, 1, 0, 100).empty());
  CHECK(sale.append(1'009, EventType::expired).find("before its time") != std::string::npos);
  Sale late;
  CHECK(late.reserve(10, 1, 0, 100).empty());
  late.record.actor = static_cast<UserNumber>(8);
  CHECK(late.append(1'010, EventType::payment_started).find("attempts") != std::string::npos);
  Sale dead;
  CHECK(dead.reserve(10, 1, 0, 100).empty());
  Event& event = dead.begin(1'010).events.emplace_back();
  event.type = EventType::payment_started;
  event.sequence = 1;
  event.attempt = 1;
  event.at = instant_from_ms(1'010) + Policy{}.payment_grace;
  CHECK(dead.model.on_record(dead.record, 0).empty());  // it is paying now, and its grace runs
}

TEST_CASE("model: a charge that the gateway does not know of: not allowed") {
  Sale sale;
  CHECK(sale.reserve(10, 1, 0, 100).empty());
  CHECK(sale.append(20, EventType::booked).find("no payment") != std::string::npos);
}

TEST_CASE("model: numbers and time of the log: dense, and never back") {
  Sale sale;
  CHECK(sale.reserve(10, 1, 0, 100).empty());
  sale.begin(20).events.emplace_back().type = EventType::show_completed;
  ++sale.record.lsn;
  CHECK(sale.model.on_record(sale.record, 0).find("number before") != std::string::npos);
  CHECK(sale.append(9, EventType::released).find("time goes back") != std::string::npos);
}

TEST_CASE("model: a restart: what was told of must be there, the rest may be lost") {
  Sale sale;
  CHECK(sale.reserve(10, 1, 0, 100).empty());
  sale.model.reveal(0, 1);
  CHECK(sale.model.roll_back({1}).empty());
  CHECK(sale.model.now(static_cast<ShowNumber>(1))->held.empty());
  CHECK_FALSE(sale.model.roll_back({0}).empty());
}

TEST_CASE("world: the same seed twice: the same counters") {
  for (std::uint64_t seed = 3; seed < 6; ++seed) {
    const Outcome first = World(seed, {}).run();
    const Outcome second = World(seed, {}).run();
    CHECK(first.wrong == "");
    CHECK(first.counters.records == second.counters.records);
    CHECK(first.counters.answers == second.counters.answers);
    CHECK(first.counters.paths == second.counters.paths);
    CHECK(first.counters.faults == second.counters.faults);
  }
}

TEST_CASE("shrink: a failure: fewer commands, fewer faults, and it still fails") {
  Cuts cuts;
  cuts.canary = true;
  std::uint64_t seed = 1;
  while (World(seed, cuts).run().wrong.empty()) ++seed;
  const Outcome outcome = World(seed, cuts).run();
  const Shrunk small = shrink(seed, cuts, outcome);
  CHECK_FALSE(small.outcome.wrong.empty());
  CHECK(small.outcome.commands <= outcome.commands);
  CHECK(small.cuts.faults_off != 0);
  CHECK(command_line(small.cuts).find("--canary") != std::string::npos);
}

TEST_CASE("model: scans of a ticket: one entry for each exit, the earliest of a stay counts") {
  const auto at = [](std::int64_t ms) { return instant_from_ms(ms); };
  Use use;
  CHECK(scan_of(use, false, at(5), 1) == Scan::counts);
  CHECK(scan_of(use, true, at(5), 1) == Scan::counts);
  use.in_at = at(10);
  use.in_nonce = 1;
  CHECK(scan_of(use, false, at(10), 1) == Scan::repeats);
  CHECK(scan_of(use, false, at(10), 2) == Scan::refused);
  CHECK(scan_of(use, false, at(11), 2) == Scan::refused);
  CHECK(scan_of(use, false, at(9), 2) == Scan::replaces);
  CHECK(scan_of(use, true, at(9), 3) == Scan::refused);
  CHECK(scan_of(use, true, at(10), 3) == Scan::counts);
  use.out_at = at(20);
  use.out_nonce = 3;
  CHECK(scan_of(use, true, at(20), 3) == Scan::repeats);
  CHECK(scan_of(use, true, at(25), 4) == Scan::refused);
  CHECK(scan_of(use, false, at(20), 4) == Scan::refused);
  CHECK(scan_of(use, false, at(21), 4) == Scan::counts);
  use.in_at = at(30);
  CHECK(scan_of(use, false, at(20), 5) == Scan::refused);
  CHECK(scan_of(use, false, at(21), 5) == Scan::replaces);
}
