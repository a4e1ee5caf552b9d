#include "server/cli/side_check.hpp"

#include <doctest/doctest.h>

#include "server/api/people.hpp"
#include "server/events/lsn_cursor.hpp"
#include "server/notify/contacts.hpp"
#include "server/notify/delivery.hpp"

using namespace usher;
using namespace usher::server;

namespace {

constexpr Id reservation{IdKind::reservation, static_cast<ShowNumber>(7), 5, 99};

/// Rows as the server writes them: a person, their contact, a gate, a delivery and its courier's cursor.
std::vector<SideWrite> whole_rows() {
  api::RandomPool random;
  const std::string key = api::random_bytes(random, 32);
  const std::string user("\0\0\0\0\0\0\0\1", 8);
  std::vector<SideWrite> rows =
      notify::contact_rows(random, static_cast<UserNumber>(1), reservation, {"a@example.org", "+4930123456"});
  rows.push_back({"k" + user, key});
  rows.push_back({"p" + user, api::seal(key, api::random_bytes(random, 12), std::string("issuer\0alice", 12))});
  gate::GateBook gates;
  rows.push_back(gates.put({"north", "North", true, "show-1"}).value());
  notify::Delivery delivery;
  delivery.id = "mail-0-3-0-booked";
  delivery.kind = "booked";
  rows.push_back(notify::to_row(delivery));
  rows.push_back({"qmail", events::format_cursor({3, 0})});
  return rows;
}

std::vector<std::string> check(const std::vector<SideWrite>& rows) {
  cli::SideCheck side({3, 1});
  for (const SideWrite& row : rows) side.add(row.key, row.value);
  return side.finish();
}

}  // namespace

TEST_CASE("SideCheck: rows as the server writes them: nothing is wrong") {
  CHECK(check(whole_rows()).empty());
  CHECK(check({}).empty());
}

TEST_CASE("SideCheck: any row with a byte that was changed or lost: is found") {
  const std::vector<SideWrite> rows = whole_rows();
  for (std::size_t at = 0; at < rows.size(); ++at) {
    std::vector<SideWrite> shorter = rows;
    shorter[at].value.pop_back();
    CAPTURE(rows[at].key[0]);
    CHECK(check(shorter).size() == 1);
    const bool sealed = std::string_view("kpxc").find(rows[at].key[0]) != std::string_view::npos;
    if (!sealed) continue;
    std::vector<SideWrite> other = rows;
    other[at].value[other[at].value.size() / 2] = static_cast<char>(other[at].value[other[at].value.size() / 2] ^ 1);
    CHECK(check(other).size() == 1);
  }
}

TEST_CASE("SideCheck: a key without its row, or the reverse: half of somebody was erased") {
  const std::vector<SideWrite> rows = whole_rows();
  for (std::size_t at = 0; at < rows.size(); ++at) {
    if (std::string_view("kpxc").find(rows[at].key[0]) == std::string_view::npos) continue;
    std::vector<SideWrite> fewer = rows;
    fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(at));
    const std::vector<std::string> wrong = check(fewer);
    REQUIRE(wrong.size() == 1);
    CHECK(wrong[0].find("without key, or the reverse") != std::string::npos);
  }
}

TEST_CASE("SideCheck: a cursor beyond the end of a shard's log: somebody was told what was not") {
  CHECK(check({{"qmail", events::format_cursor({3, 1})}}).empty());
  CHECK(check({{"qmail", events::format_cursor({4, 1})}}).size() == 1);
  CHECK(check({{"qmail", events::format_cursor({4, 2})}}).size() == 2);
  CHECK(check({{"qmail", events::format_cursor({1, 1, 1})}}).size() == 1);
  CHECK(check({{"qmail", ""}}).size() == 1);
}

TEST_CASE("SideCheck: a row of a kind that nobody knows: is told, without its content") {
  const std::vector<std::string> wrong = check({{"zalice", "secret"}});
  REQUIRE(wrong.size() == 1);
  CHECK(wrong[0].find("alice") == std::string::npos);
  CHECK(wrong[0].find("secret") == std::string::npos);
  CHECK(check({{"", "x"}}).size() == 1);
}
