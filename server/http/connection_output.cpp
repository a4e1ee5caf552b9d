// The way out: from respond() to the socket, in the order of the requests.
#include "server/http/connection.hpp"
#include "server/http/loop.hpp"
#include "server/http/reactor.hpp"

namespace usher::server::http {
namespace {

// A paused connection reads on when its ring is half empty again: not for every single answer.
constexpr std::uint32_t slots_to_resume = SlotRing::slots_max / 2;

}  // namespace

bool Connection::respond(std::uint32_t number, const Response& response) {
  if (!is_open() || !slots_.waits(number)) return false;
  loop_.counters_.responses.add();
  SlotRing::Slot& slot = slots_[number];
  if (response.close || (loop_.draining_ && number + 1 == slots_.tail())) slot.style.close = true;
  if (number == slots_.head()) {
    write_answer(output_bytes(), slot, response);
    if (response.shared_body && !slot.style.head_only) output_.append_shared(response.shared_body);
    finish_head_slot();
    release_held();
    mark_dirty();
    return true;
  }
  slot.held = loop_.take_held();
  write_answer(slot.held->bytes, slot, response);
  if (!slot.style.head_only) slot.held->shared = response.shared_body;
  slot.ready = true;
  return true;
}

void Connection::write_answer(json::TextBuffer& out, const SlotRing::Slot& slot, const Response& response) {
  append_response(out, response, loop_.date_, slot.style);
}

json::TextBuffer& Connection::output_bytes() {
  if (output_.bytes().capacity() == 0) output_.give_buffer(loop_.take_buffer());
  return output_.bytes();
}

// The oldest request has its answer in the output.
void Connection::finish_head_slot() {
  const bool close_behind = slots_[slots_.head()].style.close;
  slots_.pop();
  if (close_behind) {
    stopped_ = true;
    closing_ = true;
    for (std::uint32_t number = slots_.head(); number != slots_.tail(); ++number) {
      if (slots_[number].held) loop_.give_held(std::move(slots_[number].held));
    }
    slots_.drop_all();
  }
  if (continue_due_ && slots_.empty() && !stopped_) {
    continue_due_ = false;
    output_bytes().append("HTTP/1.1 100 Continue\r\n\r\n");
  }
}

// Answers that were ready before the one that has just been written.
void Connection::release_held() {
  while (!slots_.empty() && slots_[slots_.head()].ready) {
    std::unique_ptr<HeldAnswer> held = std::move(slots_[slots_.head()].held);
    output_.bytes().append(held->bytes.view());
    if (held->shared) output_.append_shared(std::move(held->shared));
    loop_.give_held(std::move(held));
    finish_head_slot();
  }
}

// Answers a request that is not one, behind the answers to those before it, and reads no further.
// Returns: all of `data`, which is thrown away.
std::size_t Connection::refuse(ParseError error, std::string_view data) {
  loop_.counters_.parse_errors.add();
  request_done();
  stopped_ = true;
  ResponseStyle style;
  style.close = true;
  const std::uint32_t slot = slots_.push(style);
  const Problem problem = to_problem(error);
  loop_.problem_.clear();
  append_problem(loop_.problem_, problem);
  Response response;
  response.status = problem.status;
  response.content_type = content_type::problem;
  response.body = loop_.problem_.view();
  if (problem.status == 503) response.fields = "Retry-After: 1\r\n";
  respond(slot, response);
  return data.size();
}

void Connection::mark_dirty() {
  if (dirty_) return;
  dirty_ = true;
  written_at_ms_ = loop_.now_ms_;
  loop_.dirty_.push_back({this, generation_});
}

void Connection::flush_output() {
  if (loop_.ring_ && !output_.empty()) return queue_in_ring(RingOperation::send);
  const std::uint64_t before = output_.sent_total();
  const Output::Flush result = output_.flush(fd_);
  finish_flush(result, output_.sent_total() - before);
}

void Connection::finish_flush(Output::Flush result, std::uint64_t sent) {
  loop_.counters_.bytes_sent.add(sent);
  if (sent != 0) written_at_ms_ = loop_.now_ms_;
  if (result == Output::Flush::failed) return close();
  if (result == Output::Flush::would_block) wait_writable();
  if (result == Output::Flush::done) {
    loop_.give_buffer(output_.take_buffer());
    after_flush();
  }
  if (is_open() && !lingering_) {
    resume_if_paused();
    update_deadline();
  }
}

void Connection::wait_writable() {
  if (write_due_) return;
  write_due_ = true;
  if (loop_.ring_) return queue_in_ring(RingOperation::poll);
  socket_->tcp.async_wait(asio::socket_base::wait_write, WriteHandler{this, generation_});
}

void Connection::WriteHandler::operator()(const AsioError& error) const {
  Loop& loop = connection->loop_;
  loop.begin_cycle();
  if (connection->generation_ != generation || !connection->is_open()) return;
  ++loop.events_;
  loop.guard(*connection, [&] { connection->on_writable(static_cast<bool>(error)); });
}

void Connection::on_writable(bool failed) {
  write_due_ = false;
  if (failed) return close();
  if (!output_.empty()) mark_dirty();
}

// All that was ready is written.
void Connection::after_flush() {
  if (closing_) return start_linger();
  if (end_of_input_ && slots_.empty()) return close();
  if (loop_.draining_ && is_idle()) start_linger();
}

void Connection::resume_if_paused() {
  if (!paused_ || resuming_ || slots_.size() > slots_to_resume || !can_dispatch()) return;
  resuming_ = true;
  loop_.resume_.push_back({this, generation_});
}

}  // namespace usher::server::http
