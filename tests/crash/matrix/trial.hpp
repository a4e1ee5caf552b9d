#pragma once
/// One crash or one failing call, every damage, and what the next start makes of it. For one thread; the counters lie
/// in memory shared with the parent.

#include <atomic>
#include <cstdint>
#include <string>

#include "tests/crash/matrix/book.hpp"
#include "tests/crash/matrix/crash_file_system.hpp"
#include "tests/crash/matrix/life.hpp"

namespace usher::crash {

struct Counters {
  std::atomic<std::uint64_t> crashes{0};
  std::atomic<std::uint64_t> images{0};           ///< different disks that a crash left
  std::atomic<std::uint64_t> recoveries{0};       ///< opened, compared record by record
  std::atomic<std::uint64_t> nested{0};           ///< crashes inside of a recovery
  std::atomic<std::uint64_t> faults{0};           ///< calls that were made to fail
  std::atomic<std::uint64_t> faults_survived{0};  ///< the log went on, and rightly so
  std::atomic<std::uint64_t> starts_refused{0};   ///< by a call that failed while it opened
  std::atomic<std::uint64_t> aborted{0};          ///< RocksDB ended the process by an assertion
  /// Stale blocks in the place of unsynced bytes of RocksDB's MANIFEST: nothing is lost, and RocksDB does not open it.
  std::atomic<std::uint64_t> refused_as_stated{0};
  std::atomic<std::uint64_t> failures{0};
};

class Trial {
 public:
  /// `scratch` is a journal for recoveries that are taken apart themselves.
  Trial(Counters& counters, Journal& scratch, std::string directory, const std::atomic<bool>& stop)
      : counters_(counters), scratch_(scratch), directory_(std::move(directory)), stop_(stop) {}

  /// The power goes before change number `at` of the journal. With `nested` each recovery is crashed as well, and has
  /// each of its calls fail.
  void crash_at(const Variant& variant, const std::vector<Op>& ops, std::size_t at, bool nested);
  /// Call number `fault.at` of the workload fails. `journal` outlives this process, if RocksDB should abort it.
  void fail_at(const Variant& variant, const Fault& fault, Journal& journal, std::uint32_t rounds);
  /// What `journal` says happened, then a power cut; for a worker that takes over after an abort.
  void judge_journal(const Variant& variant, const Journal& journal, const std::string& what);

 private:
  void judge_all(const Variant& variant, const Disk& disk, const Book& book, const std::string& what);
  /// Opens, compares, writes on, cuts the power, opens and compares again.
  void judge(const Variant& variant, const Image& image, Book book, const std::string& what, bool stale_blocks = false);
  void take_recovery_apart(const Variant& variant, const Image& image, const Book& book, const std::string& what);
  void fail_recovery(const Variant& variant, const Image& image, const Book& book, const std::string& what);
  [[nodiscard]] bool open_and_judge(Life& life, Book& book, const std::string& what, bool stale_blocks = false);
  void fail(const std::string& what, const std::string& why);

  Counters& counters_;
  Journal& scratch_;
  std::string directory_;
  const std::atomic<bool>& stop_;
};

}  // namespace usher::crash
