#include "bench/flash_sale/hall.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>

namespace usher::flash {
namespace {

constexpr std::string_view state_mark = "\"status\":\"";
constexpr std::string_view seats_mark = "\"seats\":[";

bool state_of(char letter, SeatState& state) noexcept {
  if (letter == 'a') {
    state = SeatState::available;
  } else if (letter == 'r') {
    state = SeatState::reserved;
  } else if (letter == 'b') {
    state = SeatState::booked;
  } else {
    return false;
  }
  return true;
}

template <class T>
T member(const simdjson::dom::element& object, const char* name) {
  T value{};
  return object[name].get(value) == simdjson::SUCCESS ? value : T{};
}

double number(const simdjson::dom::element& object, const char* name) {
  return member<double>(object, name);
}

}  // namespace

std::int64_t parse_time_ms(std::string_view text) {
  if (text.size() < 20 || text[4] != '-' || text[10] != 'T' || text.back() != 'Z') return 0;
  std::array<int, 7> part{};
  constexpr std::array<std::size_t, 7> at{0, 5, 8, 11, 14, 17, 20};
  constexpr std::array<std::size_t, 7> digits{4, 2, 2, 2, 2, 2, 3};
  for (std::size_t i = 0; i < part.size(); ++i) {
    if (at[i] + digits[i] > text.size()) break;  // without milliseconds
    (void)std::from_chars(text.data() + at[i], text.data() + at[i] + digits[i], part[i]);
  }
  using namespace std::chrono;
  const year_month_day day{year{part[0]}, month{static_cast<unsigned>(part[1])},
                           std::chrono::day{static_cast<unsigned>(part[2])}};
  if (!day.ok()) return 0;
  const auto time = sys_days{day} + hours{part[3]} + minutes{part[4]} + seconds{part[5]} + milliseconds{part[6]};
  return duration_cast<milliseconds>(time.time_since_epoch()).count();
}

bool Hall::learn(std::string_view seat_map) {
  simdjson::dom::parser parser;
  simdjson::dom::element map;
  simdjson::dom::array seats;
  if (parser.parse(seat_map.data(), seat_map.size(), true).get(map) != simdjson::SUCCESS) return false;
  if (map["seats"].get(seats) != simdjson::SUCCESS) return false;
  *this = Hall{};
  start_ms_ = parse_time_ms(member<std::string_view>(map, "start_time"));
  simdjson::dom::element focal;
  if (map["focal_point"].get(focal) == simdjson::SUCCESS) {
    focal_x_ = number(focal, "x");
    focal_y_ = number(focal, "y");
  }
  for (const simdjson::dom::element seat : seats) {
    const auto status = member<std::string_view>(seat, "status");
    SeatState state{};
    if (status.empty() || !state_of(status.front(), state)) return false;
    labels_.emplace_back(member<std::string_view>(seat, "seat_id"));
    rows_.emplace_back(member<std::string_view>(seat, "row"));
    x_.push_back(number(seat, "x"));
    y_.push_back(number(seat, "y"));
    const auto type = member<std::string_view>(seat, "type");
    ordinary_.push_back(type != "accessible" && type != "companion");
    simdjson::dom::element price;
    prices_.push_back(seat["price"].get(price) == simdjson::SUCCESS ? member<std::int64_t>(price, "amount") : 0);
    states_.push_back(state);
  }
  rank();
  return scan_states(seat_map);
}

/// Where the states stand in the text.
bool Hall::scan_states(std::string_view seat_map) {
  const std::size_t begin = seat_map.find(seats_mark);
  if (begin == std::string_view::npos) return false;
  const std::string_view seats = seat_map.substr(begin);
  for (std::size_t at = seats.find(state_mark); at != std::string_view::npos; at = seats.find(state_mark, at + 1)) {
    state_at_.push_back(at + state_mark.size());
  }
  return state_at_.size() == labels_.size() && read_states(seats);
}

bool Hall::read_states(std::string_view seats) {
  available_ = 0;
  for (std::size_t i = 0; i < state_at_.size(); ++i) {
    const std::size_t at = state_at_[i];
    if (at >= seats.size() || seats.substr(at - state_mark.size(), state_mark.size()) != state_mark) return false;
    if (!state_of(seats[at], states_[i])) return false;
    if (states_[i] == SeatState::available) ++available_;
  }
  return true;
}

bool Hall::update(std::string_view seat_map) {
  if (!known()) return learn(seat_map);
  const std::size_t begin = seat_map.find(seats_mark);
  if (begin == std::string_view::npos) return false;
  return read_states(seat_map.substr(begin)) || learn(seat_map);
}

void Hall::rank() {
  double step = 1e300;  // between neighbours; more than that is an aisle
  for (std::size_t i = 1; i < labels_.size(); ++i) {
    const double apart = std::abs(x_[i] - x_[i - 1]);
    if (rows_[i] == rows_[i - 1] && apart > 0) step = std::min(step, apart);
  }
  ranked_.assign(group_max + 1, {});
  std::vector<std::pair<double, std::uint32_t>> groups;
  for (std::size_t count = 1; count <= group_max; ++count) {
    groups.clear();
    for (std::size_t first = 0; first + count <= labels_.size(); ++first) {
      double middle = x_[first];
      bool together = ordinary_[first];
      for (std::size_t i = first + 1; i < first + count && together; ++i) {
        together = rows_[i] == rows_[first] && ordinary_[i] && std::abs(x_[i] - x_[i - 1]) < 1.5 * step;
        middle += x_[i];
      }
      if (!together) continue;
      const double dx = middle / static_cast<double>(count) - focal_x_;
      const double dy = y_[first] - focal_y_;
      groups.emplace_back(dx * dx + dy * dy, static_cast<std::uint32_t>(first));
    }
    std::sort(groups.begin(), groups.end());
    for (const auto& [distance, first] : groups) ranked_[count].push_back(first);
  }
}

bool Hall::free(std::uint32_t first, std::size_t count) const noexcept {
  for (std::size_t i = first; i < first + count; ++i) {
    if (states_[i] != SeatState::available) return false;
  }
  return true;
}

std::vector<std::uint32_t> Hall::choose(std::size_t count, double centre, Random& random) const {
  std::uniform_real_distribution<double> dice(0, 1);
  for (std::size_t size = std::min(count, group_max); size > 0; --size) {
    if (ranked_.size() <= size) return {};
    constexpr std::uint32_t none = ~0U;
    std::uint32_t chosen = none;
    for (const std::uint32_t first : ranked_[size]) {
      if (!free(first, size)) continue;
      chosen = first;
      if (dice(random) < centre) break;
    }
    if (chosen == none) continue;
    std::vector<std::uint32_t> seats(size);
    for (std::size_t i = 0; i < size; ++i) seats[i] = chosen + static_cast<std::uint32_t>(i);
    return seats;
  }
  return {};
}

}  // namespace usher::flash
