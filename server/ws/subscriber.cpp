#include "server/ws/subscriber.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "server/http/reactor.hpp"
#include "server/ws/feed.hpp"

namespace usher::server::ws {
namespace {

namespace asio = boost::asio;
using http::AsioError;

// One readiness is read at most so often before others get their turn.
constexpr int reads_per_turn_max = 4;
// Control bytes that wait while a message is on its way; further pings of the client go unanswered (RFC 6455 section
// 5.5.3 lets us answer the latest only).
constexpr std::size_t own_bytes_max = 1'024;
constexpr std::string_view events_ping = ":\n\n";

}  // namespace

struct Subscriber::Socket {
  explicit Socket(const http::Executor& executor) : tcp(executor) {}
  asio::basic_stream_socket<asio::ip::tcp, http::Executor> tcp;
};

/// Something has come, for the reader that the object was then: the feed reads it when it is its turn.
struct Subscriber::ReadHandler {
  void operator()(const AsioError& error) const {
    subscriber->feed_.loop_.note_event();
    if (subscriber->generation_ != generation || !subscriber->is_open()) return;
    try {
      if (error) return subscriber->drop();
      subscriber->feed_.ready_.push_back({subscriber, generation});
    } catch (...) {
      subscriber->drop();  // no memory: one reader less
    }
  }
  Subscriber* subscriber;
  std::uint32_t generation;
};

struct Subscriber::WriteHandler {
  void operator()(const AsioError& error) const {
    subscriber->feed_.loop_.note_event();
    if (subscriber->generation_ != generation || !subscriber->is_open()) return;
    subscriber->write_due_ = false;
    try {
      if (error) return subscriber->drop();
      if (!subscriber->flush()) return;
      if (!subscriber->blocked_) subscriber->caught_up();
    } catch (...) {
      subscriber->drop();
    }
  }
  Subscriber* subscriber;
  std::uint32_t generation;
};

Subscriber::Subscriber(Feed& feed, std::uint32_t index, std::uint32_t message_bytes_max)
    : feed_(feed), index_(index), parser_(message_bytes_max), message_bytes_max_(message_bytes_max) {}

Subscriber::~Subscriber() = default;

// ---- life ----

void Subscriber::open(int fd, Format format, std::optional<std::uint64_t> from, const http::ClientAddress& client,
                      std::string head) {
  fd_ = fd;
  format_ = format;
  from_ = from;
  client_ = client;
  lsn_ = 0;
  frames_ = 0;
  parser_ = FrameParser{message_bytes_max_};
  waiting_ = behind_ = blocked_ = write_due_ = silent_ = closing_ = other_closed_ = shut_ = false;
  own_ = std::move(head);
  own_sent_ = 0;
  const int send_buffer = static_cast<int>(feed_.options_.send_buffer_bytes);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer);
  feed_.wheel_.set(*this, feed_.loop_.now_ms() + feed_.options_.ping_interval.count());
  socket_ = std::make_unique<Socket>(feed_.loop_.reactor().io.get_executor());
  AsioError error;
  // the family matters to nothing that is called here
  socket_->tcp.assign(asio::ip::tcp::v4(), fd, error);
  if (error) return drop();
  start_read();
}

void Subscriber::drop() noexcept {
  if (!is_open()) return;
  if (audience_ != nullptr) audience_->leave(*this);
  AsioError ignored;
  if (socket_ && socket_->tcp.is_open()) {
    socket_->tcp.close(ignored);
  } else {
    ::close(fd_);
  }
  socket_.reset();
  fd_ = -1;
  ++generation_;
  feed_.wheel_.remove(*this);
  message_.reset();
  message_sent_ = 0;
  own_ = {};
  own_sent_ = 0;
  feed_.release(*this);
}

void Subscriber::begin_close(std::uint16_t code, std::string_view reason) {
  if (!is_open() || closing_) return;
  if (audience_ != nullptr) audience_->leave(*this);
  closing_ = true;
  behind_ = false;
  if (message_sent_ == 0) message_.reset();
  if (format_ != Format::events) append_close(own_, code, reason);
  feed_.wheel_.set(*this, feed_.loop_.now_ms() + close_timeout_ms);
  flush();
}

// All is said. The server ends the stream first (section 7.1.1), and waits a little for the other side to do the same,
// so that the Close is not lost to a reset.
void Subscriber::finish_close() {
  if (shut_ || (format_ != Format::events && !other_closed_)) return;
  shut_ = true;
  if (::shutdown(fd_, SHUT_WR) != 0) drop();
}

void Subscriber::on_deadline() {
  if (closing_) return drop();
  if (blocked_) {
    feed_.counters_.dropped_slow.add();
    return begin_close(close_code::too_slow, "too slow: connect again");
  }
  if (silent_) {
    feed_.counters_.dropped_silent.add();
    return begin_close(close_code::no_pong, "no answer to a ping");
  }
  ping();
}

void Subscriber::ping() {
  frames_ = 0;
  if (format_ == Format::events) {
    own_.append(events_ping);
  } else {
    silent_ = true;
    append_frame(own_, Opcode::ping, {});
  }
  feed_.wheel_.set(*this, feed_.loop_.now_ms() + feed_.options_.ping_interval.count());
  flush();
}

