#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

#include "tests/history/checker.hpp"
#include "tests/history/part.hpp"

namespace usher::history {

/// One explanation of all that was answered so far.
struct Configuration {
  Seats state;
  std::vector<std::uint32_t> done;  // sorted: took effect, and is not answered yet (or never will be)
  std::uint64_t hash = 0;

  [[nodiscard]] bool has_done(std::uint32_t operation) const noexcept;
  void set_done(std::uint32_t operation);
  void forget_done(std::uint32_t operation);
  void set(std::uint32_t seat, Holder holder);

  bool operator==(const Configuration& other) const noexcept { return state == other.state && done == other.done; }
};

struct ConfigurationHash {
  std::size_t operator()(const Configuration& configuration) const noexcept { return configuration.hash; }
};
using ConfigurationSet = std::unordered_set<Configuration, ConfigurationHash>;

/// The search in one part. For one thread.
class Search {
 public:
  Search(const Part& part, std::size_t limit) : part_(part), limit_(limit) {}

  [[nodiscard]] Judgement run();

 private:
  void on_invoked(std::uint32_t operation);
  [[nodiscard]] bool on_returned(std::uint32_t operation);
  [[nodiscard]] bool take_short_cut(std::uint32_t operation);
  void end(std::uint32_t operation);
  void drop_what_is_over(std::uint32_t reservation);
  void link_pending();
  void step(const Configuration& from, ConfigurationSet& found, ConfigurationSet& seen);
  void reach(const Configuration& from, std::uint32_t read, ConfigurationSet& found, ConfigurationSet& seen);
  void settle(Configuration& configuration) const;
  [[nodiscard]] bool may_happen(const Configuration& configuration, std::uint32_t change) const;
  [[nodiscard]] Configuration after(const Configuration& from, std::uint32_t change) const;
  [[nodiscard]] std::vector<std::uint32_t> reads_in_the_way(const Configuration& from);
  void add_roots(const Configuration& from, std::uint32_t operation, std::vector<std::uint32_t>& roots);
  [[nodiscard]] std::uint32_t root(std::uint32_t seat);
  [[nodiscard]] bool is_worn_out();
  [[nodiscard]] std::string explain(std::uint32_t operation) const;

  const Part& part_;
  std::size_t limit_;
  std::vector<Configuration> configurations_;
  std::vector<std::uint32_t> changes_;          // under way, the optional ones for ever
  std::vector<std::uint32_t> reads_;            // under way
  std::vector<std::uint32_t> changes_of_seat_;  // how many of changes_
  std::vector<std::uint32_t> up_;               // the sets of seats that changes_ link, as a forest
  std::vector<std::uint32_t> linked_;           // seats that are not alone in up_
  std::uint32_t goal_ = 0;                      // the operation whose answer has come
  std::size_t effort_ = 0;                      // configurations tried for it
  std::size_t configurations_max_ = 0;
};

}  // namespace usher::history
