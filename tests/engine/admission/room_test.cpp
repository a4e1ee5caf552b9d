#include "engine/admission/room.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <random>

#include "engine/admission/room_checkpoint.hpp"
#include "tests/support/room_world.hpp"

using namespace usher;
using namespace usher::engine;
using namespace usher::testing;
using namespace std::chrono_literals;

namespace {

constexpr Duration tick{250};

std::vector<CheckpointRow> rows_of(RoomWorld& room) {
  std::vector<CheckpointRow> rows;
  (void)room.world.shard.begin_checkpoint();
  while (room.world.shard.collect_rows(1U << 20U, rows)) {
  }
  std::stable_sort(rows.begin(), rows.end(), [](const CheckpointRow& a, const CheckpointRow& b) {
    return a.kind != b.kind ? a.kind < b.kind : a.key < b.key;
  });
  return rows;
}

}  // namespace

TEST_CASE(
    "room: three come before the opening: they stand in order, are let in, and one who gives up frees the place") {
  RoomWorld room(1, 10);
  room.settings.opens_at = room.now + 10s;
  room.open();
  const Reply first = room.join(1);
  CHECK(first.queue.fresh);
  CHECK(first.queue.state == PlaceState::waiting);
  CHECK(first.queue.low_s == 10);
  const Reply second = room.join(2);
  const Reply third = room.join(3);
  CHECK(third.queue.ahead == 2);
  CHECK_FALSE(room.join(2).queue.fresh);
  CHECK(room.join(2).sequence == second.sequence);
  CHECK(room.ask(CommandType::leave_queue, 1, first).refusal == Refusal::none);
  CHECK(room.poll(3, third).queue.ahead == 1);
  CHECK(room.poll(1, third).refusal == Refusal::not_owner);
  Reply forged = third;
  ++forged.id_random;
  CHECK(room.poll(3, forged).refusal == Refusal::unknown_place);
  room.pass(9s);
  CHECK(room.poll(2, second).queue.state == PlaceState::waiting);
  room.pass(1s);
  const Reply admitted = room.poll(2, second);
  CHECK(admitted.queue.state == PlaceState::admitted);
  CHECK(admitted.expires_at <= room.now + 5min);
  CHECK(admitted.expires_at > room.now + 5min - 200ms);
  CHECK(room.poll(3, third).queue.state ==
        PlaceState::admitted);  // ten seats: two people of two each nearly certainly find theirs
  CHECK(room.reserve(2, admitted, 2).refusal == Refusal::none);
  room.world.commit();
  room.pass(tick);
  CHECK(room.poll(2, second).queue.state == PlaceState::finished);
  CHECK(room.room().buyers.sum == 2);
  CHECK(room.poll(1, first).queue.state == PlaceState::left);
  CHECK(check_room(room.room()).empty());
  CHECK(replay_differs(room.world.state(), room.now, room.world.log.records(0)) == "");
}

TEST_CASE("room: an admission that nobody uses: back to the tail once, then the place is over; at -1, 0, +1 ms") {
  RoomWorld room(1, 2);
  room.settings.admission_ttl = 60s;
  room.settings.absence_max = 1h;
  room.settings.seats_per_buyer = 2;
  room.open();
  const Reply first = room.join(1);
  const Reply second = room.join(2);
  room.pass(tick);
  const Reply admitted = room.poll(1, first);
  REQUIRE(admitted.queue.state == PlaceState::admitted);
  CHECK(room.poll(2, second).queue.state == PlaceState::waiting);
  const Instant end = admitted.expires_at + RoomActor::message_grace;
  room.pass(end - room.now - 1ms);
  CHECK(room.poll(1, first).queue.state == PlaceState::admitted);
  room.pass(201ms);
  CHECK(room.poll(1, first).queue.state == PlaceState::waiting);
  CHECK(room.poll(2, second).queue.state == PlaceState::admitted);  // in the same tick: seats do not idle
  room.pass(63s);
  CHECK(room.poll(2, second).queue.state == PlaceState::waiting);
  const Reply again = room.poll(1, first);
  CHECK(again.queue.state == PlaceState::admitted);
  CHECK(again.queue.attempt == 2);
  room.pass(63s);
  const Reply over = room.poll(1, first);
  CHECK(over.queue.state == PlaceState::left);
  CHECK(over.queue.end == static_cast<std::uint8_t>(PlaceEnd::lapsed_twice));
  CHECK(room.join(1).queue.fresh);  // a new place, at the tail
  CHECK(replay_differs(room.world.state(), room.now, room.world.log.records(0)) == "");
}

