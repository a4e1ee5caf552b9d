#include "server/explain/seat_history.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace usher;
using namespace usher::server::explain;

namespace {

constexpr ShowNumber show{7};
constexpr UserNumber anna{1};
constexpr UserNumber bert{2};

/// A log of one show, record by record: LSN n at n seconds.
class Log {
 public:
  explicit Log(SeatHistory& history) : history_(history) {}

  void add(EventType type, std::uint32_t sequence, UserNumber user = UserNumber::none,
           std::vector<SeatIndex> seats = {}, std::uint32_t mask = 0) {
    Record record;
    record.lsn = ++lsn_;
    record.show = of;
    record.now = at(lsn_);
    Event event;
    event.type = type;
    event.sequence = sequence;
    event.user = user;
    event.mask = mask;
    event.seat_count = static_cast<std::uint16_t>(seats.size());
    record.seats = std::move(seats);
    record.events.push_back(event);
    history_.add(record);
  }
  static Instant at(std::uint64_t lsn) { return instant_from_ms(static_cast<std::int64_t>(lsn) * 1'000); }

  ShowNumber of = show;

 private:
  SeatHistory& history_;
  Lsn lsn_ = 0;
};

/// "3 reserved 2": LSN, fate, user.
std::string told(const SeatHistory& history, SeatIndex seat) {
  std::string text;
  for (const SeatChange& change : history.changes()) {
    if (change.seat != seat) continue;
    text += (text.empty() ? "" : ", ") + std::to_string(change.lsn) + " " + std::string(to_string(change.fate)) + " " +
            std::to_string(to_value(change.user));
  }
  return text;
}

}  // namespace

TEST_CASE("seat history: a seat from hand to hand: who had it since when") {
  const std::vector<SeatIndex> seats{3, 4};
  SeatHistory history(show, anna, seats);
  Log log(history);
  log.add(EventType::show_opened, 0);
  log.add(EventType::reserved, 1, bert, {3, 9});
  log.add(EventType::released, 1);
  log.add(EventType::reserved, 2, bert, {3, 4});
  log.add(EventType::payment_started, 2);
  log.add(EventType::booked, 2);
  log.add(EventType::seats_cancelled, 2, UserNumber::none, {}, 0b01);
  log.add(EventType::seats_blocked, 0, UserNumber::none, {3});
  log.add(EventType::seats_unblocked, 0, UserNumber::none, {3});
  CHECK(history.opened() == Log::at(1));
  CHECK(told(history, 3) == "2 reserved 2, 3 freed 2, 4 reserved 2, 6 booked 2, 7 freed 2, 8 blocked 0, 9 unblocked 0");
  CHECK(told(history, 4) == "4 reserved 2, 6 booked 2");
  CHECK(told(history, 9).empty());  // nobody asked about it
  CHECK(history.own().empty());

  CHECK_FALSE(history.holder(3, Log::at(1)));
  CHECK(history.holder(3, Log::at(2))->lsn == 2);
  CHECK(history.holder(3, Log::at(3))->lsn == 2);  // within the millisecond in which it was given back
  CHECK_FALSE(history.holder(3, Log::at(3) + Duration{1}));
  CHECK(history.holder(3, Log::at(6) - Duration{1})->fate == SeatFate::reserved);
  CHECK(history.holder(3, Log::at(6))->fate == SeatFate::booked);
  CHECK(history.holder(3, Log::at(8))->user == UserNumber::none);
  CHECK_FALSE(history.holder(3, Log::at(20)));
  CHECK(history.holder(4, Log::at(20))->lsn == 6);
}

TEST_CASE("seat history: what became of one's own, and nothing of other shows") {
  SeatHistory history(show, anna, {});
  Log log(history);
  log.add(EventType::reserved, 1, anna, {5});
  log.add(EventType::expired, 1);
  log.add(EventType::cooldown_started, 0, anna);
  log.add(EventType::cooldown_started, 0, bert);
  log.add(EventType::waitlisted, 1, anna);
  log.add(EventType::waitlist_left, 1);
  log.add(EventType::show_guarded, 0, UserNumber::none, {}, 4);
  log.add(EventType::show_guarded, 0, UserNumber::none, {}, 4);
  log.add(EventType::released, 99);  // begun before what is left of the log
  log.of = ShowNumber{8};
  log.add(EventType::reserved, 1, anna, {5});
  std::string own;
  for (const OwnEvent& event : history.own()) own += std::to_string(static_cast<int>(event.type)) + " ";
  CHECK(own == "20 22 40 50 51 ");
  CHECK(history.own()[1].seats == std::vector<SeatIndex>{5});
  CHECK(history.rooms() == std::vector<std::uint32_t>{4});
  CHECK(history.changes().empty());
}
