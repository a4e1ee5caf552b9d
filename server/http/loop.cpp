#include "server/http/loop.hpp"

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "server/http/reactor.hpp"

namespace usher::server::http {
namespace {

// The wheel is turned at least so often.
constexpr Duration wait_max{DeadlineWheel::tick_ms};

std::int64_t coarse_monotonic_ms() noexcept {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000 + now.tv_nsec / 1'000'000;
}

Error system_error(std::string_view what) {
  return make_error(ErrorCode::io, std::string{what} + ": " + std::strerror(errno));
}

}  // namespace

Result<std::unique_ptr<Loop>> Loop::make(LoopOptions options) {
  if (options.monotonic_ms == nullptr) options.monotonic_ms = &coarse_monotonic_ms;
  if (!options.connections) options.connections = std::make_shared<ConnectionBudget>(19'000);
  const int wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_fd < 0) return system_error("eventfd");
  try {
    return std::unique_ptr<Loop>(new Loop(std::move(options), std::make_unique<Reactor>(), wake_fd));
  } catch (const boost::system::system_error& error) {
    ::close(wake_fd);
    return make_error(ErrorCode::io, error.what());
  }
}

Loop::Loop(LoopOptions options, std::unique_ptr<Reactor> reactor, int wake_fd)
    : options_(std::move(options)),
      reactor_(std::move(reactor)),
      wake_fd_(wake_fd),
      scratch_(std::make_unique<char[]>(scratch_bytes + json::padding_bytes)),
      wheel_(options_.monotonic_ms()) {
  held_pool_.reserve(pool_max);
  buffer_pool_.reserve(pool_max);
  read_clocks();
  if (options_.io_uring) ring_ = Ring::make(wake_fd);
  // The last that may throw, and it takes the descriptor over only when it does not.
  reactor_->wake.assign(wake_fd);
  listen_for_wake();
}

// Operations in flight lie in the memory of connections: they are told that it is over before any of that goes.
Loop::~Loop() {
  close_all();
  AsioError ignored;
  for (const std::unique_ptr<Listener>& listener : listeners_) listener->acceptor.close(ignored);
  reactor_->wake.close(ignored);
  reactor_->io.poll(ignored);
}

Status Loop::add_listener(int fd, Handler& handler) {
  int domain = 0;
  socklen_t size = sizeof domain;
  if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0) return system_error("listener");
  auto listener = std::make_unique<Listener>(reactor_->io.get_executor(), handler);
  AsioError error;
  listener->acceptor.assign(domain == AF_INET6 ? asio::ip::tcp::v6() : asio::ip::tcp::v4(), fd, error);
  if (error) return make_error(ErrorCode::io, "listener: " + error.message());
  listeners_.push_back(std::move(listener));
  listen_for_clients(*listeners_.back());
  return Done{};
}

void Loop::read_clocks() noexcept {
  now_ms_ = options_.monotonic_ms();
  timespec now{};
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  date_ = date_field_.at(now.tv_sec);
}

std::size_t Loop::run_one_for(Duration timeout) {
  cycle_begun_ = false;
  events_ = 0;
  start_reads();
  if (timeout.count() > 0 && resume_.empty() && dirty_.empty() && received_.empty()) wait(timeout);
  begin_cycle();
  AsioError ignored;
  reactor_->io.poll(ignored);
  if (ring_) run_ring();
  if (has_tasks_.load(std::memory_order_acquire)) run_tasks();
  resume_connections();
  expire_connections();
  end_batch();
  flush();
  return events_;
}

void Loop::wait(Duration timeout) {
  // Sequentially consistent, like the pair in wake(): either the waker sees us asleep or we see that we are woken.
  sleeping_.store(true);
  const Duration most = reads_due_.empty() ? wait_max : Duration{Connection::patience_ms};
  if (!woken_.load() && nothing_in_ring()) reactor_->io.run_one_for(std::min(timeout, most));
  if (ring_) ring_->set_wake(false);
  sleeping_.store(false);
}

// Before the first handler of a cycle, or after waiting in vain: what happens now happens at this time.
void Loop::begin_cycle() noexcept {
  if (cycle_begun_) return;
  cycle_begun_ = true;
  sleeping_.store(false);
  woken_.exchange(false);
  read_clocks();
}

// Connections that have been read from are read from again, unless they wait for answers.
void Loop::start_reads() {
  starting_.swap(reads_due_);
  for (const ListedConnection& listed : starting_) {
    Connection& connection = *listed.connection;
    if (connection.generation_ != listed.generation) continue;
    if (connection.waits_to_read()) {
      reads_due_.push_back(listed);
      continue;
    }
    guard(connection, [&] { connection.start_read(); });
  }
  starting_.clear();
}

