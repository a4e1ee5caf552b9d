#include "server/ws/frame.hpp"

#include <algorithm>

namespace usher::server::ws {
namespace {

constexpr std::uint8_t fin_bit = 0x80;
constexpr std::uint8_t rsv_bits = 0x70;
constexpr std::uint8_t mask_bit = 0x80;
constexpr std::uint8_t length_16 = 126;
constexpr std::uint8_t length_64 = 127;

void append_big_endian(std::string& out, std::uint64_t value, unsigned bytes) {
  for (unsigned at = bytes; at-- > 0;) out.push_back(static_cast<char>((value >> (8 * at)) & 0xFFU));
}

bool is_known(std::uint8_t opcode) noexcept {
  return opcode <= 2 || (opcode >= 8 && opcode <= 10);
}

}  // namespace

bool is_close_code(std::uint16_t code) noexcept {
  // 1004 to 1006 and 1015 must never be sent; 1012 to 1014 are the registry's; 3000 on are for libraries and programs
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

void append_frame_head(std::string& out, Opcode opcode, std::size_t payload_bytes) {
  out.push_back(static_cast<char>(fin_bit | static_cast<std::uint8_t>(opcode)));
  if (payload_bytes < length_16) {
    out.push_back(static_cast<char>(payload_bytes));
  } else if (payload_bytes <= 0xFFFF) {
    out.push_back(static_cast<char>(length_16));
    append_big_endian(out, payload_bytes, 2);
  } else {
    out.push_back(static_cast<char>(length_64));
    append_big_endian(out, payload_bytes, 8);
  }
}

void append_frame(std::string& out, Opcode opcode, std::string_view payload) {
  append_frame_head(out, opcode, payload.size());
  out.append(payload);
}

void append_close(std::string& out, std::uint16_t code, std::string_view reason) {
  if (code == close_code::no_status) return append_frame(out, Opcode::close, {});
  std::string payload;
  append_big_endian(payload, code, 2);
  payload.append(reason.substr(0, FrameParser::control_bytes_max - 2));
  append_frame(out, Opcode::close, payload);
}

FrameParser::Event FrameParser::next(std::string_view input) noexcept {
  if (failed_) return {Kind::error, 0};
  std::size_t used = 0;
  for (;;) {
    if (!in_payload_) {
      while (head_size_ < head_bytes_wanted()) {
        if (used == input.size()) return {Kind::need_more, used};
        head_[head_size_++] = static_cast<std::uint8_t>(input[used++]);
      }
      if (const Kind kind = read_head(); kind == Kind::error) return {kind, used};
    }
    const Kind kind = take_payload(input, used);
    if (kind != Kind::need_more || in_payload_) return {kind, used};
  }
}

// How long the head is, as far as what has been read of it tells.
std::size_t FrameParser::head_bytes_wanted() const noexcept {
  if (head_size_ < 2) return 2;
  const std::uint8_t length = head_[1] & 0x7FU;
  const std::size_t extended = length == length_16 ? 2U : length == length_64 ? 8U : 0U;
  return 2 + extended + ((head_[1] & mask_bit) != 0 ? 4U : 0U);
}

// Sections 5.1 to 5.5, as far as a head can break them.
FrameParser::Kind FrameParser::read_head() noexcept {
  const std::size_t size = head_size_;
  head_size_ = 0;
  if ((head_[0] & rsv_bits) != 0 || !is_known(head_[0] & 0x0FU)) return fail(close_code::protocol_error);
  if ((head_[1] & mask_bit) == 0) return fail(close_code::protocol_error);
  const std::uint8_t short_length = head_[1] & 0x7FU;
  std::uint64_t length = short_length;
  if (short_length >= length_16) {
    length = 0;
    for (std::size_t at = 2; at < size - 4; ++at) length = (length << 8U) | head_[at];
    // section 5.2: the high bit must be 0, and the shortest form must be used
    const std::uint64_t least = short_length == length_16 ? length_16 : 0x10000U;
    if ((length >> 63U) != 0 || length < least) return fail(close_code::protocol_error);
  }
  std::copy_n(head_.begin() + static_cast<std::ptrdiff_t>(size) - 4, 4, mask_.begin());
  return begin_frame(static_cast<Opcode>(head_[0] & 0x0FU), (head_[0] & fin_bit) != 0, length);
}

FrameParser::Kind FrameParser::begin_frame(Opcode opcode, bool fin, std::uint64_t length) noexcept {
  opcode_ = opcode;
  fin_ = fin;
  if (is_control()) {
    if (!fin || length > control_bytes_max) return fail(close_code::protocol_error);
    control_size_ = 0;
  } else {
    const bool continues = opcode == Opcode::continuation;
    if (continues != (message_ != Opcode::continuation)) return fail(close_code::protocol_error);
    if (!continues) {
      message_ = opcode;
      message_bytes_ = 0;
      utf8_ = {};
    }
    if (length > message_bytes_max_ - message_bytes_) return fail(close_code::too_big);
    message_bytes_ += static_cast<std::uint32_t>(length);
  }
  left_ = static_cast<std::uint32_t>(length);
  mask_at_ = 0;
  in_payload_ = true;
  return Kind::need_more;
}

FrameParser::Kind FrameParser::take_payload(std::string_view input, std::size_t& used) noexcept {
  const std::size_t count = std::min<std::size_t>(left_, input.size() - used);
  for (std::size_t at = 0; at < count; ++at) {
    const auto byte = static_cast<std::uint8_t>(static_cast<std::uint8_t>(input[used + at]) ^ mask_[mask_at_]);
    mask_at_ = (mask_at_ + 1U) & 3U;
    if (is_control()) {
      control_[control_size_++] = static_cast<char>(byte);
    } else if (message_ == Opcode::text && !utf8_.feed(byte)) {
      used += at + 1;
      return fail(close_code::invalid_data);
    }
  }
  used += count;
  left_ -= static_cast<std::uint32_t>(count);
  if (left_ != 0) return Kind::need_more;
  in_payload_ = false;
  return end_frame();
}

FrameParser::Kind FrameParser::end_frame() noexcept {
  if (opcode_ == Opcode::ping) return Kind::ping;
  if (opcode_ == Opcode::pong) return Kind::pong;
  if (opcode_ == Opcode::close) return end_close();
  if (!fin_) return Kind::need_more;
  const bool whole = message_ != Opcode::text || utf8_.complete();
  message_ = Opcode::continuation;
  return whole ? Kind::message : fail(close_code::invalid_data);
}

// Section 5.5.1: nothing, or a code and a reason in UTF-8.
FrameParser::Kind FrameParser::end_close() noexcept {
  failed_ = true;
  code_ = close_code::no_status;
  if (control_size_ == 0) return Kind::close;
  if (control_size_ == 1) return fail(close_code::protocol_error);
  const auto high = static_cast<std::uint8_t>(control_[0]);
  const auto low = static_cast<std::uint8_t>(control_[1]);
  code_ = static_cast<std::uint16_t>((high << 8U) | low);
  if (!is_close_code(code_)) return fail(close_code::protocol_error);
  return is_utf8(control().substr(2)) ? Kind::close : fail(close_code::invalid_data);
}

FrameParser::Kind FrameParser::fail(std::uint16_t code) noexcept {
  failed_ = true;
  code_ = code;
  return Kind::error;
}

}  // namespace usher::server::ws
