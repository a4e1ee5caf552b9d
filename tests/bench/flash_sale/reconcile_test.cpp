#include "bench/flash_sale/reconcile.hpp"

#include <doctest/doctest.h>

#include <chrono>

using namespace usher;
using namespace usher::flash;

namespace {

constexpr std::int64_t now_ms = 1'796'148'000'000;
constexpr std::int64_t hour_ms = 3'600'000;

/// A small sale that went well: person 1 booked A1 and A2 and cancelled A2; person 2 released A3, which person 3 took
/// and booked; person 4 holds A4; person 5 let A5 expire.
struct World {
  Ledger ledger;
  ServerSide server;

  World() {
    reserved(1, "r1", {"A1", "A2"}, 1);
    reserved(2, "r2", {"A3"}, 2);
    ledger.push_back({.told = Told::released, .person = 2, .show = "s", .reservation = "r2"});
    reserved(3, "r3", {"A3"}, 4);
    reserved(4, "r4", {"A4"}, 5);
    reserved(5, "r5", {"A5"}, 6);
    ledger.back().until_ms = now_ms - 10'000;
    booked(1, "r1", "b1", {"A1", "A2"}, 7);
    booked(3, "r3", "b3", {"A3"}, 8);
    ledger.push_back({.told = Told::cancelled,
                      .person = 1,
                      .show = "s",
                      .reservation = "r1",
                      .booking = "b1",
                      .seats = {"A2"},
                      .amount = 751,
                      .percent = 50,
                      .lsn = 9,
                      .at_ms = now_ms - 1'000});
    MapFacts map;
    map.start_ms = now_ms + 10 * hour_ms;
    for (const char* seat : {"A1", "A2", "A3", "A4", "A5", "A6"}) map.seats[seat] = {SeatState::available, 1'501};
    server.before["s"] = map;
    map.seats["A1"].state = map.seats["A3"].state = SeatState::booked;
    map.seats["A4"].state = SeatState::reserved;
    server.after["s"] = map;
    server.bookings["b1"] = {200, "r1", "s", "confirmed", 3'002, 751, {{"A1", 1'501, true}, {"A2", 1'501, false}}};
    server.bookings["b3"] = {200, "r3", "s", "confirmed", 1'501, 0, {{"A3", 1'501, true}}};
    server.listed = {{"b1", "s"}, {"b3", "s"}};
    server.reservations = {{"r2", {404, ""}}, {"r4", {200, "reserved"}}, {"r5", {410, ""}}};
    server.now_ms = now_ms;
    server.tiers = {{std::chrono::hours{24}, false, 100}, {std::chrono::hours{2}, true, 50}};
    LogFacts log;
    log.audit_clean = true;
    log.reservations = {
        {"r1", {"s", "booked", {"A1"}}}, {"r3", {"s", "booked", {"A3"}}}, {"r4", {"s", "reserved", {"A4"}}}};
    log.shows["s"] = {3, 2};
    server.log = log;
  }

  void reserved(std::uint32_t person, const char* id, std::vector<std::string> seats, std::uint64_t lsn) {
    const auto amount = static_cast<std::int64_t>(seats.size()) * 1'501;
    ledger.push_back({.told = Told::reserved,
                      .person = person,
                      .show = "s",
                      .reservation = id,
                      .seats = std::move(seats),
                      .amount = amount,
                      .lsn = lsn,
                      .at_ms = now_ms - 60'000 + static_cast<std::int64_t>(lsn),
                      .until_ms = now_ms + 540'000});
  }
  void booked(std::uint32_t person, const char* reservation, const char* id, std::vector<std::string> seats,
              std::uint64_t lsn) {
    const auto amount = static_cast<std::int64_t>(seats.size()) * 1'501;
    ledger.push_back({.told = Told::booked,
                      .person = person,
                      .show = "s",
                      .reservation = reservation,
                      .booking = id,
                      .seats = std::move(seats),
                      .amount = amount,
                      .lsn = lsn});
  }
  [[nodiscard]] std::vector<std::string> differences() const { return reconcile(ledger, server).differences; }
  /// Whether some difference says that.
  [[nodiscard]] bool tells(std::string_view what) const {
    for (const std::string& difference : differences()) {
      if (difference.find(what) != std::string::npos) return true;
    }
    return false;
  }
};

}  // namespace

TEST_CASE("reconcile: a server that keeps its word: nothing differs, and all was looked at") {
  const World world;
  const Verdict verdict = reconcile(world.ledger, world.server);
  CHECK(verdict.differences == std::vector<std::string>{});
  CHECK(verdict.seats_checked == 6);
  CHECK(verdict.seats_sold == 2);
  CHECK(verdict.bookings_checked == 2);
  CHECK(verdict.reservations_checked == 3);
  CHECK(verdict.refunds_checked == 1);
}

TEST_CASE("reconcile: any line of the ledger that means a seat or money taken away: it is found") {
  const World whole;
  for (std::size_t at = 0; at < whole.ledger.size(); ++at) {
    // who was never told that a seat is free again, or that a hold had begun which is over, has nothing to compare
    if (whole.ledger[at].told == Told::released || whole.ledger[at].reservation == "r5" ||
        whole.ledger[at].reservation == "r2")
      continue;
    World world;
    world.ledger.erase(world.ledger.begin() + static_cast<std::ptrdiff_t>(at));
    CHECK_MESSAGE(!world.differences().empty(), to_line(whole.ledger[at]));
  }
}

TEST_CASE("reconcile: a seat promised to two at once: found, with both names") {
  World world;
  world.reserved(9, "r9", {"A1"}, 3);
  CHECK(world.tells(
      "seat A1 of s was promised twice: to person 1 in reservation r1 (lsn 1), and to person 9 in r9 (lsn 3)"));
}

TEST_CASE("reconcile: a seat given on after its ticket was cancelled: right; before: not") {
  World world;
  world.reserved(9, "r9", {"A2"}, 10);
  world.server.after["s"].seats["A2"].state = SeatState::reserved;
  CHECK(world.differences().empty());
  world.ledger.back().lsn = 8;
  CHECK(world.tells("seat A2 of s was promised twice"));
}

TEST_CASE("reconcile: a seat given on when its hold had run out: right; a moment earlier: not") {
  World world;
  world.reserved(9, "r9", {"A5"}, 10);
  world.ledger.back().at_ms = now_ms - 10'000;
  world.server.after["s"].seats["A5"].state = SeatState::reserved;
  CHECK(world.differences().empty());
  world.ledger.back().at_ms = now_ms - 10'001;
  CHECK(world.tells("seat A5 of s was promised twice"));
}

TEST_CASE("reconcile: seat maps: a ticket's seat free, a held one free, a free one taken: found") {
  World lost;
  lost.server.after["s"].seats["A3"].state = SeatState::available;
  CHECK(lost.tells("seat A3 of s belongs to booking b3 of person 3, but the seat map says available"));
  World dropped;
  dropped.server.after["s"].seats["A4"].state = SeatState::available;
  CHECK(dropped.tells("seat A4 of s is held by reservation r4 of person 4, but the seat map says available"));
  World taken;
  taken.server.after["s"].seats["A6"].state = SeatState::booked;
  CHECK(taken.tells("seat A6 of s is booked in the seat map, but nobody was told so"));
  taken.server.alone = false;
  CHECK_FALSE(taken.tells("A6"));
  World revived;
  revived.server.after["s"].seats["A5"].state = SeatState::reserved;
  CHECK(revived.tells("seat A5 of s is reserved in the seat map, but nobody was told so"));
}

TEST_CASE("reconcile: a seat that was gone before the sale: nobody's business") {
  World world;
  world.server.before["s"].seats["A6"].state = SeatState::booked;
  world.server.after["s"].seats["A6"].state = SeatState::booked;
  world.server.log->shows["s"].booked = 3;
  CHECK(world.differences().empty());
}

TEST_CASE("reconcile: a hold's last moments: either answer is right") {
  World world;
  world.ledger[4].until_ms = now_ms + 1'000;  // person 4
  CHECK(world.differences().empty());
  world.server.after["s"].seats["A4"].state = SeatState::available;
  CHECK(world.differences().empty());
}

TEST_CASE("reconcile: histories: a booking lost, unlisted, altered, or unknown to all: found") {
  World lost;
  lost.server.bookings["b3"] = {};
  lost.server.bookings["b3"].http_status = 404;
  CHECK(lost.tells("booking b3 of person 3 is lost: GET answers 404"));
  World unlisted;
  unlisted.server.listed.erase("b3");
  CHECK(unlisted.tells("booking b3 of person 3 is in no list"));
  World moved;
  moved.server.bookings["b3"].tickets[0].seat = "A6";
  CHECK(moved.tells("booking b3 of person 3 has other seats"));
  World extra;
  extra.server.listed["b9"] = "s";
  CHECK(extra.tells("booking b9 on s is in the history, but nobody was told of it"));
  World valid;
  valid.server.bookings["b1"].tickets[1].valid = true;
  CHECK(valid.tells("the ticket for A2 of booking b1 is valid, but person 1 was told otherwise"));
  World status;
  status.server.bookings["b3"].status = "refunded";
  CHECK(status.tells("booking b3 of person 3 is refunded"));
}

TEST_CASE("reconcile: money: a refund not paid, of a wrong share, or of a wrong sum: found") {
  World unpaid;
  unpaid.server.bookings["b1"].refunded = 0;
  CHECK(unpaid.tells("booking b1: 0 was paid back, but person 1 was promised 751"));
  World generous;
  generous.server.after["s"].start_ms = now_ms + hour_ms;
  CHECK(generous.tells("booking b1 was cancelled"));
  World wrong;
  wrong.ledger.back().amount = wrong.server.bookings["b1"].refunded = 750;
  CHECK(wrong.tells("booking b1: 50 % of its tickets are 751, but 750 was promised"));
  World price;
  price.server.bookings["b3"].tickets[0].price = 1;
  CHECK(price.tells("the tickets of booking b3 cost 1 together, but 1501 was paid"));
}

TEST_CASE("reconcile: reservations: one lost, one that lives after its release: found") {
  World lost;
  lost.server.reservations["r4"] = {404, ""};
  CHECK(lost.tells("reservation r4 of person 4 is lost: it runs for 540000 ms more"));
  World alive;
  alive.server.reservations["r2"] = {200, "reserved"};
  CHECK(alive.tells("reservation r2 of person 2 was released, but it is reserved"));
}

TEST_CASE("reconcile: the log: a booking missing, other seats, one too many, an audit that complains: found") {
  World missing;
  missing.server.log->reservations.erase("r3");
  CHECK(missing.tells("booking b3 of person 3 is not in the log"));
  World other;
  other.server.log->reservations["r1"].seats = {"A1", "A2"};
  CHECK(other.tells("booking b1 of person 1 has other seats in the log"));
  World more;
  more.server.log->shows["s"].booked = 3;
  CHECK(more.tells("3 seats of s are booked in the log, but people were told of 2"));
  World stranger;
  stranger.server.log->reservations["r9"] = {"s", "refunded", {}};
  CHECK(stranger.tells("reservation r9 on s is refunded in the log, but nobody was told of a booking"));
  World broken;
  broken.server.log->audit_clean = false;
  broken.server.log->audit = "ERROR 1";
  CHECK(broken.tells("usher audit is not content: ERROR 1"));
}

TEST_CASE("reconcile: a call without an answer: both of its ends agree") {
  World world;
  world.ledger.push_back({.told = Told::reserve_unknown, .person = 8, .show = "s", .seats = {"A6"}});
  CHECK(world.differences().empty());
  world.server.after["s"].seats["A6"].state = SeatState::reserved;
  CHECK(world.differences().empty());
  World booking;
  booking.ledger.push_back({.told = Told::book_unknown, .person = 4, .show = "s", .reservation = "r4"});
  CHECK(booking.differences().empty());
  booking.server.after["s"].seats["A4"].state = SeatState::booked;
  booking.server.listed["b4"] = "s";
  CHECK(booking.differences().empty());
  CHECK(reconcile(booking.ledger, booking.server).unknown == 1);
}
