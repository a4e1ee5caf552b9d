#include "server/explain/seat_history.hpp"

#include <algorithm>
#include <array>

namespace usher::server::explain {

std::string_view to_string(SeatFate fate) noexcept {
  constexpr std::array<std::string_view, 5> names{"reserved", "booked", "freed", "blocked", "unblocked"};
  return names[static_cast<std::size_t>(fate)];
}

SeatHistory::SeatHistory(ShowNumber show, UserNumber user, std::span<const SeatIndex> seats)
    : show_(show), user_(user) {
  for (const SeatIndex seat : seats) {
    const auto at = static_cast<std::size_t>(seat);
    if (wanted_.size() <= at) wanted_.resize(at + 1);
    wanted_[at] = true;
  }
}

void SeatHistory::add(const Record& record) {
  if (record.show != show_) return;
  for (const Event& event : record.events) add(record, event);
}

void SeatHistory::add(const Record& record, const Event& event) {
  const std::span<const SeatIndex> named{record.seats_of(event), event.seat_count};
  const auto party = parties_.find(event.sequence);
  switch (event.type) {
    case EventType::show_opened:
      opened_ = record.now;
      return;
    case EventType::show_guarded:
      if (std::find(rooms_.begin(), rooms_.end(), event.mask) == rooms_.end()) rooms_.push_back(event.mask);
      return;
    case EventType::seats_blocked:
      return note(record, named, SeatFate::blocked, UserNumber::none);
    case EventType::seats_unblocked:
      return note(record, named, SeatFate::unblocked, UserNumber::none);
    case EventType::reserved:
      holdings_[event.sequence] = {event.user, {named.begin(), named.end()}};
      note(record, named, SeatFate::reserved, event.user);
      return note_own(record, event, event.user, named);
    case EventType::waitlisted:
      parties_[event.sequence] = event.user;
      return note_own(record, event, event.user, {});
    case EventType::waitlist_left:
      return party == parties_.end() ? void() : note_own(record, event, party->second, {});
    case EventType::cooldown_started:
    case EventType::admission_used:
      return note_own(record, event, event.user, {});
    default:
      break;
  }
  const auto found = holdings_.find(event.sequence);
  if (found == holdings_.end()) return;
  const Holding& holding = found->second;
  std::vector<SeatIndex> seats = holding.seats;
  if (event.type == EventType::released || event.type == EventType::expired) {
    note(record, seats, SeatFate::freed, holding.user);
  } else if (event.type == EventType::booked) {
    note(record, seats, SeatFate::booked, holding.user);
  } else if (event.type == EventType::seats_cancelled) {
    seats.clear();
    for (std::size_t at = 0; at < holding.seats.size() && at < 32; ++at) {
      if ((event.mask >> at & 1U) != 0) seats.push_back(holding.seats[at]);
    }
    note(record, seats, SeatFate::freed, holding.user);
  } else if (event.type < EventType::payment_started || event.type > EventType::refund_failed) {
    return;  // of a show, or a ticket at the gate
  }
  note_own(record, event, holding.user, seats);
}

void SeatHistory::note(const Record& record, std::span<const SeatIndex> seats, SeatFate fate, UserNumber user) {
  for (const SeatIndex seat : seats) {
    const auto at = static_cast<std::size_t>(seat);
    if (at >= wanted_.size() || !wanted_[at]) continue;
    changes_.push_back({seat, fate, user, record.lsn, record.now});
  }
}

void SeatHistory::note_own(const Record& record, const Event& event, UserNumber user,
                           std::span<const SeatIndex> seats) {
  if (user != user_ || user == UserNumber::none) return;
  own_.push_back({event.type, record.lsn, record.now, {seats.begin(), seats.end()}});
}

std::optional<SeatChange> SeatHistory::holder(SeatIndex seat, Instant at) const {
  std::optional<SeatChange> since;  // the change by which the one who has it got it
  for (const SeatChange& change : changes_) {
    if (change.at > at) break;
    if (change.seat != seat) continue;
    if (change.takes()) {
      since = change;
    } else if (change.at < at) {
      since.reset();
    }
  }
  return since;
}

}  // namespace usher::server::explain
