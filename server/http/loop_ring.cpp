// The loop's part of io_uring: what connections have queued is handed over, what came of it goes back to them.
#include "server/http/loop.hpp"
#include "server/http/reactor.hpp"

namespace usher::server::http {

// All that is ready is received before the first of it is looked at.
void Loop::run_ring() {
  ring_->enter();
  reap_ring();
  std::vector<Received> now;
  now.swap(received_);
  for (const Received& received : now) {
    Connection& connection = *received.to.connection;
    if (connection.generation_ != received.to.generation || !connection.is_open()) continue;
    ++events_;
    guard(connection, [&] { connection.on_received_by_ring(received.result); });
  }
  now.clear();
  if (received_.empty()) received_.swap(now);
}

// Sorts the results by what they are of.
void Loop::reap_ring() {
  ring_->reap([this](std::uint64_t tag, std::int32_t result) {
    --ring_operations_;
    Connection& connection = *connections_[static_cast<std::uint32_t>(tag)];
    const auto kind = static_cast<Connection::RingOperation>(tag >> 32U);
    const ListedConnection listed{&connection, connection.generation_};
    if (!connection.ring_operation_done(kind)) return;
    switch (kind) {
      case Connection::RingOperation::receive:
        received_.push_back({listed, result});
        return;
      case Connection::RingOperation::send:
        sent_.push_back({listed, result});
        return;
      case Connection::RingOperation::poll:
        ++events_;
        guard(connection, [&] { connection.on_writable(result < 0); });
        return;
    }
  });
}

// The sends that flush_output() has queued.
void Loop::finish_sends() {
  ring_->enter();
  sends_queued_ = 0;
  messages_used_ = 0;
  reap_ring();
  for (std::size_t i = 0; i < sent_.size(); ++i) {
    const Received sent = sent_[i];
    if (sent.to.connection->generation_ != sent.to.generation || !sent.to.connection->is_open()) continue;
    guard(*sent.to.connection, [&] { sent.to.connection->on_sent_by_ring(sent.result); });
  }
  sent_.clear();
}

Loop::Message& Loop::take_message() {
  if (messages_used_ == messages_.size()) messages_.push_back(std::make_unique<Message>());
  return *messages_[messages_used_++];
}

// Before the loop sleeps. Returns: true when it may, and then it is woken by what comes.
bool Loop::nothing_in_ring() {
  if (!ring_) return true;
  ring_->set_wake(true);
  ring_->enter();
  return !ring_->ready();
}

// The sockets are shut down, so that whatever waits for them ends at once.
void Loop::drain_ring() noexcept {
  for (int turn = 0; turn < 1'000 && ring_operations_ != 0; ++turn) {
    ring_->enter();
    reap_ring();
  }
  received_.clear();
  sent_.clear();
}

}  // namespace usher::server::http
