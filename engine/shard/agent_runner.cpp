#include "engine/shard/agent_runner.hpp"

#include <algorithm>

#include "usher/assert.hpp"
#include "usher/mutant.hpp"

namespace usher::engine {

AgentRunner::AgentRunner(std::uint16_t loop, std::vector<Shard*> shards, SystemShard* system, Clock& clock,
                         RunnerOptions options)
    : loop_(loop),
      shards_(std::move(shards)),
      system_(system),
      clock_(clock),
      options_(options),
      outbox_(options.outbox_capacity) {
  begin_cycle();
  next_checkpoint_ = now_ + options_.checkpoint_interval;
}

AgentRunner::~AgentRunner() = default;

void AgentRunner::attach(Log& log, ShardIndex shard_count) {
  log_ = &log;
  by_index_.assign(shard_count, nullptr);
  std::vector<ShardIndex> own;
  for (Shard* shard : shards_) {
    by_index_[shard->index()] = shard;
    own.push_back(shard->index());
  }
  if (system_ != nullptr) own.push_back(system_->index());
  lane_ = log.make_lane(std::move(own), [this] {
    if (wake_) wake_();
  });
  for (Shard* shard : shards_) shard->attach(*lane_);
  if (system_ != nullptr) system_->attach(*lane_);
  checkpointer_ = std::make_unique<Checkpointer>(log, *lane_, shards_, system_);
  for (Shard* shard : shards_) shard->take_uses(uses_);  // what a crash may have kept from the rooms
}

void AgentRunner::connect(const std::vector<AgentRunner*>& runners, const std::vector<std::uint16_t>& loop_of_shard) {
  loop_of_shard_ = loop_of_shard;
  for (AgentRunner* runner : runners) {
    Peer peer{runner, nullptr, nullptr};
    if (runner != this) {
      peer.commands = std::make_unique<Mailbox<Mail>::Producer>(runner->commands_, options_.mailbox_capacity);
      // one more than commands can be under way: a node comes home only after its answer was consumed
      peer.replies = std::make_unique<Mailbox<Reply>::Producer>(runner->replies_, options_.mailbox_capacity + 1);
    }
    peers_.push_back(std::move(peer));
  }
}

// ---- commands in ----

bool AgentRunner::submit(const Command& command, ShardIndex shard) {
  const bool submitted = submit_with_others(command, shard);
  if (deciding_.empty()) decide_staged();
  return submitted;
}

bool AgentRunner::submit_with_others(const Command& command, ShardIndex shard) {
  const std::uint16_t loop = loop_of_shard_[shard];
  if (loop == loop_) {
    stage(command, shard);
    return true;
  }
  Peer& peer = peers_[loop];
  if (peer.under_way == options_.mailbox_capacity) return false;
  using Pushed = Mailbox<Mail>::Producer::Pushed;
  const Pushed pushed = peer.commands->try_push(Mail{command, shard});
  if (pushed == Pushed::full) return false;
  ++peer.under_way;
  ++counters_.mailed;
  if (pushed == Pushed::first && peer.runner->wake_) peer.runner->wake_();
  return true;
}

void AgentRunner::stage(const Command& command, ShardIndex shard) {
  by_index_[shard]->prefetch_entry(command);
  staged_.push_back({command, shard});
  if (staged_.size() >= staged_max && deciding_.empty()) decide_staged();
}

// Three times over the same few: each time fetches what the next needs.
void AgentRunner::decide_staged() {
  while (!staged_.empty()) {
    deciding_.swap(staged_);  // an answer may bring about another command
    for (const Mail& mail : deciding_) by_index_[mail.shard]->prefetch_show(mail.command);
    for (const Mail& mail : deciding_) by_index_[mail.shard]->prefetch_state(mail.command);
    for (const Mail& mail : deciding_) decide(mail.command, mail.shard);
    deciding_.clear();
  }
}

Refusal AgentRunner::overload(const Command& command) const noexcept {
  if (lane_->gathered_bytes() > limits::gathered_bytes_max) return Refusal::log_behind;
  const bool reserves = command.type == CommandType::reserve || command.type == CommandType::reserve_best;
  if (!reserves) return Refusal::none;
  if (!log_->has_space()) return Refusal::disk_nearly_full;
  return draining_ ? Refusal::draining : Refusal::none;
}

void AgentRunner::decide(const Command& command, ShardIndex shard) {
  if (outbox_.full()) {
    Reply refused;
    refused.to = command.reply;
    refused.type = command.type;
    refused.show = command.show;
    refused.shard = shard;
    refused.now = now_;
    refused.refusal = Refusal::mailbox_full;
    if (tap_ != nullptr) tap_->on_decision(command, refused);
    return release(refused);
  }
  Reply& reply = outbox_.next();
  reply.to = command.reply;
  reply.type = command.type;
  reply.show = command.show;
  reply.shard = shard;
  reply.now = now_;
  bool waits = false;
  if (reply.refusal = overload(command); reply.refusal == Refusal::none) {
    by_index_[shard]->execute(command, now_, reply);
    const bool early = USHER_MUTANT(1, "an answer leaves before the sync") ||
                       (USHER_MUTANT(2, "a refusal leaves before the sync") && reply.refusal != Refusal::none) ||
                       (USHER_MUTANT(3, "the card is charged before the attempt is durable") &&
                        reply.type == CommandType::start_payment);
    waits = reply.lsn > lane_->durable_lsn(shard) && !early;
  }
  if (tap_ != nullptr) tap_->on_decision(command, reply);
  if (waits) return outbox_.keep();
  release(reply);  // it waits for nothing
}

// ---- answers out ----

void AgentRunner::release(const Reply& reply) {
  if (reply.to.loop == loop_) return deliver(reply);
  Peer& peer = peers_[reply.to.loop];
  using Pushed = Mailbox<Reply>::Producer::Pushed;
  const Pushed pushed = peer.replies->try_push(reply);
  USHER_ASSERT(pushed != Pushed::full);
  if (pushed == Pushed::first && peer.runner->wake_) peer.runner->wake_();
}

void AgentRunner::deliver(const Reply& reply) {
  if (reply.to.connection == note_connection) return on_told(reply);
  sink_->on_reply(reply);
  ++counters_.answers;
}

// ---- from shows to waiting rooms ----

void AgentRunner::tell_rooms() {
  std::vector<AdmissionUse> due;
  due.swap(uses_);
  for (const AdmissionUse& use : due) {
    const auto room = shards_.front()->state().shared.rooms.find(use.room);
    if (!room) continue;  // it is gone: nobody counts any more
    std::uint32_t slot = static_cast<std::uint32_t>(telling_.size());
    if (telling_free_.empty()) {
      telling_.push_back(use);
    } else {
      slot = telling_free_.back();
      telling_free_.pop_back();
      telling_[slot] = use;
    }
    Command command;
    command.type = CommandType::note_admission;
    command.user = use.user;
    command.sequence = use.sequence;
    command.seat_count = use.seats;
    command.admission = {use.room, use.sequence, use.attempt, use.until};
    command.reply = {loop_, note_connection, 0, slot, 0};
    if (submit(command, room->shard)) continue;
    telling_free_.push_back(slot);
    uses_.push_back(use);
  }
}

void AgentRunner::on_told(const Reply& reply) {
  telling_free_.push_back(reply.to.slot);
  // a loop with too much to do has not taken it
  if (reply.refusal != Refusal::none && describe(reply.refusal).status == 503) uses_.push_back(telling_[reply.to.slot]);
}

bool AgentRunner::release_answers() {
  bool any = false;
  while (!outbox_.empty()) {
    const Reply& reply = outbox_.front();
    if (reply.lsn > lane_->durable_lsn(reply.shard)) break;
    release(reply);
    outbox_.pop();
    any = true;
  }
  return any;
}

void AgentRunner::on_durable() {
  for (Shard* shard : shards_) {
    shard->durable([](ShowNumber) {});
    shard->take_uses(uses_);
  }
}

// ---- the cycle ----

bool AgentRunner::do_work() {
  bool any = false;
  any |= poll_log();
  any |= commands_.drain([&](const Mail& mail) {
    if (USHER_MUTANT(4, "a command is dropped from the mailbox") && mail.command.random % 8 == 0) return;
    stage(mail.command, mail.shard);
  }) > 0;
  any |= !staged_.empty();
  decide_staged();
  any |= replies_.drain([&](const Reply& reply) {
    --peers_[loop_of_shard_[reply.shard]].under_way;
    deliver(reply);
  }) > 0;
  if (!uses_.empty()) tell_rooms();
  any |= run_jobs();
  any |= run_timers();
  any |= release_answers();
  run_checkpoint();
  return any;
}

bool AgentRunner::poll_log() {
  if (!lane_->collect()) return false;
  on_durable();
  // what has gathered meanwhile is on its way before the answers are written and sent: the disk never waits for them
  if (lane_->gathered_bytes() > 0) commit(false);
  return true;
}

bool AgentRunner::run_timers() {
  if (lane_->gathered_bytes() > limits::gathered_bytes_max / 2) return false;
  const std::int64_t tick = to_ms(now_) / TimerWheel::tick_ms;
  if (tick == timer_tick_) return false;
  bool more = false;
  for (Shard* shard : shards_) more |= !shard->advance(now_, options_.timers_per_cycle);
  if (!more) timer_tick_ = tick;
  return more;
}

bool AgentRunner::run_jobs() {
  {
    const std::lock_guard lock(jobs_mutex_);
    jobs_running_.swap(jobs_);
  }
  const bool any = !jobs_running_.empty();
  for (Job& job : jobs_running_) job();
  jobs_running_.clear();
  const std::uint64_t durable = waiting_for_log() ? (lane_->in_flight() ? round_ - 2 : round_ - 1) : round_;
  std::vector<Job> ready;
  for (auto& [round, job] : after_) {
    if (round <= durable) ready.push_back(std::move(job));
  }
  if (ready.empty()) return any;
  std::erase_if(after_, [&](const auto& entry) { return entry.first <= durable; });
  for (Job& job : ready) job();
  return true;
}

void AgentRunner::run_checkpoint() {
  if (!checkpointer_->running() && now_ >= next_checkpoint_) {
    checkpointer_->start();
    next_checkpoint_ = now_ + options_.checkpoint_interval;
  }
  (void)checkpointer_->step();
}

void AgentRunner::commit(bool inline_sync) {
  USHER_ASSERT(wants_commit());
  for (Shard* shard : shards_) shard->seal();
  ++round_;
  ++counters_.rounds;
  if (inline_sync && lane_->submit_inline()) {
    ++counters_.rounds_inline;
    return;
  }
  if (!inline_sync) lane_->submit();
}

void AgentRunner::post(Job job) {
  bool first = false;
  {
    const std::lock_guard lock(jobs_mutex_);
    first = jobs_.empty();
    jobs_.push_back(std::move(job));
  }
  if (first && wake_) wake_();
}

void AgentRunner::after_durable(Job job) {
  after_.emplace_back(round_, std::move(job));
}

}  // namespace usher::engine
