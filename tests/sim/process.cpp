#include "tests/sim/process.hpp"

#include <algorithm>
#include <utility>

namespace usher::sim {
namespace {

constexpr std::uint64_t high_water_bytes = 1'000'000;
constexpr std::uint64_t low_water_bytes = 100'000;

/// Sagas count, but nobody looks here.
server::metrics::LoopMetrics& metrics() {
  static thread_local server::metrics::LoopMetrics one;
  return one;
}

/// Sees each record as it is appended, and lets all through.
class TapLane final : public LogLane {
 public:
  TapLane(std::unique_ptr<LogLane> lane, Watcher& watcher) : lane_(std::move(lane)), watcher_(watcher) {}
  Lsn append(Record& record) override {
    const Lsn lsn = lane_->append(record);
    watcher_.on_record(record);
    return lsn;
  }
  void append_side(SideWrite write) override { lane_->append_side(std::move(write)); }
  [[nodiscard]] std::size_t gathered_bytes() const noexcept override { return lane_->gathered_bytes(); }
  [[nodiscard]] bool in_flight() const noexcept override { return lane_->in_flight(); }
  void submit() override { lane_->submit(); }
  bool submit_inline() override { return lane_->submit_inline(); }
  [[nodiscard]] bool collect() override { return lane_->collect(); }
  [[nodiscard]] Lsn durable_lsn(ShardIndex shard) const noexcept override { return lane_->durable_lsn(shard); }
  [[nodiscard]] Lsn last_lsn(ShardIndex shard) const noexcept override { return lane_->last_lsn(shard); }

 private:
  std::unique_ptr<LogLane> lane_;
  Watcher& watcher_;
};

}  // namespace

class Process::Tap final : public Log {
 public:
  Tap(wal::OpenedLog& log, Watcher& watcher) : log_(log), watcher_(watcher) {}
  [[nodiscard]] std::unique_ptr<LogLane> make_lane(std::vector<ShardIndex> shards,
                                                   std::function<void()> wake) override {
    return std::make_unique<TapLane>(log_.make_lane(std::move(shards), std::move(wake)), watcher_);
  }
  [[nodiscard]] bool try_checkpoint(std::vector<CheckpointRow>&& rows) override {
    return log_.try_checkpoint(std::move(rows));
  }
  void checkpoint_complete(ShardIndex shard, Lsn lsn) override { log_.checkpoint_complete(shard, lsn); }
  [[nodiscard]] bool has_space() const noexcept override { return log_.has_space(); }

 private:
  wal::OpenedLog& log_;
  Watcher& watcher_;
};

class Process::Sink final : public ReplySink {
 public:
  Sink(Process& process, std::size_t loop) : process_(process), loop_(loop) {}
  void on_reply(const Reply& reply) override {
    process_.watcher_.on_reply(reply);
    if (reply.to.connection == server::api::Saga::connection) return process_.sagas_[loop_]->on_reply(reply);
    process_.watcher_.on_client(reply.to, reply);
  }

