#include "server/journal/entry.hpp"

#include <doctest/doctest.h>

#include <random>

#include "tests/server/journal/kept.hpp"

using namespace usher;
using namespace usher::server::journal;
using usher::server::journal::test::Kept;

namespace {

std::string_view text_of(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool same(const Decision& a, const Decision& b) {
  return a.type == b.type && a.refusal == b.refusal && a.staff == b.staff && a.split == b.split &&
         a.refund_settled == b.refund_settled && a.replayed == b.replayed && a.payment == b.payment &&
         a.decline == b.decline && a.seat_type == b.seat_type && a.seat_count == b.seat_count && a.show == b.show &&
         a.sequence == b.sequence && a.attempt == b.attempt && a.user == b.user && a.at == b.at &&
         a.expires == b.expires && a.seats == b.seats;
}

Decision any_decision(std::mt19937_64& random) {
  Decision decision;
  decision.type = static_cast<CommandType>(random() % 13);
  decision.refusal = static_cast<Refusal>(random() % static_cast<unsigned>(Refusal::count_));
  decision.staff = random() % 2 == 0;
  decision.split = random() % 2 == 0;
  decision.refund_settled = random() % 2 == 0;
  decision.replayed = random() % 2 == 0;
  decision.payment = static_cast<PaymentOutcome>(random() % 3);
  decision.decline = static_cast<PaymentDecline>(random() % static_cast<unsigned>(PaymentDecline::count_));
  decision.seat_type = random() % 2 == 0 ? 255 : 1;
  decision.show = static_cast<ShowNumber>(random());
  decision.sequence = static_cast<std::uint32_t>(random() >> (random() % 64));
  decision.attempt = static_cast<std::uint32_t>(random() % 4);
  decision.user = static_cast<UserNumber>(random());
  decision.at = instant_from_ms(1'796'148'000'000 + static_cast<std::int64_t>(random() % 10'000'000));
  if (random() % 2 == 0) decision.expires = decision.at + Duration{600'000};
  decision.seat_count = static_cast<std::uint8_t>(random() % 33);
  std::uint32_t seat = 0;
  for (std::uint8_t i = 0; i < decision.seat_count; ++i)
    decision.seats[i] = static_cast<SeatIndex>(seat += static_cast<std::uint32_t>(1 + random() % 2'000));
  return decision;
}

}  // namespace

TEST_CASE("journal entry: anything written: read as it was") {
  std::mt19937_64 random(1);
  EntryWriter writer;
  Bytes bytes;
  writer.setting({"policy.reservation_ttl", "\"5m\""}, bytes);
  writer.show({static_cast<ShowNumber>(7), "show-7", 200, instant_from_ms(1'796'148'000'123)}, bytes);
  std::vector<Decision> decisions;
  for (int i = 0; i < 2'000; ++i) {
    decisions.push_back(any_decision(random));
    writer.decision(decisions.back(), bytes);
  }
  writer.dropped(300, bytes);
  Kept kept;
  EntryReader reader;
  REQUIRE(reader.read(text_of(bytes), kept));
  REQUIRE(kept.settings.size() == 1);
  CHECK(kept.settings[0].key == "policy.reservation_ttl");
  CHECK(kept.settings[0].value == "\"5m\"");
  REQUIRE(kept.shows.size() == 1);
  CHECK(kept.shows[0].id == "show-7");
  CHECK(kept.shows[0].seats == 200);
  CHECK(kept.shows[0].start == instant_from_ms(1'796'148'000'123));
  CHECK(kept.dropped == 300);
  REQUIRE(kept.decisions.size() == decisions.size());
  for (std::size_t i = 0; i < decisions.size(); ++i) REQUIRE(same(kept.decisions[i], decisions[i]));
}

TEST_CASE("journal entry: a plain reserve of two seats: some 30 bytes") {
  EntryWriter writer;
  Bytes bytes;
  Decision decision;
  decision.show = static_cast<ShowNumber>(12);
  decision.at = instant_from_ms(1'796'148'000'000);
  decision.expires = decision.at + Duration{600'000};
  decision.sequence = 40;
  decision.seat_count = 2;
  decision.seats = {static_cast<SeatIndex>(90), static_cast<SeatIndex>(91)};
  writer.decision(decision, bytes);
  bytes.clear();
  writer.decision(decision, bytes);
  CHECK(bytes.size() <= 30);
}

TEST_CASE("journal entry: bytes that were cut or changed: told, and nothing breaks") {
  std::mt19937_64 random(2);
  EntryWriter writer;
  Bytes bytes;
  for (int i = 0; i < 20; ++i) writer.decision(any_decision(random), bytes);
  int refused = 0;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    Kept kept;
    EntryReader cut;
    (void)cut.read(text_of(bytes).substr(0, at), kept);
    CHECK(kept.decisions.size() <= 20);
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed(text_of(bytes));
      changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
      Kept other;
      EntryReader reader;
      refused += reader.read(changed, other) ? 0 : 1;
    }
  }
  CHECK(refused > 100);  // the CRC finds the others
  Kept kept;
  EntryReader unknown;
  CHECK_FALSE(unknown.read("\x09", kept));
}

TEST_CASE("make_decision: a reserve that was granted: the new reservation; refused: what was asked") {
  Command command;
  command.type = CommandType::reserve_best;
  command.seat_count = 2;
  command.show = static_cast<ShowNumber>(3);
  command.user = static_cast<UserNumber>(9);
  Reply reply;
  reply.now = instant_from_ms(1'000);
  reply.sequence = 77;
  reply.expires_at = instant_from_ms(601'000);
  reply.seat_count = 2;
  reply.seats = {static_cast<SeatIndex>(4), static_cast<SeatIndex>(5)};
  const Decision granted = make_decision(command, reply);
  CHECK(granted.sequence == 77);
  CHECK(granted.expires == instant_from_ms(601'000));
  CHECK(granted.seats[1] == static_cast<SeatIndex>(5));
  CHECK(granted.at == instant_from_ms(1'000));
  reply.refusal = Refusal::no_adjacent_seats;
  const Decision refused = make_decision(command, reply);
  CHECK(refused.sequence == 0);
  CHECK(refused.expires == Instant{});
  CHECK(refused.seat_count == 2);
  CHECK(refused.seats[1] == static_cast<SeatIndex>(0));
  CHECK(refused.refusal == Refusal::no_adjacent_seats);
}
