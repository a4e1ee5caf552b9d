#pragma once
/// Engine: all shards of a process and the runners that run them. Made before the loops start and destroyed after they
/// have ended; in between its public functions are Thread-safe where they say so, and the rest belongs to the loops.
///
/// Life: construct; give replay_targets() to the recovery; finish_recovery(); attach() the log; run the runners on
/// their loops, or all on one thread by drive().

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "engine/catalog/import.hpp"
#include "engine/catalog/snapshot.hpp"
#include "engine/shard/agent_runner.hpp"

namespace usher::engine {

class Engine {
 public:
  /// One clock per loop. `now` is the process' time at start, which what is over by then is forgotten by.
  Engine(ShardIndex shard_count, const std::vector<Clock*>& clocks, Instant now, const RunnerOptions& options = {});
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  [[nodiscard]] ShardIndex shard_count() const noexcept { return static_cast<ShardIndex>(shards_.size()); }
  /// By shard index; the last is the system shard's.
  [[nodiscard]] std::vector<ReplayTarget*> replay_targets();
  /// After the last record. A show of the catalog that its shard does not know, since a crash came between the two
  /// steps of an import, stays unknown until the import is run again (see is_open()).
  void finish_recovery();
  void attach(Log& log);

  [[nodiscard]] AgentRunner& runner(std::size_t loop) noexcept { return *runners_[loop]; }
  [[nodiscard]] std::size_t loop_count() const noexcept { return runners_.size(); }
  [[nodiscard]] std::uint16_t loop_of(ShardIndex shard) const noexcept { return loop_of_shard_[shard]; }
  [[nodiscard]] const Shard& shard(ShardIndex index) const noexcept { return *shards_[index]; }
  [[nodiscard]] const SystemShard& system() const noexcept { return *system_; }
  [[nodiscard]] SharedTables& shared() noexcept { return shared_; }
  /// The highest `now` of all records (DESIGN 4.6). Requires: no loop runs.
  [[nodiscard]] Instant last_now() const noexcept;

  /// The catalog as it is durable. Thread-safe.
  [[nodiscard]] std::shared_ptr<const Snapshot> snapshot() const { return snapshot_.load(); }
  /// Free seats of a show by its newest durable image; 0 when there is no such show. Thread-safe.
  [[nodiscard]] std::uint32_t available(ShowNumber number) const noexcept;
  /// Is the show opened in its shard? Thread-safe.
  [[nodiscard]] bool is_open(ShowNumber number) const noexcept { return shared_.directory.find(number) != nullptr; }

  /// Carries out a plan made from the current snapshot: first the catalog, then, when that is durable, the openings,
  /// each in its shard; then publishes the new snapshot and calls `done` on the first loop. One at a time. Thread-safe.
  void import(ImportPlan plan, std::function<void()> done);

  /// Logs one payload of catalog entries, publishes the new snapshot when it is durable, then calls `done` on the first
  /// loop. Thread-safe. Requires: the entries fit the catalog.
  void change_catalog(Bytes payload, std::function<void()> done);

  /// A show whose cancellation was durable when the process ended, but not yet listed in the catalog, is listed now.
  /// Requires: attached, no loop runs.
  void mend_catalog();

  // Waiting rooms (engine_rooms.cpp). `done` is called on a loop's thread when all of it is durable. Thread-safe.
  struct RoomOpened {
    std::uint32_t number = 0;         ///< 0: the name is taken, or there were too many rooms
    std::vector<ShowNumber> refused;  ///< shows that another room guards, or that are not open
  };
  /// Opens the room in its home shard, then puts it before its shows. Requires: settings that pass check_settings().
  void open_room(const RoomSettings& settings, std::function<void(const RoomOpened&)> done);
  /// `done(false)`: there is no such room, or it is closed.
  void change_room(std::uint32_t number, std::function<void(RoomSettings&)> edit, std::function<void(bool)> done);
  /// Closes the room, then opens its shows to everybody.
  void close_room(std::uint32_t number, std::function<void(bool)> done);
  /// `done(false)`: nothing to draw, or not yet.
  void draw_room(std::uint32_t number, std::string beacon, std::function<void(bool)> done);
  /// `done(false)`: no such show, or the policy changes what live reservations count by.
  void change_policy(ShowNumber show, const Policy& policy, std::function<void(bool)> done);
  /// Shows whose room was opened or closed by a durable record when the process ended, but not yet told, are told now.
  /// Requires: attached, no loop runs.
  void mend_rooms();

  /// Runs all loops on this thread until `until()` is true or nothing is left to do. For tests, the simulator and
  /// commands without loops.
  void drive(const std::function<bool()>& until);

 private:
  struct ImportRun;
  struct GuardRun;

  void import_catalog(const std::shared_ptr<ImportRun>& run);
  void import_shows(const std::shared_ptr<ImportRun>& run, std::size_t loop, std::size_t from);
  void import_done(const std::shared_ptr<ImportRun>& run);
  void in_shard(ShardIndex shard, std::function<bool(Shard&, Instant)> work, std::function<void(bool)> done);
  void set_guards(std::uint32_t room, const std::vector<ShowNumber>& shows, bool on,
                  std::function<void(std::vector<ShowNumber>)> done);

  SharedTables shared_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::unique_ptr<SystemShard> system_;
  std::vector<std::uint16_t> loop_of_shard_;
  std::vector<std::unique_ptr<AgentRunner>> runners_;
  std::atomic<std::shared_ptr<const Snapshot>> snapshot_;
};

}  // namespace usher::engine
