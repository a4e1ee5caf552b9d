#pragma once
/// A stopped data directory's log, replayed into memory for looking at. Nothing is written.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/shard/shard.hpp"
#include "engine/shard/system_shard.hpp"
#include "usher/result.hpp"
#include "wal/reader.hpp"

namespace usher::server::cli {

struct Replayed {
  engine::SharedTables shared;
  std::vector<std::unique_ptr<engine::Shard>> shards;
  std::unique_ptr<engine::SystemShard> system;
  std::vector<wal::ReplayEnd> ends;  ///< by shard, the system shard last
  std::uint64_t records = 0;
  Instant latest{};  ///< the highest time of all that was replayed

  /// The id that people know the show by, or "#number".
  [[nodiscard]] std::string show_id(ShowNumber number) const;
};

/// Replays all shards up to `until`, from the first record unless `use_checkpoints`; a trimmed log is read from its
/// checkpoints when there is no bound. `progress(done, total)` is called after each shard.
[[nodiscard]] Result<std::unique_ptr<Replayed>> replay_directory(
    const std::string& directory, const wal::Until& until, bool use_checkpoints,
    const std::function<void(std::size_t, std::size_t)>& progress);

}  // namespace usher::server::cli
