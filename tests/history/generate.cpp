#include "tests/history/generate.hpp"

#include <algorithm>
#include <map>
#include <queue>
#include <tuple>

#include "tests/history/part.hpp"

namespace usher::history {
namespace {

struct Moment {
  Time at;
  std::uint32_t who;  // the client whose operation takes effect, or clients + the reservation that expires
  bool operator>(const Moment& other) const noexcept { return std::tie(at, who) > std::tie(other.at, other.who); }
};

struct Held {
  std::uint32_t reservation;
  std::uint32_t show;
  bool booked;
};

class Drawing {
 public:
  explicit Drawing(const Draw& draw) : draw_(draw), random_(draw.seed), next_(draw.clients), mine_(draw.clients) {
    for (std::uint32_t show = 0; show < draw.shows; ++show)
      history_.shows.push_back({"s" + std::to_string(show), draw.seats});
    for (std::uint32_t client = 0; client < draw.clients; ++client)
      history_.clients.push_back("c" + std::to_string(client));
    history_.clients.emplace_back("clock");
    states_.assign(draw.shows, Seats(draw.seats));
  }

  History run() {
    for (std::uint32_t client = 0; client < draw_.clients; ++client) ask(client, below(draw_.duration));
    while (!moments_.empty()) {
      const Moment moment = moments_.top();
      moments_.pop();
      if (moment.who >= draw_.clients) {
        expire(moment.who - draw_.clients);
      } else {
        take_effect(moment.who, moment.at);
      }
    }
    return std::move(history_);
  }

 private:
  std::uint32_t below(std::uint32_t limit) { return static_cast<std::uint32_t>(random_() % limit); }

