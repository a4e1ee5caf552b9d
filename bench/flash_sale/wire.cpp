#include "bench/flash_sale/wire.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <charconv>

namespace usher::flash {

namespace asio = boost::asio;
using boost::system::error_code;

Result<Target> parse_url(std::string_view url) {
  constexpr std::string_view scheme = "http://";
  const auto refuse = [&] {
    return make_error(ErrorCode::invalid, "--url: must be http://HOST or http://HOST:PORT, not " + std::string(url));
  };
  if (!url.starts_with(scheme)) return refuse();
  std::string_view rest = url.substr(scheme.size());
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.empty() || rest.find_first_of("/?#@ ") != std::string_view::npos) return refuse();
  const std::size_t colon = rest.rfind(':');
  Target target{std::string(rest.substr(0, colon)), "80"};
  if (colon != std::string_view::npos && colon + 1 < rest.size() && rest.find(']', colon) == std::string_view::npos) {
    target.port = rest.substr(colon + 1);
    unsigned port = 0;
    const auto [end, error] = std::from_chars(target.port.data(), target.port.data() + target.port.size(), port);
    if (error != std::errc{} || end != target.port.data() + target.port.size() || port == 0 || port > 65'535)
      return refuse();
  }
  if (target.host.empty()) return refuse();
  return target;
}

Wire::Wire(asio::io_context& io, Target target, std::size_t connections_max)
    : io_(io), target_(std::move(target)), connections_max_(connections_max), input_(256 * 1024) {}

Wire::~Wire() = default;

Status Wire::open(std::size_t count, const std::function<void(std::size_t)>& progress) {
  asio::ip::tcp::resolver resolver(io_);
  error_code error;
  const auto found = resolver.resolve(target_.host, target_.port, error);
  if (error || found.empty()) {
    return make_error(ErrorCode::io, "cannot find " + target_.authority() + ": " + error.message());
  }
  endpoint_ = found.begin()->endpoint();
  connections_.reserve(connections_max_);
  for (std::size_t i = 0; i < count; ++i) {
    connections_.emplace_back();
    if (!connect(i)) {
      return make_error(ErrorCode::io, "cannot connect to " + target_.authority() + " (connection " +
                                           std::to_string(i + 1) + " of " + std::to_string(count) + ")");
    }
    idle_.push_back(i);
    if ((i + 1) % 256 == 0) progress(i + 1);
  }
  return Done{};
}

/// Connects without waiting for anything but the handshake: a server on the same machine or network answers it at once.
bool Wire::connect(std::size_t index) {
  Connection& connection = connections_[index];
  connection.socket = std::make_unique<Socket>(io_.get_executor());
  error_code error;
  connection.socket->connect(endpoint_, error);
  if (error) {
    connection.socket.reset();
    return false;
  }
  connection.socket->set_option(asio::ip::tcp::no_delay(true), error);
  connection.socket->non_blocking(true, error);
  ++connection.generation;
  connection.carried.clear();
  ++open_;
  wait_for_bytes(index);
  return true;
}

void Wire::send(std::string request, Asker& asker, std::uint64_t token) {
  Waiting waiting{std::move(request), &asker, token};
  while (!idle_.empty()) {
    const std::size_t index = idle_.front();
    idle_.pop_front();
    // one that was closed meanwhile, and perhaps opened anew, may still stand in line
    if (connections_[index].socket && !connections_[index].asking) return ask(index, std::move(waiting));
  }
  std::size_t index = connections_.size();
  if (!closed_.empty()) {
    index = closed_.back();
    closed_.pop_back();
  } else if (connections_.size() < connections_max_) {
    connections_.emplace_back();
  } else {
    return queue_.push_back(std::move(waiting));
  }
  if (connect(index)) return ask(index, std::move(waiting));
  closed_.push_back(index);
  tell_lost(asker, token);
}

void Wire::ask(std::size_t index, Waiting waiting) {
  Connection& connection = connections_[index];
  connection.current = std::move(waiting);
  connection.asking = true;
  connection.written = 0;
  connection.asked = Clock::now();
  ++in_flight_;
  write(index);
}

void Wire::write(std::size_t index) {
  Connection& connection = connections_[index];
  const std::string& request = connection.current.request;
  error_code error;
  while (connection.written < request.size()) {
    const std::size_t count = connection.socket->write_some(asio::buffer(request) + connection.written, error);
    if (error == asio::error::would_block) break;
    if (error) return close(index);
    connection.written += count;
  }
  if (connection.written == request.size()) return;
  connection.socket->async_wait(Socket::wait_write,
                                [this, index, generation = connection.generation](error_code failed) {
                                  Connection& then = connections_[index];
                                  if (!failed && then.generation == generation && then.socket && then.asking)
                                    write(index);
                                });
}

void Wire::wait_for_bytes(std::size_t index) {
  Connection& connection = connections_[index];
  connection.socket->async_wait(Socket::wait_read,
                                [this, index, generation = connection.generation](error_code failed) {
                                  if (!failed) on_readable(index, generation);
                                });
}

void Wire::on_readable(std::size_t index, std::uint32_t generation) {
  if (connections_[index].generation != generation || !connections_[index].socket) return;
  error_code error;
  const std::size_t count = connections_[index].socket->read_some(asio::buffer(input_), error);
  if (error == asio::error::would_block) return wait_for_bytes(index);
  if (error || count == 0) return close(index);
  const std::string_view fresh{input_.data(), count};
  if (connections_[index].carried.empty()) {
    const std::size_t used = consume(index, fresh);
    connections_[index].carried.assign(fresh.substr(used));
  } else {
    // moved out: an answer's views point into it while others are sent
    std::string all = std::move(connections_[index].carried);
    all += fresh;
    all.erase(0, consume(index, all));
    connections_[index].carried = std::move(all);
  }
  if (connections_[index].generation != generation) return;
  wait_for_bytes(index);
  if (!connections_[index].asking) give_work(index);
}

/// Returns: how many bytes were whole answers.
std::size_t Wire::consume(std::size_t index, std::string_view bytes) {
  std::size_t used = 0;
  const std::uint32_t generation = connections_[index].generation;
  while (used < bytes.size() && connections_[index].generation == generation) {
    Response response;
    std::size_t size = 0;
    const ResponseParser::Found found = parser_.next(bytes.substr(used), response, size);
    if (found == ResponseParser::Found::partial) break;
    if (found == ResponseParser::Found::malformed || !connections_[index].asking) {
      close(index);  // no HTTP, or an answer that nobody asked for
      break;
    }
    used += size;
    if (response.status < 200 && response.status != 101) continue;
    answered(index, response);
  }
  return used;
}

void Wire::answered(std::size_t index, const Response& response) {
  Connection& connection = connections_[index];
  connection.asking = false;
  --in_flight_;
  Asker& asker = *connection.current.asker;
  const std::uint64_t token = connection.current.token;
  if (response.closes || response.event_stream) close(index);
  asker.on_answer(token, response);
}

void Wire::give_work(std::size_t index) {
  if (queue_.empty()) return idle_.push_back(index);
  Waiting next = std::move(queue_.front());
  queue_.pop_front();
  ask(index, std::move(next));
}

void Wire::close(std::size_t index) {
  Connection& connection = connections_[index];
  if (!connection.socket) return;
  connection.socket.reset();
  ++connection.generation;
  connection.carried.clear();
  --open_;
  closed_.push_back(index);
  const bool lost = connection.asking;
  connection.asking = false;
  if (lost) {
    --in_flight_;
    tell_lost(*connection.current.asker, connection.current.token);
  }
  if (queue_.empty()) return;
  Waiting next = std::move(queue_.front());
  queue_.pop_front();
  asio::post(io_, [this, next = std::move(next)]() mutable { send(std::move(next.request), *next.asker, next.token); });
}

void Wire::tell_lost(Asker& asker, std::uint64_t token) {
  ++lost_;
  asio::post(io_, [&asker, token] { asker.on_lost(token); });
}

void Wire::drop_older_than(std::chrono::seconds limit) {
  const Clock::time_point before = Clock::now() - limit;
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    if (connections_[i].asking && connections_[i].asked < before) close(i);
  }
}

}  // namespace usher::flash