 private:
  Process& process_;
  std::size_t loop_;
};

Process::Process(const Knobs& knobs, Disk& disk, Gateway& gateway, Watcher& watcher)
    : knobs_(knobs),
      disk_(disk),
      gateway_(gateway),
      watcher_(watcher),
      random_(knobs.seed, 1'000 + static_cast<std::uint64_t>(clocks.monotonic_ns)) {}

Process::~Process() {
  kill();
}

wal::LogOptions Process::log_options() {
  wal::LogOptions options;
  options.directory = "the simulated disk";  // the guard asks free_bytes below, and lays down no ballast
  options.ballast_bytes = 0;
  options.shard_count = knobs_.shards;
  options.retain = knobs_.retain;
  options.segment_bytes = knobs_.segment_bytes;
  options.segment_age = knobs_.segment_age;
  options.anchor_every_commit = knobs_.anchor_every_commit;
  options.high_water_bytes = high_water_bytes;
  options.low_water_bytes = low_water_bytes;
  options.own_threads = false;
  options.fatal = [this](const std::string& why) { watcher_.on_fatal(why); };
  options.monotonic_ns = [] { return static_cast<std::uint64_t>(clocks.monotonic_ns); };
  options.free_bytes = [this](const std::string&) -> Result<std::uint64_t> { return disk_.free_bytes; };
  return options;
}

Result<std::unique_ptr<Process>> Process::start(const Knobs& knobs, Disk& disk, Gateway& gateway, Watcher& watcher) {
  std::unique_ptr<Process> made(new Process(knobs, disk, gateway, watcher));
  disk.open();
  std::vector<Clock*> loop_clocks;
  constexpr server::ClockSources sources{[]() noexcept { return clocks.monotonic_ns; },
                                         []() noexcept { return clocks.wall_ns; }};
  for (std::size_t loop = 0; loop < knobs.loops; ++loop) {
    made->shard_clocks_.push_back(std::make_unique<server::ShardClock>(sources));
    loop_clocks.push_back(made->shard_clocks_.back().get());
  }
  engine::RunnerOptions runner;
  runner.outbox_capacity = knobs.outbox_capacity;
  runner.mailbox_capacity = knobs.mailbox_capacity;
  runner.timers_per_cycle = knobs.timers_per_cycle;
  runner.checkpoint_interval = knobs.checkpoint_interval;
  const auto factory = [&](std::size_t shard_count) {
    made->engine_ = std::make_unique<engine::Engine>(static_cast<ShardIndex>(shard_count), loop_clocks,
                                                     loop_clocks[0]->now(), runner);
    return made->engine_->replay_targets();
  };
  auto log = wal::open_on(std::make_unique<DiskStore>(disk), made->log_options(), factory);
  if (!log) return log.error();
  made->log_ = std::move(log).value();
  const Instant logged = std::max(made->engine_->last_now(), made->log_->report().highest_now);
  for (const auto& clock : made->shard_clocks_) clock->start(logged);  // as with --accept-clock
  made->engine_->finish_recovery();
  made->connect();
  return made;
}

void Process::connect() {
  tap_ = std::make_unique<Tap>(*log_, watcher_);
  engine_->attach(*tap_);
  engine_->mend_catalog();
  for (std::size_t loop = 0; loop < knobs_.loops; ++loop) {
    engine::AgentRunner& runner = engine_->runner(loop);
    sinks_.push_back(std::make_unique<Sink>(*this, loop));
    runner.set_sink(*sinks_.back());
    sagas_.push_back(std::make_unique<server::api::Saga>(
        runner, engine_->shared().directory, gateway_, metrics(), [this] { return random_.next(); },
        [this](const ReplyTo& client, const Reply& reply) { watcher_.on_client(client, reply); }));
  }
  for (std::size_t loop = 0; loop < knobs_.loops; ++loop) {
    engine_->runner(loop).begin_cycle();
    sagas_[loop]->resume();
  }
}

bool Process::cycle(std::size_t loop, bool inline_sync, const std::function<void()>& requests) {
  engine::AgentRunner& runner = engine_->runner(loop);
  runner.begin_cycle();
  if (requests) requests();
  bool any = runner.do_work();
  sagas_[loop]->tick(runner.now());
  if (runner.wants_commit() && !disk_.off()) {
    runner.commit(inline_sync);
    any = true;
  }
  return any;
}

void Process::open_show(const engine::LayoutSpec& spec, engine::ShowTerms terms, const Facts& facts) {
  auto made = engine::Layout::make(spec);
  USHER_ASSERT(made.ok());
  const auto layout = engine_->shared().layouts.intern(std::move(made).value());
  USHER_ASSERT(layout.ok());
  terms.layout_hash = layout.value().layout->hash();
  engine::AgentRunner& runner = engine_->runner(engine_->loop_of(facts.shard));
  engine::Shard& shard = *runner.shard(facts.shard);
  shard.define_layout(*layout.value().layout, runner.now());
  (void)shard.open_show(facts.number, terms, runner.now());
}

std::vector<Clock*> Process::clocks_of() const {
  std::vector<Clock*> all;
  for (const auto& clock : shard_clocks_) all.push_back(clock.get());
  return all;
}

void Process::kill() {
  if (log_ != nullptr) log_->crash();
}

bool Process::close() {
  for (std::size_t loop = 0; loop < loops(); ++loop) engine_->runner(loop).drain();
  const auto quiet = [&] {
    bool any = false;
    for (std::size_t loop = 0; loop < loops(); ++loop) {
      any |= cycle(loop, true, {});
      any |= engine_->runner(loop).waiting_for_log() || engine_->runner(loop).checkpointing();
    }
    log_->do_work();
    return !any;
  };
  for (int turn = 0; turn < 10'000 && !quiet() && !disk_.off(); ++turn) {
  }
  for (std::size_t loop = 0; loop < loops(); ++loop) engine_->runner(loop).start_checkpoint();
  for (int turn = 0; turn < 10'000 && !quiet() && !disk_.off(); ++turn) {
  }
  sagas_.clear();
  sinks_.clear();
  engine_.reset();
  const Status closed = log_->close();
  return closed.ok();
}

}  // namespace usher::sim
