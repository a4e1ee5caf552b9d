// Where connections come from and go to: accepting, the limit, the slab, and the pool of held answers.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>

#include "server/http/loop.hpp"
#include "server/http/reactor.hpp"

namespace usher::server::http {
namespace {

// Accepted per event, so that a storm of connects does not starve those who are here.
constexpr int accepts_per_turn_max = 64;
constexpr std::int64_t accept_pause_ms = 250;

}  // namespace

void Loop::listen_for_clients(Listener& listener) {
  const auto ready = [this, &listener](const AsioError& error) {
    begin_cycle();
    if (error) return;
    ++events_;
    accept_ready(listener);
    if (!listener.paused && listener.acceptor.is_open()) listen_for_clients(listener);
  };
  listener.acceptor.async_wait(asio::socket_base::wait_read,
                               asio::bind_allocator(HandlerAllocator<void>{listener.memory}, ready));
}

void Loop::accept_ready(Listener& listener) {
  try {
    for (int turn = 0; turn < accepts_per_turn_max; ++turn) {
      if (!accept_one(listener)) return;
    }
  } catch (...) {
    // No memory for another connection.
    note_exception(listener.handler);
    pause_accept(listener);
  }
}

// Returns: false when there is no other to accept now.
bool Loop::accept_one(Listener& listener) {
  if (!take_connection_budget()) {
    pause_accept(listener);
    return false;
  }
  sockaddr_storage address{};
  socklen_t address_size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  const int fd = ::accept4(listener.acceptor.native_handle(), generic, &address_size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) {
    options_.connections->open.fetch_sub(1, std::memory_order_relaxed);
    if (errno == EINTR || errno == ECONNABORTED) return true;
    // Out of descriptors or memory: the client waits in the backlog until some connection closes.
    if (errno != EAGAIN && errno != EWOULDBLOCK) pause_accept(listener);
    return false;
  }
  Connection& connection = adopt(fd);
  const ClientAddress peer = from_sockaddr(generic);
  counters_.accepted.add();
  connection.open(fd, address.ss_family == AF_INET6, *listener.handler, peer, options_.trusted_proxies.contains(peer));
  return true;
}

bool Loop::take_connection_budget() noexcept {
  ConnectionBudget& budget = *options_.connections;
  // Relaxed: only the count matters, nothing is published by it.
  if (budget.open.fetch_add(1, std::memory_order_relaxed) < budget.connections_max) return true;
  budget.open.fetch_sub(1, std::memory_order_relaxed);
  return false;
}

void Loop::pause_accept(Listener& listener) noexcept {
  listener.paused = true;
  accept_paused_ = true;
  accept_again_ms_ = now_ms_ + accept_pause_ms;
  counters_.accept_pauses.add();
}

// A connection of this loop that closes makes room at once. Of other loops, and of descriptors that other parts of the
// process give back, we learn by trying again; not in every cycle, or a full process would spin.
void Loop::resume_accept() noexcept {
  const ConnectionBudget& budget = *options_.connections;
  if (draining_ || now_ms_ < accept_again_ms_) return;
  if (budget.open.load(std::memory_order_relaxed) >= budget.connections_max) return;
  accept_paused_ = false;
  for (const std::unique_ptr<Listener>& listener : listeners_) {
    if (!listener->paused) continue;
    listener->paused = false;
    listen_for_clients(*listener);
  }
}

// Finds an object for an accepted socket, which is closed where there is no memory for one.
Connection& Loop::adopt(int fd) {
  try {
    return take_connection();
  } catch (...) {
    ::close(fd);
    options_.connections->open.fetch_sub(1, std::memory_order_relaxed);
    throw;
  }
}

Connection& Loop::take_connection() {
  if (free_.empty()) {
    const auto index = static_cast<std::uint32_t>(connections_.size());
    free_.reserve(std::max<std::size_t>(64, std::bit_ceil(connections_.size() + 1)));
    connections_.push_back(std::make_unique<Connection>(*this, index));
    ++open_count_;
    return *connections_.back();
  }
  ++open_count_;
  Connection& connection = *connections_[free_.back()];
  free_.pop_back();
  return connection;
}

void Loop::release_connection(Connection& connection) noexcept {
  --open_count_;
  accept_again_ms_ = now_ms_;
  counters_.closed.add();
  options_.connections->open.fetch_sub(1, std::memory_order_relaxed);
  if (connection.ring_operations_ != 0) return;  // ring_operation_done() gives it back
  // Room was reserved when the connection was made.
  free_.push_back(connection.index_);
}

std::unique_ptr<HeldAnswer> Loop::take_held() {
  if (held_pool_.empty()) return std::make_unique<HeldAnswer>();
  std::unique_ptr<HeldAnswer> held = std::move(held_pool_.back());
  held_pool_.pop_back();
  return held;
}

void Loop::give_held(std::unique_ptr<HeldAnswer> held) noexcept {
  if (held_pool_.size() >= pool_max) return;
  held->bytes.clear();
  held->bytes.release_above(pooled_bytes_max);
  held->shared.reset();
  // Room was reserved at the start.
  held_pool_.push_back(std::move(held));
}

json::TextBuffer Loop::take_buffer() noexcept {
  if (buffer_pool_.empty()) return {};
  json::TextBuffer buffer = std::move(buffer_pool_.back());
  buffer_pool_.pop_back();
  return buffer;
}

void Loop::give_buffer(json::TextBuffer buffer) noexcept {
  if (buffer.capacity() == 0 || buffer.capacity() > pooled_bytes_max || buffer_pool_.size() >= pool_max) return;
  buffer.clear();
  buffer_pool_.push_back(std::move(buffer));
}

std::size_t Loop::body_bytes_max(std::string_view path) const noexcept {
  for (const BodyLimit& limit : options_.body_limits) {
    if (limit.path == path) return limit.bytes_max;
  }
  return options_.body_bytes_max;
}

}  // namespace usher::server::http
