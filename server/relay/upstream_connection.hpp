#pragma once
/// UpstreamConnection: one connection to the server that a relay reads from: HTTP requests first, then a WebSocket,
/// with or without TLS. Coroutines on the Upstream's thread; whatever goes wrong is thrown. Private to the folder,
/// since Beast's headers are slow to compile.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>

#include "server/relay/upstream_url.hpp"
#include "usher/time.hpp"

namespace usher::server::relay {

/// The server answered, and not what was asked for.
class UpstreamRefusal : public std::runtime_error {
 public:
  UpstreamRefusal(unsigned status_of, const std::string& what) : std::runtime_error(what), status(status_of) {}
  unsigned status;  ///< HTTP's, or the code of a WebSocket's Close
};

class UpstreamConnection {
 public:
  template <class T>
  using Task = boost::asio::awaitable<T>;

  virtual ~UpstreamConnection() = default;
  /// Connects, the handshake of TLS included, within `timeout`, which holds for each step hereafter, too.
  /// Throws boost::system::system_error, as all of these do.
  [[nodiscard]] static Task<std::unique_ptr<UpstreamConnection>> open(const UpstreamUrl& url, Duration timeout,
                                                                      boost::asio::ssl::context& tls);

  /// GET. Returns: the body of a 200. Throws UpstreamRefusal with any other status.
  [[nodiscard]] virtual Task<std::string> get(std::string target) = 0;
  /// Turns the connection into a WebSocket; it is pinged from now on. Throws UpstreamRefusal when the answer is not
  /// 101.
  [[nodiscard]] virtual Task<void> upgrade(std::string target, std::string protocol) = 0;
  /// The next message. Throws UpstreamRefusal with the code when the server closed.
  [[nodiscard]] virtual Task<std::string> read() = 0;
  /// Ends what is under way with an error. May be called from outside of the coroutine.
  virtual void abort() noexcept = 0;
};

}  // namespace usher::server::relay
