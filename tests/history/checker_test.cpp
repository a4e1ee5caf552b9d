#include "tests/history/checker.hpp"

#include <doctest/doctest.h>

#include <sstream>
#include <string>

#include "tests/history/generate.hpp"

using namespace usher::history;

namespace {

/// "yes", "no", or what is wrong with the text. The oracle must agree with the checker.
std::string verdict(const std::string& text) {
  const auto history = read_history("show s 6\nshow t 3\n" + text);
  if (!history) return history.error().detail;
  const bool good = check(history.value()).verdict == Verdict::linearizable;
  if (linearizable_by_brute_force(history.value()) != good) return "the oracle differs";
  return good ? "yes" : "no";
}

}  // namespace

TEST_CASE("history: the example that teaches: a refusal needs somebody who has the seat") {
  CHECK(verdict("0 1 ann s reserve r1 0,1 ok\n 2 3 bob s refused 1,2 1") == "yes");
  CHECK(verdict("0 1 ann s reserve r1 0,1 ok\n 2 3 ann s release r1 ok\n 4 5 bob s refused 1,2 1") == "no");
}

TEST_CASE("history: what overlaps may have happened in any order") {
  CHECK(verdict("0 9 ann s reserve r1 0 ok\n 1 2 bob s map FFFFFF") == "yes");
  CHECK(verdict("0 9 ann s reserve r1 0 ok\n 1 2 bob s map RFFFFF") == "yes");
  CHECK(verdict("0 9 ann s reserve r1 0 ok\n 9 9 bob s map FFFFFF") == "yes");  // touching is overlapping
  CHECK(verdict("0 9 ann s reserve r1 0 ok\n 8 8 bob s refused 0 0\n 1 2 bob s map FFFFFF") == "yes");
  CHECK(verdict("0 5 ann s reserve r1 0 ok\n 3 9 ann s release r1 ok\n 4 8 bob s reserve r2 0 ok") == "yes");
  CHECK(verdict("0 9 a s reserve r1 0 ok\n 0 9 b s reserve r2 1 ok\n 1 2 c s map RFFFFF\n 3 4 c s map RRFFFF") ==
        "yes");
  CHECK(verdict("0 9 a s reserve r1 0 ok\n 0 9 b s reserve r2 1 ok\n 1 4 c s map RFFFFF\n 1 4 d s map FFFFFF") ==
        "yes");
}

TEST_CASE("history: order that clients saw is kept") {
  CHECK(verdict("0 1 ann s reserve r1 0 ok\n 2 3 bob s map FFFFFF") == "no");
  CHECK(verdict("0 9 ann s reserve r1 0 ok\n 1 2 bob s map RFFFFF\n 3 4 bob s map FFFFFF") == "no");  // taken back
  CHECK(verdict("0 9 ann s reserve r1 0 ok\n 1 2 bob s refused 0 0\n 3 4 eve s map FFFFFF") == "no");
  CHECK(verdict("0 9 a s reserve r1 0 ok\n 0 9 b s reserve r2 1 ok\n 1 4 c s map RFFFFF\n 1 4 d s map FRFFFF") == "no");
  CHECK(verdict("0 1 ann s reserve r1 0 ok\n 2 3 ann s release r1 ok\n 4 5 bob s map RFFFFF") == "no");  // stale
  CHECK(verdict("5 6 ann s reserve r1 0 ok\n 0 1 bob s refused 0 0") == "no");  // from the future
}

TEST_CASE("history: a seat is sold once, and all of a reservation or nothing") {
  CHECK(verdict("0 1 ann s reserve r1 0 ok\n 2 3 bob s reserve r2 0 ok") == "no");
  CHECK(verdict("0 9 ann s reserve r1 0,1 ok\n 0 9 bob s reserve r2 1,2 ok") == "no");
  CHECK(verdict("0 9 ann s reserve r1 0,1 ok\n 1 2 bob s map RFFFFF") == "no");
  CHECK(verdict("0 9 ann s reserve r1 0,1 ok\n 1 2 bob s refused 1,2 1\n 3 4 eve s reserve r2 0 ok") == "no");
  CHECK(verdict("0 9 ann s reserve r1 0 ok\n 0 9 ann t reserve r2 0 ok") == "yes");   // another show
  CHECK(verdict("0 1 ann s reserve r1 0,1 ok\n 2 3 bob s refused 0,1,2 0") == "no");  // all that are taken are named
  CHECK(verdict("0 1 ann s reserve r1 0,1 ok\n 2 3 bob s refused 0,1,2 0,1") == "yes");
}

