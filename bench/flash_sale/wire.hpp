#pragma once
/// Wire: kept-alive HTTP/1.1 connections to one server, shared by all who ask. One request at a time on each; who finds
/// none idle waits in line. One thread, that of its io_context. It never sends a request twice: one that had no answer
/// when its connection ended is told as lost, and the asker decides.

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bench/flash_sale/response.hpp"
#include "usher/result.hpp"

namespace usher::flash {

/// http://host:port, nothing else: TLS would measure the cipher.
struct Target {
  std::string host;
  std::string port;
  [[nodiscard]] std::string authority() const { return host + ":" + port; }
};
/// Returns: invalid, with what a URL must look like.
[[nodiscard]] Result<Target> parse_url(std::string_view url);

class Wire {
 public:
  using Clock = std::chrono::steady_clock;

  class Asker {
   public:
    virtual ~Asker() = default;
    /// The views in `response` are good during the call. More may be sent meanwhile.
    virtual void on_answer(std::uint64_t token, const Response& response) = 0;
    /// No answer came: the request may or may not have had its effect.
    virtual void on_lost(std::uint64_t token) = 0;
  };

  Wire(boost::asio::io_context& io, Target target, std::size_t connections_max);
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  /// Resolves the name and opens one connection after another until `count` are there; `progress(open)` now and then.
  /// Returns: io, when the server cannot be reached.
  [[nodiscard]] Status open(std::size_t count, const std::function<void(std::size_t)>& progress);
  /// Sends a whole request now, or when a connection is free.
  void send(std::string request, Asker& asker, std::uint64_t token);
  /// Ends connections whose answer has been out for longer than `limit`. To be called now and then.
  void drop_older_than(std::chrono::seconds limit);

  [[nodiscard]] const Target& target() const noexcept { return target_; }
  [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_; }
  [[nodiscard]] std::size_t queued() const noexcept { return queue_.size(); }
  [[nodiscard]] std::size_t connections() const noexcept { return open_; }
  [[nodiscard]] std::uint64_t lost() const noexcept { return lost_; }

 private:
  using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;
  struct Waiting {
    std::string request;
    Asker* asker = nullptr;
    std::uint64_t token = 0;
  };
  struct Connection {
    std::unique_ptr<Socket> socket;
    std::uint32_t generation = 0;  ///< counts up when it is opened anew: late handlers are not for it
    bool asking = false;
    bool writing = false;
    Waiting current;
    std::size_t written = 0;
    std::string carried;  ///< the begin of an answer whose end has not come
    Clock::time_point asked{};
  };

  [[nodiscard]] bool connect(std::size_t index);
  void ask(std::size_t index, Waiting waiting);
  void write(std::size_t index);
  void wait_for_bytes(std::size_t index);
  void on_readable(std::size_t index, std::uint32_t generation);
  [[nodiscard]] std::size_t consume(std::size_t index, std::string_view bytes);
  void answered(std::size_t index, const Response& response);
  void close(std::size_t index);
  void give_work(std::size_t index);
  void tell_lost(Asker& asker, std::uint64_t token);

  boost::asio::io_context& io_;
  Target target_;
  boost::asio::ip::tcp::endpoint endpoint_;
  std::size_t connections_max_;
  std::vector<Connection> connections_;
  std::deque<std::size_t> idle_;     ///< open and free; the one that rested longest comes first
  std::vector<std::size_t> closed_;  ///< may be opened anew
  std::deque<Waiting> queue_;
  std::vector<char> input_;
  ResponseParser parser_;
  std::size_t open_ = 0;
  std::size_t in_flight_ = 0;
  std::uint64_t lost_ = 0;
};

}  // namespace usher::flash
