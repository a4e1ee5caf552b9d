#pragma once
/// SideCheck: what `usher audit` asks of the side table's rows (server/README.md, "Rows beside the log"): each is one
/// of ours and whole, what is sealed opens with its key, and nobody has followed the log beyond its end. For one
/// thread.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "server/gate/gate_book.hpp"
#include "usher/ids.hpp"

namespace usher::server::cli {

class SideCheck {
 public:
  /// `ends`: by shard, the LSN of its last record.
  explicit SideCheck(std::vector<Lsn> ends) : ends_(std::move(ends)) {}

  /// One row, in any order.
  void add(std::string_view key, std::string_view value);
  /// After the last row. Returns: what is wrong, in words that name no person. An empty one: nothing.
  [[nodiscard]] std::vector<std::string> finish();

 private:
  void add_cursor(std::string_view sink, std::string_view text);
  /// Whether each key of `keys` has its row in `rows`, and the reverse, and `opens` says that they fit.
  template <class Opens>
  void check_pairs(std::string_view what, const std::map<std::string, std::string>& keys,
                   const std::map<std::string, std::string>& rows, Opens opens);

  std::vector<Lsn> ends_;
  std::vector<std::string> wrong_;
  gate::GateBook gates_;
  /// By what follows the kind: keys ('k', 'x') and what they seal ('p', 'c').
  std::map<std::string, std::string> person_keys_;
  std::map<std::string, std::string> persons_;
  std::map<std::string, std::string> contact_keys_;
  std::map<std::string, std::string> contacts_;
};

}  // namespace usher::server::cli
