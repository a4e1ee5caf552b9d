#include "bench/flash_sale/reconcile.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "bench/flash_sale/accounts.hpp"

namespace usher::flash {
namespace {

/// How far apart two clocks and a timer of the server may be when a moment is compared.
constexpr std::int64_t slack_ms = 2'000;

constexpr std::array<std::string_view, 3> state_names{"available", "reserved", "booked"};

class Reconciler {
 public:
  Reconciler(const Ledger& ledger, const ServerSide& server) : accounts_(sort_ledger(ledger)), server_(server) {
    verdict_.differences = accounts_.nonsense;
    verdict_.unknown = accounts_.unknown;
  }

  Verdict run() {
    gather_seats();
    check_promises();
    for (const auto& [show, map] : server_.after) check_map(show, map);
    for (const auto& [reservation, account] : accounts_.by_reservation) {
      account.booked ? check_booking(account) : check_reservation(account);
    }
    check_lists();
    if (server_.log) check_log(*server_.log);
    return std::move(verdict_);
  }

 private:
  using Holders = std::vector<const Account*>;

  template <class... Parts>
  void differ(fmt::format_string<Parts...> format, Parts&&... parts) {
    verdict_.differences.push_back(fmt::format(format, std::forward<Parts>(parts)...));
  }

  void gather_seats() {
    for (const auto& [id, account] : accounts_.by_reservation) {
      for (const std::string& seat : account.seats) holders_[account.show][seat].push_back(&account);
    }
    for (auto& [show, seats] : holders_) {
      for (auto& [seat, holders] : seats) {
        std::sort(holders.begin(), holders.end(), [](const Account* a, const Account* b) { return a->lsn < b->lsn; });
      }
    }
  }

  // ---- no seat twice ----

  /// Did the account's hold on the seat end before record `next.lsn`, as far as anybody was told?
  [[nodiscard]] static bool ended_before(const Account& account, const std::string& seat, const Account& next) {
    if (account.released || account.release_unknown || account.book_unknown) return true;
    if (!account.booked) return account.until_ms <= next.at_ms;
    if (account.cancel_unknown) return true;
    return std::any_of(account.cancellations.begin(), account.cancellations.end(), [&](const Cancellation& one) {
      const bool of_seat = std::find(one.seats.begin(), one.seats.end(), seat) != one.seats.end();
      return of_seat && one.lsn < next.lsn;
    });
  }

  void check_promises() {
    for (const auto& [show, seats] : holders_) {
      for (const auto& [seat, holders] : seats) {
        for (std::size_t i = 1; i < holders.size(); ++i) {
          if (ended_before(*holders[i - 1], seat, *holders[i])) continue;
          differ(
              "seat {} of {} was promised twice: to person {} in reservation {} (lsn {}), and to person {} in {} (lsn "
              "{})",
              seat, show, holders[i - 1]->person, holders[i - 1]->reservation, holders[i - 1]->lsn, holders[i]->person,
              holders[i]->reservation, holders[i]->lsn);
        }
      }
    }
  }

  // ---- seat maps ----

  void check_map(const std::string& show, const MapFacts& map) {
    const auto& seats = holders_[show];
    for (const auto& [seat, facts] : map.seats) {
      ++verdict_.seats_checked;
      const auto found = seats.find(seat);
      check_seat(show, seat, facts.state, found == seats.end() ? Holders{} : found->second);
    }
    for (const auto& [seat, holders] : seats) {
      if (!map.seats.contains(seat)) differ("seat {} of {} was promised but is not in the seat map", seat, show);
    }
  }

  void check_seat(const std::string& show, const std::string& seat, SeatState state, const Holders& holders) {
    for (const Account* account : holders) {
      if (!account->holds_ticket(seat)) continue;
      ++verdict_.seats_sold;
      if (account->cancel_unknown || state == SeatState::booked) return;
      return differ("seat {} of {} belongs to booking {} of person {}, but the seat map says {}", seat, show,
                    account->booking, account->person, name(state));
    }
    for (const Account* account : holders) {
      if (account->book_unknown || account->release_unknown || account->cancel_unknown) return;
      if (account->booked || account->released || account->until_ms < server_.now_ms - slack_ms) continue;
      if (state == SeatState::reserved || account->until_ms < server_.now_ms + slack_ms) return;
      return differ("seat {} of {} is held by reservation {} of person {}, but the seat map says {}", seat, show,
                    account->reservation, account->person, name(state));
    }
    if (state == SeatState::available || !server_.alone || maybe_taken(show, seat)) return;
    differ("seat {} of {} is {} in the seat map, but nobody was told so", seat, show, name(state));
  }

