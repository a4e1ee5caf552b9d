#pragma once
/// AgentRunner: runs the shards of one loop. For the loop's thread only, but for post() and what producers do.
///
/// Operation: the loop calls begin_cycle() (the clock is read once), handles its sockets, which submit() commands, and
/// calls do_work(): mail from other loops, jobs, timers, what became durable, answers, a slice of a checkpoint. When
/// do_work() is through and wants_commit(), the loop calls commit(): alone it syncs inline, in company it hands the
/// round over.
///
/// Concurrency: a command for a shard of another loop is copied into that loop's mailbox; its answer comes back by this
/// loop's. Both are bounded: submit() answers false when `mailbox_capacity` commands are under way to that loop, and
/// since each has one answer, answers always find room.

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "engine/shard/checkpointer.hpp"
#include "engine/shard/mailbox.hpp"
#include "engine/shard/outbox.hpp"
#include "engine/shard/shard.hpp"
#include "engine/shard/system_shard.hpp"
#include "usher/command.hpp"
#include "usher/decision_tap.hpp"
#include "usher/log.hpp"
#include "usher/time.hpp"

namespace usher::engine {

struct RunnerOptions {
  std::uint32_t outbox_capacity = 1U << 15U;  ///< answers that wait for the log
  std::uint32_t mailbox_capacity = 4096;      ///< commands on their way between two loops
  std::uint32_t timers_per_cycle = 512;       ///< so that a mass expiry never keeps the sockets waiting
  Duration checkpoint_interval{std::chrono::minutes{1}};
};

/// Counted by the loop, read by the metrics through a job.
struct RunnerCounters {
  std::uint64_t rounds = 0;
  std::uint64_t rounds_inline = 0;
  std::uint64_t answers = 0;
  std::uint64_t mailed = 0;
};

class AgentRunner {
 public:
  /// ReplyTo::connection of what shows tell waiting rooms; its answers come back to the runner itself. The server has
  /// the other numbers up there.
  static constexpr std::uint32_t note_connection = 0xfffffffc;

  using Job = std::function<void()>;

  AgentRunner(std::uint16_t loop, std::vector<Shard*> shards, SystemShard* system, Clock& clock, RunnerOptions options);
  ~AgentRunner();
  AgentRunner(const AgentRunner&) = delete;
  AgentRunner& operator=(const AgentRunner&) = delete;

  // before the loops run
  void attach(Log& log, ShardIndex shard_count);
  void connect(const std::vector<AgentRunner*>& runners, const std::vector<std::uint16_t>& loop_of_shard);
  void set_sink(ReplySink& sink) noexcept { sink_ = &sink; }
  /// Shown all that this loop decides, from now on.
  void set_tap(DecisionTap& tap) noexcept { tap_ = &tap; }
  /// `wake` gets this loop out of its sleep; Thread-safe, set before any other loop runs.
  void set_wake(std::function<void()> wake) { wake_ = std::move(wake); }

  void begin_cycle() { now_ = clock_.now(); }
  [[nodiscard]] Instant now() const noexcept { return now_; }
  /// Decides the command here or mails it to the loop of its shard. The answer comes by the sink, perhaps before this
  /// returns. Returns: false when the other loop's mailbox is full; nothing was done then.
  [[nodiscard]] bool submit(const Command& command, ShardIndex shard);
  /// The same for one of many: a command for here is decided later, with others, so that the memory of one show is
  /// fetched while another is decided upon; by do_work() or the next submit() at the latest, in the order of the calls.
  [[nodiscard]] bool submit_with_others(const Command& command, ShardIndex shard);
  /// Returns: whether anything was done; if not, the loop may sleep for a timer tick.
  bool do_work();
  /// The part of do_work() that the disk waits for: takes note of a round that became durable and hands over the next
  /// one. Cheap; for the middle of a long batch of requests. Returns: whether a round was durable.
  bool poll_log();
  [[nodiscard]] bool wants_commit() const noexcept { return !lane_->in_flight() && lane_->gathered_bytes() > 0; }
  [[nodiscard]] bool waiting_for_log() const noexcept { return lane_->in_flight() || lane_->gathered_bytes() > 0; }
  /// Requires: wants_commit(). `inline_sync`: nothing else is ready, so sync on this thread if the baton is free.
  void commit(bool inline_sync);
  [[nodiscard]] std::uint32_t answers_waiting() const noexcept { return outbox_.size(); }

