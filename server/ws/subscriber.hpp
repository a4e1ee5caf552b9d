#pragma once
/// Subscriber: one reader of the feed, on a WebSocket or a stream of server-sent events, after its handshake. It owns
/// the socket and sends bytes that are shared by all readers; of its own it holds a share of the message under way and,
/// seldom, a few control bytes: nothing grows with a reader's slowness. What does not fit the socket is not queued: the
/// reader is behind, and when the socket takes bytes again gets the newest state as a whole. Lives in its Feed's slab
/// and is reused. For the loop's thread only.
///
/// Order on the wire: the rest of a message that has begun; then control bytes; then the next message.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "server/http/address.hpp"
#include "server/http/deadline_wheel.hpp"
#include "server/ws/frame.hpp"
#include "server/ws/handshake.hpp"
#include "server/ws/message.hpp"

namespace usher::server::ws {

class Audience;
class Feed;

class Subscriber : private http::DeadlineWheel::Node {
 public:
  Subscriber(Feed& feed, std::uint32_t index, std::uint32_t message_bytes_max);
  ~Subscriber();
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;

  /// Takes over `fd`. `head` leaves first.
  void open(int fd, Format format, std::optional<std::uint64_t> from, const http::ClientAddress& client,
            std::string head);
  /// Bytes that came with the handshake.
  void take_input(std::string_view input);
  /// Sends the message, or finds that the reader is behind.
  void offer(const SharedBytes& bytes, std::uint64_t lsn);
  /// Says goodbye, then closes: at once, when the other side has closed, or after two seconds.
  void begin_close(std::uint16_t code, std::string_view reason);
  /// Closes without a word.
  void drop() noexcept;
  [[nodiscard]] bool is_open() const noexcept { return fd_ >= 0; }
  [[nodiscard]] bool is_closing() const noexcept { return closing_; }

 private:
  friend class Audience;
  friend class Feed;
  struct Socket;
  struct ReadHandler;
  struct WriteHandler;

  /// Frames from one client within a ping interval.
  static constexpr std::uint32_t frames_max = 1'000;
  static constexpr std::int64_t close_timeout_ms = 2'000;

  void start_read();
  /// Reads what has come for the reader that the object was then.
  void on_readable(std::uint32_t generation) noexcept;
  [[nodiscard]] bool receive_once();
  void take_event(FrameParser::Kind kind);
  void answer_ping();
  bool flush();
  [[nodiscard]] std::string_view next_part() noexcept;
  void sent(std::size_t bytes) noexcept;
  void wait_writable();
  void caught_up();
  void finish_close();
  void on_deadline();
  void ping();

  Feed& feed_;
  const std::uint32_t index_;
  std::uint32_t generation_ = 0;
  int fd_ = -1;
  std::unique_ptr<Socket> socket_;
  Audience* audience_ = nullptr;
  std::uint32_t place_ = 0;  // among the audience's members
  Format format_ = Format::json;
  bool waiting_ = false;    // for a state that it can begin with
  bool behind_ = false;     // gets the newest state next
  bool blocked_ = false;    // the socket is full
  bool write_due_ = false;  // Asio tells when it takes more
  bool silent_ = false;     // has said nothing since the last ping
  bool closing_ = false;
  bool other_closed_ = false;  // has sent its Close, or what cannot be read
  bool shut_ = false;          // our side of the stream has ended
  std::uint32_t frames_ = 0;
  std::uint64_t lsn_ = 0;  // of what was sent last
  std::optional<std::uint64_t> from_;
  SharedBytes message_;
  std::size_t message_sent_ = 0;
  std::string own_;
  std::size_t own_sent_ = 0;
  http::ClientAddress client_;
  FrameParser parser_;
  const std::uint32_t message_bytes_max_;
};

}  // namespace usher::server::ws
