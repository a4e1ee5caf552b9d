#include "server/gate/gate_book.hpp"

#include <doctest/doctest.h>

using namespace usher;
using usher::server::gate::Gate;
using usher::server::gate::GateBook;

TEST_CASE("gate_book: gates: are found, listed, replaced and removed, and each change is a row") {
  GateBook book;
  const auto row = book.put({"north", "North door", false, "screen-1"});
  REQUIRE(row);
  CHECK(row->key == "gnorth");
  REQUIRE(book.find("north"));
  CHECK(book.find("north")->target == "screen-1");
  CHECK_FALSE(book.find("south"));
  REQUIRE(book.put({"north", "", true, "show-1"}));
  CHECK(book.list().size() == 1);
  CHECK(book.find("north")->of_show);

  GateBook again;
  CHECK(again.load(row->key, row->value));
  CHECK(again.find("north")->name == "North door");
  CHECK_FALSE(again.load("gx", row->value.substr(0, 3)));

  const auto removed = book.remove("north");
  REQUIRE(removed);
  CHECK(removed->value.empty());
  CHECK_FALSE(book.remove("north"));
}
