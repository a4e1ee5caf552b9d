#include "server/http/listener.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace usher::server::http {
namespace {

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  [[nodiscard]] const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }
};

bool parse(const std::string& text, std::uint16_t port, Address& out) {
  sockaddr_in v4{};
  if (inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&out.storage, &v4, sizeof v4);
    out.size = sizeof v4;
    return true;
  }
  sockaddr_in6 v6{};
  if (inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) != 1) return false;
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  std::memcpy(&out.storage, &v6, sizeof v6);
  out.size = sizeof v6;
  return true;
}

std::uint16_t port_of(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return 0;
  // The port stands at the same place in both.
  sockaddr_in v4{};
  std::memcpy(&v4, &storage, sizeof v4);
  return ntohs(v4.sin_port);
}

// Returns: the socket, or -1 with errno.
int open_one(const Address& address, int backlog) {
  const int fd = ::socket(address.get()->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const int one = 1;
  // Accepted sockets inherit TCP_NODELAY: one system call for all of them.
  const bool ready = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 &&
                     setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) == 0 &&
                     setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0 &&
                     ::bind(fd, address.get(), address.size) == 0 && ::listen(fd, backlog) == 0;
  if (ready) return fd;
  const int error = errno;
  ::close(fd);
  errno = error;
  return -1;
}

// SO_REUSEPORT would let us share a port with a stranger of the same user: a socket without it finds out.
bool is_taken(const Address& address) {
  const int fd = ::socket(address.get()->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const int one = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  const bool taken = ::bind(fd, address.get(), address.size) != 0 && errno == EADDRINUSE;
  ::close(fd);
  return taken;
}

}  // namespace

Result<ListenSockets> listen_on(const ListenOptions& options, std::size_t count) {
  const std::string where = options.address + " port " + std::to_string(options.port);
  Address address;
  if (!parse(options.address, options.port, address)) {
    return make_error(ErrorCode::invalid, "not a numeric address to listen on: " + options.address);
  }
  if (options.port != 0 && is_taken(address)) return make_error(ErrorCode::busy, where + " is in use");
  ListenSockets sockets;
  for (std::size_t i = 0; i < count; ++i) {
    const int fd = open_one(address, options.backlog);
    if (fd < 0) {
      const int error = errno;
      for (const int opened : sockets.fds) ::close(opened);
      return make_error(error == EADDRINUSE ? ErrorCode::busy : ErrorCode::io,
                        "cannot listen on " + where + ": " + std::strerror(error));
    }
    sockets.fds.push_back(fd);
    sockets.port = port_of(fd);
    parse(options.address, sockets.port, address);
  }
  return sockets;
}

}  // namespace usher::server::http