// ---- in ----

void Subscriber::start_read() {
  socket_->tcp.async_wait(asio::socket_base::wait_read, ReadHandler{this, generation_});
}

void Subscriber::on_readable(std::uint32_t generation) noexcept {
  if (generation_ != generation || !is_open()) return;
  try {
    for (int turn = 0; turn < reads_per_turn_max; ++turn) {
      if (!receive_once()) break;
    }
    if (is_open()) start_read();
  } catch (...) {
    drop();  // no memory: one reader less
  }
}

// Returns: whether there may be more to read now.
bool Subscriber::receive_once() {
  const auto received = ::recv(fd_, feed_.scratch_.get(), Feed::scratch_bytes, 0);
  if (received > 0) {
    silent_ = false;
    take_input({feed_.scratch_.get(), static_cast<std::size_t>(received)});
    return is_open() && static_cast<std::size_t>(received) == Feed::scratch_bytes;
  }
  if (received < 0 && errno == EINTR) return true;
  if (received < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
  drop();
  return false;
}

void Subscriber::take_input(std::string_view input) {
  if (format_ == Format::events) {  // nothing is expected there; a client that talks on is cut off
    if (++frames_ > frames_max) drop();
    return;
  }
  while (!input.empty() && is_open() && !other_closed_) {
    const FrameParser::Event event = parser_.next(input);
    input.remove_prefix(event.used);
    if (event.kind == FrameParser::Kind::need_more) return;
    take_event(event.kind);
  }
}

void Subscriber::take_event(FrameParser::Kind kind) {
  switch (kind) {
    case FrameParser::Kind::error:
      other_closed_ = true;
      feed_.counters_.protocol_errors.add();
      begin_close(parser_.code(), {});
      return;
    case FrameParser::Kind::close:
      other_closed_ = true;
      if (closing_) {
        flush();
      } else {
        begin_close(parser_.code(), {});
      }
      return;
    case FrameParser::Kind::ping:
      answer_ping();
      break;
    default:
      break;
  }
  if (++frames_ > frames_max) begin_close(close_code::policy, "too many frames");
}

void Subscriber::answer_ping() {
  if (closing_ || own_.size() > own_bytes_max) return;
  append_frame(own_, Opcode::pong, parser_.control());
  flush();
}

// ---- out ----

void Subscriber::offer(const SharedBytes& bytes, std::uint64_t lsn) {
  if (blocked_) {
    behind_ = true;
    feed_.counters_.conflated.add();
    return;
  }
  lsn_ = lsn;
  feed_.counters_.messages.add();
  feed_.counters_.bytes.add(bytes->size());
  if (own_.empty()) {
    // nearly always: all of it leaves with one call and no share of it is taken
    const auto result = ::send(fd_, bytes->data(), bytes->size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (result == static_cast<ssize_t>(bytes->size())) return;
    message_sent_ = result > 0 ? static_cast<std::size_t>(result) : 0;
  }
  message_ = bytes;
  flush();
}

// What is to be sent next; empty: nothing.
std::string_view Subscriber::next_part() noexcept {
  if (message_ && message_sent_ != 0) return std::string_view{*message_}.substr(message_sent_);
  if (own_.size() > own_sent_) return std::string_view{own_}.substr(own_sent_);
  return message_ ? std::string_view{*message_} : std::string_view{};
}

void Subscriber::sent(std::size_t bytes) noexcept {
  if (message_ && (message_sent_ != 0 || own_.empty())) {
    message_sent_ += bytes;
    if (message_sent_ < message_->size()) return;
    message_.reset();
    message_sent_ = 0;
    return;
  }
  own_sent_ += bytes;
  if (own_sent_ < own_.size()) return;
  own_ = {};  // the memory too: most readers never need it again
  own_sent_ = 0;
}

// Sends what the socket takes. Returns: false when the connection has gone.
bool Subscriber::flush() {
  for (;;) {
    const std::string_view part = next_part();
    if (part.empty()) {
      if (!behind_ || audience_ == nullptr) break;
      behind_ = false;
      lsn_ = audience_->lsn();
      message_ = audience_->snapshot(format_);
      feed_.counters_.messages.add();
      feed_.counters_.bytes.add(message_->size());
      continue;
    }
    const auto result = ::send(fd_, part.data(), part.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (result > 0) {
      sent(static_cast<std::size_t>(result));
    } else if (result < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      wait_writable();
      return true;
    } else if (result == 0 || errno != EINTR) {
      drop();
      return false;
    }
  }
  blocked_ = false;
  if (closing_) finish_close();
  return is_open();
}

void Subscriber::wait_writable() {
  if (!blocked_ && !closing_) {
    feed_.wheel_.set(*this, feed_.loop_.now_ms() + feed_.options_.slow_timeout.count());
  }
  blocked_ = true;
  if (write_due_) return;
  write_due_ = true;
  socket_->tcp.async_wait(asio::socket_base::wait_write, WriteHandler{this, generation_});
}

void Subscriber::caught_up() {
  if (!closing_) feed_.wheel_.set(*this, feed_.loop_.now_ms() + feed_.options_.ping_interval.count());
}

}  // namespace usher::server::ws
