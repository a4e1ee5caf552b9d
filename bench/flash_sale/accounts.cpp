#include "bench/flash_sale/accounts.hpp"

#include <fmt/format.h>

namespace usher::flash {
namespace {

class Sorter {
 public:
  explicit Sorter(Accounts& accounts) : accounts_(accounts) {}

  void add(const Entry& entry) {
    switch (entry.told) {
      case Told::reserved:
        return reserved(entry);
      case Told::reserve_unknown:
        ++accounts_.unknown;
        return accounts_.maybe_taken[entry.show].insert(entry.seats.begin(), entry.seats.end());
      case Told::booked:
        return booked(entry);
      case Told::cancelled:
      case Told::cancel_unknown:
        return cancelled(entry);
      default:
        return ended(entry);
    }
  }

 private:
  void reserved(const Entry& entry) {
    Account account;
    account.person = entry.person;
    account.show = entry.show;
    account.reservation = entry.reservation;
    account.seats = entry.seats;
    account.lsn = entry.lsn;
    account.at_ms = entry.at_ms;
    account.until_ms = entry.until_ms;
    account.amount = entry.amount;
    if (!accounts_.by_reservation.emplace(entry.reservation, std::move(account)).second) {
      complain("reservation {} was given twice, the second time to person {}", entry.reservation, entry.person);
    }
  }
  void booked(const Entry& entry) {
    Account* account = find(entry);
    if (account == nullptr) return;
    if (account->booked) complain("reservation {} was booked twice", entry.reservation);
    if (account->seats != entry.seats)
      complain("booking {} has other seats than its reservation {}", entry.booking, entry.reservation);
    if (account->amount != entry.amount) {
      complain("booking {} costs {}, but its reservation {} said {}", entry.booking, entry.amount, entry.reservation,
               account->amount);
    }
    account->booked = true;
    account->booking = entry.booking;
    if (!accounts_.reservation_of.emplace(entry.booking, entry.reservation).second) {
      complain("booking {} was given twice", entry.booking);
    }
  }
  void cancelled(const Entry& entry) {
    Account* account = find(entry);
    if (account == nullptr) return;
    if (entry.told == Told::cancel_unknown) {
      ++accounts_.unknown;
      account->cancel_unknown = true;
      return;
    }
    Cancellation cancellation{entry.lsn, entry.at_ms, entry.amount, entry.percent, entry.seats};
    if (cancellation.seats.empty()) {
      for (const std::string& seat : account->seats) {
        if (!account->cancelled.contains(seat)) cancellation.seats.push_back(seat);
      }
    }
    for (const std::string& seat : cancellation.seats) {
      if (!account->cancelled.insert(seat).second)
        complain("seat {} of booking {} was cancelled twice", seat, entry.booking);
    }
    account->cancellations.push_back(std::move(cancellation));
  }
  void ended(const Entry& entry) {
    Account* account = find(entry);
    if (account == nullptr) return;
    if (entry.told == Told::released) account->released = true;
    if (entry.told == Told::release_unknown) account->release_unknown = true;
    if (entry.told == Told::book_unknown) account->book_unknown = true;
    if (entry.told == Told::release_unknown || entry.told == Told::book_unknown) ++accounts_.unknown;
  }
  Account* find(const Entry& entry) {
    const auto found = accounts_.by_reservation.find(entry.reservation);
    if (found != accounts_.by_reservation.end()) return &found->second;
    complain("person {} was told \"{}\" of reservation {}, which nobody was given", entry.person, to_string(entry.told),
             entry.reservation);
    return nullptr;
  }
  template <class... Parts>
  void complain(fmt::format_string<Parts...> format, Parts&&... parts) {
    accounts_.nonsense.push_back(fmt::format(format, std::forward<Parts>(parts)...));
  }

  Accounts& accounts_;
};

}  // namespace

Accounts sort_ledger(const Ledger& ledger) {
  Accounts accounts;
  Sorter sorter(accounts);
  for (const Entry& entry : ledger) sorter.add(entry);
  return accounts;
}

}  // namespace usher::flash
