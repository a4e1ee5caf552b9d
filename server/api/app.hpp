#pragma once
/// App: what all loops of a serving process share. Owned by serve(); outlives the loops. Members are thread-safe or
/// immutable while the loops run.

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "engine/shard/engine.hpp"
#include "server/api/caller.hpp"
#include "server/api/catalog_view.hpp"
#include "server/api/ticket_code.hpp"
#include "server/catalog/zones.hpp"
#include "server/config/config.hpp"
#include "server/http/loop.hpp"
#include "server/http/router.hpp"
#include "server/metrics/metrics.hpp"
#include "server/payments/gateway.hpp"
#include "server/work/work_pool.hpp"
#include "wal/log.hpp"

namespace usher::server::api {

struct App {
  App(const config::Config& with, const IdentityKeys& keys, engine::Engine& decider, wal::OpenedLog& remembers,
      payments::PaymentGateway& pays, work::WorkPool& works, metrics::Metrics& counts,
      std::string_view directory_secret)
      : config(with),
        identity(keys),
        engine(decider),
        log(remembers),
        gateway(pays),
        pool(works),
        metrics(counts),
        signer(directory_secret) {}

  const config::Config& config;
  const IdentityKeys& identity;
  engine::Engine& engine;
  wal::OpenedLog& log;
  payments::PaymentGateway& gateway;
  work::WorkPool& pool;
  metrics::Metrics& metrics;
  TicketSigner signer;
  http::Router router;
  std::atomic<std::shared_ptr<const CatalogView>> catalog;
  std::atomic<std::uint64_t> catalog_changes{0};  ///< counts up when `catalog` was replaced
  std::atomic<bool> importing{false};
  std::atomic<bool> ready{false};
  std::atomic<bool> draining{false};

  /// Makes the engine's newest snapshot what the API shows.
  void publish_catalog() {
    catalog.store(std::make_shared<const CatalogView>(engine.snapshot(), engine.shared().layouts));
    catalog_changes.fetch_add(1);
  }
};

}  // namespace usher::server::api
