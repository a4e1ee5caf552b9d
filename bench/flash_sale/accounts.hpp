#pragma once
/// Accounts: a ledger, sorted by reservation: what each of them is now, if the server keeps its word. Pure.

#include <map>
#include <set>
#include <string>
#include <vector>

#include "bench/flash_sale/ledger.hpp"

namespace usher::flash {

struct Cancellation {
  std::uint64_t lsn = 0;
  std::int64_t at_ms = 0;
  std::int64_t refund = 0;
  std::uint32_t percent = 0;
  std::vector<std::string> seats;
};

struct Account {
  std::uint32_t person = 0;
  std::string show;
  std::string reservation;
  std::string booking;
  std::vector<std::string> seats;
  std::set<std::string> cancelled;
  std::vector<Cancellation> cancellations;
  std::uint64_t lsn = 0;
  std::int64_t at_ms = 0;
  std::int64_t until_ms = 0;
  std::int64_t amount = 0;
  bool released = false;
  bool booked = false;
  bool release_unknown = false;
  bool book_unknown = false;
  bool cancel_unknown = false;

  [[nodiscard]] bool holds_ticket(const std::string& seat) const { return booked && !cancelled.contains(seat); }
  [[nodiscard]] std::int64_t refunds() const noexcept {
    std::int64_t sum = 0;
    for (const Cancellation& cancellation : cancellations) sum += cancellation.refund;
    return sum;
  }
};

struct Accounts {
  std::map<std::string, Account> by_reservation;
  std::map<std::string, std::string> reservation_of;         ///< by booking
  std::map<std::string, std::set<std::string>> maybe_taken;  ///< by show: seats of reserves without an answer
  std::vector<std::string> nonsense;                         ///< what the ledger says against itself, in words
  std::uint64_t unknown = 0;
};

[[nodiscard]] Accounts sort_ledger(const Ledger& ledger);

}  // namespace usher::flash
