#include "server/cli/replayed.hpp"

#include <algorithm>

namespace usher::server::cli {

std::string Replayed::show_id(ShowNumber number) const {
  const engine::CatalogData& data = system->catalog().data();
  const std::uint32_t at = data.find_show(number);
  if (at == engine::position_none) return "#" + std::to_string(to_value(number));
  return std::string(data.show_id(at));
}

Result<std::unique_ptr<Replayed>> replay_directory(const std::string& directory, const wal::Until& until,
                                                   bool use_checkpoints,
                                                   const std::function<void(std::size_t, std::size_t)>& progress) {
  Result<std::unique_ptr<wal::LogReader>> reader = wal::LogReader::open(directory);
  if (!reader) return reader.error();
  auto replayed = std::make_unique<Replayed>();
  const std::size_t total = reader.value()->shard_total();
  replayed->system = std::make_unique<engine::SystemShard>(static_cast<ShardIndex>(total - 1));
  for (std::size_t index = 0; index < total; ++index) {
    const auto shard = static_cast<ShardIndex>(index);
    ReplayTarget* target = replayed->system.get();
    if (index + 1 < total) {
      // nothing is over yet for somebody who looks back: what the log remembers is kept
      replayed->shards.push_back(std::make_unique<engine::Shard>(shard, replayed->shared, Instant{}));
      target = replayed->shards.back().get();
    }
    Result<wal::ReplayEnd> end = reader.value()->replay(shard, until, use_checkpoints, *target);
    if (!end && end.error().code == ErrorCode::log_trimmed && !until.bounded()) {
      end = reader.value()->replay(shard, until, true, *target);
    }
    if (!end) return end.error();
    replayed->records += end.value().records;
    replayed->latest = std::max(replayed->latest, end.value().now);
    replayed->ends.push_back(end.value());
    progress(index + 1, total);
  }
  return replayed;
}

}  // namespace usher::server::cli