  [[nodiscard]] bool maybe_taken(const std::string& show, const std::string& seat) const {
    const auto unknown = accounts_.maybe_taken.find(show);
    if (unknown != accounts_.maybe_taken.end() && unknown->second.contains(seat)) return true;
    const auto before = server_.before.find(show);
    if (before == server_.before.end()) return false;
    const auto found = before->second.seats.find(seat);
    return found != before->second.seats.end() && found->second.state != SeatState::available;
  }

  [[nodiscard]] static std::string_view name(SeatState state) { return state_names[static_cast<std::size_t>(state)]; }

  // ---- histories ----

  void check_reservation(const Account& account) {
    const auto found = server_.reservations.find(account.reservation);
    if (found == server_.reservations.end()) return;
    ++verdict_.reservations_checked;
    const ReservationFacts& facts = found->second;
    if (account.release_unknown || account.book_unknown) return;
    const bool gone = facts.http_status == 404 || facts.http_status == 410 || facts.status == "expired";
    const bool held = facts.http_status == 200 && (facts.status == "reserved" || facts.status == "paying");
    if (!gone && !held) {
      return differ("reservation {} of person {}: GET answers {} \"{}\"", account.reservation, account.person,
                    facts.http_status, facts.status);
    }
    if (account.released && !gone) {
      return differ("reservation {} of person {} was released, but it is {}", account.reservation, account.person,
                    facts.status);
    }
    if (!account.released && gone && account.until_ms > server_.now_ms + slack_ms) {
      differ("reservation {} of person {} is lost: it runs for {} ms more", account.reservation, account.person,
             account.until_ms - server_.now_ms);
    }
  }

  void check_booking(const Account& account) {
    const auto found = server_.bookings.find(account.booking);
    if (found == server_.bookings.end()) return;
    ++verdict_.bookings_checked;
    const BookingFacts& facts = found->second;
    if (facts.http_status != 200) {
      return differ("booking {} of person {} is lost: GET answers {}", account.booking, account.person,
                    facts.http_status);
    }
    if (!server_.listed.empty() && !server_.listed.contains(account.booking)) {
      differ("booking {} of person {} is in no list of bookings", account.booking, account.person);
    }
    if (facts.reservation != account.reservation || facts.show != account.show || facts.amount != account.amount) {
      differ("booking {} of person {} is of reservation {} on {} for {}, but they were told {} on {} for {}",
             account.booking, account.person, facts.reservation, facts.show, facts.amount, account.reservation,
             account.show, account.amount);
    }
    if (!account.cancel_unknown) check_tickets(account, facts);
  }

  void check_tickets(const Account& account, const BookingFacts& facts) {
    std::vector<std::string> seats;
    std::int64_t prices = 0;
    for (const TicketFacts& ticket : facts.tickets) {
      seats.push_back(ticket.seat);
      prices += ticket.price;
      if (ticket.valid == account.cancelled.contains(ticket.seat)) {
        differ("the ticket for {} of booking {} is {}, but person {} was told otherwise", ticket.seat, account.booking,
               ticket.valid ? "valid" : "cancelled", account.person);
      }
    }
    if (seats != account.seats)
      differ("booking {} of person {} has other seats than they were told", account.booking, account.person);
    if (prices != account.amount) {
      differ("the tickets of booking {} cost {} together, but {} was paid", account.booking, prices, account.amount);
    }
    if (facts.refunded != account.refunds()) {
      differ("booking {}: {} was paid back, but person {} was promised {}", account.booking, facts.refunded,
             account.person, account.refunds());
    }
    const bool all = account.cancelled.size() == account.seats.size();
    const bool fits = all ? facts.status == "cancelled" || facts.status == "refunded" : facts.status == "confirmed";
    if (!fits) differ("booking {} of person {} is {}", account.booking, account.person, facts.status);
    for (const Cancellation& cancellation : account.cancellations) check_refund(account, facts, cancellation);
  }