TEST_CASE("history: bookings, cancellations and what is gone") {
  const std::string made = "0 1 ann s reserve r1 0 ok\n";
  CHECK(verdict(made + "2 3 ann s book r1 ok\n 4 5 bob s map BFFFFF") == "yes");
  CHECK(verdict(made + "2 3 ann s book r1 ok\n 4 5 bob s map RFFFFF") == "no");
  CHECK(verdict(made + "2 3 ann s book r1 declined\n 4 5 bob s map RFFFFF") == "yes");
  CHECK(verdict(made + "2 3 ann s book r1 declined\n 4 5 bob s map BFFFFF") == "no");
  CHECK(verdict(made + "2 3 ann s book r1 gone") == "no");
  CHECK(verdict(made + "2 3 ann s book r1 ok\n 4 5 ann s cancel r1 ok\n 6 7 bob s reserve r2 0 ok") == "yes");
  CHECK(verdict(made + "2 3 ann s cancel r1 ok") == "no");  // never booked
  CHECK(verdict(made + "2 3 ann s book r1 ok\n 4 5 ann s release r1 ok") == "no");
  CHECK(verdict(made + "2 9 ann s book r1 ok\n 2 9 ann s release r1 ok") == "no");
  CHECK(verdict(made + "2 9 ann s book r1 gone\n 2 9 ann s release r1 ok") == "yes");
  CHECK(verdict(made + "2 3 ann s read r1 reserved\n 4 5 ann s book r1 ok\n 6 7 ann s read r1 booked") == "yes");
  CHECK(verdict(made + "2 3 ann s read r1 booked") == "no");
  CHECK(verdict(made + "2 3 ann s release r1 ok\n 4 5 ann s read r1 gone\n 6 7 ann s release r1 gone") == "yes");
}

TEST_CASE("history: an unknown outcome happened or not, but not both, and not before it was asked for") {
  const std::string maybe = "0 - ann s reserve r1 0 unknown\n";
  CHECK(verdict(maybe + "5 6 bob s map FFFFFF") == "yes");
  CHECK(verdict(maybe + "5 6 bob s map RFFFFF") == "yes");
  CHECK(verdict(maybe + "5 6 bob s map FFFFFF\n 7 8 bob s map RFFFFF") == "yes");  // any time later
  CHECK(verdict(maybe + "5 6 bob s map RFFFFF\n 7 8 bob s map FFFFFF") == "no");
  CHECK(verdict(maybe + "5 6 bob s map RFFFFF\n 7 8 bob s reserve r2 0 ok") == "no");
  CHECK(verdict("5 - ann s reserve r1 0 unknown\n 1 2 bob s refused 0 0") == "no");
  CHECK(verdict("0 - a s reserve r1 0 unknown\n 0 - b s reserve r2 0,1 unknown\n 5 6 c s map RRFFFF") == "yes");
  CHECK(verdict("0 - a s reserve r1 0,2 unknown\n 0 - b s reserve r2 0,1 unknown\n 5 6 c s map RRRFFF") == "no");
}

TEST_CASE("history: what the server's death ended happened by then or never") {
  const std::string dead = "0 4 ann s reserve r1 0 unknown\n";
  CHECK(verdict(dead + "5 6 bob s map FFFFFF\n 7 8 bob s map FFFFFF") == "yes");
  CHECK(verdict(dead + "5 6 bob s map RFFFFF\n 7 8 bob s map RFFFFF") == "yes");
  CHECK(verdict(dead + "5 6 bob s map FFFFFF\n 7 8 bob s map RFFFFF") == "no");  // came to life later
  CHECK(verdict(dead + "1 2 bob s map RFFFFF\n 5 6 bob s map FFFFFF") == "no");  // was seen, and is lost
  CHECK(verdict("0 1 a s reserve r1 0 ok\n 2 4 a s release r1 unknown\n 5 6 b s reserve r2 0 ok") == "yes");
  CHECK(verdict("0 1 a s reserve r1 0 ok\n 2 4 a s release r1 unknown\n 5 6 b s refused 0 0\n 7 8 b s map FFFFFF") ==
        "no");
}

TEST_CASE("history: deadlines") {
  const std::string made = "0 1 ann s reserve r1 0 ok\n";
  CHECK(verdict(made + "10 20 clock s expire r1\n 12 13 bob s map RFFFFF\n 14 15 bob s map FFFFFF") == "yes");
  CHECK(verdict(made + "10 20 clock s expire r1\n 5 6 bob s map FFFFFF") == "no");    // too early
  CHECK(verdict(made + "10 20 clock s expire r1\n 21 22 bob s map RFFFFF") == "no");  // too late
  CHECK(verdict(made + "10 20 clock s expire r1\n 5 6 ann s book r1 ok\n 21 22 bob s map BFFFFF") == "yes");
  CHECK(verdict(made + "10 20 clock s expire r1\n 21 22 ann s book r1 ok") == "no");  // revived
  CHECK(verdict(made + "10 20 clock s expire r1\n 2 3 ann s release r1 ok\n 4 5 bob s reserve r2 0 ok") == "yes");
  CHECK(
      verdict("0 4 a s reserve r1 0 unknown\n 10 20 clock s expire r1\n 5 6 b s refused 0 0\n 25 26 b s refused 0 0") ==
      "no");
}

