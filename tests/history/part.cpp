#include "tests/history/part.hpp"

#include <algorithm>
#include <numeric>
#include <unordered_map>

namespace usher::history {
namespace {

/// Sets of seats of one show that operations link.
class Links {
 public:
  explicit Links(std::uint32_t seat_count) : up_(seat_count) { std::iota(up_.begin(), up_.end(), 0U); }

  std::uint32_t root(std::uint32_t seat) {
    while (up_[seat] != seat) seat = up_[seat] = up_[up_[seat]];
    return seat;
  }
  void join(std::uint32_t one, std::uint32_t other) { up_[root(one)] = root(other); }

 private:
  std::vector<std::uint32_t> up_;
};

std::vector<Links> link(const History& history) {
  std::vector<Links> links;
  for (const Show& show : history.shows) links.emplace_back(show.seat_count);
  for (const Operation& operation : history.operations) {
    Links& seats = links[operation.show];
    const auto join_all = [&](std::uint32_t first, std::uint32_t count) {
      for (std::uint32_t i = 1; i < count; ++i) seats.join(history.seats[first], history.seats[first + i]);
    };
    if (operation.kind == Kind::map) {
      for (std::uint32_t seat = 1; seat < operation.count; ++seat) seats.join(0, seat);
    } else {
      join_all(operation.first, operation.count);
      join_all(operation.also_first, operation.also_count);
    }
  }
  return links;
}

std::uint32_t any_seat(const History& history, const Operation& operation) {
  if (operation.kind == Kind::map) return 0;
  return history.seats[operation.kind == Kind::refused ? operation.also_first : operation.first];
}

/// Whether a seat held by `holder` allows `operation`, for operations of a reservation.
bool allows(const Operation& operation, Holder holder) {
  const Holder reserved = holder_of(operation.reservation, false);
  const bool gone = operation.outcome == Outcome::gone;
  switch (operation.kind) {
    case Kind::reserve:
      return holder == 0;
    case Kind::release:
    case Kind::book:
      return gone ? holder != reserved : holder == reserved;
    case Kind::cancel:
      return gone ? holder != reserved + 1 : holder == reserved + 1;
    case Kind::read:
      if (gone) return (holder | 1U) != reserved + 1;
      return holder == reserved + (operation.outcome == Outcome::booked ? 1U : 0U);
    default:
      return true;
  }
}

}  // namespace

std::vector<Part> divide(const History& history) {
  std::vector<Links> links = link(history);
  std::vector<std::unordered_map<std::uint32_t, std::size_t>> part_of(history.shows.size());
  std::vector<Part> parts;
  for (std::uint32_t index = 0; index < history.operations.size(); ++index) {
    const Operation& operation = history.operations[index];
    const std::uint32_t root = links[operation.show].root(any_seat(history, operation));
    const auto [at, fresh] = part_of[operation.show].try_emplace(root, parts.size());
    if (fresh) parts.emplace_back().history = &history;
    parts[at->second].operations.push_back(index);
  }
  for (std::size_t show = 0; show < history.shows.size(); ++show) {
    auto indices = std::make_shared<std::vector<std::uint32_t>>(history.shows[show].seat_count);
    for (std::uint32_t seat = 0; seat < history.shows[show].seat_count; ++seat) {
      if (const auto found = part_of[show].find(links[show].root(seat)); found != part_of[show].end())
        (*indices)[seat] = parts[found->second].seat_count++;
    }
    for (const auto& [root, index] : part_of[show]) parts[index].indices = indices;
  }
  return parts;
}

bool changes(const Operation& operation) noexcept {
  if (operation.kind == Kind::expire) return true;
  const bool command = operation.kind == Kind::reserve || operation.kind == Kind::release ||
                       operation.kind == Kind::book || operation.kind == Kind::cancel;
  return command && (operation.outcome == Outcome::ok || operation.outcome == Outcome::unknown);
}

bool must_happen(const Operation& operation) noexcept {
  return operation.outcome != Outcome::unknown && operation.returned != never;
}

std::uint32_t first_misfit(const Part& part, const Operation& operation, const Seats& state) noexcept {
  if (operation.kind == Kind::map) {
    constexpr std::string_view letters = "FRB";
    for (std::uint32_t seat = 0; seat < operation.count; ++seat) {  // a map's part has all seats, in their order
      const std::size_t letter = state[seat] == 0 ? 0 : 1 + (state[seat] & 1U);
      if (part.history->states[operation.first + seat] != letters[letter]) return seat;
    }
    return fits;
  }
  if (operation.kind == Kind::refused) {
    const auto taken = part.seats(operation);
    for (const std::uint32_t seat : part.asked_seats(operation)) {
      const bool told = std::find(taken.begin(), taken.end(), seat) != taken.end();
      if ((state[part.local(seat)] != 0) != told) return part.local(seat);
    }
    return fits;
  }
  for (const std::uint32_t seat : part.seats(operation)) {
    if (!allows(operation, state[part.local(seat)])) return part.local(seat);
  }
  return fits;
}

}  // namespace usher::history
