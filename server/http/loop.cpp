#include "server/http/loop.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>

namespace usher::server::http {
namespace {

// What an epoll event belongs to: (generation << 32) | index for a connection, these bits in the index for the rest.
constexpr std::uint32_t kind_mask = 0xc0000000U;
constexpr std::uint32_t kind_listener = 0x40000000U;
constexpr std::uint32_t kind_pollable = 0x80000000U;
constexpr std::uint32_t kind_wake = 0xc0000000U;

// The wheel is turned at least so often.
constexpr std::int64_t wait_ms_max = DeadlineWheel::tick_ms;

std::int64_t coarse_monotonic_ms() noexcept {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000 + now.tv_nsec / 1'000'000;
}

Error system_error(std::string_view what) {
  return make_error(ErrorCode::io, std::string{what} + ": " + std::strerror(errno));
}

bool epoll_change(int epoll_fd, int operation, int fd, std::uint32_t events, std::uint64_t key) noexcept {
  epoll_event event{};
  event.events = events;
  event.data.u64 = key;
  return epoll_ctl(epoll_fd, operation, fd, &event) == 0;
}

}  // namespace

Result<std::unique_ptr<Loop>> Loop::make(LoopOptions options) {
  if (options.monotonic_ms == nullptr) options.monotonic_ms = &coarse_monotonic_ms;
  if (!options.connections) options.connections = std::make_shared<ConnectionBudget>(19'000);
  const int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_fd < 0) return system_error("epoll_create1");
  const int wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_fd < 0 || !epoll_change(epoll_fd, EPOLL_CTL_ADD, wake_fd, EPOLLIN, kind_wake)) {
    Error error = system_error("eventfd");
    ::close(epoll_fd);
    if (wake_fd >= 0) ::close(wake_fd);
    return error;
  }
  return std::unique_ptr<Loop>(new Loop(std::move(options), epoll_fd, wake_fd));
}

Loop::Loop(LoopOptions options, int epoll_fd, int wake_fd)
    : options_(std::move(options)),
      epoll_fd_(epoll_fd),
      wake_fd_(wake_fd),
      scratch_(std::make_unique<char[]>(scratch_bytes + json::padding_bytes)),
      wheel_(options_.monotonic_ms()) {
  held_pool_.reserve(pool_max);
  buffer_pool_.reserve(pool_max);
  read_clocks();
}

Loop::~Loop() {
  close_all();
  for (const Listener& listener : listeners_) {
    if (listener.fd >= 0) ::close(listener.fd);
  }
  ::close(wake_fd_);
  ::close(epoll_fd_);
}

Status Loop::add_listener(int fd, Handler& handler) {
  const auto key = kind_listener | static_cast<std::uint32_t>(listeners_.size());
  if (!epoll_change(epoll_fd_, EPOLL_CTL_ADD, fd, EPOLLIN, key)) return system_error("epoll_ctl");
  listeners_.push_back({fd, &handler, false});
  return Done{};
}

void Loop::read_clocks() noexcept {
  now_ms_ = options_.monotonic_ms();
  timespec now{};
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  date_ = date_field_.at(now.tv_sec);
}

// What goes wrong with one connection (memory, most likely) ends that connection and nothing else.
template <class Work>
void Loop::guard(Connection& connection, Work&& work) noexcept {
  try {
    work();
  } catch (...) {
    note_exception(connection.handler_);
    connection.close();
  }
}

