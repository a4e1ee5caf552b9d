#pragma once
/// Witness: asks the server, after a sale and calmly, what it remembers: seat maps, bookings, reservations; and reads
/// what the log tells. It gathers; what agrees and what does not is reconcile()'s business. One thread, that of the
/// io_context.

#include <boost/asio/io_context.hpp>
#include <deque>
#include <functional>
#include <set>
#include <string>

#include "bench/flash_sale/reconcile.hpp"
#include "bench/flash_sale/venue.hpp"
#include "bench/flash_sale/wire.hpp"

namespace usher::flash {

class Witness final : public Wire::Asker {
 public:
  /// A person's header line.
  using Who = std::function<std::string(std::uint32_t person)>;

  Witness(boost::asio::io_context& io, Wire& wire, const Venue& venue) : io_(io), wire_(wire), venue_(venue) {}

  /// Seat maps of all shows. Returns: io when a map cannot be had.
  [[nodiscard]] Status maps(std::map<std::string, MapFacts>& maps);
  /// What the people of the ledger see of their reservations and bookings, and, with a `staff` line, what staff sees of
  /// every show. Refunds that are under way are waited for, up to a minute.
  [[nodiscard]] Status histories(const Ledger& ledger, const Who& who, const std::string& staff, ServerSide& server);
  /// Answers one request, whatever it is; for setting things up. Returns: io when there is no answer.
  [[nodiscard]] Result<std::pair<int, std::string>> ask(std::string request);

  void on_answer(std::uint64_t token, const Response& response) override;
  void on_lost(std::uint64_t token) override;

 private:
  using Handler = std::function<void(const Response&)>;
  struct Job {
    std::string request;
    Handler handler;
    int tries = 0;
  };

  void add(std::string request, Handler handler) { waiting_.push_back({std::move(request), std::move(handler), 0}); }
  /// Until every job, those that were added meanwhile too, is done.
  [[nodiscard]] Status run(const char* what);
  void add_booking(const std::string& booking, const std::string& who, ServerSide& server);
  void add_list(const std::string& query, const std::string& who, ServerSide& server);
  void retry(std::uint64_t token);

  boost::asio::io_context& io_;
  Wire& wire_;
  const Venue& venue_;
  std::deque<Job> waiting_;
  std::map<std::uint64_t, Job> asked_;
  std::uint64_t next_token_ = 0;
  std::string failure_;
};

/// Replays and audits a data directory with `usher` (its path). The server must be stopped, or its answers will lie
/// ahead of what is read. Returns: io when it cannot be run.
[[nodiscard]] Result<LogFacts> read_log(const std::string& usher, const std::string& data);

}  // namespace usher::flash
