// Sockets by the loop's io_uring instead of Asio: one receive at a time into the connection's own buffer, sends
// together with those of all other connections.
#include <cerrno>

#include "server/http/connection.hpp"
#include "server/http/loop.hpp"
#include "server/http/reactor.hpp"

namespace usher::server::http {

void Connection::queue_in_ring(RingOperation operation) {
  const std::uint64_t tag = (std::uint64_t{static_cast<std::uint8_t>(operation)} << 32U) | index_;
  switch (operation) {
    case RingOperation::receive:
      reading_ = true;
      loop_.ring_->receive(fd_, socket_->buffer.data(), Socket::read_bytes, tag);
      break;
    case RingOperation::send:
      queue_send(tag);
      break;
    case RingOperation::poll:
      loop_.ring_->poll_writable(fd_, tag);
      break;
  }
  ++ring_operations_;
  ++loop_.ring_operations_;
}

void Connection::queue_send(std::uint64_t tag) {
  ++loop_.sends_queued_;
  if (!output_.shares()) return loop_.ring_->send(fd_, output_.unsent().data(), output_.unsent().size(), tag);
  Loop::Message& message = loop_.take_message();
  message.header.msg_iov = message.parts.data();
  message.header.msg_iovlen = output_.gather(message.parts.data());
  loop_.ring_->send_message(fd_, &message.header, tag);
}

// Returns: true when the connection that asked for it is still there.
bool Connection::ring_operation_done(RingOperation operation) noexcept {
  --ring_operations_;
  if (operation == RingOperation::receive) reading_ = false;
  if (is_open()) return true;
  if (ring_operations_ == 0) loop_.free_.push_back(index_);
  return false;
}

void Connection::on_received_by_ring(std::int32_t result) {
  if (result > 0) return on_read(static_cast<std::size_t>(result));
  if (result == -EINTR || result == -EAGAIN) return want_read();
  on_read_end(result != 0);
}

void Connection::on_sent_by_ring(std::int32_t result) {
  if (result == -EINTR) return mark_dirty();
  if (result < 0 && result != -EAGAIN) return finish_flush(Output::Flush::failed, 0);
  const auto sent = static_cast<std::size_t>(result < 0 ? 0 : result);
  finish_flush(output_.sent(sent), sent);
}

}  // namespace usher::server::http
