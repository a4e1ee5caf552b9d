#pragma once
/// Every change that a program made to its disk, in order: what a crash at any moment could have left is computed from
/// a prefix of it. Lies in memory that is shared with forked children, so that it outlives a child that RocksDB aborts.
/// Guarded by the file system above it.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace usher::crash {

enum class OpKind : std::uint8_t {
  make_directory,
  create,  ///< a fresh, empty inode under `name`; whatever had the name loses it
  write,
  truncate,     ///< to `offset` bytes
  sync,         ///< of inode `inode`: all its writes so far are on the disk
  sync_failed,  ///< its writes since the last sync will never be on the disk, whatever later syncs say
  rename,       ///< `name` to `data`
  remove,
  link,            ///< `name` is also known as `data`
  sync_directory,  ///< all names of the folder `name` are on the disk
  note,            ///< no change of the disk: the workload's own book, see Book
};

using InodeNumber = std::uint32_t;

struct Op {
  OpKind kind{};
  InodeNumber inode = 0;
  std::uint64_t offset = 0;
  std::string_view name;
  std::string_view data;
};

class Journal {
 public:
  explicit Journal(std::size_t capacity_bytes);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  /// Requires: room; the workload's size is known.
  void append(const Op& op);
  void clear() noexcept;
  /// The views point into the journal.
  [[nodiscard]] std::vector<Op> ops() const;
  [[nodiscard]] std::size_t count() const noexcept;

 private:
  struct Head {
    std::atomic<std::uint64_t> bytes;
    std::atomic<std::uint64_t> count;
  };
  std::size_t capacity_bytes_;
  char* memory_;
  [[nodiscard]] Head& head() const noexcept { return *reinterpret_cast<Head*>(memory_); }
};

}  // namespace usher::crash
