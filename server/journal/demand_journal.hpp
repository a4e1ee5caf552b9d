#pragma once
/// DemandJournal: writes down every command that shards decide, refused ones too, beside the log (DESIGN 6): for
/// rehearsals and for "why didn't I get it". Recovery never needs it, so nothing is synced and nobody waits.
///
/// Operation: each loop has a bounded queue of its own, single producer and single consumer; on_decision() copies a
/// command into it, or counts it as dropped when it is full. One thread empties all queues into blocks and files.
/// Limitations: a file that cannot be written, or a disk with less free space than `space_min`, ends the writing (not
/// the serving); what comes then is dropped and counted.

#include <atomic>
#include <boost/lockfree/spsc_queue.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "server/journal/entry.hpp"
#include "usher/decision_tap.hpp"
#include "usher/result.hpp"

namespace usher::server::journal {

struct JournalOptions {
  std::string directory;  ///< made when it is not there
  std::size_t loops = 1;
  std::size_t queue_capacity = 1U << 16U;      ///< commands of each loop
  std::uint64_t file_bytes_max = 1ULL << 30U;  ///< then the next file begins
  std::uint64_t space_min = 1ULL << 30U;       ///< free bytes that the journal leaves on the disk
  std::vector<Setting> settings;               ///< what a rehearsal must know of the configuration
  /// What a show's number means. Called by the journal's thread.
  std::function<ShowEntry(ShowNumber)> show_of;
  /// Told once, when writing had to end; by the journal's thread.
  std::function<void(const std::string&)> on_failure;
};

class DemandJournal {
 public:
  /// Starts the thread. Returns: io, when the first file cannot be made.
  [[nodiscard]] static Result<std::unique_ptr<DemandJournal>> open(JournalOptions options);
  /// Writes what is queued and ends the thread.
  ~DemandJournal();
  DemandJournal(const DemandJournal&) = delete;
  DemandJournal& operator=(const DemandJournal&) = delete;

  /// What a loop's runner is given. For that loop's thread.
  [[nodiscard]] DecisionTap& tap(std::size_t loop) noexcept;

  // Thread-safe
  [[nodiscard]] std::uint64_t written() const noexcept { return written_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t dropped() const noexcept;
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_.load(std::memory_order_relaxed); }

 private:
  class Tap;

  explicit DemandJournal(JournalOptions options);
  [[nodiscard]] Status next_file();
  void main();
  [[nodiscard]] bool drain();
  void add(const Decision& decision);
  void write_block();
  void fail(const std::string& why);

  JournalOptions options_;
  std::vector<std::unique_ptr<Tap>> taps_;
  EntryWriter writer_;
  Bytes block_;
  std::unordered_set<std::uint32_t> shows_;  ///< that this file tells of
  std::uint64_t file_bytes_ = 0;
  std::uint64_t dropped_told_ = 0;
  std::uint32_t file_number_ = 0;
  int fd_ = -1;
  bool failed_ = false;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> written_{0};
  std::atomic<std::uint64_t> lost_{0};  ///< taken from a queue after the writing had ended
  std::atomic<std::uint64_t> bytes_{0};
  std::thread thread_;
};

/// One file: commands from `from` to `until` are in it, and nothing is known of what came later.
struct JournalFile {
  std::string name;
  Instant from{};    ///< when it was made
  Instant until{};   ///< its last command
  std::string note;  ///< empty: it is whole
};

/// What reading a directory came to.
struct JournalEnd {
  std::uint64_t commands = 0;
  std::vector<JournalFile> files;  ///< as they were made
};

/// Gives the entries of all files in a directory to `visitor`, in the order in which they were written.
/// Returns: not_found when there is no journal; io.
[[nodiscard]] Result<JournalEnd> read_journal(const std::string& directory, EntryVisitor& visitor);

}  // namespace usher::server::journal
