/// `usher serve`: recovers, serves, drains.

#include <fmt/format.h>

#include <filesystem>

#include "server/api/api.hpp"
#include "server/cli/commands.hpp"
#include "server/cli/demand.hpp"
#include "server/cli/loading.hpp"
#include "server/cli/log_metrics.hpp"
#include "server/cli/logging.hpp"
#include "server/cli/process.hpp"
#include "server/cli/sockets.hpp"
#include "server/config/secrets.hpp"
#include "server/heap.hpp"
#include "server/notify/sinks.hpp"
#include "server/payments/builtin_gateway.hpp"
#include "server/room_metrics.hpp"
#include "server/serve_loop.hpp"
#include "spdlog/spdlog.h"

namespace usher::server::cli {
namespace {

/// A serving process from its sockets to its last checkpoint.
class Serving {
 public:
  Serving(const ServeOptions& options, const config::Config& config) : options_(options), config_(config) {}

  [[nodiscard]] Status open_sockets();
  [[nodiscard]] Status recover();
  [[nodiscard]] Status start();
  [[nodiscard]] Status stop();

 private:
  void make_couriers();
  void wait_until(const char* what, Duration timeout, const std::function<bool()>& done) const;

  const ServeOptions& options_;
  const config::Config& config_;
  std::unique_ptr<journal::DemandJournal> journal_;  ///< outlives the loops
  std::shared_ptr<http::ConnectionBudget> budget_;
  std::vector<std::unique_ptr<ServeLoop>> loops_;
  std::string url_;
  api::IdentityKeys identity_;
  std::shared_ptr<events::EventHub> hub_;  ///< outlives the log, which feeds it
  OpenedData data_;
  std::unique_ptr<work::WorkPool> pool_;
  std::unique_ptr<payments::BuiltinGateway> gateway_;
  std::unique_ptr<tickets::TicketKeys> ticket_keys_;
  std::unique_ptr<metrics::Metrics> metrics_;
  std::unique_ptr<search::SearchIndex> search_;
  std::unique_ptr<api::App> app_;
  std::optional<WarmHeap> heap_;
};

Status Serving::open_sockets() {
  const std::size_t count = loop_count(config_);
  budget_ = std::make_shared<http::ConnectionBudget>(config_.http.connections_max);
  const Result<Listeners> listeners = open_listeners(config_, count);
  if (!listeners) return listeners.error();
  const Listeners& sockets = listeners.value();
  for (std::size_t index = 0; index < count; ++index) {
    Result<http::LoopOptions> options = socket_options(config_, index, budget_);
    if (!options) return options.error();
    auto loop = ServeLoop::make(std::move(options).value(), sockets.customers.fds[index], sockets.operators_fd(index));
    if (!loop) return loop.error();
    loops_.push_back(std::move(loop).value());
  }
  for (const auto& loop : loops_) loop->run();
  url_ = fmt::format("http://{}:{}", config_.http.address, sockets.customers.port);
  spdlog::info("listening on {} with {} loop{}", url_, count, count == 1 ? "" : "s");
  return Done{};
}

Status Serving::recover() {
  Result<OpenedData> data =
      open_data(options_.data, config_, {.loops = loops_.size(), .accept_clock = options_.accept_clock, .hub = &hub_});
  if (!data) return data.error();
  data_ = std::move(data).value();
  Result<api::IdentityKeys> keys = api::IdentityKeys::load(config_.identity, data_.secrets);
  if (!keys) return keys.error();
  identity_ = std::move(keys).value();
  Result<std::unique_ptr<tickets::TicketKeys>> ticket_keys =
      tickets::TicketKeys::open(options_.data, data_.secrets.directory);
  if (!ticket_keys) return ticket_keys.error();
  ticket_keys_ = std::move(ticket_keys).value();
  for (const std::string& file : options_.catalogs) {
    if (!load_catalog(*data_.engine, config_, file))
      return make_error(ErrorCode::invalid, "the catalog " + file + " was not imported");
  }
  return Done{};
}

Status Serving::start() {
  heap_.emplace(config_.server.warm_memory);
  payments::Ledger ledger;
  if (config_.payments.ledger) {
    Result<payments::Ledger> opened = payments::Ledger::open(std::filesystem::path(options_.data) / "gateway.ledger");
    if (!opened) return opened.error();
    ledger = std::move(opened).value();
  }
  payments::BuiltinGatewayOptions gateway;
  gateway.latency = config_.payments.latency;
  gateway.decline_rate = config_.payments.decline_rate;
  gateway.unknown_rate = config_.payments.unknown_rate;
  gateway.in_flight_max = config_.payments.in_flight_max;
  gateway_ = std::make_unique<payments::BuiltinGateway>(gateway, std::move(ledger));
  pool_ = std::make_unique<work::WorkPool>(config_.server.work_threads, config_.server.work_queue_max);
  std::vector<std::string_view> names;
  for (const api::RouteInfo& route : api::routes) names.push_back(route.name);
  metrics_ = std::make_unique<metrics::Metrics>(loops_.size(), names, metrics::BuildInfo{USHER_VERSION, ""},
                                                instant_from_ms(system_clocks.wall_ns() / 1'000'000));
  add_log_metrics(*metrics_, *data_.log, *data_.engine);
  std::vector<const http::LoopCounters*> counters;
  for (const auto& loop : loops_) counters.push_back(&loop->loop().counters());
  add_room_metrics(*metrics_, std::move(counters), *gateway_, *pool_);
  search_ = std::make_unique<search::SearchIndex>(std::filesystem::path(options_.data) / "search");
  app_ = std::make_unique<api::App>(config_, identity_, *data_.engine, *data_.log, *gateway_, *pool_, *metrics_,
                                    *search_, *ticket_keys_, data_.secrets.directory,
                                    instant_from_ms(system_clocks.wall_ns() / 1'000'000));
  for (std::size_t route = 0; route < api::routes.size(); ++route) {
    const api::RouteInfo& info = api::routes[route];
    if (!info.pattern.empty()) app_->router.add(info.method, info.pattern, static_cast<http::RouteId>(route));
  }
  app_->hub = hub_;
  app_->publish_catalog();
  make_couriers();
  const Status side = data_.log->for_each_person([this](std::string_view key, std::string_view value) -> Status {
    for (const auto& courier : app_->couriers) {
      if (!courier->load(key, value)) return make_error(ErrorCode::corrupt, "a row of what is to be sent is damaged");
    }
    if (!key.starts_with(gate::GateBook::row_kind) || app_->gates.load(key, value)) return Done{};
    return make_error(ErrorCode::corrupt, "the row of gate " + std::string(key.substr(1)) + " is damaged");
  });
  if (!side) return side.error();
  auto journal = open_demand_journal(config_, *data_.engine, *metrics_);
  if (!journal) return journal.error();
  journal_ = std::move(journal).value();
  for (std::size_t index = 0; index < loops_.size(); ++index) {
    data_.engine->runner(index).set_wake([loop = &loops_[index]->loop()] { loop->wake(); });
  }
  for (std::size_t index = 0; index < loops_.size(); ++index) {
    loops_[index]->start(*app_, data_.engine->runner(index), metrics_->loop(index));
  }
  for (const auto& courier : app_->couriers) courier->start();
  app_->ready = true;
  spdlog::info("ready: look at {}/movies?city=... or {}/ for what there is", url_, url_);
  return Done{};
}

void Serving::make_couriers() {
  const config::NotifyConfig& settings = config_.notify;
  const auto add = [&](std::unique_ptr<notify::Sink> sink) {
    notify::CourierOptions options;
    options.attempts_max = settings.attempts_max;
    options.first_wait = settings.first_wait;
    app_->couriers.push_back(
        std::make_shared<notify::Courier>(std::move(sink), *data_.engine, *data_.log, hub_, options));
  };
  if (!settings.smtp_url.empty()) add(notify::make_mail_sink(*app_));
  if (!settings.webhook_urls.empty()) add(notify::make_webhook_sink(*app_));
  if (!settings.sms_url.empty()) add(notify::make_sms_sink(*app_));
  metrics_->add_collector([couriers = app_->couriers](metrics::Exposition& out) {
    for (const auto& courier : couriers) {
      const notify::Courier::Counters counters = courier->counters();
      out.counter("usher_deliveries_total", "Mails, webhooks and messages that arrived.",
                  static_cast<double>(counters.sent), {{"sink", courier->name()}});
      out.counter("usher_delivery_failures_total", "Attempts that failed.",
                  static_cast<double>(counters.failed_attempts), {{"sink", courier->name()}});
      out.gauge("usher_deliveries_waiting", "Messages on their way.", static_cast<double>(counters.waiting),
                {{"sink", courier->name()}});
      out.gauge("usher_deliveries_dead", "Messages given up, for an operator to see.",
                static_cast<double>(counters.dead), {{"sink", courier->name()}});
    }
  });
}

void Serving::wait_until(const char* what, Duration timeout, const std::function<bool()>& done) const {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline) {
      spdlog::warn("{}: not done within {} s, going on", what, timeout.count() / 1000);
      return;
    }
    for (const auto& loop : loops_) loop->loop().wake();
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  }
}