  /// A client's next request at `at`, which takes effect some time later.
  void ask(std::uint32_t client, Time at) {
    if (asked_ == draw_.operations) return;
    ++asked_;
    Operation& operation = next_[client] = Operation{};
    operation.client = client;
    operation.invoked = at;
    const std::uint32_t dice = below(1'000);
    std::vector<Held>& mine = mine_[client];
    if (dice < draw_.maps_per_mille) {
      operation.show = below(draw_.shows);
    } else if (mine.empty() || below(100) < 40) {
      operation.kind = Kind::reserve;
      operation.show = below(draw_.shows);
      choose_seats(operation);
    } else {
      const std::size_t index = below(static_cast<std::uint32_t>(mine.size()));
      const Held held = mine[index];
      operation.show = held.show;
      operation.reservation = held.reservation;
      const Operation& reserve = history_.operations[made_by_[held.reservation]];
      operation.first = reserve.first;
      operation.count = reserve.count;
      const std::uint32_t what = below(4);
      operation.kind = what == 0 ? Kind::read : held.booked ? Kind::cancel : what == 1 ? Kind::book : Kind::release;
      if (operation.kind == Kind::book) mine[index].booked = true;
      if (operation.kind == Kind::cancel || operation.kind == Kind::release)
        mine.erase(mine.begin() + static_cast<std::ptrdiff_t>(index));
    }
    moments_.push({at + below(draw_.duration), client});
  }

  void choose_seats(Operation& operation) {
    const std::uint32_t count = 1 + below(std::min(draw_.seats_max, draw_.seats));
    const std::uint32_t first = below(draw_.seats - count + 1);
    operation.first = static_cast<std::uint32_t>(history_.seats.size());
    operation.count = count;
    for (std::uint32_t i = 0; i < count; ++i) history_.seats.push_back(first + i);
  }

  void take_effect(std::uint32_t client, Time at) {
    Operation operation = next_[client];
    Seats& state = states_[operation.show];
    operation.returned = at + below(draw_.duration);
    const bool is_change = operation.kind != Kind::map && operation.kind != Kind::read;
    const bool unknown = is_change && below(1'000) < draw_.unknown_per_mille;
    const bool lost = unknown && below(2) == 0;
    if (operation.kind == Kind::map) {
      write_map(operation, state);
    } else if (operation.kind == Kind::reserve) {
      reserve(operation, state, unknown, lost);
    } else {
      act(operation, state, unknown, lost);
    }
    const Time free = operation.returned + 1 + below(draw_.duration);
    if (unknown && below(1'000) < draw_.never_per_mille) operation.returned = never;
    history_.operations.push_back(operation);
    ask(client, free);
  }

  void write_map(Operation& operation, const Seats& state) {
    operation.first = static_cast<std::uint32_t>(history_.states.size());
    operation.count = draw_.seats;
    for (const Holder holder : state) history_.states += holder == 0 ? 'F' : holder % 2 == 0 ? 'R' : 'B';
  }

  void reserve(Operation& operation, Seats& state, bool unknown, bool lost) {
    const auto begin = history_.seats.begin() + operation.first;
    const std::vector<std::uint32_t> seats(begin, begin + operation.count);
    std::vector<std::uint32_t> taken;
    std::copy_if(seats.begin(), seats.end(), std::back_inserter(taken),
                 [&](std::uint32_t seat) { return state[seat] != 0; });
    if (!taken.empty() && !unknown) {
      operation.kind = Kind::refused;
      operation.also_first = operation.first;
      operation.also_count = operation.count;
      operation.first = static_cast<std::uint32_t>(history_.seats.size());
      operation.count = static_cast<std::uint32_t>(taken.size());
      history_.seats.insert(history_.seats.end(), taken.begin(), taken.end());
      return;
    }
    operation.reservation = static_cast<std::uint32_t>(history_.reservations.size());
    history_.reservations.push_back("r" + std::to_string(operation.reservation));
    made_by_.push_back(static_cast<std::uint32_t>(history_.operations.size()));
    if (unknown) operation.outcome = Outcome::unknown;
    if (!taken.empty() || lost) return;
    for (const std::uint32_t seat : seats) state[seat] = holder_of(operation.reservation, false);
    if (!unknown) mine_[operation.client].push_back({operation.reservation, operation.show, false});
    const Time deadline = operation.returned + draw_.time_to_live;
    moments_.push({deadline, draw_.clients + operation.reservation});
  }

  void act(Operation& operation, Seats& state, bool unknown, bool lost) {
    const Holder reserved = holder_of(operation.reservation, false);
    const Holder holder = state[history_.seats[operation.first]];
    if (operation.kind == Kind::read) {
      operation.outcome = holder == reserved       ? Outcome::reserved
                          : holder == reserved + 1 ? Outcome::booked
                                                   : Outcome::gone;
      return;
    }
    const bool possible = holder == reserved + (operation.kind == Kind::cancel ? 1U : 0U);
    const bool declined = operation.kind == Kind::book && possible && !unknown && below(5) == 0;
    operation.outcome = unknown    ? Outcome::unknown
                        : declined ? Outcome::declined
                        : possible ? Outcome::ok
                                   : Outcome::gone;
    if (!possible || declined || lost) return;
    for (std::uint32_t i = 0; i < operation.count; ++i) {
      state[history_.seats[operation.first + i]] = operation.kind == Kind::book ? reserved + 1 : 0;
    }
  }

  void expire(std::uint32_t reservation) {
    const Operation& reserve = history_.operations[made_by_[reservation]];
    Operation operation = reserve;
    operation.kind = Kind::expire;
    operation.outcome = Outcome::ok;
    operation.client = draw_.clients;
    const Time due = (reserve.returned == never ? reserve.invoked + 2 * Time{draw_.duration} : reserve.returned);
    operation.invoked = reserve.invoked + draw_.time_to_live;
    operation.returned = due + draw_.time_to_live;
    Seats& state = states_[reserve.show];
    for (std::uint32_t i = 0; i < reserve.count; ++i) {
      Holder& holder = state[history_.seats[reserve.first + i]];
      if (holder == holder_of(reservation, false)) holder = 0;
    }
    history_.operations.push_back(operation);
  }

  const Draw draw_;
  std::mt19937_64 random_;
  History history_;
  std::vector<Seats> states_;    // by show
  std::vector<Operation> next_;  // by client: what it asked for
  std::vector<std::vector<Held>> mine_;
  std::vector<std::uint32_t> made_by_;  // by reservation
  std::priority_queue<Moment, std::vector<Moment>, std::greater<>> moments_;
  std::uint32_t asked_ = 0;
};

/// The stretch of time in which a reservation is certainly held, or empty.
struct Span {
  Time from = 0;
  Time to = 0;
};

Span surely_held(const History& history, std::uint32_t made_by) {
  const Operation& reserve = history.operations[made_by];
  Span span{reserve.returned, never};
  for (const Operation& other : history.operations) {
    const bool mine = other.kind != Kind::map && other.kind != Kind::refused && other.kind != Kind::reserve &&
                      other.show == reserve.show && other.reservation == reserve.reservation;
    if (mine && changes(other)) span.to = std::min(span.to, other.invoked);
  }
  return span;
}

bool touches(const History& history, const Operation& operation, std::uint32_t seat) {
  const auto begin = history.seats.begin() + operation.first;
  return operation.kind != Kind::map && std::find(begin, begin + operation.count, seat) != begin + operation.count;
}

/// From the answer of a release until the seat is asked for again, or empty.
Span surely_free(const History& history, const Operation& release, std::uint32_t seat) {
  Span span{release.returned, never};
  for (const Operation& other : history.operations) {
    if (other.show != release.show || !touches(history, other, seat) || other.kind != Kind::reserve) continue;
    if (other.returned >= release.invoked && other.reservation != release.reservation)
      span.to = std::min(span.to, other.invoked);
  }
  return span;
}

std::vector<std::uint32_t> all_of(const History& history, Kind kind, std::mt19937_64& random) {
  std::vector<std::uint32_t> found;
  for (std::uint32_t i = 0; i < history.operations.size(); ++i) {
    if (history.operations[i].kind == kind && history.operations[i].outcome == Outcome::ok) found.push_back(i);
  }
  std::shuffle(found.begin(), found.end(), random);
  if (found.size() > 50) found.resize(50);  // each try reads the whole history
  return found;
}

bool plant_while_held(Fault fault, History& history, std::mt19937_64& random) {
  for (const std::uint32_t made_by : all_of(history, Kind::reserve, random)) {
    const Span span = surely_held(history, made_by);
    if (span.to - span.from < 3) continue;
    Operation operation = history.operations[made_by];
    operation.invoked = span.from + 1;
    operation.returned = span.from + 2;
    if (fault == Fault::lost) {
      operation.kind = Kind::read;
      operation.outcome = Outcome::gone;
    } else {
      operation.reservation = static_cast<std::uint32_t>(history.reservations.size());
      history.reservations.push_back("r" + std::to_string(operation.reservation));
    }
    history.operations.push_back(operation);
    return true;
  }
  return false;
}

bool plant_while_free(Fault fault, History& history, std::mt19937_64& random) {
  for (const std::uint32_t at : all_of(history, Kind::release, random)) {
    const Operation& release = history.operations[at];
    const std::uint32_t seat = history.seats[release.first];
    const Span span = surely_free(history, release, seat);
    if (span.to - span.from < 3) continue;
    Operation operation = release;
    operation.invoked = span.from + 1;
    operation.returned = span.from + 2;
    if (fault == Fault::taken_by_nobody) {
      operation.kind = Kind::refused;
      operation.also_first = operation.first;
      operation.count = operation.also_count = 1;
    } else {
      operation.kind = Kind::map;
      operation.first = static_cast<std::uint32_t>(history.states.size());
      operation.count = history.shows[operation.show].seat_count;
      std::string states(operation.count, 'F');
      states[seat] = 'R';
      history.states += states;
    }
    history.operations.push_back(operation);
    return true;
  }
  return false;
}

}  // namespace

History draw_history(const Draw& draw) {
  return Drawing{draw}.run();
}

bool plant(Fault fault, History& history, std::mt19937_64& random) {
  const bool held = fault == Fault::sold_twice || fault == Fault::lost;
  return held ? plant_while_held(fault, history, random) : plant_while_free(fault, history, random);
}

void mutate(History& history, std::mt19937_64& random) {
  Operation& operation = history.operations[random() % history.operations.size()];
  if (operation.kind == Kind::map) {
    history.states[operation.first + random() % operation.count] = "FRB"[random() % 3];
  } else if (random() % 2 == 0) {
    const auto shift = static_cast<Time>(random() % 200);
    operation.invoked += operation.kind == Kind::expire || random() % 2 == 0 ? shift : 0;
    if (operation.returned != never) operation.returned = std::max(operation.invoked, operation.returned + shift - 50);
  } else if (operation.kind == Kind::read) {
    operation.outcome = random() % 2 == 0 ? Outcome::gone : Outcome::booked;
  } else if (operation.kind == Kind::refused) {
    operation.count = 1;
  } else if (operation.kind != Kind::reserve && operation.kind != Kind::expire) {
    if (operation.returned != never) operation.outcome = random() % 2 == 0 ? Outcome::gone : Outcome::ok;
  }
}

}  // namespace usher::history
