#pragma once
/// WebSocket framing (RFC 6455 section 5): frames out as bytes, frames in as events. Pure over buffers: no socket, no
/// heap on the way in, no extension (RSV bits must be 0). What a client sends in data messages is checked (masking,
/// fragmentation, UTF-8, size) and dropped: the feed needs nothing from its readers.
///
///   frame := fin:1 rsv:3(0) opcode:4 masked:1 length:7 [length:16 | length:64] [mask:32] payload

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "server/ws/utf8.hpp"

namespace usher::server::ws {

enum class Opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

/// Why a connection is closed (RFC 6455 section 7.4.1, the IANA registry, and ours from 4000 on; see README.md).
namespace close_code {
inline constexpr std::uint16_t normal = 1000;
inline constexpr std::uint16_t going_away = 1001;      ///< the server is stopping: connect again
inline constexpr std::uint16_t protocol_error = 1002;  ///< a rule of RFC 6455 was broken
inline constexpr std::uint16_t no_status = 1005;       ///< never sent: a Close without a code
inline constexpr std::uint16_t invalid_data = 1007;    ///< text that is not UTF-8
inline constexpr std::uint16_t policy = 1008;          ///< too many frames from the client
inline constexpr std::uint16_t too_big = 1009;         ///< a message over the limit
inline constexpr std::uint16_t try_again = 1013;       ///< a relay has lost its source
inline constexpr std::uint16_t too_slow = 4000;        ///< the client did not take what was sent
inline constexpr std::uint16_t no_pong = 4001;         ///< nothing came within two ping intervals
inline constexpr std::uint16_t unknown_show = 4404;    ///< the show is not there, or not any more
}  // namespace close_code

/// Whether an endpoint may send this code in a Close frame (RFC 6455 section 7.4).
[[nodiscard]] bool is_close_code(std::uint16_t code) noexcept;

/// A server's frame: whole message, not masked.
inline constexpr std::size_t frame_head_bytes_max = 10;
void append_frame_head(std::string& out, Opcode opcode, std::size_t payload_bytes);
void append_frame(std::string& out, Opcode opcode, std::string_view payload);
/// `reason` is cut to 123 bytes. `no_status` gives an empty payload.
void append_close(std::string& out, std::uint16_t code, std::string_view reason = {});

/// Takes a client's bytes apart, however they were split.
class FrameParser {
 public:
  static constexpr std::size_t control_bytes_max = 125;

  enum class Kind : std::uint8_t {
    need_more,
    message,  ///< a whole text or binary message has come and was dropped
    ping,     ///< control() is what the Pong must carry
    pong,
    close,  ///< code() is what the client said, or no_status
    error   ///< code() is what to close with; nothing more may be read
  };
  struct Event {
    Kind kind = Kind::need_more;
    std::size_t used = 0;  ///< bytes of `input` that are dealt with
  };

  explicit FrameParser(std::uint32_t message_bytes_max) noexcept : message_bytes_max_(message_bytes_max) {}

  /// Reads to the end of the next frame that says something. Call again with the rest.
  [[nodiscard]] Event next(std::string_view input) noexcept;
  [[nodiscard]] std::string_view control() const noexcept { return {control_.data(), control_size_}; }
  [[nodiscard]] std::uint16_t code() const noexcept { return code_; }

 private:
  [[nodiscard]] Kind read_head() noexcept;
  [[nodiscard]] Kind begin_frame(Opcode opcode, bool fin, std::uint64_t length) noexcept;
  [[nodiscard]] std::size_t head_bytes_wanted() const noexcept;
  [[nodiscard]] Kind take_payload(std::string_view input, std::size_t& used) noexcept;
  [[nodiscard]] Kind end_frame() noexcept;
  [[nodiscard]] Kind end_close() noexcept;
  [[nodiscard]] Kind fail(std::uint16_t code) noexcept;
  [[nodiscard]] bool is_control() const noexcept { return static_cast<std::uint8_t>(opcode_) >= 8; }

  std::uint32_t message_bytes_max_;
  std::uint32_t message_bytes_ = 0;  // of the message so far, all its frames
  std::uint32_t left_ = 0;           // of the frame's payload
  std::uint16_t code_ = 0;
  std::uint8_t head_size_ = 0;
  std::uint8_t mask_at_ = 0;
  std::uint8_t control_size_ = 0;
  Opcode opcode_ = Opcode::continuation;   // of the frame
  Opcode message_ = Opcode::continuation;  // of the message that is under way; continuation: none
  bool fin_ = false;
  bool in_payload_ = false;
  bool failed_ = false;
  Utf8Check utf8_;
  std::array<std::uint8_t, 14> head_{};
  std::array<std::uint8_t, 4> mask_{};
  std::array<char, control_bytes_max> control_{};
};

}  // namespace usher::server::ws
