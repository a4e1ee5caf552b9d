#pragma once
/// Asked: what one person asked of one show, picked from the demand journal. For one thread.

#include <deque>

#include "server/journal/demand_journal.hpp"

namespace usher::server::explain {

class Asked final : public journal::EntryVisitor {
 public:
  /// Keeps the newest `count_max`.
  Asked(ShowNumber show, UserNumber user, std::size_t count_max) : show_(show), user_(user), count_max_(count_max) {}

  void on_setting(journal::Setting /*setting*/) override {}
  void on_show(journal::ShowEntry /*show*/) override {}
  void on_decision(const journal::Decision& decision) override;
  void on_dropped(std::uint64_t count) override { dropped_ += count; }

  [[nodiscard]] const std::deque<journal::Decision>& decisions() const noexcept { return decisions_; }
  [[nodiscard]] std::uint64_t left_out() const noexcept { return left_out_; }  ///< older ones
  /// Commands of anybody that found no room in the journal.
  [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }

 private:
  const ShowNumber show_;
  const UserNumber user_;
  const std::size_t count_max_;
  std::deque<journal::Decision> decisions_;
  std::uint64_t left_out_ = 0;
  std::uint64_t dropped_ = 0;
};

/// What a command is called where people read of it: "reserve", "pay".
[[nodiscard]] std::string_view name_of(CommandType type) noexcept;

struct Span {
  Instant from{};
  Instant until{};
};
/// The times from `from` to `until` of which no file tells. `open`: the last file is still written.
[[nodiscard]] std::vector<Span> not_covered(const std::vector<journal::JournalFile>& files, bool open, Instant from,
                                            Instant until);

}  // namespace usher::server::explain
