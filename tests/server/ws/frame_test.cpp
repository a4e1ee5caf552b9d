// Conformance of the framing, by sections of RFC 6455.
#include "server/ws/frame.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace usher::server::ws;

namespace {

using Kind = FrameParser::Kind;

struct FrameSpec {
  std::uint8_t first = 0x81;  // FIN, RSV and opcode
  std::string payload = {};
  bool masked = true;
  int length_bytes = 0;  // 0: the shortest form; else 2 or 8
};

/// A client's frame, right or wrong.
std::string frame(const FrameSpec& spec) {
  std::string out(1, static_cast<char>(spec.first));
  const std::size_t size = spec.payload.size();
  const int length_bytes = spec.length_bytes != 0 ? spec.length_bytes : size < 126 ? 0 : size <= 0xFFFF ? 2 : 8;
  const std::size_t short_length = length_bytes == 0 ? size : length_bytes == 2 ? 126 : 127;
  out.push_back(static_cast<char>((spec.masked ? 0x80U : 0U) | short_length));
  for (int at = length_bytes; at-- > 0;) out.push_back(static_cast<char>((size >> (8 * at)) & 0xFFU));
  const std::string mask = "\x37\xfa\x21\x3d";
  if (!spec.masked) return out + spec.payload;
  out += mask;
  for (std::size_t at = 0; at < size; ++at) out.push_back(static_cast<char>(spec.payload[at] ^ mask[at % 4]));
  return out;
}

struct Read {
  std::vector<Kind> kinds;
  std::string control;
  std::uint16_t code = 0;
};

/// All events of the bytes, handed over in pieces of `piece` bytes.
Read read_all(std::string_view bytes, std::size_t piece, std::uint32_t message_bytes_max = 16'384) {
  FrameParser parser(message_bytes_max);
  Read read;
  while (!bytes.empty()) {
    std::string_view part = bytes.substr(0, piece);
    bytes.remove_prefix(part.size());
    while (!part.empty()) {
      const FrameParser::Event event = parser.next(part);
      part.remove_prefix(event.used);
      if (event.kind == Kind::need_more) break;
      read.kinds.push_back(event.kind);
      if (event.kind == Kind::ping || event.kind == Kind::close) read.control = parser.control();
      if (event.kind == Kind::close || event.kind == Kind::error) {
        read.code = parser.code();
        return read;
      }
    }
  }
  return read;
}

/// The same however the bytes are split.
Read read_all(std::string_view bytes) {
  const Read whole = read_all(bytes, bytes.size());
  for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, std::size_t{7}}) {
    const Read split = read_all(bytes, piece);
    CHECK(split.kinds == whole.kinds);
    CHECK(split.code == whole.code);
    CHECK(split.control == whole.control);
  }
  return whole;
}

std::uint16_t error_of(std::string_view bytes) {
  const Read read = read_all(bytes);
  return !read.kinds.empty() && read.kinds.back() == Kind::error ? read.code : 0;
}

std::string close_payload(std::uint16_t code, std::string_view reason = {}) {
  return std::string{static_cast<char>(code >> 8U), static_cast<char>(code & 0xFFU)}.append(reason);
}

}  // namespace

TEST_CASE("frame: section 5.7: the examples of the standard are read") {
  CHECK(read_all(std::string_view{"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", 11}).kinds ==
        std::vector{Kind::message});
  CHECK(read_all(frame({.first = 0x01, .payload = "Hel"}) + frame({.first = 0x80, .payload = "lo"})).kinds ==
        std::vector{Kind::message});
  const Read ping = read_all(frame({.first = 0x89, .payload = "Hello"}));
  CHECK(ping.kinds == std::vector{Kind::ping});
  CHECK(ping.control == "Hello");
}

TEST_CASE("frame: section 5.1: a frame without a mask is refused") {
  CHECK(error_of(frame({.payload = "x", .masked = false})) == close_code::protocol_error);
}