TEST_CASE("room: nobody polls for 90 s: the place is lost, but not within 90 s after a restart") {
  RoomWorld room;
  room.settings.opens_at = room.now + 1h;
  room.open();
  const Reply calls = room.join(1);
  const Reply silent = room.join(2);
  room.pass(tick);
  for (int second = 0; second < 88; second += 8) {
    room.pass(8s);
    CHECK(room.poll(1, calls).queue.state == PlaceState::waiting);
  }
  CHECK(room.room().places[silent.sequence].state == PlaceState::waiting);
  for (int second = 0; second < 8; ++second) room.pass(1s);
  CHECK(room.poll(2, silent).queue.state == PlaceState::left);
  CHECK(room.poll(1, calls).queue.state == PlaceState::waiting);
  // a restart much later: polls are counted from readiness
  SharedTables shared;
  Shard copy(0, shared, room.now + 1h);
  for (const Record& record : room.world.log.records(0)) REQUIRE(copy.replay(record).ok());
  copy.finish_recovery();
  MemoryLog log(1);
  const std::unique_ptr<LogLane> lane = log.make_lane({0}, {});
  copy.attach(*lane);
  const Instant ready = room.now + 30min;
  for (Duration since{0}; since < 90s; since += 1s) (void)copy.advance(ready + since, 512);
  CHECK(copy.room(RoomWorld::number)->places[calls.sequence].state == PlaceState::waiting);
  for (Duration since{90s}; since < 92s; since += 1s) (void)copy.advance(ready + since, 512);
  CHECK(copy.room(RoomWorld::number)->places[calls.sequence].state == PlaceState::left);
}

