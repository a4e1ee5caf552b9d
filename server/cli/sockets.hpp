#pragma once
/// The sockets of a serving process, as its settings want them.

#include <memory>

#include "server/config/config.hpp"
#include "server/http/listener.hpp"
#include "server/http/loop.hpp"
#include "usher/result.hpp"

namespace usher::server::cli {

/// A socket per loop for the customers and, where `admin.address` is set, one for the operators.
struct Listeners {
  http::ListenSockets customers;
  http::ListenSockets operators;
  [[nodiscard]] int operators_fd(std::size_t loop) const noexcept {
    return operators.fds.empty() ? -1 : operators.fds[loop];
  }
};
[[nodiscard]] Result<Listeners> open_listeners(const config::Config& config, std::size_t loops);

/// What the settings say about loop `index`. Returns: invalid where `http.trusted_proxies` cannot be read.
[[nodiscard]] Result<http::LoopOptions> socket_options(const config::Config& config, std::size_t index,
                                                       std::shared_ptr<http::ConnectionBudget> budget);

}  // namespace usher::server::cli
