#include "wal/disk_guard.hpp"

#include <doctest/doctest.h>

#include <fstream>

#include "tests/wal/support.hpp"

namespace usher::wal {
namespace {

constexpr std::uint64_t mib = std::uint64_t{1} << 20U;

/// A disk whose free space the test says, and a clock that it moves.
struct Fixture {
  test::TempDir directory;
  std::uint64_t free = 10'000 * mib;
  std::uint64_t now = 1;
  std::uint64_t looks = 0;
  std::vector<std::string> fatal;

  DiskGuardOptions options() {
    DiskGuardOptions options;
    options.directory = directory.path();
    options.ballast_bytes = 2 * mib;
    options.monotonic_ns = [this] { return now; };
    options.fatal = [this](const std::string& why) { fatal.push_back(why); };
    options.free_bytes = [this](const std::string&) -> Result<std::uint64_t> {
      ++looks;
      return free + (std::filesystem::exists(directory.path() + "/ballast") ? 0 : 40 * mib);
    };
    return options;
  }
  [[nodiscard]] std::string ballast() const { return directory.path() + "/ballast"; }
  void later() { now += 100'000'000; }
};

TEST_CASE("disk guard: around the high-water mark: no new reserves below it, and again above") {
  Fixture disk;
  DiskGuard guard(disk.options());
  std::ofstream(disk.ballast()) << "x";
  CHECK(guard.has_space());
  disk.free = 512 * mib - 1;
  disk.later();
  CHECK_FALSE(guard.has_space());
  CHECK(guard.free_bytes() == disk.free);
  disk.free = 512 * mib;
  disk.later();
  CHECK(guard.has_space());
  CHECK(disk.fatal.empty());
}

TEST_CASE("disk guard: asked often: looks once per 100 ms") {
  Fixture disk;
  DiskGuard guard(disk.options());
  for (int at = 0; at < 1'000; ++at) CHECK(guard.has_space());
  CHECK(disk.looks == 1);
  disk.now += 99'999'999;
  CHECK(guard.has_space());
  CHECK(disk.looks == 1);
  disk.now += 1;
  CHECK(guard.has_space());
  CHECK(disk.looks == 2);
}

TEST_CASE("disk guard: below the low-water mark: fatal once, in words") {
  Fixture disk;
  DiskGuard guard(disk.options());
  std::ofstream(disk.ballast()) << "x";
  disk.free = 128 * mib;
  guard.poll();
  CHECK(disk.fatal.empty());
  disk.free = 128 * mib - 1;
  disk.later();
  guard.poll();
  disk.later();
  guard.poll();
  REQUIRE(disk.fatal.size() == 1);
  CHECK(disk.fatal[0].find("127 MiB") != std::string::npos);
}

TEST_CASE("disk guard: ballast: laid down where there is plenty, and really there") {
  Fixture disk;
  DiskGuard guard(disk.options());
  disk.free = 476 * mib - 1;  // 516 MiB without the ballast: mark and twice the ballast
  REQUIRE(guard.settle());
  CHECK_FALSE(std::filesystem::exists(disk.ballast()));
  disk.free = 10'000 * mib;
  REQUIRE(guard.settle());
  CHECK(std::filesystem::file_size(disk.ballast()) == 2 * mib);
}

TEST_CASE("disk guard: a full disk at the start: the ballast goes, the log opens and stops at a quarter of the mark") {
  Fixture disk;
  std::ofstream(disk.ballast()) << "x";
  disk.free = 10 * mib;
  DiskGuard guard(disk.options());
  REQUIRE(guard.make_room());
  CHECK_FALSE(std::filesystem::exists(disk.ballast()));
  REQUIRE(guard.settle());
  guard.poll();
  CHECK(disk.fatal.empty());  // 50 MiB
  CHECK_FALSE(guard.has_space());
  disk.free = 0;
  disk.later();
  guard.poll();
  CHECK(disk.fatal.empty());  // 40 MiB
}

TEST_CASE("disk guard: a full disk whose ballast does not help: refused in words") {
  Fixture disk;
  DiskGuardOptions options = disk.options();
  options.free_bytes = [](const std::string&) -> Result<std::uint64_t> { return 32 * mib - 1; };
  DiskGuard guard(options);
  const Status room = guard.make_room();
  REQUIRE_FALSE(room);
  CHECK(room.error().code == ErrorCode::no_space);
  CHECK(room.error().detail.find("31 MiB") != std::string::npos);
}

TEST_CASE("disk guard: by statvfs: the temporary directory has some space; a missing one is an error") {
  const test::TempDir directory;
  const auto free = free_bytes_of(directory.path());
  REQUIRE(free);
  CHECK(free.value() > 0);
  CHECK_FALSE(free_bytes_of(directory.path() + "/nothing"));
}

TEST_CASE("disk guard: in an opened log: has_space() says what the disk says") {
  const test::TempDir directory;
  std::uint64_t free = 1'000 * mib;
  LogOptions options = test::disk_options(directory.path());
  options.own_threads = false;
  options.high_water_bytes = 500 * mib;
  options.monotonic_ns = [now = std::uint64_t{0}]() mutable { return now += 100'000'000; };
  options.free_bytes = [&free](const std::string&) -> Result<std::uint64_t> { return free; };
  auto log = open(options, {});
  REQUIRE(log);
  CHECK(log.value()->has_space());
  free = 499 * mib;
  CHECK_FALSE(log.value()->has_space());
  free = 500 * mib;
  CHECK(log.value()->has_space());
  REQUIRE(log.value()->close());
}

}  // namespace
}  // namespace usher::wal