TEST_CASE("frame: section 5.2: RSV bits and opcodes that mean nothing are refused") {
  for (const unsigned bit : {0x40U, 0x20U, 0x10U}) {
    CHECK(error_of(frame({.first = static_cast<std::uint8_t>(0x81U | bit), .payload = "x"})) ==
          close_code::protocol_error);
  }
  for (const unsigned opcode : {3U, 4U, 5U, 6U, 7U, 11U, 12U, 13U, 14U, 15U}) {
    CHECK(error_of(frame({.first = static_cast<std::uint8_t>(0x80U | opcode)})) == close_code::protocol_error);
  }
}

TEST_CASE("frame: section 5.2: lengths at the edges of the three forms") {
  for (const std::size_t size : {0U, 1U, 125U, 126U, 127U, 16'383U, 16'384U}) {
    CAPTURE(size);
    CHECK(read_all(frame({.payload = std::string(size, 'a')})).kinds == std::vector{Kind::message});
  }
  for (const std::size_t size : {65'535U, 65'536U}) {
    CAPTURE(size);
    const Read read = read_all(frame({.first = 0x82, .payload = std::string(size, 'a')}), 4'096, 100'000);
    CHECK(read.kinds == std::vector{Kind::message});
  }
}

TEST_CASE("frame: section 5.2: a length that is not in its shortest form is refused") {
  CHECK(error_of(frame({.payload = std::string(125, 'a'), .length_bytes = 2})) == close_code::protocol_error);
  CHECK(error_of(frame({.payload = std::string(126, 'a'), .length_bytes = 8})) == close_code::protocol_error);
}

TEST_CASE("frame: section 5.2: the high bit of a length of 64 bits is refused") {
  const std::string head{"\x82\xff\x80\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00", 14};
  CHECK(error_of(head) == close_code::protocol_error);
}

TEST_CASE("frame: section 5.4: fragments with control frames between them make one message") {
  const std::string bytes = frame({.first = 0x01, .payload = "a"}) + frame({.first = 0x89, .payload = "p"}) +
                            frame({.first = 0x00, .payload = "b"}) + frame({.first = 0x8A}) + frame({.first = 0x80});
  CHECK(read_all(bytes).kinds == std::vector{Kind::ping, Kind::pong, Kind::message});
}

TEST_CASE("frame: section 5.4: what is no fragment, or no beginning, is refused") {
  CHECK(error_of(frame({.first = 0x80, .payload = "x"})) == close_code::protocol_error);
  CHECK(error_of(frame({.first = 0x00, .payload = "x"})) == close_code::protocol_error);
  CHECK(error_of(frame({.first = 0x01, .payload = "x"}) + frame({.first = 0x81, .payload = "y"})) ==
        close_code::protocol_error);
  CHECK(error_of(frame({.payload = "x"}) + frame({.first = 0x80, .payload = "y"})) == close_code::protocol_error);
}

TEST_CASE("frame: section 5.5: control frames are whole and short") {
  for (const unsigned opcode : {8U, 9U, 10U}) {
    CAPTURE(opcode);
    CHECK(error_of(frame({.first = static_cast<std::uint8_t>(opcode)})) == close_code::protocol_error);
    const auto whole = static_cast<std::uint8_t>(0x80U | opcode);
    CHECK(error_of(frame({.first = whole, .payload = std::string(126, 'a')})) == close_code::protocol_error);
  }
  CHECK(read_all(frame({.first = 0x89, .payload = std::string(125, 'a')})).control == std::string(125, 'a'));
}

TEST_CASE("frame: section 5.5.1: a Close says nothing, or a code and a reason") {
  const Read empty = read_all(frame({.first = 0x88}));
  CHECK(empty.kinds == std::vector{Kind::close});
  CHECK(empty.code == close_code::no_status);
  CHECK(error_of(frame({.first = 0x88, .payload = "x"})) == close_code::protocol_error);
  const Read said = read_all(frame({.first = 0x88, .payload = close_payload(1000, "bye")}));
  CHECK(said.kinds == std::vector{Kind::close});
  CHECK(said.code == 1000);
  CHECK(error_of(frame({.first = 0x88, .payload = close_payload(1000, "\xff")})) == close_code::invalid_data);
}

