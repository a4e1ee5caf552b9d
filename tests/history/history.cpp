#include "tests/history/history.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <ostream>
#include <span>
#include <unordered_map>

namespace usher::history {
namespace {

constexpr std::array<std::string_view, 8> kind_names{"reserve", "refused", "release", "book",
                                                     "cancel",  "read",    "expire",  "map"};
constexpr std::array<std::string_view, 6> outcome_names{"ok", "unknown", "declined", "gone", "reserved", "booked"};
constexpr std::uint32_t not_reserved_yet = 0xffffffff;

/// Which outcomes an operation may have, by bit of Outcome.
constexpr std::array<unsigned, 8> outcomes_of{0b000011, 0b000001, 0b001011, 0b001111,
                                              0b001011, 0b111000, 0b000001, 0b000001};

template <std::size_t Size>
std::size_t find_name(const std::array<std::string_view, Size>& names, std::string_view name) {
  return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
}

template <class Number>
bool read_number(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

class Reader {
 public:
  Result<History> read(std::string_view text) {
    for (std::size_t number = 1; !text.empty(); ++number) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      split(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
      if (const std::string problem = words_.empty() ? "" : read_line(); !problem.empty())
        return make_error(ErrorCode::invalid, fmt::format("line {}: {}", number, problem));
    }
    for (Operation& operation : history_.operations) {
      if (operation.kind == Kind::refused || operation.kind == Kind::map) continue;
      const std::uint32_t made_by = reserves_[operation.reservation];
      if (made_by == not_reserved_yet)
        return make_error(ErrorCode::invalid, "nobody reserves " + history_.reservations[operation.reservation]);
      const Operation& reserve = history_.operations[made_by];
      if (reserve.show != operation.show)
        return make_error(ErrorCode::invalid, "two shows for " + history_.reservations[operation.reservation]);
      if (operation.kind == Kind::expire && operation.invoked < reserve.invoked)
        return make_error(ErrorCode::invalid,
                          "expires before it is made: " + history_.reservations[operation.reservation]);
      operation.first = reserve.first;
      operation.count = reserve.count;
    }
    return std::move(history_);
  }

 private:
  using Index = std::unordered_map<std::string, std::uint32_t>;

  void split(std::string_view line) {
    words_.clear();
    line = line.substr(0, line.find('#'));
    while (true) {
      const std::size_t begin = line.find_first_not_of(" \t\r");
      if (begin == std::string_view::npos) return;
      line.remove_prefix(begin);
      const std::size_t end = std::min(line.find_first_of(" \t\r"), line.size());
      words_.push_back(line.substr(0, end));
      line.remove_prefix(end);
    }
  }

  static std::uint32_t number_of(Index& index, std::vector<std::string>& names, std::string_view name) {
    const auto [at, fresh] = index.try_emplace(std::string{name}, static_cast<std::uint32_t>(names.size()));
    if (fresh) names.emplace_back(name);
    return at->second;
  }

  std::string read_line() {
    if (words_[0] == "show") return read_show();
    if (words_.size() < 6) return "too few words";
    Operation operation;
    if (!read_number(words_[0], operation.invoked)) return "`invoked` is no integer";
    if (words_[1] != "-" && !read_number(words_[1], operation.returned)) return "`returned` is no integer and no -";
    if (operation.returned < operation.invoked) return "returned before it was invoked";
    operation.client = number_of(client_index_, history_.clients, words_[2]);
    const auto show = show_index_.find(std::string{words_[3]});
    if (show == show_index_.end()) return "no such show";
    operation.show = show->second;
    const std::size_t kind = find_name(kind_names, words_[4]);
    if (kind == kind_names.size()) return "no such operation";
    operation.kind = static_cast<Kind>(kind);
    const std::string problem = read_operation(operation);
    if (problem.empty()) history_.operations.push_back(operation);
    return problem;
  }

  std::string read_show() {
    Show show;
    if (words_.size() != 3) return "a show has a name and a number of seats";
    if (!read_number(words_[2], show.seat_count) || show.seat_count == 0) return "seat_count is no positive integer";
    show.name = words_[1];
    if (!show_index_.emplace(show.name, static_cast<std::uint32_t>(history_.shows.size())).second)
      return "the show is there twice";
    history_.shows.push_back(show);
    return "";
  }

  std::string read_operation(Operation& operation) {
    switch (operation.kind) {
      case Kind::map:
        return words_.size() == 6 ? read_states(operation, words_[5]) : "a map has its states and nothing else";
      case Kind::refused: {
        if (words_.size() != 7) return "a refusal has the seats asked for and those that were taken";
        const std::string problem = read_seats(operation, words_[5], operation.also_first, operation.also_count);
        return problem.empty() ? read_taken(operation) : problem;
      }
      default:
        return read_of_reservation(operation);
    }
  }

  std::string read_of_reservation(Operation& operation) {
    const bool reserves = operation.kind == Kind::reserve;
    const std::size_t at = reserves ? 7 : 6;
    if (words_.size() != (operation.kind == Kind::expire ? at : at + 1)) return "too few or too many words";
    operation.reservation = number_of(reservation_index_, history_.reservations, words_[5]);
    reserves_.resize(history_.reservations.size(), not_reserved_yet);
    if (operation.kind != Kind::expire) {
      const std::size_t outcome = find_name(outcome_names, words_[at]);
      if (outcome == outcome_names.size()) return "no such outcome";
      operation.outcome = static_cast<Outcome>(outcome);
      if (((outcomes_of[static_cast<std::size_t>(operation.kind)] >> outcome) & 1U) == 0)
        return "not an outcome of this operation";
    }
    if (operation.outcome != Outcome::unknown && operation.returned == never && operation.kind != Kind::expire)
      return "never returned, but its outcome is known";
    if (!reserves) return "";
    if (reserves_[operation.reservation] != not_reserved_yet) return "the same reservation is made twice";
    reserves_[operation.reservation] = static_cast<std::uint32_t>(history_.operations.size());
    return read_seats(operation, words_[6], operation.first, operation.count);
  }

  std::string read_seats(const Operation& operation, std::string_view text, std::uint32_t& first,
                         std::uint32_t& count) {
    first = static_cast<std::uint32_t>(history_.seats.size());
    while (true) {
      const std::size_t comma = std::min(text.find(','), text.size());
      std::uint32_t seat = 0;
      if (!read_number(text.substr(0, comma), seat)) return "a seat is no integer";
      if (seat >= history_.shows[operation.show].seat_count) return "the show has no such seat";
      history_.seats.push_back(seat);
      if (comma == text.size()) break;
      text.remove_prefix(comma + 1);
    }
    count = static_cast<std::uint32_t>(history_.seats.size()) - first;
    return "";
  }

  std::string read_taken(Operation& operation) {
    std::string problem = read_seats(operation, words_[6], operation.first, operation.count);
    const auto asked = history_.seats.begin() + operation.also_first;
    const auto asked_end = asked + operation.also_count;
    const auto was_asked_for = [&](std::uint32_t seat) { return std::find(asked, asked_end, seat) != asked_end; };
    if (problem.empty() && !std::all_of(asked_end, history_.seats.end(), was_asked_for))
      problem = "taken are seats that nobody asked for";
    return problem;
  }

  std::string read_states(Operation& operation, std::string_view text) {
    if (text.size() != history_.shows[operation.show].seat_count) return "a map has one letter for each seat";
    if (text.find_first_not_of("FRB") != std::string_view::npos) return "a seat is F, R or B";
    operation.first = static_cast<std::uint32_t>(history_.states.size());
    operation.count = static_cast<std::uint32_t>(text.size());
    history_.states += text;
    return "";
  }

  History history_;
  Index show_index_, client_index_, reservation_index_;
  std::vector<std::uint32_t> reserves_;  // by reservation: the operation that makes it
  std::vector<std::string_view> words_;
};

std::string joined(const History& history, std::uint32_t first, std::uint32_t count) {
  return fmt::format("{}", fmt::join(std::span{history.seats}.subspan(first, count), ","));
}

}  // namespace

Result<History> read_history(std::string_view text) {
  return Reader{}.read(text);
}

std::string line_of(const History& history, const Operation& operation) {
  const std::string returned = operation.returned == never ? "-" : std::to_string(operation.returned);
  std::string line =
      fmt::format("{} {} {} {} {}", operation.invoked, returned, history.clients[operation.client],
                  history.shows[operation.show].name, kind_names[static_cast<std::size_t>(operation.kind)]);
  if (operation.kind == Kind::map) return line + ' ' + history.states.substr(operation.first, operation.count);
  if (operation.kind == Kind::refused) {
    return fmt::format("{} {} {}", line, joined(history, operation.also_first, operation.also_count),
                       joined(history, operation.first, operation.count));
  }
  line += ' ' + history.reservations[operation.reservation];
  if (operation.kind == Kind::expire) return line;
  if (operation.kind == Kind::reserve) line += ' ' + joined(history, operation.first, operation.count);
  return fmt::format("{} {}", line, outcome_names[static_cast<std::size_t>(operation.outcome)]);
}

void write_history(const History& history, std::ostream& out) {
  for (const Show& show : history.shows) out << "show " << show.name << ' ' << show.seat_count << '\n';
  for (const Operation& operation : history.operations) out << line_of(history, operation) << '\n';
}

}  // namespace usher::history
