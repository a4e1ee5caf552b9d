// The way in: from the socket to Handler::on_request.
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <cerrno>
#include <cstring>
#include <exception>

#include "server/http/connection.hpp"
#include "server/http/loop.hpp"
#include "server/http/reactor.hpp"

namespace usher::server::http {
namespace {

// One readiness is read at most so often before others get their turn.
constexpr int reads_per_turn_max = 4;
// Unsent bytes beyond which nothing more is read: a client that does not take its answers gets no further ones.
constexpr std::size_t output_bytes_max = 256U * 1024U;
// Room for each read into the connection's own buffer.
constexpr std::size_t read_bytes_min = 4U * 1024U;
constexpr std::size_t read_bytes_max = 256U * 1024U;
// Thrown away behind the last answer before we stop being polite.
constexpr std::size_t discarded_bytes_max = 4U << 20U;
// Chunk sizes, extensions and trailers may cost this much on top of twice the body.
constexpr std::size_t chunk_overhead_bytes_max = 64U * 1024U;

}  // namespace

bool Connection::can_dispatch() const noexcept {
  return !stopped_ && is_open() && !slots_.full() && output_.size() < output_bytes_max;
}

bool Connection::may_read() const noexcept {
  return is_open() && !reading_ && !paused_ && !resuming_ && !end_of_input_ && (!stopped_ || lingering_);
}

// Asks the loop to read on. It does so at the start of its next cycle: by then answers have left, and what the client
// sends next is often here already.
void Connection::want_read() {
  if (read_due_ || !may_read()) return;
  if (loop_.ring_) return queue_in_ring(RingOperation::receive);
  read_due_ = true;
  loop_.reads_due_.push_back({this, generation_});
}

bool Connection::waits_to_read() const noexcept {
  return !slots_.empty() && phase_ == Phase::none && !pipelines_ && !stopped_ &&
         loop_.now_ms_ - read_at_ms_ < patience_ms;
}

void Connection::start_read() {
  read_due_ = false;
  if (!may_read()) return;
  reading_ = true;
  socket_->tcp.async_read_some(asio::buffer(socket_->buffer.data(), Socket::read_bytes),
                               ReadHandler{this, generation_});
}

void Connection::ReadHandler::operator()(const AsioError& error, std::size_t size) const {
  Loop& loop = connection->loop_;
  loop.begin_cycle();
  if (connection->generation_ != generation || !connection->is_open()) return;
  ++loop.events_;
  loop.guard(*connection, [&] {
    connection->reading_ = false;
    if (error) return connection->on_read_end(error != asio::error::eof);
    connection->on_read(size);
  });
}

void Connection::on_read_end(bool failed) {
  if (failed || lingering_) return close();
  on_end_of_input();
  update_deadline();
}

void Connection::on_read(std::size_t size) {
  if (stopped_) {
    discard(size);
    if (is_open() && lingering_ && size == Socket::read_bytes) discard_ready();
  } else {
    loop_.counters_.bytes_received.add(size);
    read_at_ms_ = loop_.now_ms_;
    if (input_.empty() ? take_fresh(size) : take_more(size)) read_ready();
  }
  want_read();
  update_deadline();
}

// Returns: true when there may be more to read now.
bool Connection::take_fresh(std::size_t size) {
  std::string_view data{socket_->buffer.data(), size};
  readable_ = false;
  if (size == Socket::read_bytes) {
    // There is probably more. What else recv() may say, the end included, it says again to the next read.
    std::memcpy(loop_.scratch_.get(), data.data(), size);
    const auto more = ::recv(fd_, loop_.scratch_.get() + size, Loop::scratch_bytes - size, 0);
    const std::size_t added = more > 0 ? static_cast<std::size_t>(more) : 0;
    loop_.counters_.bytes_received.add(added);
    readable_ = added == Loop::scratch_bytes - size;
    data = {loop_.scratch_.get(), size + added};
  }
  const std::size_t used = consume(data);
  if (is_open()) keep_rest(data.substr(used));
  return readable_ && is_open() && !paused_ && !stopped_;
}

bool Connection::take_more(std::size_t size) {
  input_.append({socket_->buffer.data(), size});
  readable_ = size == Socket::read_bytes;
  const std::size_t used = consume(input_.view());
  if (!is_open()) return false;
  input_.erase_front(used);
  keep_rest({});
  return readable_ && !paused_ && !stopped_;
}

void Connection::read_ready() {
  for (int turn = 0; turn < reads_per_turn_max; ++turn) {
    if (!read_once()) return;
  }
  if (!resuming_) {
    resuming_ = true;
    loop_.resume_.push_back({this, generation_});
  }
}

// Returns: true when there may be more to read now.
bool Connection::read_once() {
  return (input_.empty() ? read_into_scratch() : read_into_input()) && is_open() && !paused_ && !stopped_;
}

bool Connection::read_into_scratch() {
  const auto received = ::recv(fd_, loop_.scratch_.get(), Loop::scratch_bytes, 0);
  const bool more = on_received(received, Loop::scratch_bytes);
  if (received <= 0) return more;
  const std::string_view data{loop_.scratch_.get(), static_cast<std::size_t>(received)};
  const std::size_t used = consume(data);
  if (is_open()) keep_rest(data.substr(used));
  return more;
}

bool Connection::read_into_input() {
  const std::size_t missing = needed_bytes_ > input_.size() ? needed_bytes_ - input_.size() : 0;
  const std::size_t room = std::clamp(missing, read_bytes_min, read_bytes_max);
  const auto received = ::recv(fd_, input_.prepare(room), room, 0);
  const bool more = on_received(received, room);
  if (received <= 0) return more;
  input_.commit(static_cast<std::size_t>(received));
  const std::size_t used = consume(input_.view());
  if (!is_open()) return false;
  input_.erase_front(used);
  keep_rest({});
  return more;
}

// Keeps what consume() left over, gives the memory back when nothing is left, and keeps the loop's sum.
void Connection::keep_rest(std::string_view rest) {
  if (stopped_) {
    input_.clear();
  } else if (!rest.empty()) {
    if (input_.capacity() == 0) input_ = loop_.take_buffer();
    input_.append(rest);
  }
  if (input_.empty()) loop_.give_buffer(std::move(input_));
  const std::size_t held = input_.capacity() + (chunked_ ? chunked_->decoder.body().size() : 0);
  loop_.input_bytes_ += held - accounted_bytes_;
  accounted_bytes_ = held;
  if (loop_.input_bytes_ > loop_.options_.input_bytes_max && held > Loop::scratch_bytes && !stopped_) {
    static_cast<void>(refuse(ParseError::memory_exhausted, {}));
    keep_rest({});
  }
}

// Returns: true when the read filled its room, so that there may be more.
bool Connection::on_received(std::ptrdiff_t received, std::size_t room) {
  if (received > 0) {
    loop_.counters_.bytes_received.add(static_cast<std::uint64_t>(received));
    readable_ = static_cast<std::size_t>(received) == room;
    return readable_;
  }
  readable_ = false;
  if (received == 0) {
    on_end_of_input();
  } else if (errno == EINTR) {
    readable_ = true;
  } else if (errno != EAGAIN && errno != EWOULDBLOCK) {
    close();
  }
  return readable_;
}

// The client sends no more; it may still be reading.
void Connection::on_end_of_input() {
  end_of_input_ = true;
  stopped_ = true;
  if (slots_.empty() && output_.empty()) close();
}

void Connection::discard(std::size_t size) {
  discarded_bytes_ += size;
  if (discarded_bytes_ > discarded_bytes_max) close();
}

void Connection::discard_ready() {
  for (int turn = 0; turn < reads_per_turn_max; ++turn) {
    const auto received = ::recv(fd_, loop_.scratch_.get(), Loop::scratch_bytes, 0);
    if (received < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (received <= 0) return close();
    discard(static_cast<std::size_t>(received));
    if (!is_open()) return;
  }
  // More than 256 KiB at once is no accident.
  close();
}

// Returns: how many bytes of `data` are dealt with.
std::size_t Connection::consume(std::string_view data) {
  std::size_t at = 0;
  while (at < data.size() && can_dispatch()) {
    const std::size_t used = consume_one(data.substr(at));
    if (used == 0) return at;
    at += used;
  }
  paused_ = at < data.size() && is_open() && !stopped_;
  return stopped_ ? data.size() : at;
}

// Deals with one request at the front of `data`. Returns: its bytes, or 0 when more are needed.
std::size_t Connection::consume_one(std::string_view data) {
  if (expects_proxy_header_) return consume_proxy_header(data);
  if (chunked_ && chunked_->head_bytes + chunked_->raw_bytes >= data.size()) return 0;
  if (data.size() < needed_bytes_) return 0;
  if (!chunked_ && still_no_line(data)) return 0;
  Request& request = loop_.request_;
  const HeadResult result = parse_head(data, loop_.options_.head, request);
  if (result.status == ParseStatus::error) return refuse(result.error, data);
  if (result.status == ParseStatus::need_more) {
    scanned_bytes_ = data.size();
    wait_for(Phase::head);
    return 0;
  }
  return consume_body(data, result.size, request);
}

// A head that had no end is looked at again only when another line has: parsing it for every byte that a slow client
// sends would be quadratic.
bool Connection::still_no_line(std::string_view data) noexcept {
  if (scanned_bytes_ == 0 || needed_bytes_ != 0 || data.size() > loop_.options_.head.target_bytes_max) return false;
  if (data.find('\n', scanned_bytes_) != std::string_view::npos) return false;
  scanned_bytes_ = data.size();
  return true;
}

std::size_t Connection::consume_proxy_header(std::string_view data) {
  const ProxyHeader header = parse_proxy_header(data);
  switch (header.status) {
    case ProxyHeader::Status::need_more:
      return 0;
    case ProxyHeader::Status::absent:
    case ProxyHeader::Status::malformed:
      close();
      return 0;
    case ProxyHeader::Status::complete:
      break;
  }
  expects_proxy_header_ = false;
  if (header.address) {
    peer_ = *header.address;
    peer_trusted_ = loop_.options_.trusted_proxies.contains(peer_);
  }
  request_done();
  return header.size;
}

std::size_t Connection::consume_body(std::string_view data, std::size_t head_bytes, Request& request) {
  std::size_t body_max = loop_.options_.body_bytes_max;
  if (request.chunked || request.content_length > body_max) body_max = loop_.body_bytes_max(request.path);
  if (request.content_length > body_max) return refuse(ParseError::body_too_large, data);
  if (request.chunked) {
    if (!chunked_) chunked_ = std::make_unique<ChunkedBody>(ChunkedBody{ChunkedDecoder{body_max}, head_bytes, 0});
    return consume_chunked(data, request);
  }
  const std::size_t total = head_bytes + static_cast<std::size_t>(request.content_length);
  if (data.size() < total) {
    needed_bytes_ = total;
    wait_for(Phase::body);
    offer_continue(request);
    return 0;
  }
  request.body = data.substr(head_bytes, static_cast<std::size_t>(request.content_length));
  dispatch(request, data.substr(total));
  return total;
}

std::size_t Connection::consume_chunked(std::string_view data, Request& request) {
  ChunkedBody& chunked = *chunked_;
  const auto progress = chunked.decoder.decode(data.substr(chunked.head_bytes + chunked.raw_bytes));
  chunked.raw_bytes += progress.used;
  if (progress.status == ParseStatus::error) return refuse(progress.error, data);
  if (progress.status == ParseStatus::need_more) {
    const std::size_t raw_max = 2 * loop_.body_bytes_max(request.path) + chunk_overhead_bytes_max;
    if (chunked.raw_bytes > raw_max) return refuse(ParseError::body_too_large, data);
    wait_for(Phase::body);
    offer_continue(request);
    return 0;
  }
  // Moved out, so that the body outlives request_done() in dispatch().
  const std::unique_ptr<ChunkedBody> done = std::move(chunked_);
  const std::size_t total = done->head_bytes + done->raw_bytes;
  request.body = done->decoder.body();
  dispatch(request, data.substr(total));
  return total;
}

void Connection::wait_for(Phase phase) noexcept {
  if (phase_ == phase) return;
  phase_ = phase;
  phase_since_ms_ = loop_.now_ms_;
}

void Connection::request_done() noexcept {
  phase_ = Phase::none;
  needed_bytes_ = 0;
  scanned_bytes_ = 0;
  chunked_.reset();
  continue_offered_ = false;
  continue_due_ = false;
}

// RFC 9110 section 10.1.1. With answers to earlier requests still due, the interim one waits for them.
void Connection::offer_continue(const Request& request) {
  if (!request.expects_continue || continue_offered_) return;
  continue_offered_ = true;
  if (!slots_.empty()) {
    continue_due_ = true;
    return;
  }
  output_bytes().append("HTTP/1.1 100 Continue\r\n\r\n");
  mark_dirty();
}

ClientAddress Connection::client_of(const Request& request) const noexcept {
  if (!peer_trusted_) return peer_;
  return forwarded_address(peer_, request.forwarded, request.x_forwarded_for, loop_.options_.trusted_proxies);
}

void Connection::dispatch(Request& request, std::string_view behind) {
  request_done();
  ResponseStyle style;
  style.head_only = request.method == Method::head;
  style.close = !request.keep_alive;
  style.say_keep_alive = request.http_1_0 && request.keep_alive;
  if (!request.keep_alive) stopped_ = true;
  pipelines_ = pipelines_ || !slots_.empty();
  const std::uint32_t slot = slots_.push(style);
  const std::uint32_t generation = generation_;
  request.reply_to = reply_to(slot);
  request.client = client_of(request);
  behind_request_ = behind;
  loop_.counters_.requests.add();
  try {
    loop_.note_batch(*handler_);
    if (request.wants_websocket() && handler_->on_upgrade(request, *this)) return;
    if (is_open()) handler_->on_request(request, *this);
  } catch (...) {
    loop_.note_exception(handler_);
    if (generation != generation_ || !is_open()) return;
    Response response;
    response.status = 500;
    response.content_type = content_type::problem;
    response.body =
        R"({"type":"urn:usher:problem:internal","title":"Internal Server Error","status":500,"code":"internal"})";
    respond(slot, response);
  }
}

}  // namespace usher::server::http