TEST_CASE("frame: section 7.4: codes that may not be sent are refused") {
  for (const std::uint16_t code :
       std::initializer_list<std::uint16_t>{0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65'535}) {
    CAPTURE(code);
    CHECK(error_of(frame({.first = 0x88, .payload = close_payload(code)})) == close_code::protocol_error);
  }
  for (const std::uint16_t code : std::initializer_list<std::uint16_t>{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010,
                                                                       1011, 3000, 3999, 4000, 4999}) {
    CAPTURE(code);
    CHECK(read_all(frame({.first = 0x88, .payload = close_payload(code)})).code == code);
  }
}

TEST_CASE("frame: after a Close or an error: nothing more is read") {
  FrameParser parser(100);
  const std::string bytes = frame({.first = 0x88}) + frame({.payload = "x"});
  const FrameParser::Event event = parser.next(bytes);
  CHECK(event.kind == Kind::close);
  CHECK(parser.next(std::string_view{bytes}.substr(event.used)).kind == Kind::error);
}

TEST_CASE("frame: section 8.1: text that is not UTF-8 fails at its first wrong byte") {
  for (const char* wrong : {"\xff", "\x80", "\xc0\xaf", "\xc1\x80", "\xe0\x9f\x80", "\xed\xa0\x80", "\xf0\x8f\x80\x80",
                            "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "a\xce", "\xe2\x82"}) {
    CAPTURE(wrong);
    CHECK(error_of(frame({.payload = wrong})) == close_code::invalid_data);
  }
  CHECK(read_all(frame({.first = 0x82, .payload = "\xff\xfe"})).kinds == std::vector{Kind::message});
  // a character may be split between frames, a wrong one fails before its frame has ended
  CHECK(read_all(frame({.first = 0x01, .payload = "\xce"}) + frame({.first = 0x80, .payload = "\xba"})).kinds ==
        std::vector{Kind::message});
  const std::string early = frame({.first = 0x01, .payload = "\xf4\x90 and more to come"}).substr(0, 8);
  CHECK(error_of(early) == close_code::invalid_data);
}

TEST_CASE("frame: a message over the limit: refused by its head, in one frame or several") {
  const std::string head = frame({.payload = std::string(16'385, 'a')}).substr(0, 8);
  CHECK(error_of(head) == close_code::too_big);
  const std::string parts =
      frame({.first = 0x01, .payload = std::string(16'384, 'a')}) + frame({.first = 0x80, .payload = "b"});
  CHECK(read_all(parts, parts.size()).code == close_code::too_big);
}

TEST_CASE("frame: what the server writes: whole, not masked, in the shortest form") {
  std::string out;
  append_frame(out, Opcode::text, "Hello");
  CHECK(out == "\x81\x05Hello");
  const auto head_of = [](std::size_t size) {
    std::string head;
    append_frame_head(head, Opcode::binary, size);
    return head;
  };
  CHECK(head_of(125) == "\x82\x7d");
  CHECK(head_of(126) == std::string{"\x82\x7e\x00\x7e", 4});
  CHECK(head_of(65'535) == std::string{"\x82\x7e\xff\xff", 4});
  CHECK(head_of(65'536) == std::string{"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00", 10});
  std::string close;
  append_close(close, close_code::going_away, std::string(200, 'r'));
  CHECK(close.size() == 2 + 125);
  CHECK(close.substr(0, 4) == std::string{"\x88\x7d\x03\xe9", 4});
  std::string silent;
  append_close(silent, close_code::no_status);
  CHECK(silent == std::string{"\x88\x00", 2});
}
