#include "server/json/writer.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <string>

#include "server/json/seat_ids.hpp"

namespace {

using namespace usher;
using namespace usher::server::json;

std::string instant_text(std::int64_t ms) {
  std::string text(instant_text_bytes, '\0');
  write_instant(instant_from_ms(ms), text.data());
  return text;
}

TEST_CASE("writer: objects and arrays: commas where they belong") {
  TextBuffer out;
  Writer writer(out);
  writer.begin_object();
  writer.field("a", 1);
  writer.field("b", "x,");
  writer.key("c");
  writer.begin_array();
  writer.string("{");
  writer.integer(-5);
  writer.begin_object();
  writer.end_object();
  writer.null();
  writer.end_array();
  writer.field("d", true);
  writer.field("e", 0.5);
  writer.field("f", Money{1'500, {}});
  writer.key("g");
  writer.raw("[]");
  writer.field("h", std::numeric_limits<std::uint64_t>::max());
  writer.end_object();
  CHECK(out.view() ==
        R"({"a":1,"b":"x,","c":["{",-5,{},null],"d":true,"e":0.5,"f":{"amount":1500,"currency":"USD"},"g":[],)"
        R"("h":18446744073709551615})");
}

TEST_CASE("writer: strings: escaped by RFC 8259, invalid UTF-8 replaced") {
  const auto written = [](std::string_view text) {
    TextBuffer out;
    Writer(out).string(text);
    return std::string{out.view()};
  };
  CHECK(written("a\"b\\c/") == R"("a\"b\\c/")");
  CHECK(written("\n\r\t\b\f\x01\x1f\x7f") == "\"\\n\\r\\t\\b\\f\\u0001\\u001f\x7f\"");
  CHECK(written("\xc3\xa4\xe2\x82\xac\xf0\x9f\x8e\xac") == "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x8e\xac\"");
  for (const char* wrong : {"\xff", "\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\xe2\x82"}) {
    CHECK_MESSAGE(written(wrong).find("\xef\xbf\xbd") == 1, wrong);
  }
}

TEST_CASE("writer: not-a-number and infinity: null") {
  TextBuffer out;
  Writer(out).real(std::numeric_limits<double>::quiet_NaN());
  CHECK(out.view() == "null");
}

TEST_CASE("writer: an id and an instant") {
  TextBuffer out;
  Writer writer(out);
  writer.begin_object();
  writer.field("id", Id{IdKind::reservation, ShowNumber{1}, 2, 3});
  writer.field("at", instant_from_ms(0));
  writer.end_object();
  CHECK(out.view() == "{\"id\":\"" + to_string(Id{IdKind::reservation, ShowNumber{1}, 2, 3}) +
                          "\",\"at\":\"1970-01-01T00:00:00.000Z\"}");
}

TEST_CASE("instant: known dates, leap days, before 1970, and the ends") {
  CHECK(instant_text(1'795'510'923'042) == "2026-11-24T09:02:03.042Z");
  CHECK(instant_text(951'782'400'000) == "2000-02-29T00:00:00.000Z");
  CHECK(instant_text(4'107'542'399'999) == "2100-02-28T23:59:59.999Z");
  CHECK(instant_text(4'107'542'400'000) == "2100-03-01T00:00:00.000Z");
  CHECK(instant_text(-1) == "1969-12-31T23:59:59.999Z");
  CHECK(instant_text(std::numeric_limits<std::int64_t>::max()) == "9999-12-31T23:59:59.999Z");
  CHECK(instant_text(std::numeric_limits<std::int64_t>::min()) == "0000-01-01T00:00:00.000Z");
}

TEST_CASE("instant: every day of four centuries has the date that std::chrono gives it") {
  for (std::int64_t day = -150'000; day < 150'000; ++day) {
    const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{day}}};
    const std::string text = instant_text(day * 86'400'000);
    REQUIRE(std::stoi(text.substr(0, 4)) == static_cast<int>(date.year()));
    REQUIRE(std::stoul(text.substr(5, 2)) == static_cast<unsigned>(date.month()));
    REQUIRE(std::stoul(text.substr(8, 2)) == static_cast<unsigned>(date.day()));
  }
}

TEST_CASE("text buffer: grows, keeps its content, can be taken over and emptied") {
  TextBuffer out;
  std::string expected;
  for (int i = 0; i < 5'000; ++i) {
    out.append("abc");
    out.push('d');
    expected += "abcd";
  }
  CHECK(out.view() == expected);
  out.erase_front(19'990);
  CHECK(out.view() == "cdabcdabcd");
  TextBuffer taken = std::move(out);
  CHECK(out.capacity() == 0);
  CHECK(taken.view() == "cdabcdabcd");
  taken.release_above(0);
  CHECK(taken.empty());
}

TEST_CASE("seat ids: the plain body is read in one pass, with any white space") {
  SeatIds ids;
  REQUIRE(read_seat_ids("{\"seat_ids\":[\"F12\",\"F13\"]}", ids));
  CHECK(ids.count == 2);
  CHECK(ids.labels[0] == "F12");
  CHECK(ids.labels[1] == "F13");
  CHECK(read_seat_ids(" {\n\"seat_ids\" : [ \"A\" ] }\r\n", ids));
  CHECK(ids.count == 1);
}

TEST_CASE("seat ids: whatever is not plain is left to the reader") {
  SeatIds ids;
  std::string many = "{\"seat_ids\":[\"1\"";
  for (int i = 1; i < 33; ++i) many += ",\"1\"";
  for (const std::string& body :
       {std::string{}, std::string{"{}"}, std::string{"{\"seat_ids\":[]}"}, std::string{"{\"seat_ids\":[\"\"]}"},
        std::string{"{\"seat_ids\":[\"1\",]}"}, std::string{"{\"seat_ids\":[\"\\u0041\"]}"},
        std::string{"{\"seat_ids\":[\"\xc3\xa4\"]}"}, std::string{"{\"seat_ids\":[1]}"},
        std::string{"{\"seat_ids\":[\"1234567890123456\"]}"}, std::string{"{\"seat_ids\":[\"1\"],\"x\":1}"},
        std::string{"{\"seat_ids\":[\"1\"]} x"}, std::string{"{\"seat_ids\":[\"1"},
        std::string{"{\"seat_id\":[\"1\"]}"}, many + "]}"}) {
    CHECK_MESSAGE(!read_seat_ids(body, ids), body);
  }
}

TEST_CASE("reserve line: its fields in any order, with and without a customer") {
  ReserveLine line;
  REQUIRE(read_reserve_line(R"({"command":"reserve","user_id":"u 7","show_id":"s-1","seat_ids":["F12","F13"]})", line));
  CHECK(line.user_id == "u 7");
  CHECK(line.show_id == "s-1");
  CHECK(line.seats.count == 2);
  REQUIRE(read_reserve_line(R"( { "seat_ids" : ["A"] , "show_id":"s" , "command":"reserve" } )", line));
  CHECK(line.user_id.empty());
  CHECK(line.seats.labels[0] == "A");
}

TEST_CASE("reserve line: whatever is not plain is left to the reader") {
  ReserveLine line;
  for (const char* text :
       {"", "{}", R"({"command":"release","show_id":"s","seat_ids":["A"]})", R"({"show_id":"s","seat_ids":["A"]})",
        R"({"command":"reserve","seat_ids":["A"]})", R"({"command":"reserve","show_id":"s"})",
        R"({"command":"reserve","show_id":"s","seat_ids":[]})",
        R"({"command":"reserve","show_id":"","seat_ids":["A"]})",
        R"({"command":"reserve","show_id":"s","show_id":"s","seat_ids":["A"]})",
        R"({"command":"reserve","show_id":"s","seat_ids":["A"],"idempotency_key":"k"})",
        R"({"command":"reserve","show_id":"s","seat_ids":["A"],"split":true})",
        R"({"command":"reserve","show_id":"s\n","seat_ids":["A"]})",
        R"({"command":"reserve","show_id":1,"seat_ids":["A"]})",
        R"({"command":"reserve","show_id":"s","seat_ids":["A"]} x)",
        R"({"command":"reserve","show_id":"s","seat_ids":["A"])"}) {
    CHECK_MESSAGE(!read_reserve_line(text, line), text);
  }
}

}  // namespace
