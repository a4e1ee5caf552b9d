#include "tests/history/search.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

#include "usher/assert.hpp"

namespace usher::history {
namespace {

/// The finalizer of SplitMix64 (Steele, Lea and Flood 2014).
constexpr std::uint64_t mix(std::uint64_t value) noexcept {
  value += 0x9e3779b97f4a7c15ULL;
  value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ (value >> 27U)) * 0x94d049bb133111ebULL;
  return value ^ (value >> 31U);
}
constexpr std::uint64_t hash_of_seat(std::uint32_t seat, Holder holder) noexcept {
  return mix((std::uint64_t{seat} << 32U) | holder);
}
constexpr std::uint64_t hash_of_done(std::uint32_t operation) noexcept {
  return mix(~std::uint64_t{operation});
}

bool contains(const std::vector<std::uint32_t>& values, std::uint32_t value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

struct Event {
  Time at;
  bool returns;  // at the same time, requests come first: then they overlap, and nothing is claimed of their order
  std::uint32_t operation;
  bool operator<(const Event& other) const noexcept {
    return std::tie(at, returns, operation) < std::tie(other.at, other.returns, other.operation);
  }
};

std::vector<Event> events_of(const Part& part) {
  std::vector<Event> events;
  events.reserve(2 * part.operations.size());
  for (const std::uint32_t operation : part.operations) {
    events.push_back({part.at(operation).invoked, false, operation});
    if (part.at(operation).returned != never) events.push_back({part.at(operation).returned, true, operation});
  }
  std::sort(events.begin(), events.end());
  return events;
}

/// Calls `look(seat)` for each seat that the operation names, until it says true. Returns whether it did.
template <class Look>
bool any_seat(const Part& part, const Operation& operation, Look&& look) {
  if (operation.kind == Kind::map) {
    for (std::uint32_t seat = 0; seat < part.seat_count; ++seat) {
      if (look(seat)) return true;
    }
    return false;
  }
  const auto seats = operation.kind == Kind::refused ? part.asked_seats(operation) : part.seats(operation);
  return std::any_of(seats.begin(), seats.end(), [&](std::uint32_t seat) { return look(part.local(seat)); });
}

}  // namespace

bool Configuration::has_done(std::uint32_t operation) const noexcept {
  return std::binary_search(done.begin(), done.end(), operation);
}

void Configuration::set_done(std::uint32_t operation) {
  done.insert(std::lower_bound(done.begin(), done.end(), operation), operation);
  hash ^= hash_of_done(operation);
}

void Configuration::forget_done(std::uint32_t operation) {
  done.erase(std::lower_bound(done.begin(), done.end(), operation));
  hash ^= hash_of_done(operation);
}

void Configuration::set(std::uint32_t seat, Holder holder) {
  hash ^= hash_of_seat(seat, state[seat]) ^ hash_of_seat(seat, holder);
  state[seat] = holder;
}

Judgement Search::run() {
  configurations_.resize(1);
  configurations_[0].state.resize(part_.seat_count);
  changes_of_seat_.resize(part_.seat_count);
  up_.resize(part_.seat_count);
  std::iota(up_.begin(), up_.end(), 0U);
  Judgement judgement;
  judgement.operations = part_.operations.size();
  for (const Event& event : events_of(part_)) {
    if (!event.returns) {
      on_invoked(event.operation);
    } else if (!on_returned(event.operation)) {
      judgement.verdict = effort_ > limit_ ? Verdict::undecided : Verdict::violation;
      if (judgement.verdict == Verdict::violation) judgement.why = explain(event.operation);
      break;
    }
    configurations_max_ = std::max(configurations_max_, configurations_.size());
  }
  judgement.configurations_max = configurations_max_;
  return judgement;
}

void Search::on_invoked(std::uint32_t operation) {
  if (!changes(part_.at(operation))) {
    reads_.push_back(operation);
  } else {
    changes_.push_back(operation);
    for (const std::uint32_t seat : part_.seats(part_.at(operation))) ++changes_of_seat_[part_.local(seat)];
  }
  for (Configuration& configuration : configurations_) settle(configuration);
}

/// Returns: false when nothing explains the answer, or the limit was met.
bool Search::on_returned(std::uint32_t operation) {
  effort_ = 0;
  if (!take_short_cut(operation)) {
    goal_ = operation;
    link_pending();
    ConfigurationSet next;
    for (Configuration& from : configurations_) {
      if (from.has_done(operation)) {
        from.forget_done(operation);
        next.insert(std::move(from));
        continue;
      }
      ConfigurationSet seen;
      step(from, next, seen);
      if (!must_happen(part_.at(operation))) next.insert(std::move(from));
    }
    if (effort_ > limit_ || next.empty()) return false;
    configurations_.clear();
    while (!next.empty()) configurations_.push_back(std::move(next.extract(next.begin()).value()));
  }
  end(operation);
  for (Configuration& configuration : configurations_) settle(configuration);
  return true;
}

/// The common case: one explanation so far, and nothing under way that the order of this one could matter to.
bool Search::take_short_cut(std::uint32_t operation) {
  if (configurations_.size() != 1) return false;
  Configuration& only = configurations_[0];
  if (only.has_done(operation)) {
    only.forget_done(operation);
    return true;
  }
  const Operation& change = part_.at(operation);
  if (!changes(change) || !must_happen(change) || first_misfit(part_, change, only.state) != fits) return false;
  const auto seats = part_.seats(change);
  const auto is_shared = [&](std::uint32_t seat) { return changes_of_seat_[part_.local(seat)] != 1; };
  if (std::any_of(seats.begin(), seats.end(), is_shared)) return false;
  for (const std::uint32_t read : reads_) {
    const auto touched = [&](std::uint32_t seat) {
      return std::any_of(seats.begin(), seats.end(), [&](std::uint32_t mine) { return part_.local(mine) == seat; });
    };
    if (!only.has_done(read) && any_seat(part_, part_.at(read), touched)) return false;
  }
  apply(part_, change, Seats{only.state}, [&](std::uint32_t seat, Holder holder) { only.set(seat, holder); });
  return true;
}

void Search::end(std::uint32_t operation) {
  if (!changes(part_.at(operation))) {
    reads_.erase(std::find(reads_.begin(), reads_.end(), operation));
    return;
  }
  changes_.erase(std::find(changes_.begin(), changes_.end(), operation));
  for (const std::uint32_t seat : part_.seats(part_.at(operation))) --changes_of_seat_[part_.local(seat)];
  drop_what_is_over(part_.at(operation).reservation);
}

/// What has no answer and asks for a reservation that no explanation knows any more will never happen.
void Search::drop_what_is_over(std::uint32_t reservation) {
  const auto makes = [&](std::uint32_t change) {
    return part_.at(change).kind == Kind::reserve && part_.at(change).reservation == reservation;
  };
  if (std::any_of(changes_.begin(), changes_.end(), makes)) return;
  std::erase_if(changes_, [&](std::uint32_t change) {
    const Operation& other = part_.at(change);
    if (other.reservation != reservation || other.returned != never) return false;
    const auto knows = [&](const Configuration& explanation) {
      const Holder holder = explanation.state[part_.local(part_.seats(other)[0])];
      return (holder | 1U) == holder_of(reservation, true) || explanation.has_done(change);
    };
    if (std::any_of(configurations_.begin(), configurations_.end(), knows)) return false;
    for (const std::uint32_t seat : part_.seats(other)) --changes_of_seat_[part_.local(seat)];
    return true;
  });
}

// ---- what has to happen before the goal ----

std::uint32_t Search::root(std::uint32_t seat) {
  while (up_[seat] != seat) seat = up_[seat] = up_[up_[seat]];
  return seat;
}

void Search::link_pending() {
  for (const std::uint32_t seat : linked_) up_[seat] = seat;
  linked_.clear();
  for (const std::uint32_t change : changes_) {
    const auto seats = part_.seats(part_.at(change));
    for (const std::uint32_t seat : seats) {
      linked_.push_back(part_.local(seat));
      up_[root(part_.local(seat))] = root(part_.local(seats[0]));
    }
  }
}

bool Search::is_worn_out() {
  return effort_ > limit_ || ++effort_ > limit_;
}

/// Adds to `found` what may be true once the goal has taken effect, going on from `from`.
void Search::step(const Configuration& from, ConfigurationSet& found, ConfigurationSet& seen) {
  if (is_worn_out() || !seen.insert(from).second) return;
  const Operation& goal = part_.at(goal_);
  if (from.has_done(goal_)) {
    Configuration end = from;
    end.forget_done(goal_);
    found.insert(std::move(end));
    return;
  }
  if (changes(goal) && first_misfit(part_, goal, from.state) == fits) {
    Configuration end = after(from, goal_);
    end.forget_done(goal_);
    found.insert(std::move(end));
  }
  for (const std::uint32_t read : reads_in_the_way(from)) {
    ConfigurationSet reached;
    ConfigurationSet seen_on_the_way;
    reach(from, read, reached, seen_on_the_way);
    for (const Configuration& next : reached) step(next, found, seen);
  }
  if (!changes(goal)) return;
  const std::uint32_t mine = root(part_.local(part_.seats(goal)[0]));
  for (const std::uint32_t change : changes_) {
    if (change == goal_ || root(part_.local(part_.seats(part_.at(change))[0])) != mine) continue;
    if (may_happen(from, change)) step(after(from, change), found, seen);
  }
}

/// Adds to `found` the states in which the read fits, by changes to the seats that do not fit it.
void Search::reach(const Configuration& from, std::uint32_t read, ConfigurationSet& found, ConfigurationSet& seen) {
  if (is_worn_out() || !seen.insert(from).second) return;
  if (from.has_done(read)) {
    found.insert(from);
    return;
  }
  const std::uint32_t seat = root(first_misfit(part_, part_.at(read), from.state));
  for (const std::uint32_t change : changes_) {
    if (change == goal_ || root(part_.local(part_.seats(part_.at(change))[0])) != seat) continue;
    if (may_happen(from, change)) reach(after(from, change), read, found, seen);
  }
}

/// Reads that may have to come before the goal: those that see seats which are changed on the way to it, or to another
/// such read. The goal is among them when it is a read.
std::vector<std::uint32_t> Search::reads_in_the_way(const Configuration& from) {
  std::vector<std::uint32_t> roots;
  std::vector<std::uint32_t> result;
  add_roots(from, goal_, roots);
  if (!changes(part_.at(goal_))) result.push_back(goal_);
  for (bool grown = true; grown;) {
    grown = false;
    for (const std::uint32_t read : reads_) {
      if (from.has_done(read) || contains(result, read)) continue;
      if (!any_seat(part_, part_.at(read), [&](std::uint32_t seat) { return contains(roots, root(seat)); })) continue;
      result.push_back(read);
      add_roots(from, read, roots);
      grown = true;
    }
  }
  return result;
}

void Search::add_roots(const Configuration& from, std::uint32_t operation, std::vector<std::uint32_t>& roots) {
  const Operation& goal = part_.at(operation);
  const bool misfits_only = goal.kind == Kind::map;
  constexpr std::string_view letters = "FRB";
  (void)any_seat(part_, goal, [&](std::uint32_t seat) {
    const std::size_t letter = from.state[seat] == 0 ? 0 : 1 + (from.state[seat] & 1U);
    const bool wanted = !misfits_only || part_.history->states[goal.first + seat] != letters[letter];
    if (wanted && !contains(roots, root(seat))) roots.push_back(root(seat));
    return false;
  });
}

bool Search::may_happen(const Configuration& configuration, std::uint32_t change) const {
  return !configuration.has_done(change) && first_misfit(part_, part_.at(change), configuration.state) == fits;
}

Configuration Search::after(const Configuration& from, std::uint32_t change) const {
  Configuration next = from;
  apply(part_, part_.at(change), from.state, [&](std::uint32_t seat, Holder holder) { next.set(seat, holder); });
  next.set_done(change);
  settle(next);
  return next;
}

/// What costs nothing happens at once: reads that fit, and deadlines of what is no longer reserved.
void Search::settle(Configuration& configuration) const {
  for (const std::uint32_t read : reads_) {
    if (!configuration.has_done(read) && first_misfit(part_, part_.at(read), configuration.state) == fits)
      configuration.set_done(read);
  }
  for (const std::uint32_t change : changes_) {
    const Operation& deadline = part_.at(change);
    if (deadline.kind != Kind::expire || configuration.has_done(change)) continue;
    const auto may_be_made = [&](std::uint32_t other) {
      const Operation& reserve = part_.at(other);
      return reserve.kind == Kind::reserve && reserve.reservation == deadline.reservation &&
             !configuration.has_done(other);
    };
    const bool reserved =
        configuration.state[part_.local(part_.seats(deadline)[0])] == holder_of(deadline.reservation, false);
    if (!reserved && std::none_of(changes_.begin(), changes_.end(), may_be_made)) configuration.set_done(change);
  }
}

std::string Search::explain(std::uint32_t operation) const {
  std::string text = fmt::format("nothing explains the answer `{}`\n", line_of(*part_.history, part_.at(operation)));
  for (const auto* pending : {&changes_, &reads_}) {
    for (const std::uint32_t other : *pending) {
      if (other != operation) text += fmt::format("  under way: {}\n", line_of(*part_.history, part_.at(other)));
    }
  }
  const std::size_t shown = std::min<std::size_t>(configurations_.size(), 3);
  for (std::size_t i = 0; i < shown; ++i) {
    text += "  one state before it:";
    (void)any_seat(part_, part_.at(operation), [&](std::uint32_t seat) {
      const Holder holder = configurations_[i].state[seat];
      const std::string name = holder == 0 ? "free" : part_.history->reservations[holder / 2 - 1];
      text += fmt::format(" {}={}{}", seat, name, holder != 0 && holder % 2 == 1 ? " (booked)" : "");
      return false;
    });
    text += '\n';
  }
  return text;
}

}  // namespace usher::history
