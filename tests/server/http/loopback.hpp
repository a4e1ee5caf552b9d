#pragma once
/// A Loop with a listener on a port of the system's choosing, driven in the test's own thread, and plain client sockets
/// beside it. Nothing sleeps: pump_until() turns the loop until a condition holds or so many cycles are over.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/http/listener.hpp"
#include "server/http/loop.hpp"

namespace usher::test {

namespace http = server::http;

/// The clock that loops in tests look at.
inline std::int64_t fake_now_ms = 1'000'000;
inline std::int64_t read_fake_now() noexcept {
  return fake_now_ms;
}

/// What was asked, copied out of its views.
struct Seen {
  http::Method method{};
  std::string path;
  std::string query;
  std::string body;
  std::string client;
  ReplyTo reply_to;
};

/// Echoes "METHOD path body" unless `hold` is on: then requests wait in `seen` until the test answers them.
class EchoHandler : public http::Handler {
 public:
  void on_request(const http::Request& request, http::Connection& connection) override {
    seen.push_back({request.method, std::string{request.path}, std::string{request.query}, std::string{request.body},
                    http::to_string(request.client), request.reply_to});
    if (throws) throw std::runtime_error("on purpose");
    if (hold) return;
    const std::string text = std::string{http::to_string(request.method)} + " " + std::string{request.path} + " " +
                             std::string{request.body};
    http::Response response;
    response.content_type = http::content_type::text;
    response.body = text;
    connection.respond(request.reply_to.slot, response);
  }
  void on_batch_end() override { ++batches; }
  bool on_upgrade(const http::Request& request, http::Connection& connection) override {
    if (!takes_upgrades) return false;
    detached = connection.detach(request.reply_to.slot);
    return detached.has_value();
  }
  void on_exception(const char* what) noexcept override { exception = what; }

  std::vector<Seen> seen;
  bool hold = false;
  bool throws = false;
  bool takes_upgrades = false;
  std::optional<http::DetachedSocket> detached;
  int batches = 0;
  std::string exception;
};

class Client {
 public:
  explicit Client(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    // Without it the second of two small sends waits for an acknowledgement.
    const int one = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    connected = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~Client() { close(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void send(std::string_view bytes) const { ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  /// Adds what has come to `received`; sets `ended` at the end of the stream or a reset.
  void receive() {
    char buffer[65'536];
    for (;;) {
      const auto size = ::recv(fd_, buffer, sizeof buffer, MSG_DONTWAIT);
      if (size > 0) {
        received.append(buffer, static_cast<std::size_t>(size));
        continue;
      }
      if (size == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) ended = true;
      return;
    }
  }
  void finish_sending() const { ::shutdown(fd_, SHUT_WR); }
  /// Ends the connection with a reset.
  void abort() {
    const linger at_once{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
  }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

  bool connected = false;
  bool ended = false;
  std::string received;

 private:
  int fd_;
};

/// How often `part` stands in `text`.
inline std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

class Loopback {
 public:
  explicit Loopback(http::LoopOptions options = {}) {
    options.monotonic_ms = &read_fake_now;
    if (std::getenv("USHER_TEST_EPOLL") != nullptr) options.io_uring = false;
    loop = std::move(http::Loop::make(std::move(options)).value());
    const http::ListenSockets sockets = http::listen_on({}, 1).value();
    port = sockets.port;
    static_cast<void>(loop->add_listener(sockets.fds[0], handler).ok());
  }

  /// Turns the loop until `done`, at most 2,000 cycles of at most 5 ms each. Returns: whether it came true.
  bool pump_until(const std::function<bool()>& done) {
    for (int cycle = 0; cycle < 2'000; ++cycle) {
      if (done()) return true;
      loop->run_one_for(Duration{5});
    }
    return done();
  }
  /// Until the client has received `count` answers (status lines).
  bool pump_answers(Client& client, std::size_t count) {
    return pump_until([&] {
      client.receive();
      return count_of(client.received, "HTTP/1.1 ") >= count;
    });
  }
  bool pump_end(Client& client) {
    return pump_until([&] {
      client.receive();
      return client.ended;
    });
  }
  bool pump_seen(std::size_t count) {
    return pump_until([&] { return handler.seen.size() >= count; });
  }
  /// One new connection, the bytes, and all that comes back until the server closes.
  std::string exchange(std::string_view bytes) {
    Client client(port);
    client.send(bytes);
    pump_end(client);
    return client.received;
  }
  void answer(std::size_t index, std::string_view text) {
    http::Response response;
    response.body = text;
    loop->respond(handler.seen[index].reply_to, response);
  }

  EchoHandler handler;
  std::uint16_t port = 0;
  std::unique_ptr<http::Loop> loop;
};

}  // namespace usher::test