  /// The percentage that the policy names for the time before the start, of each price, rounded half up.
  void check_refund(const Account& account, const BookingFacts& facts, const Cancellation& cancellation) {
    const auto map = server_.after.find(account.show);
    if (map == server_.after.end() || server_.tiers.empty()) return;
    ++verdict_.refunds_checked;
    const Duration before{map->second.start_ms - cancellation.at_ms};
    std::optional<std::uint32_t> percent;
    for (const RefundTier& tier : server_.tiers) {
      if (before > tier.bound || (tier.inclusive && before == tier.bound)) {
        percent = tier.percent;
        break;
      }
    }
    if (!percent || *percent != cancellation.percent) {
      return differ("booking {} was cancelled {} ms before the start with {} %", account.booking, before.count(),
                    cancellation.percent);
    }
    std::int64_t refund = 0;
    for (const TicketFacts& ticket : facts.tickets) {
      const bool of_it =
          std::find(cancellation.seats.begin(), cancellation.seats.end(), ticket.seat) != cancellation.seats.end();
      if (of_it) refund += (ticket.price * *percent + 50) / 100;
    }
    if (refund != cancellation.refund) {
      differ("booking {}: {} % of its tickets are {}, but {} was promised", account.booking, *percent, refund,
             cancellation.refund);
    }
  }

  /// Nobody has a booking that they were not told of.
  void check_lists() {
    for (const auto& [booking, show] : server_.listed) {
      if (accounts_.reservation_of.contains(booking) || !server_.alone || !server_.after.contains(show)) continue;
      if (accounts_.unknown > 0) continue;  // it may be the one whose answer was lost
      differ("booking {} on {} is in the history, but nobody was told of it", booking, show);
    }
  }

  // ---- the log ----

  void check_log(const LogFacts& log) {
    if (!log.audit_clean) differ("usher audit is not content: {}", log.audit.substr(0, 500));
    std::map<std::string, std::uint64_t> booked;
    for (const auto& [id, account] : accounts_.by_reservation) {
      if (!account.booked) continue;
      std::vector<std::string> seats;
      for (const std::string& seat : account.seats) {
        if (account.holds_ticket(seat)) seats.push_back(seat);
      }
      booked[account.show] += seats.size();
      const auto found = log.reservations.find(id);
      if (found == log.reservations.end()) {
        differ("booking {} of person {} is not in the log", account.booking, account.person);
      } else if (!account.cancel_unknown && !seats.empty() &&
                 (found->second.state != "booked" || found->second.seats != seats)) {
        differ("booking {} of person {} has other seats in the log, where it is {}", account.booking, account.person,
               found->second.state);
      }
    }
    if (!server_.alone || accounts_.unknown > 0) return;
    check_strangers(log);
    for (const auto& [show, map] : server_.after) {
      const auto found = log.shows.find(show);
      if (found == log.shows.end()) {
        differ("the log knows no show {}", show);
        continue;
      }
      const std::uint64_t expected = booked[show] + booked_before(show);
      if (found->second.booked != expected) {
        differ("{} seats of {} are booked in the log, but people were told of {}", found->second.booked, show,
               expected);
      }
    }
  }

  /// Nobody has a booking in the log that they were not told of, on a show that the ledger knows.
  void check_strangers(const LogFacts& log) {
    for (const auto& [id, reservation] : log.reservations) {
      const bool paid =
          reservation.state == "booked" || reservation.state == "cancelled" || reservation.state == "refunded";
      if (!paid || !holders_.contains(reservation.show) || booked_before(reservation.show) > 0) continue;
      const auto found = accounts_.by_reservation.find(id);
      if (found != accounts_.by_reservation.end() && found->second.booked) continue;
      differ("reservation {} on {} is {} in the log, but nobody was told of a booking", id, reservation.show,
             reservation.state);
    }
  }

  [[nodiscard]] std::uint64_t booked_before(const std::string& show) const {
    const auto before = server_.before.find(show);
    if (before == server_.before.end()) return 0;
    return static_cast<std::uint64_t>(
        std::count_if(before->second.seats.begin(), before->second.seats.end(),
                      [](const auto& seat) { return seat.second.state == SeatState::booked; }));
  }

  Accounts accounts_;
  const ServerSide& server_;
  Verdict verdict_;
  std::map<std::string, std::map<std::string, Holders>> holders_;
};

}  // namespace

Verdict reconcile(const Ledger& ledger, const ServerSide& server) {
  return Reconciler(ledger, server).run();
}

}  // namespace usher::flash
