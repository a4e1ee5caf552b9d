#include "bench/flash_sale/ledger.hpp"

#include <doctest/doctest.h>

#include <cstdio>
#include <fstream>

#include "tests/server/config/temporary_directory.hpp"

using namespace usher;
using namespace usher::flash;

TEST_CASE("ledger: written and read: the same entries") {
  const TemporaryDirectory folder;
  const std::string file = (folder.path() / "ledger.jsonl").string();
  Ledger ledger;
  for (std::size_t told = 0; told < static_cast<std::size_t>(Told::count_); ++told) {
    Entry entry;
    entry.told = static_cast<Told>(told);
    entry.person = static_cast<std::uint32_t>(told) * 7;
    entry.show = "show-1";
    entry.reservation = "r" + std::to_string(told);
    if (told % 2 == 0) entry.booking = "b" + std::to_string(told);
    if (told % 3 == 0) entry.seats = {"A1", "A2"};
    entry.amount = 3000;
    entry.percent = 50;
    entry.lsn = 1ULL << 40U;
    entry.at_ms = 1'796'148'000'500;
    entry.until_ms = entry.at_ms + 600'000;
    ledger.push_back(entry);
  }
  REQUIRE(write_ledger(file, ledger));
  const Result<Ledger> read = read_ledger(file);
  REQUIRE(read);
  CHECK(read.value() == ledger);
}

TEST_CASE("ledger: a line that is none: invalid, with its place") {
  const TemporaryDirectory folder;
  const std::string file = (folder.path() / "ledger.jsonl").string();
  std::ofstream(file) << "{\"told\":\"released\",\"person\":1,\"reservation\":\"r\"}\n{\"told\":\"stolen\"}\n";
  const Result<Ledger> read = read_ledger(file);
  REQUIRE_FALSE(read);
  CHECK(read.error().code == ErrorCode::invalid);
  CHECK(read.error().detail == file + ":2: not an entry of a ledger");
}

TEST_CASE("ledger: no such file: not_found; no such folder: io") {
  CHECK(read_ledger("no-such-ledger").error().code == ErrorCode::not_found);
  CHECK(write_ledger("no-such-folder/ledger", {}).error().code == ErrorCode::io);
}