Status Serving::stop() {
  spdlog::info("draining: no new reservations, answering what is in flight");
  app_->draining = true;
  for (const auto& loop : loops_) loop->begin_drain();
  const auto all = [this](bool (ServeLoop::*is)() const noexcept) {
    return [this, is] {
      return std::all_of(loops_.begin(), loops_.end(), [is](const auto& loop) { return (*loop.*is)(); });
    };
  };
  wait_until("draining", config_.server.drain_timeout, all(&ServeLoop::drained));
  for (const auto& courier : app_->couriers) courier->stop();
  gateway_->stop();
  pool_->stop();
  spdlog::info("writing a checkpoint");
  for (const auto& loop : loops_) loop->begin_checkpoint();
  wait_until("the checkpoint", std::chrono::seconds{60}, all(&ServeLoop::checkpointed));
  for (const auto& loop : loops_) loop->stop();
  loops_.clear();
  journal_.reset();
  if (Status closed = data_.close(); !closed) return closed;
  spdlog::info("stopped");
  return Done{};
}

}  // namespace

int serve(const ServeOptions& options) {
  const Result<config::Config> config = config::load_config(options.config_file, options.settings);
  if (!config) return fail(config.error());
  start_logging(config.value().log);
  for (const std::string& line : config::config_changes(config.value())) spdlog::info("setting {}", line);
  for (const std::string& line : config::config_warnings(config.value())) spdlog::warn("{}", line);
  raise_file_limit();
  const StopSignal signal;
  Serving serving(options, config.value());
  if (Status status = serving.open_sockets(); !status) return fail(status.error());
  if (Status status = serving.recover(); !status) return fail(status.error());
  if (Status status = serving.start(); !status) return fail(status.error());
  signal.wait();
  if (Status status = serving.stop(); !status) return fail(status.error());
  return 0;
}

}  // namespace usher::server::cli
