#pragma once
/// App: what all loops of a serving process share. Owned by serve(); outlives the loops. Members are thread-safe or
/// immutable while the loops run.

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/shard/engine.hpp"
#include "server/api/caller.hpp"
#include "server/api/catalog_view.hpp"
#include "server/api/reply_json.hpp"
#include "server/catalog/zones.hpp"
#include "server/config/config.hpp"
#include "server/events/event_hub.hpp"
#include "server/gate/gate_book.hpp"
#include "server/http/loop.hpp"
#include "server/http/router.hpp"
#include "server/metrics/metrics.hpp"
#include "server/payments/gateway.hpp"
#include "server/search/search_index.hpp"
#include "server/work/work_pool.hpp"
#include "server/ws/limits.hpp"
#include "spdlog/spdlog.h"
#include "wal/log.hpp"

namespace usher::server::notify {
class Courier;
}

namespace usher::server::api {

class LiveShows;

struct App {
  App(const config::Config& with, const IdentityKeys& keys, engine::Engine& decider, wal::OpenedLog& remembers,
      payments::PaymentGateway& pays, work::WorkPool& works, metrics::Metrics& counts, search::SearchIndex& finds,
      tickets::TicketKeys& signs)
      : config(with),
        identity(keys),
        engine(decider),
        log(remembers),
        gateway(pays),
        pool(works),
        metrics(counts),
        search(finds),
        ticket_keys(signs),
        subscribers(with.feed.subscribers_max, with.feed.per_address_max),
        live(decider.loop_count(), nullptr) {}

  const config::Config& config;
  const IdentityKeys& identity;
  engine::Engine& engine;
  wal::OpenedLog& log;
  payments::PaymentGateway& gateway;
  work::WorkPool& pool;
  metrics::Metrics& metrics;
  search::SearchIndex& search;
  tickets::TicketKeys& ticket_keys;
  gate::GateBook gates;
  std::atomic<std::uint64_t> erasures{0};                  ///< how often somebody was erased in this process' life
  std::vector<std::shared_ptr<notify::Courier>> couriers;  ///< one per sink that is configured
  std::shared_ptr<events::EventHub> hub;
  ws::SubscriberLimits subscribers;
  std::vector<LiveShows*> live;  ///< each loop's, for its own thread
  http::Router router;
  std::atomic<std::shared_ptr<const CatalogView>> catalog;
  std::atomic<std::uint64_t> catalog_changes{0};  ///< counts up when `catalog` was replaced
  std::atomic<std::uint32_t> search_updates{0};   ///< asked for and not done
  std::atomic<bool> importing{false};
  std::atomic<bool> ready{false};
  std::atomic<bool> draining{false};

  [[nodiscard]] TicketMaker ticket_maker(Instant now) const {
    return {ticket_keys, {config.tickets.valid_before, config.tickets.valid_after}, now};
  }

  /// Makes the engine's newest snapshot what the API shows.
  void publish_catalog() {
    catalog.store(std::make_shared<const CatalogView>(engine.snapshot(), engine.shared().layouts));
    catalog_changes.fetch_add(1);
    update_search();
  }

  /// Brings the search index to the newest catalog, on the work pool; at once where an update runs already: that one
  /// looks again when it is done. Where the pool is full, the next change or restart makes up for it.
  void update_search() {
    if (search_updates.fetch_add(1) > 0) return;
    if (!pool.try_post([this] { run_search_updates(); })) search_updates.store(0);
  }

 private:
  void run_search_updates() {
    std::uint32_t asked = search_updates.load();
    do {
      if (const Status done = search.update(*engine.snapshot()); !done) spdlog::error("{}", done.error().detail);
    } while (!search_updates.compare_exchange_strong(asked, 0));
  }
};

}  // namespace usher::server::api
