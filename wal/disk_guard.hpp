#pragma once
/// Thread-safe. Watches free disk space, because a full disk aborts RocksDB (RELIABILITY). Owned by the opened log.
///
///   above the high-water mark    all is well
///   below it                     has_space() is false: no new reserves; bookings and cancellations still run
///   below the low-water mark     the log stops: `fatal`, with the reason in words
///   at the start, below the low  the ballast file is deleted, so that recovery has room to open; the log then stops
///                                only at a quarter of the mark
///
/// It asks the file system at most every 100 ms, on whatever thread asks it.

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "usher/result.hpp"
#include "wal/store.hpp"

namespace usher::wal {

struct DiskGuardOptions {
  std::string directory;
  std::uint64_t high_water_bytes = std::uint64_t{512} << 20U;
  std::uint64_t low_water_bytes = std::uint64_t{128} << 20U;
  std::uint64_t ballast_bytes = std::uint64_t{64} << 20U;
  /// Free bytes of the file system under a directory; statvfs when empty.
  std::function<Result<std::uint64_t>(const std::string&)> free_bytes;
  std::function<std::uint64_t()> monotonic_ns;
  FatalHandler fatal;
};

/// By statvfs: what an unprivileged process may still write.
[[nodiscard]] Result<std::uint64_t> free_bytes_of(const std::string& directory);

class DiskGuard {
 public:
  explicit DiskGuard(DiskGuardOptions options);

  /// Before the store opens: deletes the ballast when space is short. Returns: ErrorCode::no_space when even that does
  /// not help, ErrorCode::io.
  [[nodiscard]] Status make_room();
  /// After the store opened: lays the ballast down where it is missing and there is plenty of space; where there is
  /// less than the low-water mark already, lowers the mark at which the log stops.
  [[nodiscard]] Status settle();

  [[nodiscard]] bool has_space() noexcept {
    poll();
    return has_space_.load(std::memory_order_relaxed);
  }
  /// Looks, unless somebody did within the last 100 ms.
  void poll() noexcept;
  [[nodiscard]] std::uint64_t free_bytes() const noexcept { return free_bytes_.load(std::memory_order_relaxed); }

 private:
  void look() noexcept;
  [[nodiscard]] std::string ballast_path() const { return options_.directory + "/ballast"; }

  DiskGuardOptions options_;
  std::atomic<std::uint64_t> stop_bytes_;
  std::atomic<std::uint64_t> next_look_ns_{0};
  std::atomic<bool> has_space_{true};
  std::atomic<bool> stopped_{false};
  std::atomic<std::uint64_t> free_bytes_{~std::uint64_t{0}};
};

}  // namespace usher::wal
