#include "server/relay/relay_loop.hpp"

#include "server/api/problem.hpp"
#include "server/feed_options.hpp"
#include "server/room_metrics.hpp"
#include "server/shard_clock.hpp"
#include "server/ws/asyncapi.hpp"
#include "spdlog/spdlog.h"

namespace usher::server::relay {
namespace {

constexpr std::int64_t count_every_ms = 250;
constexpr std::size_t show_bytes_max = 200;  // of a show's path segment

struct Listed {
  std::string_view pattern;
  std::string_view name;
};
constexpr std::array<Listed, static_cast<std::size_t>(Route::count_)> routes{{
    {"/shows/{id}/live", "GET /shows/{id}/live"},
    {"/healthz", "GET /healthz"},
    {"/readyz", "GET /readyz"},
    {"/metrics", "GET /metrics"},
    {"/asyncapi.json", "GET /asyncapi.json"},
    {"", "other"},
}};

}  // namespace

std::vector<std::string_view> route_names() {
  std::vector<std::string_view> names;
  for (const Listed& route : routes) names.push_back(route.name);
  return names;
}

Result<std::unique_ptr<RelayLoop>> RelayLoop::make(RelayShared& shared, http::LoopOptions options, int listener,
                                                   int admin) {
  // a handshake may wait for the upstream before its socket is handed to the feed, and a ring's receive would be in its
  // way
  options.io_uring = false;
  auto loop = http::Loop::make(std::move(options));
  if (!loop) return loop.error();
  std::unique_ptr<RelayLoop> made(new RelayLoop(shared, std::move(loop).value()));
  if (Status status = made->loop_->add_listener(listener, made->door_); !status) return status.error();
  if (admin >= 0) {
    if (Status status = made->loop_->add_listener(admin, made->admin_door_); !status) return status.error();
  }
  return made;
}

RelayLoop::RelayLoop(RelayShared& shared, std::unique_ptr<http::Loop> loop)
    : shared_(shared),
      loop_(std::move(loop)),
      metrics_(shared.metrics.loop(loop_->index())),
      feed_(*loop_, feed_options(shared.config.feed, metrics_), shared.limits),
      door_(*this, shared.config.metrics.is_public && !shared.config.admin.separate()),
      admin_door_(*this, true) {
  for (std::size_t route = 0; route < routes.size(); ++route) {
    if (routes[route].pattern.empty()) continue;
    router_.add(http::Method::get, routes[route].pattern, static_cast<http::RouteId>(route));
  }
  const std::uint16_t number = shared.upstream.add_loop([this](std::function<void(Watcher&)> task) {
    // full only where the loop has stood still for 65,536 tasks; the next state makes up for one that is lost
    (void)loop_->try_post([this, task = std::move(task)] { task(*shows_); });
  });
  shows_ = std::make_unique<RelayShows>(
      RelayShowsContext{*loop_, feed_, shared.upstream, metrics_, static_cast<std::size_t>(Route::live)}, number);
}

// ---- the thread ----

void RelayLoop::run() {
  thread_.run(
      *loop_, [this] { cycle(); }, [this] { feed_.close_all(); });
}

void RelayLoop::cycle() {
  (void)loop_->run_one_for(busy_ ? Duration{0} : idle_wait);
  shows_->work();
  busy_ = feed_.work(shared_.upstream.clock().at(detail::read_clock(CLOCK_MONOTONIC) / 1'000'000));
  if (loop_->now_ms() >= next_count_ms_) count();
  if (draining_ && loop_->connection_count() == 0 && feed_.size() == 0) drained_.store(true, std::memory_order_release);
}

void RelayLoop::count() {
  next_count_ms_ = loop_->now_ms() + count_every_ms;
  feed_socket_metrics(metrics_, *loop_);
  feed_live_metrics(metrics_, feed_);
}

void RelayLoop::begin_drain() {
  (void)loop_->try_post([this] {
    draining_ = true;
    feed_.begin_drain();
    loop_->begin_drain();
  });
}

// ---- requests ----

void RelayLoop::on_request(const http::Request& request, http::Connection& /*connection*/, bool operators) {
  const http::RouteMatch match = router_.match(request.method, request.path);
  const bool found = match.kind == http::RouteMatch::Kind::found;
  const Route route = found ? static_cast<Route>(match.route) : Route::other;
  switch (route) {
    case Route::live:
      return live(request, match.parameters[0]);
    case Route::health:
      return answer(request, route, {.body = R"({"status":"ok"})", .fields = api::no_store});
    case Route::ready:
      if (shared_.draining) return shows_->refuse(request.reply_to, {503, "draining", "the relay is shutting down"});
      if (!shared_.upstream.reachable())
        return shows_->refuse(request.reply_to, {503, "upstream_lost", "the upstream does not answer"});
      return answer(request, route, {.body = R"({"status":"ready"})", .fields = api::no_store});
    case Route::metrics: {
      if (!operators)
        return shows_->refuse(request.reply_to, {403, "forbidden", "metrics.public is off; see admin.address"});
      const std::string text = shared_.metrics.scrape(instant_from_ms(system_clocks.wall_ns() / 1'000'000));
      return answer(
          request, route,
          {.content_type = "text/plain; version=0.0.4; charset=utf-8", .body = text, .fields = api::no_store});
    }
    case Route::asyncapi:
      return answer(request, route, {.body = asyncapi::document(), .fields = "Cache-Control: public, max-age=60\r\n"});
    default:
      break;
  }
  if (match.kind == http::RouteMatch::Kind::method_not_allowed) {
    return shows_->refuse(request.reply_to, {405, "method_not_allowed", "a relay only answers GET", match.allow_field});
  }
  shows_->refuse(request.reply_to, {404, "not_found", "a relay has the live feed only"});
}

void RelayLoop::live(const http::Request& request, std::string_view show) {
  ws::Wish wish;
  const ws::HandshakeError error = ws::read_wish(request, shared_.config.feed.allowed_origins, wish);
  if (error.status != 0) return shows_->refuse(request.reply_to, error);
  if (feed_.draining()) return shows_->refuse(request.reply_to, {503, "draining", "the relay is shutting down"});
  if (show.size() > show_bytes_max) {
    return shows_->refuse(request.reply_to, {404, "unknown_show", "the show's id is longer than any"});
  }
  shows_->open(show, {request.reply_to, request.client, wish.format, wish.from, ws::stream_head(request, wish)});
}

void RelayLoop::answer(const http::Request& request, Route route, const http::Response& response) {
  metrics_.count_request(static_cast<std::size_t>(route), response.status);
  loop_->respond(request.reply_to, response);
}

void RelayLoop::Door::on_exception(const char* what) noexcept {
  spdlog::error("a request failed: {}", what);
}

}  // namespace usher::server::relay
