#pragma once
/// Makes listening sockets, one per loop on the same port (SO_REUSEPORT), so that the kernel spreads connections over
/// the loops without a hand-over between threads.

#include <cstdint>
#include <string>
#include <vector>

#include "usher/result.hpp"

namespace usher::server::http {

struct ListenOptions {
  std::string address = "127.0.0.1";  ///< a numeric IPv4 or IPv6 address
  std::uint16_t port = 0;             ///< 0: the system chooses
  int backlog = 4'096;
};

struct ListenSockets {
  std::vector<int> fds;    ///< one per loop: Loop::add_listener() takes each over
  std::uint16_t port = 0;  ///< the one in use
};

/// Returns: invalid when the address is not numeric; busy when the port is taken; io for anything else.
[[nodiscard]] Result<ListenSockets> listen_on(const ListenOptions& options, std::size_t count);

}  // namespace usher::server::http
