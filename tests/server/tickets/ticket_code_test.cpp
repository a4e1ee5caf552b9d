#include "server/tickets/ticket_code.hpp"

#include <doctest/doctest.h>

using namespace usher;
using namespace usher::server::tickets;

namespace {

TicketPayload example() {
  TicketPayload payload;
  payload.key = 0x01020304;
  payload.ticket = {0x0000000700008018ULL, 0x9a3b1c2d3e4f5a6bULL};
  payload.valid_from = instant_from_ms(1'795'539'600'000);
  payload.valid_until = instant_from_ms(1'795'557'600'000);
  payload.seat = "F12";
  return payload;
}

}  // namespace

TEST_CASE("ticket_code: a payload: is written as the grammar says, and read back") {
  const std::string bytes = encode_payload(example());
  CHECK(bytes.size() == 33);
  CHECK(bytes.substr(0, 5) == std::string("\x01\x01\x02\x03\x04", 5));
  CHECK(bytes.substr(29) ==
        "\x03"
        "F12");
  const std::string code = format_code(bytes, std::string(signature_bytes, 'x'));
  CHECK(code.size() == 134);
  const auto parsed = parse_code(code);
  REQUIRE(parsed);
  CHECK(parsed->payload == example());
  CHECK(parsed->payload_bytes == bytes);
  CHECK(parsed->signature == std::string(signature_bytes, 'x'));
  CHECK(to_value(parsed->payload.show()) == 7);
}

TEST_CASE("ticket_code: milliseconds: are cut, so that one ticket has one code") {
  TicketPayload later = example();
  later.valid_from += Duration{999};
  CHECK(encode_payload(later) == encode_payload(example()));
}

TEST_CASE("ticket_code: what is not a code: is not read") {
  const std::string code = format_code(encode_payload(example()), std::string(signature_bytes, 'x'));
  CHECK_FALSE(parse_code(""));
  CHECK_FALSE(parse_code("UT1."));
  CHECK_FALSE(parse_code("UT2." + code.substr(4)));
  CHECK_FALSE(parse_code(code + "A"));
  CHECK_FALSE(parse_code(code + "="));
  CHECK_FALSE(parse_code(code.substr(0, code.size() - 2)));
  CHECK_FALSE(parse_code(std::string(10'000, 'A')));
  for (std::size_t cut = 0; cut < code.size(); ++cut) CHECK_FALSE(parse_code(code.substr(0, cut)));
  std::string other_version = encode_payload(example());
  other_version[0] = 2;
  CHECK_FALSE(parse_code(format_code(other_version, std::string(signature_bytes, 'x'))));
}

TEST_CASE("ticket_code: a key's number: is 8 hex digits and nothing else") {
  CHECK(key_text(0x00abcdef) == "00abcdef");
  CHECK(parse_key("00abcdef") == 0x00abcdefU);
  for (const char* wrong : {"", "abcdef", "00abcdeg", "000abcdef", "+0abcdef", "0x0abcde", "00ABCDEF"})
    CHECK_FALSE(parse_key(wrong));
}
