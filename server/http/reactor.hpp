#pragma once
/// What this folder uses of Asio, in one place: the io_context of a Loop, its listeners, the sockets of its
/// connections, and where their handlers come in. Private to the folder, since these headers are slow to compile. For
/// the loop's thread only: the scheduler is built without locks, and other threads reach it by Loop::wake() alone.

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <cstddef>
#include <new>

#include "server/http/connection.hpp"
#include "server/http/loop.hpp"

namespace usher::server::http {

namespace asio = boost::asio;
using AsioError = boost::system::error_code;
using Executor = asio::io_context::executor_type;

/// Room for the one operation that its owner has in flight, so that starting one costs no heap. A second one, which
/// there is only while an aborted one has yet to be told so, takes the heap.
class HandlerMemory {
 public:
  HandlerMemory() = default;
  HandlerMemory(const HandlerMemory&) = delete;
  HandlerMemory& operator=(const HandlerMemory&) = delete;

  [[nodiscard]] void* take(std::size_t size) {
    if (taken_ || size > bytes_.size()) return ::operator new(size);
    taken_ = true;
    return bytes_.data();
  }
  void give(void* memory) noexcept {
    if (memory != bytes_.data()) return ::operator delete(memory);
    taken_ = false;
  }

 private:
  alignas(std::max_align_t) std::array<std::byte, 256> bytes_;
  bool taken_ = false;
};

/// HandlerMemory in the shape in which Asio asks for memory.
template <class T>
class HandlerAllocator {
 public:
  using value_type = T;
  explicit HandlerAllocator(HandlerMemory& memory) noexcept : memory_(&memory) {}
  template <class U>
  HandlerAllocator(const HandlerAllocator<U>& other) noexcept : memory_(other.memory_) {}

  [[nodiscard]] T* allocate(std::size_t count) { return static_cast<T*>(memory_->take(sizeof(T) * count)); }
  void deallocate(T* memory, std::size_t /*count*/) noexcept { memory_->give(memory); }
  template <class U>
  bool operator==(const HandlerAllocator<U>& other) const noexcept {
    return memory_ == other.memory_;
  }

 private:
  template <class>
  friend class HandlerAllocator;
  HandlerMemory* memory_;
};

/// A connection's socket, and where what comes first of each readiness lands. Made once per object of the slab.
struct Connection::Socket {
  /// A request with a token fits; more of the same readiness is read into the loop's 64 KiB.
  static constexpr std::size_t read_bytes = 2U * 1024U;

  explicit Socket(const Executor& executor) : tcp(executor) {}

  asio::basic_stream_socket<asio::ip::tcp, Executor> tcp;
  HandlerMemory memory;
  std::array<char, read_bytes + json::padding_bytes> buffer{};
};

/// Bytes have come, or the end, for the connection that the object was then.
struct Connection::ReadHandler {
  using allocator_type = HandlerAllocator<void>;
  [[nodiscard]] allocator_type get_allocator() const noexcept { return allocator_type{connection->socket_->memory}; }
  void operator()(const AsioError& error, std::size_t size) const;

  Connection* connection;
  std::uint32_t generation;
};

/// A socket that took no more takes some again. Rare: its memory comes from Asio.
struct Connection::WriteHandler {
  void operator()(const AsioError& error) const;

  Connection* connection;
  std::uint32_t generation;
};

struct Loop::Listener {
  Listener(const Executor& executor, Handler& handler_of) : acceptor(executor), handler(&handler_of) {}

  asio::basic_socket_acceptor<asio::ip::tcp, Executor> acceptor;
  Handler* handler;
  bool paused = false;
  HandlerMemory memory;
};

/// What a send of several parts reads when it is handed over.
struct Loop::Message {
  msghdr header{};
  std::array<iovec, Output::parts_max> parts{};
};

struct Loop::Reactor {
  Reactor() : io(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE), wake(io.get_executor()) {}

  asio::io_context io;
  asio::posix::basic_stream_descriptor<Executor> wake;  // an eventfd
  std::uint64_t wake_count = 0;
  HandlerMemory wake_memory;
};

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

}  // namespace usher::server::http
