#include "wal/disk_guard.hpp"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace usher::wal {
namespace {

constexpr std::uint64_t look_every_ns = 100'000'000;

std::string mib(std::uint64_t bytes) {
  return std::to_string(bytes >> 20U) + " MiB";
}

}  // namespace

Result<std::uint64_t> free_bytes_of(const std::string& directory) {
  struct statvfs status {};
  if (::statvfs(directory.c_str(), &status) != 0) {
    return make_error(ErrorCode::io, "the free space of " + directory + " cannot be read: " + std::strerror(errno));
  }
  return std::uint64_t{status.f_bavail} * std::uint64_t{status.f_frsize};
}

DiskGuard::DiskGuard(DiskGuardOptions options) : options_(std::move(options)), stop_bytes_(options_.low_water_bytes) {
  if (!options_.free_bytes) options_.free_bytes = free_bytes_of;
}

Status DiskGuard::make_room() {
  Result<std::uint64_t> free = options_.free_bytes(options_.directory);
  if (!free) return free.error();
  if (free.value() >= options_.low_water_bytes) return Done{};
  ::unlink(ballast_path().c_str());
  free = options_.free_bytes(options_.directory);
  if (!free) return free.error();
  if (free.value() < options_.low_water_bytes / 4) {
    return make_error(ErrorCode::no_space, "the disk under " + options_.directory + " has " + mib(free.value()) +
                                               " free, and opening the log needs " + mib(options_.low_water_bytes / 4) +
                                               ": free some space and start again");
  }
  return Done{};
}

Status DiskGuard::settle() {
  const Result<std::uint64_t> free = options_.free_bytes(options_.directory);
  if (!free) return free.error();
  if (free.value() < options_.low_water_bytes)
    stop_bytes_.store(options_.low_water_bytes / 4, std::memory_order_relaxed);
  if (options_.ballast_bytes == 0 || ::access(ballast_path().c_str(), F_OK) == 0) return Done{};
  if (free.value() < options_.high_water_bytes + 2 * options_.ballast_bytes) return Done{};
  const int file = ::open(ballast_path().c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  if (file < 0) return make_error(ErrorCode::io, ballast_path() + ": " + std::strerror(errno));
  const int failed = ::posix_fallocate(file, 0, static_cast<off_t>(options_.ballast_bytes));
  ::close(file);
  if (failed == 0) return Done{};
  ::unlink(ballast_path().c_str());
  return make_error(ErrorCode::io, ballast_path() + ": " + std::strerror(failed));
}

void DiskGuard::poll() noexcept {
  const std::uint64_t now = options_.monotonic_ns();
  std::uint64_t next = next_look_ns_.load(std::memory_order_relaxed);
  if (now < next) return;
  // Whoever moves the time looks; the others go by what they find.
  if (next_look_ns_.compare_exchange_strong(next, now + look_every_ns, std::memory_order_relaxed)) look();
}

void DiskGuard::look() noexcept {
  const Result<std::uint64_t> free = options_.free_bytes(options_.directory);
  if (!free) return;  // the next look tells; a disk that is gone shows itself in the next write
  free_bytes_.store(free.value(), std::memory_order_relaxed);
  has_space_.store(free.value() >= options_.high_water_bytes, std::memory_order_relaxed);
  if (free.value() >= stop_bytes_.load(std::memory_order_relaxed) || stopped_.exchange(true)) return;
  options_.fatal("the disk under " + options_.directory + " has only " + mib(free.value()) +
                 " free: the log stops before the disk is full. Free some space and start again; nothing that was " +
                 "answered is lost");
}

}  // namespace usher::wal