// Waits for the eventfd. The count says nothing: that it came is enough.
void Loop::listen_for_wake() {
  const auto woken = [this](const AsioError& error, std::size_t /*size*/) {
    begin_cycle();
    if (error) return;
    ++events_;
    listen_for_wake();
  };
  reactor_->wake.async_read_some(asio::buffer(&reactor_->wake_count, sizeof reactor_->wake_count),
                                 asio::bind_allocator(HandlerAllocator<void>{reactor_->wake_memory}, woken));
}

void Loop::run_tasks() {
  std::vector<std::function<void()>> tasks;
  {
    const std::lock_guard lock(tasks_mutex_);
    tasks.swap(tasks_);
    has_tasks_.store(false, std::memory_order_relaxed);
  }
  for (const std::function<void()>& task : tasks) {
    try {
      task();
    } catch (...) {
      note_exception(listeners_.empty() ? nullptr : listeners_.front()->handler);
    }
  }
}

void Loop::resume_connections() {
  if (resume_.empty()) return;
  resuming_.swap(resume_);
  for (const ListedConnection& listed : resuming_) {
    if (listed.connection->generation_ != listed.generation) continue;
    guard(*listed.connection, [&] { listed.connection->resume(); });
  }
  resuming_.clear();
}

void Loop::expire_connections() {
  if (accept_paused_) resume_accept();
  wheel_.advance(now_ms_, [&](DeadlineWheel::Node& node) {
    Connection& connection = static_cast<Connection&>(node);
    guard(connection, [&] { connection.on_deadline(); });
  });
}

void Loop::end_batch() {
  for (std::size_t i = 0; i < batch_handlers_.size(); ++i) {
    try {
      batch_handlers_[i]->on_batch_end();
    } catch (...) {
      note_exception(batch_handlers_[i]);
    }
  }
  batch_handlers_.clear();
}

void Loop::flush() {
  while (!dirty_.empty()) {
    flushing_.swap(dirty_);
    for (const ListedConnection& listed : flushing_) {
      Connection& connection = *listed.connection;
      if (connection.generation_ != listed.generation || !connection.is_open()) continue;
      connection.dirty_ = false;
      guard(connection, [&] { connection.flush_output(); });
    }
    flushing_.clear();
    if (sends_queued_ != 0) finish_sends();
  }
}

void Loop::note_batch(Handler& handler) {
  if (std::find(batch_handlers_.begin(), batch_handlers_.end(), &handler) == batch_handlers_.end()) {
    batch_handlers_.push_back(&handler);
  }
}

// Called within a catch block.
void Loop::note_exception(Handler* handler) noexcept {
  counters_.exceptions.add();
  if (handler == nullptr) return;
  try {
    throw;
  } catch (const std::exception& exception) {
    handler->on_exception(exception.what());
  } catch (...) {
    handler->on_exception("unknown exception");
  }
}

void Loop::wake() noexcept {
  // Sequentially consistent both: pairs with run_one_for(). The first caller of a cycle may have to write, others not.
  if (woken_.exchange(true) || !sleeping_.load()) return;
  const std::uint64_t one = 1;
  static_cast<void>(::write(wake_fd_, &one, sizeof one));
}

bool Loop::try_post(std::function<void()> task) {
  {
    const std::lock_guard lock(tasks_mutex_);
    if (tasks_.size() >= tasks_max) return false;
    tasks_.push_back(std::move(task));
    has_tasks_.store(true, std::memory_order_release);
  }
  wake();
  return true;
}

Connection* Loop::find(const ReplyTo& to) noexcept {
  if (to.loop != options_.index || to.connection >= connections_.size()) return nullptr;
  Connection& connection = *connections_[to.connection];
  return connection.generation_ == to.generation && connection.is_open() ? &connection : nullptr;
}

bool Loop::respond(const ReplyTo& to, const Response& response) {
  Connection* connection = find(to);
  return connection != nullptr && connection->respond(to.slot, response);
}

void Loop::begin_drain() {
  draining_ = true;
  AsioError ignored;
  for (const std::unique_ptr<Listener>& listener : listeners_) listener->acceptor.close(ignored);
  for (const std::unique_ptr<Connection>& connection : connections_) connection->drain();
}

void Loop::close_all() noexcept {
  for (const std::unique_ptr<Connection>& connection : connections_) connection->close();
  if (ring_) drain_ring();
}

}  // namespace usher::server::http
