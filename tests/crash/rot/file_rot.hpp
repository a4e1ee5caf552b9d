#pragma once
/// Damage to the files of a log at rest: bits flipped, files cut, deleted, doubled, swapped. Each damaged disk is
/// opened by the real recovery: it must be refused, and the audit must find it, or everything must be there, or what is
/// missing must lie above the anchor and be reported. For one thread.

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/crash/matrix/book.hpp"
#include "tests/crash/matrix/disk.hpp"
#include "tests/crash/matrix/life.hpp"

namespace usher::crash {

struct RotCounters {
  std::atomic<std::uint64_t> opens{0};
  std::atomic<std::uint64_t> refused{0};
  std::atomic<std::uint64_t> harmless{0};
  std::atomic<std::uint64_t> reported{0};   ///< a tail above the anchor was cut, and the report says so
  std::atomic<std::uint64_t> exception{0};  ///< the one that is stated: a cut at a record boundary above the anchor
  std::atomic<std::uint64_t> aborted{0};    ///< RocksDB found it, and ended the process by an assertion
  std::atomic<std::uint64_t> failures{0};
};

enum class Rot : std::uint8_t { flip, cut, remove, doubled, swapped, copied };

struct FileCase {
  Rot rot{};
  std::size_t file = 0;
  std::uint64_t at = 0;  ///< a bit, a length, or another file
};

class FileRot {
 public:
  FileRot(RotCounters& counters, const Variant& variant, std::string directory);

  /// Makes the disk, in a child: lives, the last one killed.
  void build();
  /// `flips` of the bits of all files, spread, and all other damages.
  [[nodiscard]] std::vector<FileCase> cases(std::uint64_t flips, std::uint64_t seed) const;
  void run(const FileCase& one);
  void died(const FileCase& one, int status);
  [[nodiscard]] std::uint64_t bytes() const;
  [[nodiscard]] std::size_t file_count() const noexcept { return files_.size(); }

 private:
  void live(Journal& journal);
  [[nodiscard]] Image damaged(const FileCase& one) const;
  [[nodiscard]] std::string name_of(const FileCase& one) const;
  void check_audit(const Image& image, const std::string& what);
  void fail(const std::string& what, const std::string& why);

  RotCounters& counters_;
  Variant variant_;
  std::string directory_;
  Image image_;
  Book book_;
  std::vector<std::string> files_;
};

}  // namespace usher::crash