std::size_t Loop::run_one_for(Duration timeout) {
  static thread_local std::array<epoll_event, events_max> events;
  bool waits = timeout.count() > 0 && resume_.empty() && dirty_.empty();
  if (waits) {
    // Sequentially consistent, like the pair in wake(): either the waker sees us asleep or we see that we are woken.
    sleeping_.store(true);
    waits = !woken_.load();
  }
  const auto wait_ms = waits ? static_cast<int>(std::min<std::int64_t>(timeout.count(), wait_ms_max)) : 0;
  const int count = epoll_wait(epoll_fd_, events.data(), static_cast<int>(events.size()), wait_ms);
  sleeping_.store(false);
  woken_.exchange(false);
  read_clocks();
  for (int i = 0; i < count; ++i)
    handle_event(events[static_cast<std::size_t>(i)].data.u64, events[static_cast<std::size_t>(i)].events);
  if (has_tasks_.load(std::memory_order_acquire)) run_tasks();
  resume_connections();
  expire_connections();
  end_batch();
  flush();
  return count > 0 ? static_cast<std::size_t>(count) : 0;
}

void Loop::handle_event(std::uint64_t key, std::uint32_t events) {
  const auto index = static_cast<std::uint32_t>(key);
  const auto generation = static_cast<std::uint32_t>(key >> 32U);
  switch (index & kind_mask) {
    case kind_wake: {
      std::uint64_t count = 0;
      static_cast<void>(::read(wake_fd_, &count, sizeof count));
      return;
    }
    case kind_listener:
      return accept_ready(index & ~kind_mask);
    case kind_pollable: {
      const PollableEntry entry = pollables_[index & ~kind_mask];
      if (entry.pollable != nullptr && entry.generation == generation) entry.pollable->on_ready(events);
      return;
    }
    default:
      break;
  }
  Connection& connection = *connections_[index];
  if (connection.generation_ != generation || !connection.is_open()) return;
  guard(connection, [&] { handle_connection_event(connection, events); });
}

void Loop::handle_connection_event(Connection& connection, std::uint32_t events) {
  if ((events & EPOLLERR) != 0) return connection.close();
  connection.on_ready((events & EPOLLIN) != 0, (events & EPOLLOUT) != 0, (events & (EPOLLRDHUP | EPOLLHUP)) != 0);
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
      note_exception(listeners_.empty() ? nullptr : listeners_.front().handler);
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

Status Loop::add_pollable(int fd, std::uint32_t events, Pollable& pollable) {
  const auto unused = std::find_if(pollables_.begin(), pollables_.end(),
                                   [](const PollableEntry& entry) { return entry.pollable == nullptr; });
  const auto index = static_cast<std::size_t>(unused - pollables_.begin());
  if (unused == pollables_.end()) pollables_.emplace_back();
  PollableEntry& entry = pollables_[index];
  const std::uint64_t key = std::uint64_t{entry.generation} << 32U | kind_pollable | index;
  if (!epoll_change(epoll_fd_, EPOLL_CTL_ADD, fd, events, key)) return system_error("epoll_ctl");
  entry.pollable = &pollable;
  return Done{};
}

Status Loop::change_pollable(int fd, std::uint32_t events, Pollable& pollable) {
  for (std::size_t index = 0; index < pollables_.size(); ++index) {
    if (pollables_[index].pollable != &pollable) continue;
    const std::uint64_t key = std::uint64_t{pollables_[index].generation} << 32U | kind_pollable | index;
    if (!epoll_change(epoll_fd_, EPOLL_CTL_MOD, fd, events, key)) return system_error("epoll_ctl");
    return Done{};
  }
  return make_error(ErrorCode::not_found, "this pollable is not in the loop");
}

void Loop::remove_pollable(int fd, Pollable& pollable) noexcept {
  epoll_change(epoll_fd_, EPOLL_CTL_DEL, fd, 0, 0);
  for (PollableEntry& entry : pollables_) {
    if (entry.pollable != &pollable) continue;
    entry.pollable = nullptr;
    ++entry.generation;
  }
}

void Loop::begin_drain() {
  draining_ = true;
  for (Listener& listener : listeners_) {
    if (listener.fd >= 0) ::close(listener.fd);
    listener.fd = -1;
  }
  for (const std::unique_ptr<Connection>& connection : connections_) connection->drain();
}

void Loop::close_all() noexcept {
  for (const std::unique_ptr<Connection>& connection : connections_) connection->close();
}

}  // namespace usher::server::http
