/// The floor of the live feed's fan-out: a bare loop that sends one ready-made frame to every stream. One thread,
/// epoll, one send() per stream; it looks at nothing. A GET becomes a stream, as a WebSocket handshake would make it
/// one, and gets a first frame; any other request is answered 201, then the frame is sent to all streams.
///
/// Usage: usher_floor_feed [--body BYTES]    of the frame's payload (default 100)
/// Prints "listening on 127.0.0.1:PORT" and serves until SIGTERM or SIGINT.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "bench/load/arguments.hpp"

namespace {

constexpr std::string_view handshake =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
constexpr std::string_view answer = "HTTP/1.1 201 Created\r\nContent-Length: 22\r\n\r\n{\"reservation_id\":\"x\"}";

/// An unmasked text frame (RFC 6455 section 5.2).
std::string make_frame(std::size_t payload) {
  std::string frame = "\x81";
  if (payload < 126) {
    frame += static_cast<char>(payload);
  } else {
    frame += {126, static_cast<char>(payload >> 8U), static_cast<char>(payload & 255U)};
  }
  frame.append(payload, ' ');
  return frame;
}

class Sender {
 public:
  Sender(int listener, std::string frame) : listener_(listener), epoll_(epoll_create1(0)), frame_(std::move(frame)) {
    watch(listener_);
  }

  [[noreturn]] void run() {
    for (;;) {
      std::array<epoll_event, 256> events;
      const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < count; ++i) {
        const int fd = events[static_cast<std::size_t>(i)].data.fd;
        fd == listener_ ? accept_one() : read(fd);
      }
    }
  }

 private:
  void watch(int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }
  void accept_one() {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK);
    if (fd >= 0) watch(fd);
  }
  void read(int fd) {
    std::array<char, 4096> data;
    const auto size = recv(fd, data.data(), data.size(), 0);
    if (size <= 0) {
      std::erase(streams_, fd);
      close(fd);
      return;
    }
    const std::string_view request{data.data(), static_cast<std::size_t>(size)};
    if (request.starts_with("GET ")) {
      send_to(fd, handshake);
      send_to(fd, frame_);
      streams_.push_back(fd);
    } else if (request.find("HTTP/1.1\r\n") != std::string_view::npos) {
      send_to(fd, answer);
      for (const int stream : streams_) send_to(stream, frame_);
    }
  }
  static void send_to(int fd, std::string_view bytes) {
    static_cast<void>(send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
  }

  int listener_;
  int epoll_;
  const std::string frame_;
  std::vector<int> streams_;
};

}  // namespace

int main(int argc, char** argv) {
  usher::bench::Arguments arguments(argc, argv, "bench/floors/feed_sender.cpp");
  const std::size_t payload = arguments.count("body", 100);
  arguments.expect_no_more();
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener, 4096) != 0 ||
      getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    std::perror("usher_floor_feed");
    return 1;
  }
  std::printf("listening on 127.0.0.1:%u\n", static_cast<unsigned>(ntohs(address.sin_port)));
  std::fflush(stdout);
  Sender(listener, make_frame(payload)).run();
}
