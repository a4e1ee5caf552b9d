#pragma once
/// Compares what a client was told with what the log says. The ledger is read from the load client's list (--told), the
/// log as the lines of `usher replay --reservations`; nothing of the server's code is used. For one thread.
///
/// Shows with seats are kept as 64-bit hashes, so that millions fit: that two differ and look alike has odds of about
/// one in a million at ten million entries.

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace usher::bench {

/// What disagrees, as sentences; the first ones in full, all of them counted.
class Faults {
 public:
  void add(std::string text) {
    if (count_++ < kept_max) first_.push_back(std::move(text));
  }
  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  [[nodiscard]] const std::vector<std::string>& first() const noexcept { return first_; }

 private:
  static constexpr std::size_t kept_max = 20;
  std::vector<std::string> first_;
  std::size_t count_ = 0;
};

class Ledger {
 public:
  /// One line of the client's list: "+ID SHOW SEAT,SEAT" or "-ID".
  void read_told(std::string_view line);
  /// One line of the replayed log: a show, a reservation, or the summary at the end.
  void read_log(std::string_view line);
  /// Ends the comparison: whatever was told and is not in the log, and seats that no reservation holds.
  void finish();

  [[nodiscard]] const Faults& faults() const noexcept { return faults_; }
  [[nodiscard]] std::uint64_t told() const noexcept { return told_count_; }
  [[nodiscard]] std::uint64_t released() const noexcept { return released_count_; }
  [[nodiscard]] std::uint64_t held() const noexcept { return held_count_; }

 private:
  using Uuid = std::pair<std::uint64_t, std::uint64_t>;
  struct Entry {
    std::uint64_t seats = 0;  ///< hash of show and seats
    bool found = false;
  };

  void read_reservation(std::string_view line);
  void read_show(std::string_view line);
  void take_seats(std::string_view show, std::string_view seats);
  static Uuid parse_id(std::string_view text) noexcept;

  boost::unordered_flat_map<Uuid, Entry> told_;     ///< and not given back
  boost::unordered_flat_set<std::uint64_t> seats_;  ///< hash of show and seat: held by some reservation
  std::uint64_t told_count_ = 0;
  std::uint64_t released_count_ = 0;
  std::uint64_t held_count_ = 0;   ///< reservations in the log that hold seats
  std::uint64_t taken_seats_ = 0;  ///< as the shows count them
  bool summary_seen_ = false;
  Faults faults_;
};

}  // namespace usher::bench
