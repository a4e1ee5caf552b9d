#include "server/json/reader.hpp"

#include <doctest/doctest.h>

#include <string>

namespace {

using namespace usher::server::json;

// What reading {"name": string 1..3, "count": 0..9, "on"?: bool, "seat_ids"?: [string 1..2] (at most 3)} complains
// about.
std::string complaint(std::string_view text) {
  Reader reader(1'000);
  Object root = reader.parse_copy(text);
  static_cast<void>(root.string("name", {1, 3}));
  static_cast<void>(root.integer("count", 0, 9));
  static_cast<void>(root.optional_boolean("on"));
  Array seats = root.optional_array("seat_ids", 1, 3);
  while (seats.next()) static_cast<void>(seats.string({1, 2}));
  root.finish();
  CHECK(reader.ok() == reader.error().empty());
  return std::string{reader.error()};
}

TEST_CASE("reader: a good text: its values") {
  Reader reader;
  const std::string text =
      R"({"name":"A\u00e4","count":-7,"price":1.5,"on":true,"none":null,"inner":{"list":[1,2],"kind":"premium"}})";
  Object root = reader.parse_copy(text);
  CHECK(root.string("name", {1, 10}) == "A\xc3\xa4");
  CHECK(root.integer("count", -10, 10) == -7);
  CHECK(root.number("price", 0, 2) == 1.5);
  CHECK(root.boolean("on"));
  CHECK_FALSE(root.optional_string("none", {1, 1}).has_value());
  CHECK_FALSE(root.optional_integer("absent", 0, 1).has_value());
  CHECK_FALSE(root.has("none"));
  Object inner = root.object("inner");
  CHECK(inner.has_array("list"));
  Array list = inner.array("list", 2, 2);
  CHECK(list.size() == 2);
  CHECK(list.next());
  CHECK(list.integer(0, 9) == 1);
  CHECK(list.next());
  CHECK(list.integer(0, 9) == 2);
  CHECK_FALSE(list.next());
  const std::string_view kinds[] = {"standard", "premium"};
  CHECK(inner.one_of("kind", kinds) == 1);
  inner.finish();
  CHECK_FALSE(root.optional_object("absent").present());
  root.finish();
  CHECK(reader.ok());
}

TEST_CASE("reader: what is wrong with a text: where, and which rule") {
  CHECK(complaint(R"({"name":"a","count":1})") == "");
  CHECK(complaint(R"({"name":"a","count":1,"on":null,"seat_ids":null})") == "");
  CHECK(complaint("") == "body: is empty, a JSON object is expected");
  CHECK(complaint("   ") == "body: is empty, a JSON object is expected");
  CHECK(complaint("[]") == "body: must be a JSON object");
  CHECK(complaint("7") == "body: must be a JSON object");
  CHECK(complaint("{") == "body: is not valid JSON");
  CHECK(complaint(R"({"name":"a","count":1} x)") == "body: is not valid JSON");
  CHECK(complaint(R"({"name":"a","count":1}{})") == "body: is not valid JSON");
  CHECK(complaint(R"({"name":"a",})") == "body: is not valid JSON");
  CHECK(complaint("{\"name\":\"\xff\"}") == "body: is not valid UTF-8");
  CHECK(complaint(R"({"name":"\ud800","count":1})") != "");
  CHECK(complaint(std::string(2'000, ' ')) == "body: is longer than 1000 bytes");
  CHECK(complaint(std::string(100, '[')) != "");
  CHECK(complaint(R"({"count":1})") == "name: is required");
  CHECK(complaint(R"({"name":null,"count":1})") == "name: must be a string of 1 to 3 bytes");
  CHECK(complaint(R"({"name":"","count":1})") == "name: must be a string of 1 to 3 bytes");
  CHECK(complaint(R"({"name":"abcd","count":1})") == "name: must be a string of 1 to 3 bytes");
  CHECK(complaint(R"({"name":1,"count":1})") == "name: must be a string of 1 to 3 bytes");
  CHECK(complaint(R"({"name":"a","count":10})") == "count: must be an integer from 0 to 9");
  CHECK(complaint(R"({"name":"a","count":1.0})") == "count: must be an integer from 0 to 9");
  CHECK(complaint(R"({"name":"a","count":"1"})") == "count: must be an integer from 0 to 9");
  CHECK(complaint(R"({"name":"a","count":99999999999999999999})") != "");
  CHECK(complaint(R"({"name":"a","count":1,"on":1})") == "on: must be true or false");
  CHECK(complaint(R"({"name":"a","count":1,"seat_ids":[]})") == "seat_ids: must be an array of 1 to 3 elements");
  CHECK(complaint(R"({"name":"a","count":1,"seat_ids":["1","2","3","4"]})") ==
        "seat_ids: must be an array of 1 to 3 elements");
  CHECK(complaint(R"({"name":"a","count":1,"seat_ids":{}})") == "seat_ids: must be an array of 1 to 3 elements");
  CHECK(complaint(R"({"name":"a","count":1,"seat_ids":["1","2",3]})") ==
        "seat_ids[2]: must be a string of 1 to 2 bytes");
  CHECK(complaint(R"({"name":"a","count":1,"nmae":1})") == "nmae: is not a field here");
  CHECK(complaint(R"({"name":"a","name":"b","count":1})") == "name: is given twice");
  CHECK(complaint(R"({"name":"a","count":1,"":1})") == "\"\": is not a field here");
}

TEST_CASE("reader: deeper than 32: refused, 32 and more siblings are not") {
  std::string text;
  for (int i = 0; i < 40; ++i) text += "{\"a\":";
  text += "1" + std::string(40, '}');
  Reader reader;
  static_cast<void>(reader.parse_copy(text).present());
  CHECK(reader.error() == "body: is nested more than 32 deep");
  std::string wide = "{\"list\":[";
  for (int i = 0; i < 100; ++i) wide += i == 0 ? "[]" : ",[]";
  Object root = reader.parse_copy(wide + "]}");
  CHECK(root.array("list", 0, 100).size() == 100);
  CHECK(reader.ok());
}

TEST_CASE("reader: several errors: as many as asked for, each with its path, all counted") {
  Reader reader(1'000, 3);
  Object root = reader.parse_copy(R"({"shows":[{"id":1},{"id":"a","x":1},{"id":"b","seats":[7,8]}]})");
  Array shows = root.array("shows", 0, 10);
  while (shows.next()) {
    Object show = shows.object();
    static_cast<void>(show.string("id", {1, 5}));
    Array seats = show.optional_array("seats", 0, 5);
    while (seats.next()) static_cast<void>(seats.string({1, 5}));
    show.finish();
  }
  shows.fail("comes last");
  CHECK(reader.error_count() == 5);
  REQUIRE(reader.errors().size() == 3);
  CHECK(reader.errors()[0] == "shows[0].id: must be a string of 1 to 5 bytes");
  CHECK(reader.errors()[1] == "shows[1].x: is not a field here");
  CHECK(reader.errors()[2] == "shows[2].seats[0]: must be a string of 1 to 5 bytes");
}

TEST_CASE("reader: after an error everything reads as its default, and the next text is read afresh") {
  Reader reader;
  Object bad = reader.parse_copy("nonsense");
  CHECK(bad.string("a", {0, 9}) == "");
  CHECK(bad.integer("b", 3, 9) == 3);
  CHECK_FALSE(bad.array("c", 0, 1).next());
  CHECK_FALSE(bad.object("d").present());
  bad.finish();
  CHECK(reader.error_count() == 1);
  Object good = reader.parse_copy(R"({"a":"x"})");
  CHECK(good.string("a", {0, 9}) == "x");
  good.finish();
  CHECK(reader.ok());
}

TEST_CASE("reader: an object of 64 fields is read, one of 65 refused") {
  for (const int count : {63, 64, 65}) {
    std::string text = "{";
    for (int i = 0; i < count; ++i) text += (i == 0 ? "\"f" : ",\"f") + std::to_string(i) + "\":1";
    Reader reader(10'000);
    Object root = reader.parse_copy(text + "}");
    for (int i = 0; i < count; ++i) static_cast<void>(root.optional_integer("f" + std::to_string(i), 0, 1));
    root.finish();
    CHECK(reader.ok() == (count <= 64));
  }
}

}  // namespace
