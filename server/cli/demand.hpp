#pragma once
/// The demand journal of a serving process: made from the configuration and tied to the loops' runners.

#include <memory>

#include "engine/shard/engine.hpp"
#include "server/config/config.hpp"
#include "server/journal/demand_journal.hpp"
#include "server/metrics/metrics.hpp"

namespace usher::server::cli {

/// Opens the journal that wal.demand_journal names, shows it every decision of every runner, and adds its metrics. It
/// must outlive the loops. Requires: the loops do not run the shards yet. Returns: nothing where it is off; io.
[[nodiscard]] Result<std::unique_ptr<journal::DemandJournal>> open_demand_journal(const config::Config& config,
                                                                                  engine::Engine& engine,
                                                                                  metrics::Metrics& metrics);

}  // namespace usher::server::cli
