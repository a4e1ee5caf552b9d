#pragma once
/// One life of the log on a CrashFileSystem: opened by the real recovery, written to, closed or killed. What a process
/// does between its start and its end, without the process. For one thread.

#include <cstdint>
#include <memory>
#include <string>

#include "tests/crash/matrix/book.hpp"
#include "tests/crash/matrix/crash_file_system.hpp"
#include "wal/log.hpp"

namespace usher::crash {

/// How the log is run; the two variants of the workload between them use all that writes.
struct Variant {
  bool retain = true;
  bool anchor_every_commit = false;
};
inline constexpr Variant variants[] = {{true, false}, {false, true}, {false, false}};

class Life {
 public:
  /// `directory` exists on the real disk and stays empty.
  Life(std::shared_ptr<CrashFileSystem> files, const Variant& variant, std::string directory);
  ~Life();
  Life(const Life&) = delete;
  Life& operator=(const Life&) = delete;

  /// Returns: false when the start was refused; error() says why.
  [[nodiscard]] bool open();
  /// What is wrong with what was recovered.
  [[nodiscard]] std::string judge(Book& book);
  /// One round in the shards that `number` chooses. Returns: false when the log is dead.
  [[nodiscard]] bool write_round(std::uint32_t& number);
  /// The rows of half of the actors; after the second half the shards are covered up to where the first was taken.
  [[nodiscard]] bool checkpoint(bool second_half);
  [[nodiscard]] bool close();
  /// As SIGKILL would end it: what was written stays, synced or not.
  void kill();

  [[nodiscard]] bool dead() const noexcept { return dead_; }
  [[nodiscard]] const std::string& error() const noexcept { return error_; }
  [[nodiscard]] const wal::RecoveryReport& report() const { return log_->report(); }
  [[nodiscard]] Lsn durable(ShardIndex shard) const { return lane_->durable_lsn(shard); }

 private:
  [[nodiscard]] wal::LogOptions options();
  void append(ShardIndex shard, std::uint32_t number);
  [[nodiscard]] bool commit();

  std::shared_ptr<CrashFileSystem> files_;
  Variant variant_;
  std::string directory_;
  std::vector<ShardState> states_;
  std::array<Lsn, shard_total> half_taken_{};
  std::unique_ptr<wal::OpenedLog> log_;
  std::unique_ptr<LogLane> lane_;
  std::uint64_t clock_ns_ = 1'000'000'000;
  std::map<std::string, std::uint64_t> people_;  ///< as recovered
  std::uint64_t person_ = 0;                     ///< the last value that was written
  bool dead_ = false;
  std::string error_;
};

/// A disk with the folders above `directory`, and nothing else.
[[nodiscard]] Image fresh_disk(const std::string& directory);

/// The canonical workload: lives with rounds, checkpoints, rotation, trim, people, a clean stop and a kill. Ends early
/// when the log dies.
void run_workload(const std::shared_ptr<CrashFileSystem>& files, const Variant& variant, const std::string& directory,
                  std::uint32_t rounds_per_life);

}  // namespace usher::crash
