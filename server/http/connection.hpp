#pragma once
/// One client's connection: reads, parses all complete requests of what it read, hands each to its Handler, and writes
/// the answers in the order of the requests, however they come. Lives in its Loop's slab, where it is found by (index,
/// generation) or found gone; the object is reused by later connections. For the loop's thread only. It holds 2 KiB
/// of input memory while nothing is half read, reads nothing while 64 requests are in flight or 256 KiB wait to be
/// sent, and never blocks.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "server/http/address.hpp"
#include "server/http/chunked.hpp"
#include "server/http/deadline_wheel.hpp"
#include "server/http/handler.hpp"
#include "server/http/output.hpp"
#include "server/http/response.hpp"
#include "server/http/slots.hpp"

namespace usher::server::http {

class Loop;

/// A socket that has left HTTP. The taker owns and closes `fd`, which is non-blocking and in no event loop.
struct DetachedSocket {
  int fd = -1;
  std::string received;  ///< bytes that came behind the request
  ClientAddress client;
};

class Connection : private DeadlineWheel::Node {
 public:
  Connection(Loop& loop, std::uint32_t index);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Answers the request of that slot. The bytes leave at the end of the loop's cycle or with Loop::flush(), together
  /// with all others that are ready. Returns: false when that request is answered already or will never be.
  bool respond(std::uint32_t slot, const Response& response);

  /// Takes the socket away from HTTP, for a protocol that begins with the request of `slot`.
  /// Returns: nothing when answers to earlier requests are still due: then answer this one with an error.
  [[nodiscard]] std::optional<DetachedSocket> detach(std::uint32_t slot);

  [[nodiscard]] ReplyTo reply_to(std::uint32_t slot) const noexcept;
  /// The address on the other end of the socket (or told by PROXY): not what Forwarded tells of.
  [[nodiscard]] const ClientAddress& peer() const noexcept { return peer_; }

 private:
  friend class Loop;
  // reactor.hpp
  struct Socket;
  struct ReadHandler;
  struct WriteHandler;

  // A client that waits for its answer seldom sends anything before it: for so long nobody looks, which saves the
  // recv() that finds nothing and with which Asio begins every read. One that does send is looked at without delay ever
  // after.
  static constexpr std::int64_t patience_ms = 50;

  enum class RingOperation : std::uint8_t { receive, send, poll };
  // What the bytes at the front of the input are.
  enum class Phase : std::uint8_t { none, head, body };
  struct ChunkedBody {
    ChunkedDecoder decoder;
    std::size_t head_bytes;
    std::size_t raw_bytes;  // of the body, decoded already
  };

  // connection.cpp: life
  void open(int fd, bool v6, Handler& handler, const ClientAddress& peer, bool may_tell_address);
  void close() noexcept;
  void start_linger();
  void on_deadline();
  void update_deadline() noexcept;
  void resume();
  void drain();
  [[nodiscard]] bool is_open() const noexcept { return fd_ >= 0; }
  [[nodiscard]] bool is_idle() const noexcept { return phase_ == Phase::none && slots_.empty() && output_.empty(); }

  // connection_input.cpp: from the socket to the handler
  void want_read();
  [[nodiscard]] bool may_read() const noexcept;
  [[nodiscard]] bool waits_to_read() const noexcept;
  void start_read();
  void on_read(std::size_t size);
  void on_read_end(bool failed);
  bool take_fresh(std::size_t size);
  bool take_more(std::size_t size);
  void read_ready();
  bool read_once();
  bool read_into_scratch();
  bool read_into_input();
  bool on_received(std::ptrdiff_t received, std::size_t room);
  void on_end_of_input();
  void discard(std::size_t size);
  void discard_ready();
  void keep_rest(std::string_view rest);
  [[nodiscard]] std::size_t consume(std::string_view data);
  [[nodiscard]] std::size_t consume_one(std::string_view data);
  [[nodiscard]] std::size_t consume_proxy_header(std::string_view data);
  [[nodiscard]] std::size_t consume_body(std::string_view data, std::size_t head_bytes, Request& request);
  [[nodiscard]] std::size_t consume_chunked(std::string_view data, Request& request);
  [[nodiscard]] bool still_no_line(std::string_view data) noexcept;
  void wait_for(Phase phase) noexcept;
  void request_done() noexcept;
  void dispatch(Request& request, std::string_view behind);
  void offer_continue(const Request& request);
  [[nodiscard]] ClientAddress client_of(const Request& request) const noexcept;
  [[nodiscard]] bool can_dispatch() const noexcept;

  // connection_ring.cpp: the same by the loop's io_uring
  void queue_in_ring(RingOperation operation);
  void queue_send(std::uint64_t tag);
  bool ring_operation_done(RingOperation operation) noexcept;
  void on_received_by_ring(std::int32_t result);
  void on_sent_by_ring(std::int32_t result);

  // connection_output.cpp: from the handler to the socket
  std::size_t refuse(ParseError error, std::string_view data);
  [[nodiscard]] json::TextBuffer& output_bytes();
  void write_answer(json::TextBuffer& out, const SlotRing::Slot& slot, const Response& response);
  void finish_head_slot();
  void release_held();
  void flush_output();
  void finish_flush(Output::Flush result, std::uint64_t sent);
  void on_writable(bool failed);
  void wait_writable();
  void after_flush();
  void mark_dirty();
  void resume_if_paused();

  Loop& loop_;
  const std::uint32_t index_;
  std::uint32_t generation_ = 0;
  const std::unique_ptr<Socket> socket_;
  int fd_ = -1;  // of socket_
  Handler* handler_ = nullptr;
  ClientAddress peer_;
  bool peer_trusted_ = false;  // may tell of others by Forwarded
  bool expects_proxy_header_ = false;
  bool reading_ = false;              // Asio has a read of ours
  bool read_due_ = false;             // in the loop's list of those to read from
  std::uint8_t ring_operations_ = 0;  // the object is not used anew before they have ended
  bool pipelines_ = false;            // has sent a request before the answer to another
  bool readable_ = false;             // the kernel may have more than the last read took
  bool write_due_ = false;            // Asio tells when the socket takes more
  bool paused_ = false;
  bool stopped_ = false;    // no further request is read
  bool closing_ = false;    // close when all is written
  bool lingering_ = false;  // all is written: waiting for the client to close
  bool end_of_input_ = false;
  bool dirty_ = false;     // in the loop's list of those with something to write
  bool resuming_ = false;  // in the loop's list of those to resume
  bool continue_offered_ = false;
  bool continue_due_ = false;
  Phase phase_ = Phase::none;
  std::int64_t phase_since_ms_ = 0;
  std::int64_t read_at_ms_ = 0;
  std::int64_t written_at_ms_ = 0;  // last progress in writing
  std::size_t needed_bytes_ = 0;    // of a request whose head has been read
  std::size_t scanned_bytes_ = 0;   // of a head that had no end yet
  std::size_t discarded_bytes_ = 0;
  std::size_t accounted_bytes_ = 0;  // of input memory, in the loop's sum
  std::unique_ptr<ChunkedBody> chunked_;
  json::TextBuffer input_;
  std::string_view behind_request_;  // within dispatch(): what came behind it
  Output output_;
  SlotRing slots_;
};

}  // namespace usher::server::http
