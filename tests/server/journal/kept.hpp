#pragma once
/// A visitor that keeps all that it is given.

#include <utility>
#include <vector>

#include "server/journal/entry.hpp"

namespace usher::server::journal::test {

struct Kept final : EntryVisitor {
  std::vector<Setting> settings;
  std::vector<ShowEntry> shows;
  std::vector<Decision> decisions;
  std::uint64_t dropped = 0;
  void on_setting(Setting setting) override { settings.push_back(std::move(setting)); }
  void on_show(ShowEntry show) override { shows.push_back(std::move(show)); }
  void on_decision(const Decision& decision) override { decisions.push_back(decision); }
  void on_dropped(std::uint64_t count) override { dropped += count; }
};

}  // namespace usher::server::journal::test
