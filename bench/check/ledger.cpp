#include "bench/check/ledger.hpp"

#include <algorithm>

namespace usher::bench {

namespace {

/// FNV-1a, 64 bits.
std::uint64_t hash_of(std::string_view text, std::uint64_t begin = 0xcbf29ce484222325U) noexcept {
  for (const char c : text) begin = (begin ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return begin ^ (begin >> 29U);
}

/// Returns: what follows `"name":`, without it; empty when it is not there.
std::string_view after(std::string_view line, std::string_view quoted_name) noexcept {
  const std::size_t at = line.find(quoted_name);
  return at == std::string_view::npos ? std::string_view{} : line.substr(at + quoted_name.size());
}

std::string_view text_of(std::string_view line, std::string_view quoted_name) noexcept {
  const std::string_view rest = after(line, quoted_name);
  return rest.empty() ? rest : rest.substr(1, rest.find('"', 1) - 1);
}

std::uint64_t number_of(std::string_view line, std::string_view quoted_name) noexcept {
  std::uint64_t value = 0;
  for (const char c : after(line, quoted_name)) {
    if (c < '0' || c > '9') break;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

/// The seats of `"seat_ids":["A1","A2"]` as A1,A2.
std::string seats_of(std::string_view line) {
  std::string_view list = after(line, "\"seat_ids\":[");
  std::string seats(list.substr(0, list.find(']')));
  seats.erase(std::remove(seats.begin(), seats.end(), '"'), seats.end());
  return seats;
}

std::uint64_t seats_hash(std::string_view show, std::string_view seats) noexcept {
  return hash_of(seats, hash_of("/", hash_of(show)));
}

}  // namespace

Ledger::Uuid Ledger::parse_id(std::string_view text) noexcept {
  std::uint64_t halves[2] = {0, 0};
  std::size_t digits = 0;
  for (const char c : text) {
    if (c == '-' || digits == 32) continue;
    const int value = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
    halves[digits / 16] = halves[digits / 16] << 4U | (static_cast<unsigned>(value) & 15U);
    ++digits;
  }
  return {halves[0], halves[1]};
}

void Ledger::read_told(std::string_view line) {
  if (line.size() < 37) return faults_.add("a line of the client's list is too short: " + std::string(line));
  const std::string_view id = line.substr(1, 36);
  if (line.front() == '-') {
    ++released_count_;
    if (told_.erase(parse_id(id)) == 0) faults_.add("given back without having been told of: " + std::string(id));
    return;
  }
  ++told_count_;
  const std::string_view rest = line.substr(std::min<std::size_t>(line.size(), 38));
  const std::size_t space = rest.find(' ');
  const Entry entry{seats_hash(rest.substr(0, space), rest.substr(space + 1)), false};
  if (!told_.emplace(parse_id(id), entry).second) faults_.add("told of twice: " + std::string(id));
}

void Ledger::read_log(std::string_view line) {
  constexpr std::string_view reservation = "{\"reservation_id\":";
  if (line.substr(0, reservation.size()) == reservation) return read_reservation(line);
  if (!after(line, "\"show_number\":").empty()) return read_show(line);
  if (!after(line, "\"catalog_digest\":").empty()) summary_seen_ = true;
}

void Ledger::read_show(std::string_view line) {
  taken_seats_ += number_of(line, "\"reserved\":") + number_of(line, "\"booked\":");
}

void Ledger::read_reservation(std::string_view line) {
  const std::string seats = seats_of(line);
  if (seats.empty()) return;  // given back, expired, cancelled
  const std::string_view id = text_of(line, "\"reservation_id\":");
  const std::string_view show = text_of(line, "\"show_id\":");
  ++held_count_;
  take_seats(show, seats);
  const auto told = told_.find(parse_id(id));
  if (told == told_.end()) {
    return faults_.add("in the log and never told of, or given back: " + std::string(id) + " " + std::string(show) +
                       " " + seats);
  }
  if (told->second.seats != seats_hash(show, seats)) {
    faults_.add("the log has other seats than were told: " + std::string(id) + " " + std::string(show) + " " + seats);
  }
  told->second.found = true;
}

void Ledger::take_seats(std::string_view show, std::string_view seats) {
  while (!seats.empty()) {
    const std::string_view seat = seats.substr(0, seats.find(','));
    if (!seats_.insert(seats_hash(show, seat)).second) {
      faults_.add("a seat is held twice: " + std::string(show) + " " + std::string(seat));
    }
    seats.remove_prefix(std::min(seats.size(), seat.size() + 1));
  }
}

void Ledger::finish() {
  if (!summary_seen_) faults_.add("the replayed log has no summary at its end: the replay failed");
  std::uint64_t missing = 0;
  for (const auto& [id, entry] : told_) missing += entry.found ? 0U : 1U;
  for (; missing > 0; --missing) faults_.add("told of and not in the log: a reservation (their ids stand in the list)");
  if (taken_seats_ != seats_.size()) {
    faults_.add("the shows count " + std::to_string(taken_seats_) + " taken seats, the reservations hold " +
                std::to_string(seats_.size()));
  }
}

}  // namespace usher::bench
