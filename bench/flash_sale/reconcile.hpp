#pragma once
/// Reconcile: does the server remember what it told people? Compares the ledger of a sale with seat maps, histories and
/// the replayed log. Pure: gathering is the witness' business. Every difference is a sentence.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "bench/flash_sale/hall.hpp"
#include "bench/flash_sale/ledger.hpp"
#include "usher/policy.hpp"

namespace usher::flash {

struct SeatFacts {
  SeatState state{};
  std::int64_t price = 0;
};
/// One GET /shows/{id}/seats.
struct MapFacts {
  std::int64_t start_ms = 0;
  std::map<std::string, SeatFacts> seats;
};
struct TicketFacts {
  std::string seat;
  std::int64_t price = 0;
  bool valid = true;
};
/// One booking, as its owner's GET /bookings/{id} shows it.
struct BookingFacts {
  int http_status = 0;
  std::string reservation;
  std::string show;
  std::string status;
  std::int64_t amount = 0;
  std::int64_t refunded = 0;
  std::vector<TicketFacts> tickets;
};
/// What GET /reservations/{id} said.
struct ReservationFacts {
  int http_status = 0;
  std::string status;
};
/// What the replayed log says of a reservation, and of a show.
struct LogReservation {
  std::string show;
  std::string state;
  std::vector<std::string> seats;  ///< those that it still holds
};
struct LogShow {
  std::uint64_t available = 0;
  std::uint64_t booked = 0;
};
struct LogFacts {
  std::map<std::string, LogReservation> reservations;
  std::map<std::string, LogShow> shows;
  bool audit_clean = false;
  std::string audit;  ///< what the audit printed
};

/// Everything that the server says after a sale.
struct ServerSide {
  std::map<std::string, MapFacts> before;  ///< by show: seats that were gone already when the sale began
  std::map<std::string, MapFacts> after;
  std::map<std::string, BookingFacts> bookings;          ///< by booking, each one of the ledger
  std::map<std::string, std::string> listed;             ///< booking -> show: what lists of bookings contain
  std::map<std::string, ReservationFacts> reservations;  ///< by reservation: those that were not booked
  std::optional<LogFacts> log;
  std::int64_t now_ms = 0;  ///< of the maps
  bool alone = true;        ///< nobody else buys: a seat that the ledger does not know is free
  std::vector<RefundTier> tiers;
};

struct Verdict {
  std::vector<std::string> differences;
  std::uint64_t seats_checked = 0;
  std::uint64_t reservations_checked = 0;
  std::uint64_t bookings_checked = 0;
  std::uint64_t refunds_checked = 0;
  std::uint64_t unknown = 0;  ///< calls without an answer, which either way of the server agrees with
  std::uint64_t seats_sold = 0;
};

[[nodiscard]] Verdict reconcile(const Ledger& ledger, const ServerSide& server);

}  // namespace usher::flash
