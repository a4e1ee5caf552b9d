#include "server/http/connection.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include "server/http/loop.hpp"
#include "server/http/reactor.hpp"

namespace usher::server::http {
namespace {

// How long a closed connection is read from, so that our last answer is not lost to a reset (RFC 9112 section 9.6).
constexpr std::int64_t linger_ms = 2'000;

}  // namespace

bool Handler::on_upgrade(const Request& /*request*/, Connection& /*connection*/) {
  return false;
}

Connection::Connection(Loop& loop, std::uint32_t index)
    : loop_(loop), index_(index), socket_(std::make_unique<Socket>(loop.reactor_->io.get_executor())) {}

Connection::~Connection() = default;

void Connection::open(int fd, bool v6, Handler& handler, const ClientAddress& peer, bool may_tell_address) {
  fd_ = fd;
  handler_ = &handler;
  peer_ = peer;
  peer_trusted_ = may_tell_address;
  expects_proxy_header_ = may_tell_address && loop_.options_.proxy_protocol;
  reading_ = read_due_ = pipelines_ = readable_ = write_due_ = false;
  paused_ = stopped_ = closing_ = lingering_ = end_of_input_ = false;
  dirty_ = resuming_ = continue_offered_ = continue_due_ = false;
  written_at_ms_ = read_at_ms_ = loop_.now_ms_;
  discarded_bytes_ = 0;
  request_done();
  slots_.drop_all();
  if (expects_proxy_header_) wait_for(Phase::head);
  update_deadline();
  if (loop_.ring_) return want_read();
  AsioError error;
  socket_->tcp.assign(v6 ? asio::ip::tcp::v6() : asio::ip::tcp::v4(), fd, error);
  if (!error) return start_read();
  ::close(fd);
  close();
}

// Everything but the object goes: whoever still holds a ReplyTo finds another generation.
void Connection::close() noexcept {
  if (!is_open()) return;
  if (loop_.ring_) {
    if (ring_operations_ != 0) {
      // What is queued names the descriptor by its number, which the next socket that is accepted gets again.
      loop_.ring_->submit();
      // An operation in the ring keeps the socket open until it ends.
      ::shutdown(fd_, SHUT_RDWR);
    }
    ::close(fd_);
  } else {
    AsioError ignored;
    socket_->tcp.close(ignored);
  }
  fd_ = -1;
  ++generation_;
  loop_.wheel_.remove(*this);
  for (std::uint32_t number = slots_.head(); number != slots_.tail(); ++number) {
    if (slots_[number].held) loop_.give_held(std::move(slots_[number].held));
  }
  slots_.drop_all();
  output_.clear();
  loop_.give_buffer(output_.take_buffer());
  chunked_.reset();
  loop_.give_buffer(std::move(input_));
  input_.clear();
  input_.release_above(0);
  loop_.input_bytes_ -= accounted_bytes_;
  accounted_bytes_ = 0;
  loop_.release_connection(*this);
}

// All is written. The client closes when it has read it; until then what it sends is thrown away.
void Connection::start_linger() {
  if (end_of_input_ || ::shutdown(fd_, SHUT_WR) != 0) return close();
  lingering_ = true;
  stopped_ = true;
  loop_.wheel_.set(*this, loop_.now_ms_ + linger_ms);
  if (readable_) discard_ready();
  want_read();
}

void Connection::on_deadline() {
  if (lingering_ || !output_.empty() || phase_ == Phase::none) {
    if (!lingering_) loop_.counters_.timeouts.add();
    return close();
  }
  loop_.counters_.timeouts.add();
  if (slots_.full()) return close();
  static_cast<void>(refuse(phase_ == Phase::head ? ParseError::head_timeout : ParseError::body_timeout, {}));
}

void Connection::update_deadline() noexcept {
  if (!is_open() || lingering_) return;
  const LoopOptions& options = loop_.options_;
  std::int64_t deadline = DeadlineWheel::never;
  if (!output_.empty()) {
    deadline = written_at_ms_ + options.write_timeout.count();
  } else if (phase_ == Phase::head && !stopped_) {
    deadline = phase_since_ms_ + options.head_timeout.count();
  } else if (phase_ == Phase::body && !stopped_) {
    const std::size_t received = chunked_ ? chunked_->raw_bytes : input_.size();
    deadline = phase_since_ms_ + options.body_timeout.count() + static_cast<std::int64_t>(received / 65'536) * 1'000;
  } else if (slots_.empty()) {
    deadline = loop_.now_ms_ + options.idle_timeout.count();
  }
  loop_.wheel_.set(*this, deadline);
}

// Something that stopped the reading is over: first what is here already, then what the kernel holds.
void Connection::resume() {
  resuming_ = false;
  if (!is_open()) return;
  if (stopped_) return want_read();
  paused_ = !can_dispatch();
  if (paused_) return;
  const std::size_t used = consume(input_.view());
  if (!is_open()) return;
  input_.erase_front(used);
  keep_rest({});
  if (!paused_ && !stopped_ && readable_) read_ready();
  want_read();
  update_deadline();
}

void Connection::drain() {
  if (is_open() && is_idle() && !lingering_) start_linger();
}

ReplyTo Connection::reply_to(std::uint32_t slot) const noexcept {
  return {loop_.options_.index, index_, generation_, slot};
}

std::optional<DetachedSocket> Connection::detach(std::uint32_t slot) {
  if (!is_open() || slots_.size() != 1 || slot != slots_.head() || !output_.empty() || closing_) return std::nullopt;
  DetachedSocket socket;
  socket.received.assign(behind_request_);
  socket.client = peer_;
  if (loop_.ring_) {
    if (ring_operations_ != 0) return std::nullopt;
    socket.fd = ::dup(fd_);
  } else {
    AsioError error;
    socket.fd = socket_->tcp.release(error);
    if (error) return std::nullopt;
  }
  loop_.counters_.responses.add();  // the taker's handshake
  close();
  return socket;
}

}  // namespace usher::server::http
