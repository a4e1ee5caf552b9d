/// The floor of every HTTP figure: the least that a Beast server can do with the same requests. One thread, one
/// io_context with its concrete executor, Beast's basic_parser driven by hand over one flat buffer per connection, no
/// heap per request, and one write for all answers that were pipelined. It looks at nothing and answers 64 bytes.
///
/// Usage: usher_floor_http [--port N] [--body BYTES]    --body answers 200 with a body of that size instead
/// Prints "listening on 127.0.0.1:PORT" and serves until SIGTERM or SIGINT.

#include <array>
#include <boost/asio.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::beast::string_view;
using boost::system::error_code;
using Tcp = asio::basic_stream_socket<asio::ip::tcp, asio::io_context::executor_type>;
using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, asio::io_context::executor_type>;

/// Beast's own request parser with nothing behind it: every field is parsed and none is kept.
class Parser final : public http::basic_parser<true> {
  void on_request_impl(http::verb, string_view, string_view, int, error_code& ec) override { ec = {}; }
  void on_response_impl(int, string_view, int, error_code& ec) override { ec = {}; }
  void on_field_impl(http::field, string_view, string_view, error_code& ec) override { ec = {}; }
  void on_header_impl(error_code& ec) override { ec = {}; }
  void on_body_init_impl(boost::optional<std::uint64_t> const&, error_code& ec) override { ec = {}; }
  std::size_t on_body_impl(string_view body, error_code& ec) override {
    ec = {};
    return body.size();
  }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code& ec) override { ec = {}; }
  std::size_t on_chunk_body_impl(std::uint64_t, string_view body, error_code& ec) override {
    ec = {};
    return body.size();
  }
  void on_finish_impl(error_code& ec) override { ec = {}; }
};

/// Many copies of the one answer in a row, so that any number of pipelined answers is one contiguous write.
class Answers {
 public:
  explicit Answers(std::size_t body_bytes) {
    std::string one;
    if (body_bytes == 0) {
      one = "HTTP/1.1 201 Created\r\nContent-Length: 20\r\n\r\n";
      one.resize(64, 'x');
    } else {
      one = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body_bytes) +
            "\r\n\r\n";
      one.resize(one.size() + body_bytes, 'x');
    }
    size_ = one.size();
    for (std::size_t i = 0; i < in_a_row; ++i) all_ += one;
  }
  [[nodiscard]] asio::const_buffer first(std::size_t count) const { return {all_.data(), size_ * count}; }

  static constexpr std::size_t in_a_row = 256;

 private:
  std::string all_;
  std::size_t size_ = 0;
};

/// One connection; keeps itself alive through the handlers in flight.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Tcp socket, const Answers& answers) : socket_(std::move(socket)), answers_(answers) { next_request(); }

  void do_read() {
    socket_.async_read_some(
        asio::buffer(buffer_.data() + filled_, buffer_.size() - filled_),
        [self = shared_from_this()](error_code ec, std::size_t count) { self->on_read(ec, count); });
  }

 private:
  void next_request() {
    parser_.emplace();
    parser_->eager(true);  // head and body in one call
  }

  void on_read(error_code ec, std::size_t count) {
    if (ec) return;
    filled_ += count;
    const std::size_t done = parse_all();
    if (failed_) return;
    if (done == 0) return do_read();
    asio::async_write(socket_, answers_.first(done), [self = shared_from_this()](error_code write_ec, std::size_t) {
      if (!write_ec) self->do_read();
    });
  }

  /// Returns: how many requests were complete; what is left of the last one moves to the front.
  std::size_t parse_all() {
    std::size_t at = 0;
    std::size_t done = 0;
    while (at < filled_ && done < Answers::in_a_row) {
      error_code ec;
      at += parser_->put(asio::buffer(buffer_.data() + at, filled_ - at), ec);
      if (parser_->is_done()) {
        ++done;
        next_request();
        continue;
      }
      if (ec == http::error::need_more || !ec) break;
      failed_ = true;
      return 0;
    }
    std::memmove(buffer_.data(), buffer_.data() + at, filled_ - at);
    filled_ -= at;
    return done;
  }

  Tcp socket_;
  const Answers& answers_;
  std::optional<Parser> parser_;
  std::size_t filled_ = 0;
  bool failed_ = false;
  std::array<char, 64 * 1024> buffer_;
};

void accept_next(Acceptor& acceptor, const Answers& answers) {
  acceptor.async_accept([&](error_code ec, Tcp socket) {
    if (!ec) {
      socket.set_option(asio::ip::tcp::no_delay(true));
      std::make_shared<Connection>(std::move(socket), answers)->do_read();
    }
    if (ec != asio::error::operation_aborted) accept_next(acceptor, answers);
  });
}

}  // namespace

int main(int argc, char** argv) {
  unsigned short port = 0;
  std::size_t body_bytes = 0;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--port") port = static_cast<unsigned short>(std::atoi(argv[i + 1]));
    if (name == "--body") body_bytes = static_cast<std::size_t>(std::atol(argv[i + 1]));
  }
  const Answers answers(body_bytes);
  asio::io_context io(1);
  Acceptor acceptor(io.get_executor(), asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), port));
  acceptor.listen(4096);
  std::printf("listening on 127.0.0.1:%u\n", static_cast<unsigned>(acceptor.local_endpoint().port()));
  std::fflush(stdout);
  asio::signal_set signals(io, SIGTERM, SIGINT);
  signals.async_wait([&](error_code, int) { io.stop(); });
  accept_next(acceptor, answers);
  io.run();
  return 0;
}
