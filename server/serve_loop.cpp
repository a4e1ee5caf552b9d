#include "server/serve_loop.hpp"

#include "server/room_metrics.hpp"
#include "server/shard_clock.hpp"
#include "spdlog/spdlog.h"

namespace usher::server {
namespace {

[[nodiscard]] std::uint32_t monotonic_us() noexcept {
  return static_cast<std::uint32_t>(detail::read_clock(CLOCK_MONOTONIC) / 1'000);
}

}  // namespace

Result<std::unique_ptr<ServeLoop>> ServeLoop::make(http::LoopOptions options, int listener, int admin) {
  auto loop = http::Loop::make(std::move(options));
  if (!loop) return loop.error();
  std::unique_ptr<ServeLoop> made(new ServeLoop(admin >= 0));
  made->loop_ = std::move(loop).value();
  if (Status status = made->loop_->add_listener(listener, made->door_); !status) return status.error();
  if (admin >= 0) {
    if (Status status = made->loop_->add_listener(admin, made->admin_door_); !status) return status.error();
  }
  return made;
}

void ServeLoop::run() {
  thread_.run(
      *loop_, [this] { cycle(); },
      [this] {
        if (api_) api_->feed().close_all();
      });
}

void ServeLoop::cycle() {
  cycle_begun_ = false;
  (void)loop_->run_one_for(busy_ ? Duration{0} : idle_wait);
  if (runner_ == nullptr) return;
  if (!cycle_begun_) runner_->begin_cycle();
  api_->set_time_us(monotonic_us());
  busy_ = runner_->do_work();
  api_->tick();
  loop_->flush();
  if (runner_->wants_commit()) commit();
  // last, so that neither answers nor the disk wait for a slice of a fan-out
  busy_ = api_->work_feed() || busy_;
  if (runner_->now() >= next_metrics_) {
    feed_loop_metrics(*metrics_, *loop_, *runner_);
    feed_live_metrics(*metrics_, api_->feed());
    next_metrics_ = runner_->now() + std::chrono::milliseconds{250};
  }
  if (draining_ || checkpointing_) update_drained();
}

void ServeLoop::commit() {
  // few wait: if no other request is ready, nobody loses when this thread syncs
  const bool few = runner_->answers_waiting() <= lone_answers_max;
  const std::size_t others = few ? loop_->poll() : 0;
  const bool lone = few && others == 0;
  runner_->commit(lone);
  busy_ = busy_ || lone || others != 0;  // the others' commands have yet to be decided
}

void ServeLoop::update_drained() {
  const bool waiting = runner_->waiting_for_log() || runner_->answers_waiting() > 0 || api_->waiting() > 0;
  const bool connected = loop_->connection_count() > 0 || api_->feed().size() > 0;
  if (draining_ && !waiting && !connected) drained_.store(true, std::memory_order_release);
  if (checkpointing_ && !runner_->checkpointing() && !waiting) checkpointed_.store(true, std::memory_order_release);
}

void ServeLoop::start(api::App& app, engine::AgentRunner& runner, metrics::LoopMetrics& metrics) {
  const bool posted = loop_->try_post([this, &app, &runner, &metrics] {
    api_ = std::make_unique<api::Api>(app, *loop_, runner, metrics);
    runner.set_sink(*api_);
    metrics_ = &metrics;
    runner_ = &runner;
    runner_->begin_cycle();
    api_->saga().resume();
  });
  USHER_ASSERT(posted);
}

void ServeLoop::begin_drain() {
  (void)loop_->try_post([this] {
    draining_ = true;
    if (runner_ != nullptr) {
      runner_->drain();
      api_->feed().begin_drain();
    }
    loop_->begin_drain();
  });
}

void ServeLoop::begin_checkpoint() {
  (void)loop_->try_post([this] {
    checkpointing_ = true;
    if (runner_ != nullptr) runner_->start_checkpoint();
  });
}

// ---- requests ----

void ServeLoop::on_request(const http::Request& request, http::Connection& connection, api::Entrance entrance) {
  if (runner_ != nullptr) {
    if (!cycle_begun_) {
      runner_->begin_cycle();
      api_->set_time_us(monotonic_us());
      cycle_begun_ = true;
    }
    if (++requests_ % requests_per_log_poll == 0) (void)runner_->poll_log();
    return api_->on_request(request, connection, entrance);
  }
  http::Response response;
  response.fields = "Cache-Control: no-store\r\nRetry-After: 1\r\n";
  if (request.path == "/healthz") {
    response.body = R"({"status":"ok"})";
  } else {
    response.status = 503;
    response.content_type = http::content_type::problem;
    response.body =
        R"({"type":"urn:usher:problem:not_ready","title":"The server is not ready yet","status":503,"code":"not_ready","detail":"recovery is under way"})";
  }
  connection.respond(request.reply_to.slot, response);
}

void ServeLoop::Door::on_exception(const char* what) noexcept {
  spdlog::error("a request failed: {}", what);
}

}  // namespace usher::server
