#include "server/cli/data_folder.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <thread>

#include "spdlog/spdlog.h"

namespace usher::server::cli {
namespace {

[[nodiscard]] wal::LogOptions log_options(const std::string& directory, const config::Config& config,
                                          bool show_progress) {
  wal::LogOptions options;
  options.directory = directory;
  options.shard_count = config.server.shards;
  options.retain = config.wal.retain;
  options.segment_bytes = config.wal.segment_bytes;
  options.segment_age = config.wal.segment_age;
  options.anchor_every_commit = config.wal.anchor == config::AnchorMode::commit;
  options.high_water_bytes = config.disk.high_water;
  options.low_water_bytes = config.disk.low_water;
  options.fatal = [](const std::string& what) {
    spdlog::critical("the log cannot go on: {}. The outcome of what was not answered is unknown; restart to recover it",
                     what);
    spdlog::shutdown();
    std::_Exit(3);
  };
  if (show_progress) {
    options.progress = [told = 0.0](const wal::Progress& progress) mutable {
      if (progress.seconds < told + 1) return;
      told = progress.seconds;
      spdlog::info("recovery: {:.0f} %, {} records in {:.1f} s", progress.fraction * 100, progress.records,
                   progress.seconds);
    };
  }
  return options;
}

void tell(const wal::RecoveryReport& report, const engine::Engine& engine) {
  std::uint64_t shows = 0;
  std::uint64_t bytes = 0;
  for (ShardIndex shard = 0; shard < engine.shard_count(); ++shard) {
    shows += engine.shard(shard).state().shows.size();
    bytes += engine.shard(shard).state().capacity_bytes();
  }
  const double seconds = std::chrono::duration<double>(report.duration).count();
  spdlog::info(
      "recovered {} shows in {:.2f} s: {} checkpoint rows, {} records, epoch {}; {:.0f} bytes per show in {} shards",
      shows, seconds, report.checkpoint_rows, report.records, report.epoch,
      shows == 0 ? 0.0 : static_cast<double>(bytes) / static_cast<double>(shows), engine.shard_count());
  for (const wal::CutTail& tail : report.cut) {
    spdlog::warn("cut an unacknowledged tail of {} blobs: {}", tail.blobs, describe(tail.damage));
  }
}

}  // namespace

Status OpenedData::close() {
  engine.reset();
  return log->close();
}

std::size_t loop_count(const config::Config& config) {
  if (config.server.loops != 0) return config.server.loops;
  // the committer, the work pool and the network want a core too; on two cores one loop and they fill both
  const unsigned cores = std::thread::hardware_concurrency();
  return cores <= 2 ? 1 : cores - 1;
}

Result<OpenedData> open_data(const std::string& directory, const config::Config& config, const OpenOptions& options) {
  std::error_code failed;
  std::filesystem::create_directories(directory, failed);
  if (failed) return make_error(ErrorCode::io, fmt::format("cannot make {}: {}", directory, failed.message()));
  OpenedData data;
  std::vector<Clock*> clocks;
  for (std::size_t loop = 0; loop < options.loops; ++loop) {
    data.clocks.push_back(std::make_unique<ShardClock>());
    clocks.push_back(data.clocks.back().get());
  }
  engine::RunnerOptions runner;
  runner.checkpoint_interval = config.wal.checkpoint_interval;
  const auto factory = [&](std::size_t shard_count) {
    data.engine =
        std::make_unique<engine::Engine>(static_cast<ShardIndex>(shard_count), clocks, data.clocks[0]->now(), runner);
    if (options.hub != nullptr) {
      *options.hub = std::make_shared<events::EventHub>(shard_count, config.events.tail_bytes);
    }
    return data.engine->replay_targets();
  };
  wal::LogOptions opening = log_options(directory, config, options.show_progress);
  if (options.hub != nullptr) {
    opening.on_durable = [hub = options.hub](ShardIndex shard, Lsn first_lsn, std::uint32_t count,
                                             std::string_view blob) { (*hub)->add(shard, first_lsn, count, blob); };
  }
  auto log = wal::open(std::move(opening), factory);
  if (!log) return log.error();
  data.log = std::move(log).value();
  // a log without its secrets would give every person another number: they are made with it, or must be there
  Result<config::Secrets> secrets =
      data.log->report().created ? config::load_or_create_secrets(directory) : config::load_secrets(directory);
  if (!secrets) return secrets.error();
  data.secrets = std::move(secrets).value();
  const Instant logged = std::max(data.engine->last_now(), data.log->report().highest_now);
  const Instant wall = instant_from_ms(system_clocks.wall_ns() / 1'000'000);
  if (logged - wall > clock_behind_max && !options.accept_clock) {
    return make_error(
        ErrorCode::clock,
        fmt::format("the wall clock lies {} s behind the log: set it right, or start with --accept-clock and "
                    "let time stand still until it has caught up",
                    (logged - wall).count() / 1000));
  }
  for (const auto& clock : data.clocks) clock->start(logged);
  data.engine->finish_recovery();
  data.engine->attach(*data.log);
  data.engine->mend_catalog();
  tell(data.log->report(), *data.engine);
  return data;
}

}  // namespace usher::server::cli
