#include "server/relay/upstream.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <random>
#include <thread>
#include <unordered_map>
#include <vector>

#include "server/json/reader.hpp"
#include "server/relay/upstream_connection.hpp"
#include "server/shard_clock.hpp"
#include "server/ws/frame.hpp"
#include "server/ws/handshake.hpp"
#include "server/ws/message.hpp"
#include "spdlog/spdlog.h"

namespace usher::server::relay {
namespace {

namespace asio = boost::asio;
template <class T>
using Task = asio::awaitable<T>;

constexpr Duration wait_min{50};
constexpr Duration wait_max{1'000};
// Between two questions for the newest state of a show, however many readers claim to know more.
constexpr Duration refresh_wait{100};
// What the server does not have is asked for again after so long: a flood of wrong names costs one request a second
// each.
constexpr Duration refusal_kept{1'000};
constexpr Duration reachable_wait{500};
// The server answers a reader that claims to know this with a snapshot of what is newest (server/ws/README.md).
constexpr std::string_view newest = "/live?from=18446744073709551615";
constexpr std::size_t seats_max = 65'535;
constexpr std::size_t seats_json_bytes_max = std::size_t{32} << 20U;

std::int64_t monotonic_ms() noexcept {
  return detail::read_clock(CLOCK_MONOTONIC) / 1'000'000;
}

Task<void> sleep(asio::steady_timer& timer, Duration wait) {
  boost::system::error_code ignored;
  timer.expires_after(wait);
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

// GET /shows/{id}/seats lists the seats in the order of their index.
std::shared_ptr<const ws::SeatNames> read_names(std::string_view body) {
  json::Reader reader(seats_json_bytes_max);
  json::Object root = reader.parse_copy(body);
  json::Array seats = root.array("seats", 1, seats_max);
  auto names = std::make_shared<ws::SeatNames>();
  while (seats.next()) {
    json::Object seat = seats.object();
    names->add(seat.string("seat_id", {1, 64}));
  }
  if (!reader.ok()) throw std::runtime_error("the seat map: " + std::string(reader.error()));
  return names;
}

/// A show that some loop wants.
struct Channel {
  Channel(asio::io_context& io, std::string show_of, ws::FeedKey key_of)
      : show(std::move(show_of)), key(key_of), pause(io), refresh_pause(io), stale(io) {}

  const std::string show;
  const ws::FeedKey key;
  std::shared_ptr<const ws::SeatNames> names;
  SharedState state;
  std::vector<std::uint16_t> watchers;  // loops
  std::vector<UpstreamConnection*> connections;
  asio::steady_timer pause;
  asio::steady_timer refresh_pause;
  asio::steady_timer stale;
  bool lost = false;
  bool closed = false;
  bool refreshing = false;
  bool refresh_wanted = false;
};
using SharedChannel = std::shared_ptr<Channel>;

/// Keeps a connection where Core::close() finds it.
class Listed {
 public:
  Listed(Channel& channel, UpstreamConnection& connection) : channel_(channel), connection_(&connection) {
    channel_.connections.push_back(connection_);
  }
  Listed(const Listed&) = delete;
  Listed& operator=(const Listed&) = delete;
  ~Listed() { std::erase(channel_.connections, connection_); }

 private:
  Channel& channel_;
  UpstreamConnection* connection_;
};

}  // namespace

class Upstream::Core {
 public:
  Core(UpstreamOptions options_of, asio::ssl::context tls_of)
      : options(std::move(options_of)), tls(std::move(tls_of)) {}

  void watch(std::uint16_t loop, const std::string& show);
  void unwatch(std::uint16_t loop, ws::FeedKey key);
  void refresh(ws::FeedKey key);
  Task<void> stay_reachable();

  const UpstreamOptions options;
  asio::ssl::context tls;
  std::vector<Post> loops;
  UpstreamCounters counters;
  ServerClock clock;
  std::atomic<bool> reachable{false};
  asio::io_context io{1};
  std::thread thread;

 private:
  enum class End : std::uint8_t { done, unknown_show, lost };

  Task<void> follow(SharedChannel channel);
  Task<void> keep_fresh(SharedChannel channel);
  Task<End> listen(SharedChannel channel, bool once);
  Task<void> hear(SharedChannel channel, bool once);
  bool take(Channel& channel, std::string_view payload, bool first, bool asked);
  void lose(const SharedChannel& channel);
  void refuse(Channel& channel, Watcher::Why why);
  void end(Channel& channel, std::uint16_t code);
  void close(Channel& channel);
  void tell(const Channel& channel, const std::function<void(Watcher&)>& what);
  [[nodiscard]] Duration jittered(Duration wait);

  struct Refusal {
    Watcher::Why why;
    std::int64_t until_ms;
  };
  std::unordered_map<ws::FeedKey, SharedChannel> channels_;
  std::unordered_map<std::string, ws::FeedKey> keys_;
  std::unordered_map<std::string, Refusal> refusals_;
  ws::FeedKey last_key_ = 0;
  std::minstd_rand random_{std::random_device{}()};
};

// ---- what loops ask ----

void Upstream::Core::watch(std::uint16_t loop, const std::string& show) {
  if (const auto known = keys_.find(show); known != keys_.end()) {
    Channel& channel = *channels_.at(known->second);
    channel.watchers.push_back(loop);
    if (channel.state == nullptr) return;
    loops[loop](
        [show, key = channel.key, state = channel.state](Watcher& watcher) { watcher.found(show, key, state); });
    if (channel.lost) loops[loop]([key = channel.key](Watcher& watcher) { watcher.lost(key); });
    return;
  }
  const std::int64_t now = monotonic_ms();
  std::erase_if(refusals_, [now](const auto& entry) { return entry.second.until_ms <= now; });
  const auto refused = refusals_.find(show);
  const bool full = channels_.size() + refusals_.size() >= options.shows_max;
  if (refused != refusals_.end() || full) {
    const Watcher::Why why = refused != refusals_.end() ? refused->second.why : Watcher::Why::full;
    return loops[loop]([show, why](Watcher& watcher) { watcher.refused(show, why); });
  }
  const auto channel = std::make_shared<Channel>(io, show, ++last_key_);
  channel->watchers.push_back(loop);
  channels_[channel->key] = channel;
  keys_[show] = channel->key;
  counters.shows = channels_.size();
  asio::co_spawn(io, follow(channel), asio::detached);
}

void Upstream::Core::unwatch(std::uint16_t loop, ws::FeedKey key) {
  const auto found = channels_.find(key);
  if (found == channels_.end()) return;
  const SharedChannel channel = found->second;
  std::erase(channel->watchers, loop);
  if (channel->watchers.empty()) close(*channel);
}

void Upstream::Core::refresh(ws::FeedKey key) {
  const auto found = channels_.find(key);
  if (found == channels_.end()) return;
  const SharedChannel channel = found->second;
  channel->refresh_wanted = true;
  if (channel->refreshing) return;
  channel->refreshing = true;
  asio::co_spawn(io, keep_fresh(channel), asio::detached);
}

// ---- following ----

Task<void> Upstream::Core::follow(SharedChannel channel) {
  Duration wait = wait_min;
  while (!channel->closed) {
    const End how = co_await listen(channel, false);
    if (channel->closed) co_return;
    if (how == End::unknown_show && channel->state == nullptr) co_return refuse(*channel, Watcher::Why::unknown_show);
    if (how == End::unknown_show) co_return end(*channel, ws::close_code::unknown_show);
    if (channel->state == nullptr) co_return refuse(*channel, Watcher::Why::lost);
    if (!channel->lost) wait = wait_min;
    lose(channel);
    co_await sleep(channel->pause, jittered(wait));
    wait = std::min(2 * wait, wait_max);
  }
}

// Somebody knows more than what was heard last. A connection of its own asks, so that the others miss nothing.
Task<void> Upstream::Core::keep_fresh(SharedChannel channel) {
  while (!channel->closed && channel->refresh_wanted) {
    channel->refresh_wanted = false;
    counters.refreshes.fetch_add(1, std::memory_order_relaxed);
    const End how = co_await listen(channel, true);
    if (how != End::done) channel->refresh_wanted = true;
    co_await sleep(channel->refresh_pause, how == End::done ? refresh_wait : wait_max);
  }
  channel->refreshing = false;
}

Task<Upstream::Core::End> Upstream::Core::listen(SharedChannel channel, bool once) {
  std::string what;
  try {
    co_await hear(channel, once);
    co_return End::done;
  } catch (const UpstreamRefusal& refusal) {
    if (refusal.status == 404 || refusal.status == ws::close_code::unknown_show) co_return End::unknown_show;
    what = refusal.what();
  } catch (const boost::system::system_error& error) {
    if (!channel->closed) reachable = false;
    what = error.what();
  } catch (const std::exception& error) {
    what = error.what();
  }
  if (channel->closed) co_return End::done;
  counters.failures.fetch_add(1, std::memory_order_relaxed);
  if (!channel->lost) spdlog::warn("show {}: the upstream is lost: {}", channel->show, what);
  co_return End::lost;
}

Task<void> Upstream::Core::hear(SharedChannel channel, bool once) {
  const std::unique_ptr<UpstreamConnection> connection =
      co_await UpstreamConnection::open(options.url, options.timeout, tls);
  if (channel->closed) co_return;
  const Listed listed(*channel, *connection);
  const std::string path = "/shows/" + channel->show;
  if (channel->names == nullptr) {
    const std::string seats = co_await connection->get(path + "/seats");
    channel->names = read_names(seats);
  }
  co_await connection->upgrade(path + std::string(newest), std::string(ws::binary_protocol));
  reachable = true;
  counters.connects.fetch_add(1, std::memory_order_relaxed);
  for (bool first = true; !channel->closed; first = false) {
    const std::string payload = co_await connection->read();
    if (!take(*channel, payload, first && !once, once) || once) co_return;
  }
}

// `first`: of a connection that is to be followed; `asked`: by a reader, who waits. Returns: false when it is over.
bool Upstream::Core::take(Channel& channel, std::string_view payload, bool first, bool asked) {
  std::optional<ws::BinaryMessage> message = ws::read_binary(payload, channel.names->size());
  if (!message) throw std::runtime_error("a message that is not of " + std::string(ws::binary_protocol));
  counters.messages.fetch_add(1, std::memory_order_relaxed);
  clock.hear(message->server_time, monotonic_ms());
  const bool is_new = channel.state == nullptr || message->state.lsn > channel.state->lsn;
  // a server that knows less than it has told before is another one: readers begin anew
  if (first && !is_new && message->state.lsn < channel.state->lsn) {
    end(channel, ws::close_code::try_again);
    return false;
  }
  if (!is_new && !first && !asked) return true;
  const bool was_known = channel.state != nullptr;
  if (is_new) {
    auto state = std::make_shared<ws::SeatState>(std::move(message->state));
    state->names = channel.names;
    channel.state = std::move(state);
  }
  if (first && channel.lost) {
    spdlog::info("show {}: the upstream is back", channel.show);
    channel.lost = false;
    channel.stale.cancel();
  }
  if (was_known) {
    if (channel.lost) return true;
    tell(channel, [key = channel.key, state = channel.state, asked](Watcher& w) { w.changed(key, state, asked); });
  } else {
    tell(channel,
         [show = channel.show, key = channel.key, state = channel.state](Watcher& w) { w.found(show, key, state); });
  }
  return true;
}

// ---- losing ----

void Upstream::Core::lose(const SharedChannel& channel) {
  if (channel->lost) return;
  channel->lost = true;
  tell(*channel, [key = channel->key](Watcher& watcher) { watcher.lost(key); });
  channel->stale.expires_after(options.stale_max);
  channel->stale.async_wait([this, channel](const boost::system::error_code& error) {
    if (error || channel->closed || !channel->lost) return;
    spdlog::warn("show {}: readers are closed, the upstream is still lost", channel->show);
    counters.given_up.fetch_add(1, std::memory_order_relaxed);
    end(*channel, ws::close_code::try_again);
  });
}

void Upstream::Core::refuse(Channel& channel, Watcher::Why why) {
  refusals_[channel.show] = {why, monotonic_ms() + refusal_kept.count()};
  tell(channel, [show = channel.show, why](Watcher& watcher) { watcher.refused(show, why); });
  close(channel);
}

void Upstream::Core::end(Channel& channel, std::uint16_t code) {
  tell(channel, [key = channel.key, code](Watcher& watcher) { watcher.ended(key, code); });
  close(channel);
}

void Upstream::Core::close(Channel& channel) {
  channel.closed = true;
  channel.pause.cancel();
  channel.refresh_pause.cancel();
  channel.stale.cancel();
  for (UpstreamConnection* connection : channel.connections) connection->abort();
  keys_.erase(channel.show);
  channels_.erase(channel.key);  // the coroutines hold it until they have seen `closed`
  counters.shows = channels_.size();
}

void Upstream::Core::tell(const Channel& channel, const std::function<void(Watcher&)>& what) {
  for (const std::uint16_t loop : channel.watchers) loops[loop](what);
}

// Three quarters to five quarters: relays that lost the same server do not come back in step.
Duration Upstream::Core::jittered(Duration wait) {
  const auto part = std::uniform_int_distribution<Duration::rep>(0, wait.count() / 2)(random_);
  return wait * 3 / 4 + Duration{part};
}

// While nothing else talks to the server: so that a balancer hears when a relay may be used again.
Task<void> Upstream::Core::stay_reachable() {
  asio::steady_timer timer(io);
  for (;;) {
    try {
      if (!reachable) {
        const auto connection = co_await UpstreamConnection::open(options.url, options.timeout, tls);
        const std::string ignored = co_await connection->get("/readyz");
        reachable = true;
        spdlog::info("the upstream {} is reachable", options.url.authority());
      }
    } catch (const std::exception& error) {
      spdlog::debug("the upstream is not reachable: {}", error.what());
    }
    co_await sleep(timer, reachable_wait);
  }
}

// ---- the outside ----

Result<std::unique_ptr<Upstream>> Upstream::make(UpstreamOptions options) {
  asio::ssl::context tls(asio::ssl::context::tls_client);
  boost::system::error_code error;
  tls.set_verify_mode(asio::ssl::verify_peer, error);
  if (options.ca_file.empty()) {
    tls.set_default_verify_paths(error);
  } else if (tls.load_verify_file(options.ca_file, error); error) {
    return make_error(ErrorCode::invalid, "relay.ca_file: " + options.ca_file + ": " + error.message());
  }
  return std::unique_ptr<Upstream>(new Upstream(std::make_unique<Core>(std::move(options), std::move(tls))));
}

Upstream::Upstream(std::unique_ptr<Core> core) : core_(std::move(core)) {}

Upstream::~Upstream() {
  stop();
}

std::uint16_t Upstream::add_loop(Post post) {
  core_->loops.push_back(std::move(post));
  return static_cast<std::uint16_t>(core_->loops.size() - 1);
}

void Upstream::start() {
  asio::co_spawn(core_->io, core_->stay_reachable(), asio::detached);
  core_->thread = std::thread([this] { core_->io.run(); });
}

void Upstream::stop() {
  core_->io.stop();
  if (core_->thread.joinable()) core_->thread.join();
}

void Upstream::watch(std::uint16_t loop, std::string show) {
  asio::post(core_->io, [this, loop, show = std::move(show)] { core_->watch(loop, show); });
}

void Upstream::unwatch(std::uint16_t loop, ws::FeedKey key) {
  asio::post(core_->io, [this, loop, key] { core_->unwatch(loop, key); });
}

void Upstream::refresh(ws::FeedKey key) {
  asio::post(core_->io, [this, key] { core_->refresh(key); });
}

bool Upstream::reachable() const noexcept {
  return core_->reachable;
}

const UpstreamCounters& Upstream::counters() const noexcept {
  return core_->counters;
}

const ServerClock& Upstream::clock() const noexcept {
  return core_->clock;
}

}  // namespace usher::server::relay
