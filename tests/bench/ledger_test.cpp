/// The checker of benches finds each kind of fault that it is there for.

#include "bench/check/ledger.hpp"

#include <doctest/doctest.h>

#include <string>

namespace {

using usher::bench::Ledger;

constexpr const char* id_a = "00000000-0001-8000-8000-00000000000a";
constexpr const char* id_b = "00000000-0001-8000-8000-00000000000b";

std::string told(const std::string& id, const std::string& show, const std::string& seats) {
  return "+" + id + " " + show + " " + seats;
}
std::string reservation(const std::string& id, const std::string& show, const std::string& quoted_seats) {
  return R"({"reservation_id":")" + id + R"(","show_id":")" + show +
         R"(","state":"reserved","user_id":"00","seat_ids":[)" + quoted_seats +
         R"(],"reserved_at":"2027-01-15T08:00:00.000Z"})";
}
std::string show(const std::string& id, int reserved) {
  return R"({"show_id":")" + id +
         R"(","show_number":1,"shard":0,"lsn":9,"status":"scheduled","seats":200,"available":1,"reserved":)" +
         std::to_string(reserved) + R"(,"booked":0,"digest":"00"})";
}
constexpr const char* summary = R"({"shows":1,"shards":1,"records":3,"catalog_digest":"00","digest":"00"})";

/// A log that agrees with what was told: A holds two seats.
Ledger agreeing() {
  Ledger ledger;
  ledger.read_told(told(id_a, "S1", "A1,A2"));
  ledger.read_log(show("S1", 2));
  ledger.read_log(reservation(id_a, "S1", R"("A1","A2")"));
  ledger.read_log(summary);
  return ledger;
}

std::string first_fault(Ledger& ledger) {
  ledger.finish();
  return ledger.faults().count() == 0 ? "" : ledger.faults().first().front();
}

}  // namespace

TEST_CASE("ledger: what was told is in the log: no fault") {
  Ledger ledger = agreeing();
  CHECK(first_fault(ledger) == "");
  CHECK(ledger.told() == 1);
  CHECK(ledger.held() == 1);
}

TEST_CASE("ledger: given back and gone from the log: no fault") {
  Ledger ledger = agreeing();
  ledger.read_told(told(id_b, "S1", "B1,B2"));
  ledger.read_told("-" + std::string(id_b));
  ledger.read_log(reservation(id_b, "S1", ""));
  CHECK(first_fault(ledger) == "");
  CHECK(ledger.released() == 1);
}

TEST_CASE("ledger: told and not in the log: a fault") {
  Ledger ledger = agreeing();
  ledger.read_told(told(id_b, "S1", "B1,B2"));
  CHECK(first_fault(ledger).find("told of and not in the log") == 0);
}

TEST_CASE("ledger: in the log and never told: a fault") {
  Ledger ledger = agreeing();
  ledger.read_log(reservation(id_b, "S1", R"("B1")"));
  CHECK(first_fault(ledger).find("never told of") != std::string::npos);
}

TEST_CASE("ledger: given back, yet held: a fault") {
  Ledger ledger;
  ledger.read_told(told(id_a, "S1", "A1"));
  ledger.read_told("-" + std::string(id_a));
  ledger.read_log(reservation(id_a, "S1", R"("A1")"));
  CHECK(first_fault(ledger).find("or given back") != std::string::npos);
}

TEST_CASE("ledger: other seats, or another show, than were told: a fault") {
  for (const bool other_show : {false, true}) {
    Ledger ledger;
    ledger.read_told(told(id_a, "S1", "A1,A2"));
    ledger.read_log(reservation(id_a, other_show ? "S2" : "S1", other_show ? R"("A1","A2")" : R"("A1","A3")"));
    CHECK(first_fault(ledger).find("other seats") != std::string::npos);
  }
}

TEST_CASE("ledger: one seat in two reservations: a fault, but not in two shows") {
  Ledger twice = agreeing();
  twice.read_told(told(id_b, "S1", "A2,A3"));
  twice.read_log(reservation(id_b, "S1", R"("A2","A3")"));
  CHECK(first_fault(twice).find("held twice") != std::string::npos);

  Ledger apart = agreeing();
  apart.read_told(told(id_b, "S2", "A1,A2"));
  apart.read_log(show("S2", 2));
  apart.read_log(reservation(id_b, "S2", R"("A1","A2")"));
  CHECK(first_fault(apart) == "");
}

TEST_CASE("ledger: a show counts more taken seats than are held: a fault") {
  Ledger ledger = agreeing();
  ledger.read_log(show("S2", 1));
  CHECK(first_fault(ledger).find("the shows count 3") == 0);
}

TEST_CASE("ledger: the replay broke off before its summary: a fault") {
  Ledger ledger;
  ledger.read_told(told(id_a, "S1", "A1"));
  ledger.read_log(reservation(id_a, "S1", R"("A1")"));
  CHECK(first_fault(ledger).find("no summary") != std::string::npos);
}
