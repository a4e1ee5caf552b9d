/// How fast a log is replayed: all shards from the first record, one after the other on one thread, by the code that
/// recovers a server.
///
/// Usage: usher_replay_rate --data DIR [--read-only]
/// --read-only reads, checks and decodes but applies nothing: what replay cannot go below. Prints one JSON object:
/// records, seconds, records_per_s, and the digest of all shows' state (0 when nothing was applied); `open_seconds` is
/// RocksDB's own opening, before the clock starts.

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/shard/shard.hpp"
#include "engine/shard/system_shard.hpp"
#include "usher/ids.hpp"
#include "wal/reader.hpp"

namespace {

using namespace usher;
using Stopwatch = std::chrono::steady_clock;

/// Takes every record and keeps none.
class Reading final : public ReplayTarget {
 public:
  Status restore(const CheckpointRow&) override { return Done{}; }
  Status replay(const Record& record) override {
    lsns_ ^= record.lsn;
    return Done{};
  }
  [[nodiscard]] Lsn lsns() const noexcept { return lsns_; }

 private:
  Lsn lsns_ = 0;
};

double seconds_since(Stopwatch::time_point began) {
  return std::chrono::duration<double>(Stopwatch::now() - began).count();
}

struct Figure {
  std::uint64_t records = 0;
  double seconds = 0;
  std::uint64_t digest = 0;
};

Result<Figure> read_all(wal::LogReader& reader) {
  Figure figure;
  Reading reading;
  const auto began = Stopwatch::now();
  for (std::size_t shard = 0; shard < reader.shard_total(); ++shard) {
    Result<wal::ReplayEnd> end = reader.replay(static_cast<ShardIndex>(shard), {}, false, reading);
    if (!end) return end.error();
    figure.records += end.value().records;
  }
  figure.seconds = seconds_since(began);
  return figure;
}

Result<Figure> replay_all(wal::LogReader& reader) {
  Figure figure;
  engine::SharedTables shared;
  engine::SystemShard system(static_cast<ShardIndex>(reader.shard_count()));
  std::vector<std::unique_ptr<engine::Shard>> shards;
  Instant latest{};
  const auto began = Stopwatch::now();
  for (std::size_t index = 0; index < reader.shard_total(); ++index) {
    const auto shard = static_cast<ShardIndex>(index);
    ReplayTarget* target = &system;
    if (index < reader.shard_count()) {
      shards.push_back(std::make_unique<engine::Shard>(shard, shared, Instant{}));
      target = shards.back().get();
    }
    Result<wal::ReplayEnd> end = reader.replay(shard, {}, false, *target);
    if (!end) return end.error();
    figure.records += end.value().records;
    latest = std::max(latest, end.value().now);
  }
  figure.seconds = seconds_since(began);
  for (const auto& shard : shards) {
    const engine::ShardState& state = shard->state();
    for (engine::SlabIndex show = 1; show <= state.shows.size(); ++show) {
      figure.digest = mix64(figure.digest ^ engine::digest_of(state, show, latest));
    }
  }
  return figure;
}

}  // namespace

int main(int argc, char** argv) {
  std::string directory;
  bool read_only = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--read-only") read_only = true;
    if (argument == "--data" && i + 1 < argc) directory = argv[++i];
  }
  if (directory.empty()) {
    std::fprintf(stderr, "usage: usher_replay_rate --data DIR [--read-only]\n");
    return 2;
  }
  const auto began = Stopwatch::now();
  Result<std::unique_ptr<wal::LogReader>> reader = wal::LogReader::open(directory);
  const double open_seconds = seconds_since(began);
  Result<Figure> figure = !reader     ? Result<Figure>(reader.error())
                          : read_only ? read_all(*reader.value())
                                      : replay_all(*reader.value());
  if (!figure) {
    std::fprintf(stderr, "usher_replay_rate: %s\n", figure.error().detail.c_str());
    return 1;
  }
  std::printf(
      "{\"records\": %llu, \"seconds\": %.4f, \"records_per_s\": %.0f, \"open_seconds\": %.4f, \"digest\": %llu}\n",
      static_cast<unsigned long long>(figure.value().records), figure.value().seconds,
      static_cast<double>(figure.value().records) / figure.value().seconds, open_seconds,
      static_cast<unsigned long long>(figure.value().digest));
  return 0;
}
