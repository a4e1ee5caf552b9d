#include "server/cli/sockets.hpp"

namespace usher::server::cli {

Result<Listeners> open_listeners(const config::Config& config, std::size_t loops) {
  Listeners listeners;
  Result<http::ListenSockets> customers =
      http::listen_on({.address = config.http.address, .port = config.http.port}, loops);
  if (!customers) return customers.error();
  listeners.customers = std::move(customers).value();
  if (!config.admin.separate()) return listeners;
  Result<http::ListenSockets> operators =
      http::listen_on({.address = config.admin.address, .port = config.admin.port}, loops);
  if (!operators) return operators.error();
  listeners.operators = std::move(operators).value();
  return listeners;
}

Result<http::LoopOptions> socket_options(const config::Config& config, std::size_t index,
                                         std::shared_ptr<http::ConnectionBudget> budget) {
  http::LoopOptions options;
  options.index = static_cast<std::uint16_t>(index);
  options.connections = std::move(budget);
  options.body_bytes_max = config.http.body_bytes_max;
  options.io_uring = config.http.io_uring;
  options.idle_timeout = config.http.idle_timeout;
  options.head_timeout = config.http.header_timeout;
  for (const std::string& network : config.http.trusted_proxies) {
    if (!options.trusted_proxies.add(network)) {
      return make_error(ErrorCode::invalid,
                        "http.trusted_proxies: \"" + network + "\" must be a network such as 10.0.0.0/8");
    }
  }
  return options;
}

}  // namespace usher::server::cli
