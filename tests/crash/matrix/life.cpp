#include "tests/crash/matrix/life.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

namespace usher::crash {
namespace {

constexpr std::uint64_t segment_bytes = 3000;
constexpr std::uint64_t round_takes_ns = 3'000'000;
constexpr std::size_t write_buffer_bytes = std::size_t{64} << 10U;

ShardIndex shard_of(std::uint32_t number) {
  return static_cast<ShardIndex>(mix64(number) % shard_total);
}

std::string shard_name(ShardIndex shard) {
  return {static_cast<char>('0' + shard)};
}

}  // namespace

Life::Life(std::shared_ptr<CrashFileSystem> files, const Variant& variant, std::string directory)
    : files_(std::move(files)), variant_(variant), directory_(std::move(directory)) {}

Life::~Life() {
  if (!log_) return;
  files_->freeze();  // what follows is the cleaning up of a process that is dead
  kill();
}

void Life::kill() {
  lane_.reset();
  log_->crash();
  log_.reset();
}

wal::LogOptions Life::options() {
  wal::LogOptions options;
  options.directory = directory_;
  options.shard_count = shard_count;
  options.retain = variant_.retain;
  options.anchor_every_commit = variant_.anchor_every_commit;
  options.segment_bytes = segment_bytes;
  options.write_buffer_bytes = write_buffer_bytes;
  options.ballast_bytes = 0;
  options.recovery_threads = 1;
  options.own_threads = false;
  options.file_system = files_;
  options.free_bytes = [](const std::string&) -> Result<std::uint64_t> { return std::uint64_t{1} << 40U; };
  options.monotonic_ns = [this] { return clock_ns_; };
  options.fatal = [this](const std::string& why) {
    dead_ = true;
    error_ = why;
    files_->freeze();  // the real one ends the process here
  };
  return options;
}

bool Life::open() {
  const auto targets = [this](std::size_t shards) {
    states_.assign(shards + 1, ShardState{});
    std::vector<ReplayTarget*> all;
    for (ShardState& state : states_) all.push_back(&state);
    return all;
  };
  Result<std::unique_ptr<wal::OpenedLog>> opened = wal::open(options(), targets);
  if (!opened) {
    error_ = opened.error().detail;
    return false;
  }
  log_ = std::move(opened).value();
  if (dead_) return false;
  const Status read = log_->for_each_person([this](std::string_view key, std::string_view value) -> Status {
    people_[std::string(key)] = std::stoull(std::string(value));
    person_ = std::max(person_, people_[std::string(key)]);
    return Done{};
  });
  if (!read) {
    error_ = "the people could not be read: " + read.error().detail;
    return false;
  }
  std::vector<ShardIndex> shards;
  for (std::size_t shard = 0; shard < shard_total; ++shard) shards.push_back(static_cast<ShardIndex>(shard));
  lane_ = log_->make_lane(std::move(shards), [] {});
  return true;
}

std::string Life::judge(Book& book) {
  std::vector<Lsn> tails;
  for (const wal::ShardTail& tail : log_->report().tails) tails.push_back(tail.last_lsn);
  return book.judge(tails, states_, people_);
}

void Life::append(ShardIndex shard, std::uint32_t number) {
  Record record;
  fill_record(record, shard, number);
  (void)lane_->append(record);
  states_[shard].actors[actor_of(record)].apply(record);
  files_->note(Book::appended, number, shard_name(shard));
}

bool Life::commit() {
  clock_ns_ += round_takes_ns;
  lane_->submit();
  log_->do_work();
  if (dead_ || !lane_->collect()) return false;
  for (ShardIndex shard = 0; shard < shard_total; ++shard) {
    files_->note(Book::acknowledged, lane_->durable_lsn(shard), shard_name(shard));
  }
  return true;
}

bool Life::write_round(std::uint32_t& number) {
  const std::uint32_t first = number;
  do {
    append(shard_of(number), number);
    ++number;
  } while (number % 3 != 0);
  const std::string key = "p" + std::to_string(first % 5);
  const bool with_person = first % 4 == 0;
  if (with_person) {
    lane_->append_side({key, std::to_string(++person_)});
    files_->note(Book::person_written, person_, key);
  }
  if (!commit()) return false;
  if (with_person) files_->note(Book::person_acknowledged, person_, key);
  return true;
}

bool Life::checkpoint(bool second_half) {
  std::vector<CheckpointRow> rows;
  for (ShardIndex shard = 0; shard < shard_total; ++shard) {
    const Lsn lsn = lane_->durable_lsn(shard);
    if (!second_half) half_taken_[shard] = lsn;
    for (std::size_t actor = second_half ? actor_count / 2 : 0; actor < (second_half ? actor_count : actor_count / 2);
         ++actor) {
      const Actor& state = states_[shard].actors[actor];
      if (state.count != 0) rows.push_back({shard, actor_kind, actor, lsn, state.encode()});
    }
  }
  if (!log_->try_checkpoint(std::move(rows))) return false;
  for (ShardIndex shard = 0; second_half && shard < shard_total; ++shard) {
    log_->checkpoint_complete(shard, half_taken_[shard]);
  }
  log_->do_work();
  return !dead_;
}

bool Life::close() {
  lane_.reset();
  const Status closed = log_->close();
  if (!closed) error_ = closed.error().detail;
  if (closed && !dead_) log_.reset();
  return closed && !dead_;
}

Image fresh_disk(const std::string& directory) {
  Image image;
  for (std::filesystem::path at = std::filesystem::path(directory).parent_path();; at = at.parent_path()) {
    image.files.emplace(at.string(), Content{});
    if (at == at.parent_path()) return image;
  }
}

void run_workload(const std::shared_ptr<CrashFileSystem>& files, const Variant& variant, const std::string& directory,
                  std::uint32_t rounds_per_life) {
  std::uint32_t number = 1;
  for (unsigned which = 0; which < 3; ++which) {
    auto life = std::make_unique<Life>(files, variant, directory);
    if (!life->open()) return;
    for (std::uint32_t round = 1; round <= rounds_per_life; ++round) {
      if (!life->write_round(number)) return;
      if (round % 8 == 4 && !life->checkpoint(false)) return;
      if (round % 8 == 0 && !life->checkpoint(true)) return;
    }
    if (which != 1) {
      if (!life->close()) return;
    } else {
      life->kill();
    }
  }
}

}  // namespace usher::crash
