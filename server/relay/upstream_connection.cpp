#include "server/relay/upstream_connection.hpp"

#include <openssl/ssl.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>

namespace usher::server::relay {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using asio::ip::tcp;

// A seat map of 65,535 seats as JSON comes to some 8 MB.
constexpr std::uint64_t body_bytes_max = 32U << 20U;
// Two bits a seat, 65,535 seats, and the head.
constexpr std::size_t message_bytes_max = 32U * 1024U;

/// `Stream`: beast::tcp_stream, or TLS above it.
template <class Stream>
class StreamConnection final : public UpstreamConnection {
 public:
  template <class... Arguments>
  StreamConnection(const UpstreamUrl& url, Duration timeout, Arguments&&... arguments)
      : url_(url), timeout_(timeout), ws_(std::forward<Arguments>(arguments)...) {}

  [[nodiscard]] Stream& stream() noexcept { return ws_.next_layer(); }

  Task<std::string> get(std::string target) override {
    beast::http::request<beast::http::empty_body> request{beast::http::verb::get, url_.prefix + target, 11};
    request.set(beast::http::field::host, url_.authority());
    request.set(beast::http::field::user_agent, "usher-relay");
    beast::get_lowest_layer(ws_).expires_after(timeout_);
    co_await beast::http::async_write(stream(), request, asio::use_awaitable);
    beast::http::response_parser<beast::http::string_body> parser;
    parser.body_limit(body_bytes_max);
    co_await beast::http::async_read(stream(), buffer_, parser, asio::use_awaitable);
    const unsigned status = parser.get().result_int();
    if (status != 200) throw UpstreamRefusal(status, "GET " + target + " was answered " + std::to_string(status));
    co_return std::move(parser.get().body());
  }

  Task<void> upgrade(std::string target, std::string protocol) override {
    beast::get_lowest_layer(ws_).expires_never();  // the WebSocket has a clock of its own
    ws_.set_option(websocket::stream_base::timeout{timeout_, timeout_, true});
    ws_.set_option(websocket::stream_base::decorator([protocol](websocket::request_type& request) {
      request.set(beast::http::field::sec_websocket_protocol, protocol);
      request.set(beast::http::field::user_agent, "usher-relay");
    }));
    ws_.read_message_max(message_bytes_max);
    websocket::response_type answer;
    beast::error_code error;
    co_await ws_.async_handshake(answer, url_.authority(), url_.prefix + target,
                                 asio::redirect_error(asio::use_awaitable, error));
    if (error == websocket::error::upgrade_declined) {
      throw UpstreamRefusal(answer.result_int(), "the handshake was answered " + std::to_string(answer.result_int()));
    }
    if (error) throw boost::system::system_error(error, "handshake");
  }

  Task<std::string> read() override {
    buffer_.clear();
    beast::error_code error;
    co_await ws_.async_read(buffer_, asio::redirect_error(asio::use_awaitable, error));
    if (error == websocket::error::closed) {
      throw UpstreamRefusal(ws_.reason().code, "closed with " + std::to_string(ws_.reason().code));
    }
    if (error) throw boost::system::system_error(error, "read");
    co_return beast::buffers_to_string(buffer_.data());
  }

  void abort() noexcept override {
    beast::error_code ignored;
    beast::get_lowest_layer(ws_).socket().close(ignored);
  }

 private:
  const UpstreamUrl url_;
  const Duration timeout_;
  websocket::stream<Stream> ws_;
  beast::flat_buffer buffer_;
};

using PlainConnection = StreamConnection<beast::tcp_stream>;
using TlsConnection = StreamConnection<beast::ssl_stream<beast::tcp_stream>>;

asio::awaitable<void> connect(beast::tcp_stream& stream, const UpstreamUrl& url, Duration timeout) {
  tcp::resolver resolver(stream.get_executor());
  const tcp::resolver::results_type found = co_await resolver.async_resolve(url.host, url.port, asio::use_awaitable);
  stream.expires_after(timeout);
  co_await stream.async_connect(found, asio::use_awaitable);
  beast::error_code ignored;
  stream.socket().set_option(tcp::no_delay(true), ignored);
}

}  // namespace

asio::awaitable<std::unique_ptr<UpstreamConnection>> UpstreamConnection::open(const UpstreamUrl& url, Duration timeout,
                                                                              asio::ssl::context& tls) {
  const auto executor = co_await asio::this_coro::executor;
  if (!url.tls) {
    auto plain = std::make_unique<PlainConnection>(url, timeout, executor);
    co_await connect(plain->stream(), url, timeout);
    co_return plain;
  }
  auto secret = std::make_unique<TlsConnection>(url, timeout, executor, tls);
  auto& stream = secret->stream();
  co_await connect(beast::get_lowest_layer(stream), url, timeout);
  stream.set_verify_callback(asio::ssl::host_name_verification(url.host));
  // names behind one address are told apart by SNI (RFC 6066 section 3)
  SSL_set_tlsext_host_name(stream.native_handle(), url.host.c_str());
  co_await stream.async_handshake(asio::ssl::stream_base::client, asio::use_awaitable);
  co_return secret;
}

}  // namespace usher::server::relay
