#pragma once
/// Sale: one whole run of `usher_bench sale`: a server of our own or somebody's, the people, and the reckoning
/// afterwards. For the main thread.

#include <optional>
#include <string>
#include <vector>

namespace usher::flash {

struct SaleOptions {
  std::string scenario;  ///< a file, or the name of one in bench/flash_sale/scenarios
  std::string url;       ///< empty: a server of our own, with a folder of its own
  std::string secret;    ///< empty, with --url: people come without tokens and take sessions
  bool import = false;   ///< with --url: brings the scenario's own catalog along
  std::string movie;     ///< with --url and without --import: what is on sale,
  std::string city;      ///< where,
  std::string date;      ///< and on which day
  std::string usher;     ///< the program, for servers of our own and for reading logs
  std::string data;      ///< of the server: its log is read afterwards
  std::string report;
  std::string ledger;
  std::vector<std::string> settings;  ///< of our own server, beside the scenario's
  std::optional<std::uint32_t> people;
  std::optional<std::uint32_t> connections;
  std::optional<double> time_scale;
  std::uint64_t seed = 1;
  std::uint32_t settle_s = 90;
  bool shared = false;  ///< others buy at the same time
  bool plain = false;   ///< no drawing, even on a terminal
};

/// Returns: 0 when all agrees, 1 when something does not, 2 when the sale could not be held.
[[nodiscard]] int run_sale(const SaleOptions& options);

struct ReconcileOptions {
  std::string ledger;
  std::string url;
  std::string secret;
  std::string usher;
  std::string data;
  bool shared = false;
};

/// Compares a ledger that was written down with a server that runs (`url`), or with a log (`data`), or both.
[[nodiscard]] int run_reconcile(const ReconcileOptions& options);

}  // namespace usher::flash
