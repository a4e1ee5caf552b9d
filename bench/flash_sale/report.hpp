#pragma once
/// Report: what a sale came to, as one JSON object, and as a few lines for people. Pure.

#include <string>

#include "bench/flash_sale/crowd.hpp"
#include "bench/flash_sale/reconcile.hpp"

namespace usher::flash {

struct SaleFacts {
  const Scenario& scenario;
  const Tally& tally;
  const Verdict& verdict;
  std::vector<std::string> complaints;
  std::uint64_t seed = 0;
  double seconds = 0;
  double client_cpu_s = 0;
  double server_cpu_s = 0;  ///< 0: not ours
  std::uint64_t connections_lost = 0;
  bool log_read = false;
};

[[nodiscard]] std::string sale_json(const SaleFacts& facts);
[[nodiscard]] std::string sale_text(const SaleFacts& facts);
/// A text as a JSON string, with its quotes.
[[nodiscard]] std::string json_text(std::string_view text);

}  // namespace usher::flash
