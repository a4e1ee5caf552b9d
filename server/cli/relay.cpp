/// `usher relay`: a fan-out process of the live feed (server/relay).

#include <algorithm>
#include <thread>

#include "server/cli/commands.hpp"
#include "server/cli/data_folder.hpp"
#include "server/cli/logging.hpp"
#include "server/cli/process.hpp"
#include "server/cli/sockets.hpp"
#include "server/relay/relay_loop.hpp"
#include "server/room_metrics.hpp"
#include "server/shard_clock.hpp"
#include "spdlog/spdlog.h"

namespace usher::server::cli {
namespace {

/// A relay from its sockets to its last reader.
class Relay {
 public:
  explicit Relay(const config::Config& config)
      : config_(config), limits_(config.feed.subscribers_max, config.feed.per_address_max) {}

  [[nodiscard]] Status start();
  void stop();

 private:
  [[nodiscard]] Status make_upstream();
  [[nodiscard]] Status make_loops();
  void make_metrics(std::size_t loops);
  void add_relay_metrics();

  const config::Config& config_;
  ws::SubscriberLimits limits_;
  std::unique_ptr<relay::Upstream> upstream_;
  std::unique_ptr<metrics::Metrics> metrics_;
  std::unique_ptr<relay::RelayShared> shared_;
  std::vector<std::unique_ptr<relay::RelayLoop>> loops_;
};

Status Relay::make_upstream() {
  Result<relay::UpstreamUrl> url = relay::parse_upstream_url(config_.relay.upstream);
  if (!url) return url.error();
  relay::UpstreamOptions options;
  options.url = std::move(url).value();
  options.ca_file = config_.relay.ca_file;
  options.timeout = config_.relay.upstream_timeout;
  options.stale_max = config_.relay.stale_max;
  options.shows_max = config_.relay.shows_max;
  Result<std::unique_ptr<relay::Upstream>> upstream = relay::Upstream::make(std::move(options));
  if (!upstream) return upstream.error();
  upstream_ = std::move(upstream).value();
  return Done{};
}

void Relay::make_metrics(std::size_t loops) {
  metrics_ =
      std::make_unique<metrics::Metrics>(loops, relay::route_names(), metrics::BuildInfo{USHER_VERSION, ""},
                                         instant_from_ms(system_clocks.wall_ns() / 1'000'000), metrics::Program::relay);
  add_relay_metrics();
}

void Relay::add_relay_metrics() {
  metrics_->add_collector([&upstream = *upstream_](metrics::Exposition& out) {
    const relay::UpstreamCounters& counters = upstream.counters();
    const auto read = [](const std::atomic<std::uint64_t>& value) {
      return static_cast<double>(value.load(std::memory_order_relaxed));
    };
    out.gauge("usher_relay_upstream_reachable", "1 when the upstream answered when it was last asked.",
              upstream.reachable() ? 1 : 0);
    out.gauge("usher_relay_shows", "Shows followed now.", read(counters.shows));
    out.counter("usher_relay_connects_total", "Connections to the upstream that became WebSockets.",
                read(counters.connects));
    out.counter("usher_relay_failures_total", "Attempts and connections to the upstream that failed.",
                read(counters.failures));
    out.counter("usher_relay_messages_total", "Messages from the upstream.", read(counters.messages));
    out.counter("usher_relay_refreshes_total", "Times that the upstream was asked for readers that knew more.",
                read(counters.refreshes));
    out.counter("usher_relay_given_up_total", "Shows whose readers were closed since the upstream was lost.",
                read(counters.given_up));
  });
}

Status Relay::make_loops() {
  const std::size_t count = loop_count(config_);
  const Result<Listeners> listeners = open_listeners(config_, count);
  if (!listeners) return listeners.error();
  const Listeners& sockets = listeners.value();
  const auto budget = std::make_shared<http::ConnectionBudget>(config_.http.connections_max);
  std::vector<const http::LoopCounters*> counters;
  for (std::size_t index = 0; index < count; ++index) {
    Result<http::LoopOptions> options = socket_options(config_, index, budget);
    if (!options) return options.error();
    auto loop = relay::RelayLoop::make(*shared_, std::move(options).value(), sockets.customers.fds[index],
                                       sockets.operators_fd(index));
    if (!loop) return loop.error();
    loops_.push_back(std::move(loop).value());
    counters.push_back(&loops_.back()->loop().counters());
  }
  add_socket_metrics(*metrics_, std::move(counters));
  spdlog::info("listening on http://{}:{} with {} loop{}, relaying {}", config_.http.address, sockets.customers.port,
               count, count == 1 ? "" : "s", config_.relay.upstream);
  return Done{};
}

Status Relay::start() {
  if (Status made = make_upstream(); !made) return made;
  make_metrics(loop_count(config_));
  shared_ = std::make_unique<relay::RelayShared>(config_, *upstream_, *metrics_, limits_);
  if (Status made = make_loops(); !made) return made;
  upstream_->start();
  for (const auto& loop : loops_) loop->run();
  return Done{};
}

void Relay::stop() {
  spdlog::info("draining: readers are told to connect again");
  shared_->draining = true;
  for (const auto& loop : loops_) loop->begin_drain();
  const auto deadline = std::chrono::steady_clock::now() + config_.server.drain_timeout;
  const auto drained = [this] {
    return std::all_of(loops_.begin(), loops_.end(), [](const auto& loop) { return loop->drained(); });
  };
  while (!drained() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  }
  upstream_->stop();  // first: it posts to the loops
  loops_.clear();
  spdlog::info("stopped");
}

}  // namespace

int relay(const RelayOptions& options) {
  std::vector<std::string> settings = options.settings;
  if (!options.upstream.empty()) settings.push_back("relay.upstream=" + options.upstream);
  if (const std::size_t colon = options.listen.rfind(':'); colon != std::string::npos) {
    std::string address = options.listen.substr(0, colon);
    if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
    settings.push_back("http.address=" + address);
    settings.push_back("http.port=" + options.listen.substr(colon + 1));
  } else if (!options.listen.empty()) {
    return fail(make_error(ErrorCode::invalid, "--listen: must be ADDRESS:PORT, such as 127.0.0.1:8081"));
  }
  const Result<config::Config> config = config::load_config(options.config_file, settings);
  if (!config) return fail(config.error());
  if (config.value().relay.upstream.empty()) {
    return fail(make_error(ErrorCode::invalid, "--upstream: whose feed? A URL such as http://10.0.0.5:8080"));
  }
  start_logging(config.value().log);
  for (const std::string& line : config::config_changes(config.value())) spdlog::info("setting {}", line);
  raise_file_limit();
  const StopSignal signal;
  Relay process(config.value());
  if (Status status = process.start(); !status) return fail(status.error());
  signal.wait();
  process.stop();
  return 0;
}

}  // namespace usher::server::cli