  /// Runs the job on this loop's thread. Thread-safe.
  void post(Job job);
  /// Runs the job when everything that this loop has gathered so far is durable. On the loop's thread.
  void after_durable(Job job);

  /// No new reserves from now on.
  void drain() noexcept { draining_ = true; }
  void start_checkpoint() { checkpointer_->start(); }
  [[nodiscard]] bool checkpointing() const noexcept { return checkpointer_->running(); }

  [[nodiscard]] const std::vector<Shard*>& shards() const noexcept { return shards_; }
  [[nodiscard]] Shard* shard(ShardIndex index) const noexcept { return by_index_[index]; }
  [[nodiscard]] SystemShard* system() const noexcept { return system_; }
  [[nodiscard]] LogLane& lane() noexcept { return *lane_; }
  [[nodiscard]] std::uint16_t loop() const noexcept { return loop_; }
  [[nodiscard]] const RunnerCounters& counters() const noexcept { return counters_; }

 private:
  struct Mail {
    Command command;
    ShardIndex shard = 0;
  };
  /// At most so many are staged: what is fetched for them fits the innermost cache.
  static constexpr std::size_t staged_max = 32;
  /// This loop's ends of the way to another loop.
  struct Peer {
    AgentRunner* runner = nullptr;
    std::unique_ptr<Mailbox<Mail>::Producer> commands;
    std::unique_ptr<Mailbox<Reply>::Producer> replies;
    std::uint32_t under_way = 0;  ///< commands mailed and not answered
  };

  void stage(const Command& command, ShardIndex shard);
  void decide_staged();
  void decide(const Command& command, ShardIndex shard);
  void deliver(const Reply& reply);
  void tell_rooms();
  void on_told(const Reply& reply);
  [[nodiscard]] Refusal overload(const Command& command) const noexcept;
  void release(const Reply& reply);
  bool release_answers();
  void on_durable();
  bool run_jobs();
  bool run_timers();
  void run_checkpoint();

  std::uint16_t loop_;
  std::vector<Shard*> shards_;
  std::vector<Shard*> by_index_;
  SystemShard* system_;
  Clock& clock_;
  RunnerOptions options_;
  Log* log_ = nullptr;
  std::unique_ptr<LogLane> lane_;
  std::unique_ptr<Checkpointer> checkpointer_;
  ReplySink* sink_ = nullptr;
  DecisionTap* tap_ = nullptr;
  std::function<void()> wake_;
  std::vector<Peer> peers_;
  std::vector<std::uint16_t> loop_of_shard_;
  Mailbox<Mail> commands_;
  Mailbox<Reply> replies_;
  Outbox outbox_;
  std::vector<Mail> staged_;
  std::vector<Mail> deciding_;
  Instant now_{};
  Instant next_checkpoint_{};
  std::int64_t timer_tick_ = 0;  ///< of the last run_timers() that left nothing due
  bool draining_ = false;
  std::uint64_t round_ = 1;                           ///< number of the round that gathers
  std::vector<std::pair<std::uint64_t, Job>> after_;  ///< by the round they wait for
  std::mutex jobs_mutex_;
  std::vector<Job> jobs_;
  std::vector<Job> jobs_running_;
  RunnerCounters counters_;
  std::vector<AdmissionUse> uses_;     ///< that rooms are to be told of
  std::vector<AdmissionUse> telling_;  ///< by the slot of the answer that is awaited
  std::vector<std::uint32_t> telling_free_;
};

}  // namespace usher::engine