TEST_CASE("history: what is malformed is named by line and rule") {
  CHECK(verdict("0 1 ann s reserve r1 6 ok") == "line 3: the show has no such seat");
  CHECK(verdict("0 1 ann x reserve r1 0 ok") == "line 3: no such show");
  CHECK(verdict("2 1 ann s reserve r1 0 ok") == "line 3: returned before it was invoked");
  CHECK(verdict("0 - ann s reserve r1 0 ok") == "line 3: never returned, but its outcome is known");
  CHECK(verdict("0 1 ann s reserve r1 0 declined") == "line 3: not an outcome of this operation");
  CHECK(verdict("0 1 ann s map FFF") == "line 3: a map has one letter for each seat");
  CHECK(verdict("0 1 ann s refused 0 1") == "line 3: taken are seats that nobody asked for");
  CHECK(verdict("0 1 ann s book r1 ok") == "nobody reserves r1");
  CHECK(verdict("5 6 ann s reserve r1 0 ok\n 1 9 clock s expire r1") == "expires before it is made: r1");
}

TEST_CASE("history: a violation is explained: the answer, what was under way, who had the seats") {
  const auto history =
      read_history("show s 3\n0 1 ann s reserve r1 0 ok\n2 9 eve s reserve r3 2 ok\n3 4 bob s reserve r2 0 ok\n");
  const Judgement judgement = check(history.value());
  CHECK(judgement.verdict == Verdict::violation);
  CHECK(judgement.why.find("`3 4 bob s reserve r2 0 ok`") != std::string::npos);
  CHECK(judgement.why.find("0=r1") != std::string::npos);
}

TEST_CASE("history: too many explanations: undecided, and said so") {
  std::string text = "show s 6\n";
  for (int i = 0; i < 12; ++i)
    text += "0 - c s reserve r" + std::to_string(i) + " " + std::to_string(i % 6) + " unknown\n";
  const auto history = read_history(text + "5 6 bob s map RRRRRR\n");
  CHECK(check(history.value(), {1, 5}).verdict == Verdict::undecided);
  CHECK(check(history.value()).verdict == Verdict::linearizable);
}

TEST_CASE("history: drawn histories are linearizable, also read back from their text; each planted fault is found") {
  int planted = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Draw draw;
    draw.seed = seed;
    draw.operations = 400;
    draw.seats = 4 + static_cast<std::uint32_t>(seed % 30);
    const History history = draw_history(draw);
    CAPTURE(seed);
    REQUIRE(check(history).why == "");
    std::stringstream text;
    write_history(history, text);
    const auto again = read_history(text.str());
    REQUIRE(again.ok());
    CHECK(check(again.value()).verdict == Verdict::linearizable);
    for (const Fault fault : all_faults) {
      History bad = history;
      std::mt19937_64 random{seed};
      if (!plant(fault, bad, random)) continue;
      ++planted;
      CHECK(check(bad).verdict == Verdict::violation);
    }
  }
  CHECK(planted > 100);
}

TEST_CASE("history: small histories, mutated: the checker says what trying every order says") {
  int good = 0;
  int bad = 0;
  for (std::uint64_t seed = 1; seed <= 6'000; ++seed) {
    Draw draw;
    draw.seed = seed;
    draw.shows = 1;
    draw.seats = 2 + static_cast<std::uint32_t>(seed % 3);
    draw.clients = 2 + static_cast<std::uint32_t>(seed % 4);
    draw.operations = 7;
    draw.seats_max = 2;
    draw.maps_per_mille = 250;
    draw.unknown_per_mille = 150;
    draw.never_per_mille = 500;
    draw.time_to_live = 300;
    History history = draw_history(draw);
    std::mt19937_64 random{seed};
    for (std::uint64_t i = 0; i < seed % 4; ++i) mutate(history, random);
    const bool expected = linearizable_by_brute_force(history);
    (expected ? good : bad) += 1;
    const Judgement judgement = check(history);
    if ((judgement.verdict == Verdict::linearizable) == expected) continue;
    std::stringstream text;
    write_history(history, text);
    FAIL_CHECK("seed ", seed, ": expected ", expected, "\n", judgement.why, "\n", text.str());
    break;
  }
  CHECK(good > 500);
  CHECK(bad > 500);
}