TEST_CASE("room: inputs: the formula of the design, and a single seat is enough for one") {
  AdmitInputs inputs;
  inputs.seats_per_buyer = 2'000;
  inputs.free = 10;
  CHECK(RoomActor::allowed(inputs) == 5);
  inputs.outstanding = 3;
  CHECK(RoomActor::allowed(inputs) == 2);
  inputs.returns = 4;
  CHECK(RoomActor::allowed(inputs) == 4);
  inputs.outstanding = 9;
  CHECK(RoomActor::allowed(inputs) == 0);
  inputs = {.free = 1, .seats_per_buyer = 2'000};
  CHECK(RoomActor::allowed(inputs) == 1);
  inputs.outstanding = 1;
  CHECK(RoomActor::allowed(inputs) == 0);
  inputs = {.free = 0, .returns = 1, .seats_per_buyer = 2'000};
  CHECK(RoomActor::allowed(inputs) == 0);
  // 37 people of 2 seats, give or take 1, take at most 37 * 2 + 3 * sqrt(37) = 92.2
  inputs = {.free = 93, .seats_per_buyer = 2'000, .seats_spread = 1'000};
  CHECK(RoomActor::allowed(inputs) == 37);
  inputs.free = 92;
  CHECK(RoomActor::allowed(inputs) == 36);
}

TEST_CASE("room: a rate of 120 a minute: two a second and no more, and nothing is saved up") {
  RoomWorld room(40, 50);
  room.settings.rate_per_minute = 120;
  room.settings.absence_max = 1h;
  room.open();
  for (std::uint64_t user = 1; user <= 500; ++user) (void)room.join(user);
  room.pass(30s);  // an idle half minute is not saved up
  CHECK(room.room().admitted_total <= 2);
  for (int i = 0; i < 240; ++i) room.pass(tick);
  CHECK(room.room().admitted_total >= 115);
  CHECK(room.room().admitted_total <= 125);
  const std::uint64_t before = room.room().admitted_total;
  RoomSettings paused = room.settings;
  paused.paused = true;
  CHECK(room.world.shard.change_room(RoomWorld::number, paused, room.now));
  for (int i = 0; i < 20; ++i) room.pass(tick);
  CHECK(room.room().admitted_total == before);
  CHECK(replay_differs(room.world.state(), room.now, room.world.log.records(0)) == "");
}

TEST_CASE("room: sold out: those who wait are told; a seat that comes back lets the next one in") {
  RoomWorld room(1, 2);
  room.settings.absence_max = 1h;
  room.open();
  const Reply first = room.join(1);
  const Reply second = room.join(2);
  room.pass(tick);
  const Reply reserved = room.reserve(1, room.poll(1, first), 2);
  REQUIRE(reserved.refusal == Refusal::none);
  room.world.commit();
  room.pass(tick);
  CHECK(room.poll(2, second).queue.state == PlaceState::waiting);  // held, not sold: it may come back
  Command pay;
  pay.type = CommandType::start_payment;
  pay.show = static_cast<ShowNumber>(1);
  pay.user = static_cast<UserNumber>(1);
  pay.sequence = reserved.sequence;
  pay.id_random = reserved.id_random;
  pay.attempt = room.world.execute(pay, room.now).attempt;
  pay.type = CommandType::finish_payment;
  REQUIRE(room.world.execute(pay, room.now).refusal == Refusal::none);
  room.world.commit();
  room.pass(tick);
  CHECK(room.poll(2, second).queue.state == PlaceState::sold_out);
  pay.type = CommandType::cancel;
  REQUIRE(room.world.execute(pay, room.now).refusal == Refusal::none);
  room.world.commit();
  room.pass(tick);
  CHECK(room.poll(2, second).queue.state == PlaceState::admitted);
  CHECK(room.world.shard.close_room(RoomWorld::number, room.now));
  CHECK(room.poll(2, second).queue.state == PlaceState::closed);
  CHECK(room.join(3).refusal == Refusal::room_closed);
  room.pass(24h);
  CHECK(room.room().status == RoomStatus::removed);
  CHECK(room.poll(2, second).refusal == Refusal::unknown_place);
  CHECK(replay_differs(room.world.state(), room.now, room.world.log.records(0)) == "");
}

TEST_CASE("room: another room's command: the room that does not exist has no place and takes nobody") {
  RoomWorld room;
  CHECK(room.join(1).refusal == Refusal::no_waiting_room);
  CHECK(room.poll(1, {}).refusal == Refusal::unknown_place);
}

TEST_CASE("room: the draw: who came before the opening is drawn, who came later follows in order; anybody can check") {
  RoomWorld room(40, 50);
  room.settings.order = QueueOrder::draw;
  room.settings.opens_at = room.now + 10s;
  room.settings.draw_delay = 2s;
  room.settings.absence_max = 1h;
  room.settings.paused = true;
  room.open();
  std::vector<Reply> early;
  for (std::uint64_t user = 1; user <= 300; ++user) early.push_back(room.join(user));
  CHECK_FALSE(early[0].queue.drawn);
  CHECK(room.ask(CommandType::leave_queue, 7, early[6]).refusal == Refusal::none);
  CHECK_FALSE(room.world.shard.draw_room(RoomWorld::number, "too early", room.now));
  room.pass(10s);
  REQUIRE(room.room().frozen);
  CHECK_FALSE(room.room().drawn);
  CHECK(room.room().list_count == 299);
  const Reply late = room.join(1'000);
  CHECK(room.ask(CommandType::leave_queue, 8, early[7]).refusal == Refusal::none);  // in the list, and gone
  room.pass(1'999ms);
  CHECK_FALSE(room.room().drawn);
  room.pass(tick);
  REQUIRE(room.room().drawn);
  // from what is published alone
  ListHash hash;
  std::vector<Reply> list;
  for (const Reply& place : early) {
    if (place.sequence != early[6].sequence) list.push_back(place);
  }
  for (const Reply& place : list) hash.add({place.sequence, place.id_random});
  const Hash list_hash = hash.finish();
  CHECK(list_hash == room.room().list_hash);
  const std::vector<std::uint32_t> order = draw_order(seed_of(room.settings.secret, list_hash, ""), 299);
  std::uint32_t ahead = 0;
  for (std::uint32_t place = 0; place < 299; ++place) {
    const Reply& who = list[order[place]];
    const Reply told = room.poll(to_value(who.user), who);
    CHECK(told.queue.draw_place == place);
    if (who.sequence == early[7].sequence) {
      CHECK(told.queue.state == PlaceState::left);
      continue;
    }
    CHECK(told.queue.ahead == ahead++);
  }
  CHECK(room.poll(1'000, late).queue.ahead == 298);
  CHECK(room.join(1'001).queue.ahead == 299);
  CHECK(check_room(room.room()).empty());
  CHECK(replay_differs(room.world.state(), room.now, room.world.log.records(0)) == "");
  CHECK(replay_differs(room.world.state(), room.now, {}, rows_of(room)) == "");
}

TEST_CASE("room: a beacon is awaited: no draw before it comes, and another beacon is another order") {
  std::vector<std::uint32_t> places[2];
  for (const int which : {0, 1}) {
    RoomWorld room;
    room.settings.order = QueueOrder::draw;
    room.settings.awaits_beacon = true;
    room.settings.absence_max = 1h;
    room.settings.paused = true;
    room.settings.opens_at = room.now + 1s;
    room.open();
    std::vector<Reply> all;
    for (std::uint64_t user = 1; user <= 50; ++user) all.push_back(room.join(user));
    for (int i = 0; i < 200; ++i) room.pass(tick);
    CHECK(room.room().frozen);
    CHECK_FALSE(room.room().drawn);
    CHECK(room.world.shard.draw_room(RoomWorld::number, which == 0 ? "one" : "two", room.now));
    CHECK_FALSE(room.world.shard.draw_room(RoomWorld::number, "again", room.now));
    for (std::uint64_t user = 1; user <= 50; ++user)
      places[which].push_back(room.poll(user, all[user - 1]).queue.ahead);
  }
  CHECK(places[0] != places[1]);
}

namespace {

/// People who buy, dawdle, give up seats or vanish, in front of a hall; held against a plain model of the queue.
struct Crowd {
  struct Person {
    std::uint64_t user = 0;
    Reply place;
    std::int64_t buys_in_ticks = -1;  ///< after being let in; -1: never
    std::uint8_t seats = 2;
    std::int64_t pays_in_ticks = -1;  ///< -1: lets it expire
    bool done = false;
    bool in_vain = false;
    Reply reservation;
  };

  explicit Crowd(std::uint64_t seed, std::uint32_t people, std::uint32_t rows) : random(seed), room(rows, 20) {
    room.settings.absence_max = 24h;
    room.open();
    for (std::uint64_t user = 1; user <= people; ++user) {
      Person person;
      person.user = user;
      person.seats = static_cast<std::uint8_t>(1 + random() % 3);
      person.buys_in_ticks = random() % 10 == 0 ? -1 : static_cast<std::int64_t>(random() % 120);
      person.pays_in_ticks = random() % 5 == 0 ? -1 : static_cast<std::int64_t>(random() % 240);
      person.place = room.join(user);
      crowd.push_back(person);
    }
  }

  void step() {
    room.pass(tick);
    for (Person& person : crowd) {
      if (!person.done) person.reservation.lsn == 0 ? buy(person) : pay(person);
    }
    room.world.commit();
  }
  void buy(Person& person) {
    const Reply told = room.poll(person.user, person.place);
    if (told.queue.state != PlaceState::admitted || person.buys_in_ticks < 0 || person.buys_in_ticks-- > 0) return;
    person.buys_in_ticks = 0;
    for (std::uint8_t count = person.seats; count > 0; --count) {
      const Reply reply = room.reserve(person.user, told, count);
      if (reply.refusal == Refusal::none) {
        person.reservation = reply;
        person.reservation.lsn = std::max<Lsn>(reply.lsn, 1);
        person.in_vain = false;
        return;
      }
    }
    person.in_vain = true;
  }
  void pay(Person& person) {
    if (person.pays_in_ticks < 0 || person.pays_in_ticks-- > 0) return;
    Command command;
    command.type = CommandType::start_payment;
    command.show = static_cast<ShowNumber>(1);
    command.user = static_cast<UserNumber>(person.user);
    command.sequence = person.reservation.sequence;
    command.id_random = person.reservation.id_random;
    command.attempt = room.world.execute(command, room.now).attempt;
    command.type = CommandType::finish_payment;
    (void)room.world.execute(command, room.now);
    person.done = true;
  }
  [[nodiscard]] std::uint32_t free() const { return room.world.shard.view(static_cast<ShowNumber>(1))->available; }

  std::mt19937_64 random;
  RoomWorld room;
  std::vector<Person> crowd;
};

}  // namespace

TEST_CASE(
    "room: a crowd of buyers, dawdlers and deserters: no seat idles while people wait, nobody is let in to nothing") {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    CAPTURE(seed);
    Crowd world(seed, 700, 20);  // 400 seats
    int idle = 0;
    int ticks = 0;
    for (; ticks < 12'000 && world.room.room().waiting > 0 && !world.room.room().sold_out; ++ticks) {
      world.step();
      const Room& room = world.room.room();
      const AdmitInputs inputs = RoomActor::inputs_of(room, facts_of(room, world.room.now));
      // seats that nobody is on the way to, although somebody waits
      idle = room.waiting > 0 && RoomActor::allowed(inputs) > 0 ? idle + 1 : 0;
      REQUIRE(idle <= 2);
    }
    CHECK(world.room.room().sold_out);
    CHECK(world.free() == 0);
    std::uint32_t in_vain = 0;
    std::uint32_t bought = 0;
    for (const Crowd::Person& person : world.crowd) {
      in_vain += person.in_vain ? 1U : 0U;
      bought += person.reservation.lsn != 0 ? 1U : 0U;
    }
    MESSAGE("ticks " << ticks << ", reservations " << bought << ", let in to nothing " << in_vain);
    CHECK(bought > 150);
    CHECK(in_vain == 0);
    CHECK(check_room(world.room.room()).empty());
    CHECK(replay_differs(world.room.world.state(), world.room.now, world.room.world.log.records(0)) == "");
  }
}

TEST_CASE("room: random comings and goings: the order of admission is that of a plain list; replay and rows agree") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    RoomWorld room(10, 20);
    room.settings.absence_max = 24h;
    room.settings.admission_ttl = 20s;
    room.settings.rate_per_minute = 600;
    room.open();
    std::map<std::uint64_t, Reply> places;
    std::deque<std::uint64_t> model;  // users who wait, in order
    std::map<std::pair<std::uint8_t, std::uint64_t>, CheckpointRow> rows;
    std::vector<std::uint64_t> admitted;
    for (int step = 0; step < 1'500; ++step) {
      const std::uint64_t user = 1 + random() % 400;
      const std::uint64_t dice = random() % 10;
      if (dice < 5) {
        const Reply reply = room.join(user);
        REQUIRE(reply.refusal == Refusal::none);
        if (reply.queue.fresh) model.push_back(user);
        places[user] = reply;
      } else if (dice < 6 && places.contains(user)) {
        (void)room.ask(CommandType::leave_queue, user, places[user]);
        std::erase(model, user);
      } else if (dice < 7 && places.contains(user)) {
        const Reply told = room.poll(user, places[user]);
        if (told.queue.state == PlaceState::admitted) (void)room.reserve(user, told, 1);
      }
      if (random() % 4 == 0) room.pass(tick);
      // what the log says of admissions and lapses, in the model's words
      for (const auto& [who, place] : places) {
        const Reply told = room.poll(who, place);
        const bool waits = told.queue.state == PlaceState::waiting;
        const auto at = std::find(model.begin(), model.end(), who);
        if (waits && at == model.end()) model.push_back(who);  // lapsed: the tail
        if (!waits && at != model.end()) {
          admitted.push_back(who);
          model.erase(at);
        }
      }
      if (step % 40 == 0) {
        room.world.commit();
        for (CheckpointRow& row : rows_of(room)) rows[{row.kind, row.key}] = row;
      }
    }
    room.world.commit();
    for (std::size_t at = 0; at < model.size(); ++at) {
      const Reply told = room.poll(model[at], places[model[at]]);
      CHECK(told.queue.state == PlaceState::waiting);
    }
    CHECK(check_room(room.room()).empty());
    CHECK(room.room().waiting == model.size());
    const std::vector<Record>& records = room.world.log.records(0);
    CHECK(replay_differs(room.world.state(), room.now, records) == "");
    std::vector<CheckpointRow> list;
    for (const auto& [key, row] : rows) list.push_back(row);
    CHECK(replay_differs(room.world.state(), room.now, records, list) == "");
  }
}

TEST_CASE("room: damaged rows: refused, or a whole room; never a crash") {
  RoomWorld room;
  room.settings.order = QueueOrder::draw;
  room.settings.opens_at = room.now + 1s;
  room.settings.draw_delay = 0ms;
  room.open();
  for (std::uint64_t user = 1; user <= 60; ++user) (void)room.join(user);
  for (int i = 0; i < 12; ++i) room.pass(tick);
  REQUIRE(room.room().admitted_total > 0);
  const std::vector<CheckpointRow> rows = rows_of(room);
  std::mt19937_64 random(4);
  int refused = 0;
  for (int round = 0; round < 3'000; ++round) {
    SharedTables shared;
    Shard shard(0, shared, room.now);
    bool ok = true;
    for (CheckpointRow row : rows) {
      if (row.kind >= static_cast<std::uint8_t>(CheckpointKind::room)) {
        for (std::uint64_t flips = random() % 3; flips > 0; --flips) {
          row.state[random() % row.state.size()] ^= static_cast<std::uint8_t>(1U << (random() % 8));
        }
        if (random() % 10 == 0) row.state.resize(random() % row.state.size());
      }
      if (!shard.restore(row).ok()) {
        ok = false;
        ++refused;
        break;
      }
    }
    if (!ok) continue;
    shard.finish_recovery();
    MemoryLog log(1);
    const std::unique_ptr<LogLane> lane = log.make_lane({0}, {});
    shard.attach(*lane);
    for (int i = 0; i < 4; ++i) (void)shard.advance(room.now + 400s * i, 512);
  }
  CHECK(refused > 500);
}

TEST_CASE("room: damaged records: refused, never a crash") {
  RoomWorld room;
  room.open();
  for (std::uint64_t user = 1; user <= 60; ++user) {
    (void)room.join(user);
    if (user % 10 == 0) room.pass(tick);
  }
  const std::vector<Record>& records = room.world.log.records(0);
  std::mt19937_64 random(9);
  int refused = 0;
  for (int round = 0; round < 2'000; ++round) {
    SharedTables shared;
    Shard shard(0, shared, {});
    const std::size_t damaged = random() % records.size();
    for (std::size_t at = 0; at < records.size(); ++at) {
      Record record = records[at];
      if (at == damaged) {
        Event& event = record.events[random() % record.events.size()];
        auto* bytes = reinterpret_cast<unsigned char*>(&event);
        bytes[random() % sizeof event] ^= static_cast<unsigned char>(1U << (random() % 8));
        if (random() % 2 == 0) event.type = static_cast<EventType>(60 + random() % 24);
      }
      if (!shard.replay(record).ok()) {
        ++refused;
        break;
      }
    }
  }
  CHECK(refused > 500);
}

TEST_CASE("room: a million people: at most 128 MB, places in microseconds, a checkpoint of what has changed") {
  const std::uint32_t people = 1'000'000;
  RoomWorld room;
  room.world.log.set_keep(false);
  room.settings.opens_at = room.now + 1h;
  room.open();
  std::uint32_t wrong = 0;
  for (std::uint64_t user = 1; user <= people; ++user) {
    const Reply reply = room.join(user * 7919);
    wrong += reply.queue.ahead == user - 1 ? 0U : 1U;
    if (user % 10'000 == 0) room.world.commit();
  }
  CHECK(wrong == 0);
  const double megabytes = static_cast<double>(room.room().capacity_bytes()) / 1e6;
  MESSAGE("a room of a million people: " << megabytes << " MB");
  CHECK(megabytes <= 128);
  std::size_t bytes = 0;
  for (const CheckpointRow& row : rows_of(room)) bytes += row.state.size();
  MESSAGE("its whole checkpoint: " << static_cast<double>(bytes) / 1e6 << " MB");
  (void)room.join(1);
  std::size_t rows = rows_of(room).size();
  CHECK(rows <= 4);  // a part, the room
}
