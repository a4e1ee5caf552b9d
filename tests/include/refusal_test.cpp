#include "usher/refusal.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace usher;

TEST_CASE("refusals: the table: every refusal has a status, a title and a code of its own") {
  std::set<std::string_view> codes;
  for (std::size_t i = 1; i < static_cast<std::size_t>(Refusal::count_); ++i) {
    const RefusalInfo& info = describe(static_cast<Refusal>(i));
    CHECK(info.status >= 400);
    CHECK(info.status <= 503);
    CHECK_FALSE(info.title.empty());
    CHECK(codes.insert(info.code).second);
  }
  CHECK(describe(Refusal::seats_unavailable).code == "seats_unavailable");
  CHECK(describe(Refusal::show_full).code == "show_full");
}
