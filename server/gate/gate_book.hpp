#pragma once
/// GateBook: which gates there are and what each lets in to. Thread-safe. What it holds is durable before anybody is
/// told: rows of the log's side table (include/usher/log.hpp, SideWrite), written in the round of the loop that asked.
///
///   row := 'g' gate_id -> kind u8 (0 screen, 1 show), target, name     (texts as in usher/bytes.hpp)

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "usher/log.hpp"

namespace usher::server::gate {

struct Gate {
  std::string id;
  std::string name;
  bool of_show = false;  ///< else of a screen
  std::string target;    ///< id of that show or screen
};

class GateBook {
 public:
  static constexpr char row_kind = 'g';
  static constexpr std::size_t gates_max = 10'000;

  /// A row of the side table, at start. Returns: false when it is damaged.
  [[nodiscard]] bool load(std::string_view key, std::string_view value);

  [[nodiscard]] std::optional<Gate> find(std::string_view id) const;
  [[nodiscard]] std::vector<Gate> list() const;
  /// Adds or replaces. Returns: the row to write, or nothing when there are too many.
  [[nodiscard]] std::optional<SideWrite> put(const Gate& gate);
  /// Returns: the row to write, or nothing when there is no such gate.
  [[nodiscard]] std::optional<SideWrite> remove(std::string_view id);

 private:
  mutable std::mutex mutex_;
  std::map<std::string, Gate, std::less<>> gates_;
};

}  // namespace usher::server::gate
