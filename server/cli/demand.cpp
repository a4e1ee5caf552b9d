#include "server/cli/demand.hpp"

#include "spdlog/spdlog.h"

namespace usher::server::cli {
namespace {

/// What the journal's readers must know of a show; the id is empty where the catalog has none.
[[nodiscard]] journal::ShowEntry describe_show(engine::Engine& engine, ShowNumber number) {
  journal::ShowEntry entry;
  entry.number = number;
  const std::shared_ptr<const engine::Snapshot> snapshot = engine.snapshot();
  const engine::CatalogData& data = snapshot->data();
  const std::uint32_t at = data.find_show(number);
  if (at == engine::position_none) return entry;
  entry.id = data.show_id(at);
  entry.seats = data.screen(data.show(at).screen).total_seats;
  entry.start = data.show(at).start;
  return entry;
}

}  // namespace

Result<std::unique_ptr<journal::DemandJournal>> open_demand_journal(const config::Config& config,
                                                                    engine::Engine& engine, metrics::Metrics& metrics) {
  if (config.wal.demand_journal.empty()) return std::unique_ptr<journal::DemandJournal>{};
  journal::JournalOptions options;
  options.directory = config.wal.demand_journal;
  options.loops = engine.loop_count();
  options.space_min = config.disk.high_water;
  for (const std::string& line : config::config_changes(config)) {
    const std::size_t equals = line.find(" = ");
    options.settings.push_back({line.substr(0, equals), line.substr(equals + 3)});
  }
  options.show_of = [&engine](ShowNumber number) { return describe_show(engine, number); };
  options.on_failure = [](const std::string& why) { spdlog::error("the demand journal ends here: {}", why); };
  auto opened = journal::DemandJournal::open(std::move(options));
  if (!opened) return opened.error();
  journal::DemandJournal& made = *opened.value();
  for (std::size_t loop = 0; loop < engine.loop_count(); ++loop) engine.runner(loop).set_tap(made.tap(loop));
  metrics.add_collector([&made](metrics::Exposition& out) {
    out.counter("usher_demand_journal_commands_total", "Commands written to the demand journal.",
                static_cast<double>(made.written()));
    out.counter("usher_demand_journal_dropped_total", "Commands that the demand journal had no room for.",
                static_cast<double>(made.dropped()));
    out.counter("usher_demand_journal_bytes_total", "Bytes written to the demand journal.",
                static_cast<double>(made.bytes()));
  });
  spdlog::info("every command is written to the demand journal in {}", config.wal.demand_journal);
  return opened;
}

}  // namespace usher::server::cli
