#include "server/journal/demand_journal.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/server/config/temporary_directory.hpp"
#include "tests/server/journal/kept.hpp"

using namespace usher;
using namespace usher::server::journal;
using usher::server::journal::test::Kept;

namespace {

namespace fs = std::filesystem;

JournalOptions options_in(const fs::path& folder) {
  JournalOptions options;
  options.directory = (folder / "journal").string();
  options.space_min = 0;
  options.settings = {{"policy.cooldown", "\"1m\""}};
  options.show_of = [](ShowNumber number) {
    return ShowEntry{number, "show-" + std::to_string(to_value(number)), 100, instant_from_ms(5)};
  };
  return options;
}

void decide(DemandJournal& journal, std::size_t loop, std::uint32_t number) {
  Command command;
  command.type = CommandType::reserve;
  command.show = static_cast<ShowNumber>(1 + number % 3);
  command.sequence = number;
  command.user = static_cast<UserNumber>(loop);
  Reply reply;
  reply.now = instant_from_ms(1'796'148'000'000 + number);
  reply.refusal = Refusal::seats_unavailable;
  journal.tap(loop).on_decision(command, reply);
}

std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& file : fs::directory_iterator(folder / "journal")) files.push_back(file.path());
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

TEST_CASE("demand journal: commands of two loops: all are read again, each loop's in order") {
  const TemporaryDirectory folder;
  JournalOptions options = options_in(folder.path());
  options.loops = 2;
  {
    auto journal = DemandJournal::open(options);
    REQUIRE(journal);
    std::thread other([&] {
      for (std::uint32_t i = 0; i < 20'000; ++i) decide(*journal.value(), 1, i);
    });
    for (std::uint32_t i = 0; i < 20'000; ++i) decide(*journal.value(), 0, i);
    other.join();
  }
  Kept kept;
  const Result<JournalEnd> end = read_journal(options.directory, kept);
  REQUIRE(end);
  CHECK(end.value().commands == 40'000);
  REQUIRE(end.value().files.size() == 1);
  CHECK(end.value().files[0].note.empty());
  CHECK(end.value().files[0].from > Instant{});
  CHECK(kept.dropped == 0);
  CHECK(kept.settings.size() == 1);
  CHECK(kept.shows.size() == 3);
  std::array<std::uint32_t, 2> next{};
  for (const Decision& decision : kept.decisions) REQUIRE(decision.sequence == next[to_value(decision.user)]++);
}

TEST_CASE("demand journal: more than the queue holds at once: dropped, counted and told") {
  const TemporaryDirectory folder;
  JournalOptions options = options_in(folder.path());
  options.queue_capacity = 16;
  std::uint64_t dropped = 0;
  {
    auto journal = DemandJournal::open(options);
    REQUIRE(journal);
    for (std::uint32_t i = 0; i < 100'000; ++i) decide(*journal.value(), 0, i);
    dropped = journal.value()->dropped();
  }
  CHECK(dropped > 0);
  Kept kept;
  const Result<JournalEnd> end = read_journal(options.directory, kept);
  REQUIRE(end);
  CHECK(end.value().commands + dropped == 100'000);
  CHECK(kept.dropped == dropped);
}

TEST_CASE("demand journal: a full file: the next one begins, and tells everything anew") {
  const TemporaryDirectory folder;
  JournalOptions options = options_in(folder.path());
  options.file_bytes_max = 64 * 1024;
  {
    auto journal = DemandJournal::open(options);
    REQUIRE(journal);
    for (std::uint32_t i = 0; i < 30'000; ++i) decide(*journal.value(), 0, i);
  }
  const auto files = files_in(folder.path());
  CHECK(files.size() > 2);
  Kept kept;
  const Result<JournalEnd> end = read_journal(options.directory, kept);
  REQUIRE(end);
  REQUIRE(end.value().files.size() == files.size());
  CHECK(end.value().files.front().name == files.front().filename().string());
  CHECK(end.value().files.front().from <= end.value().files.back().from);
  CHECK(kept.decisions.size() == 30'000);
  CHECK(kept.settings.size() == files.size());
  for (std::uint32_t i = 0; i < 30'000; ++i) REQUIRE(kept.decisions[i].sequence == i);
}

TEST_CASE("demand journal: a torn or changed end: what came before counts, and it is told") {
  const TemporaryDirectory folder;
  const JournalOptions options = options_in(folder.path());
  {
    auto journal = DemandJournal::open(options);
    REQUIRE(journal);
    for (std::uint32_t i = 0; i < 30'000; ++i) decide(*journal.value(), 0, i);
  }
  const fs::path file = files_in(folder.path()).front();
  const auto size = fs::file_size(file);
  fs::resize_file(file, size - 1);
  Kept torn;
  Result<JournalEnd> end = read_journal(options.directory, torn);
  REQUIRE(end);
  CHECK(end.value().files[0].note.find("torn or damaged") != std::string::npos);
  CHECK(torn.decisions.size() < 30'000);
  {
    std::fstream change(file, std::ios::in | std::ios::out | std::ios::binary);
    change.seekp(static_cast<std::streamoff>(magic.size()) + 40);
    change.put('\x7f');
  }
  Kept changed;
  end = read_journal(options.directory, changed);
  REQUIRE(end);
  CHECK(end.value().files[0].note.find("torn or damaged") != std::string::npos);
  CHECK(changed.decisions.size() < torn.decisions.size() + 1);
  std::ofstream(file, std::ios::trunc) << "something else";
  Kept other;
  end = read_journal(options.directory, other);
  REQUIRE(end);
  CHECK(end.value().files[0].note.find("no demand journal of a version that is known") != std::string::npos);
}

TEST_CASE("demand journal: too little space: it ends, serving does not") {
  const TemporaryDirectory folder;
  JournalOptions options = options_in(folder.path());
  options.space_min = ~0ULL;
  std::string why;
  options.on_failure = [&why](const std::string& text) { why = text; };
  std::uint64_t dropped = 0;
  {
    auto journal = DemandJournal::open(options);
    REQUIRE(journal);
    for (std::uint32_t i = 0; i < 100; ++i) decide(*journal.value(), 0, i);
    while (journal.value()->dropped() < 100) std::this_thread::yield();
    dropped = journal.value()->dropped();
  }
  CHECK(dropped == 100);
  CHECK(why.find("less free space") != std::string::npos);
}

TEST_CASE("demand journal: a folder that cannot be, and one without a journal: told") {
  const TemporaryDirectory folder;
  std::ofstream(folder.path() / "file") << "x";
  JournalOptions options = options_in(folder.path());
  options.directory = (folder.path() / "file" / "below").string();
  CHECK(DemandJournal::open(options).error().code == ErrorCode::io);
  Kept kept;
  CHECK(read_journal(folder.path().string(), kept).error().code == ErrorCode::not_found);
}
