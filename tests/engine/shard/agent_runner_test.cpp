/// What the runner promises: nobody hears of anything before the log has it, bounds, order, several loops.

#include "engine/shard/agent_runner.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "engine/shard/engine.hpp"
#include "tests/engine/catalog/halls.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/memory_log.hpp"
#include "tests/support/test_shard.hpp"

using namespace usher;
using namespace usher::engine;
using namespace usher::testing;

namespace {

class Answers final : public ReplySink {
 public:
  void on_reply(const Reply& reply) override { replies.push_back(reply); }
  std::vector<Reply> replies;
};

constexpr auto show_one = static_cast<ShowNumber>(1);

Command reserve_of(SeatIndex seat, std::uint32_t slot = 0, ShowNumber show = show_one) {
  Command command;
  command.type = CommandType::reserve;
  command.show = show;
  command.user = static_cast<UserNumber>(seat + 1U);
  command.random = seat + 100U;
  command.seat_count = 1;
  command.seats[0] = seat;
  command.reply.slot = slot;
  return command;
}

/// One loop, two shards, a log whose syncs the test makes; show 1 lies in shard 1, as its number says.
struct OneLoop {
  explicit OneLoop(RunnerOptions options = {})
      : log(3, MemoryLog::Sync::manual), engine(2, {&clock}, clock.now(), options), runner(engine.runner(0)) {
    engine.attach(log);
    runner.set_sink(answers);
    auto made = Layout::make(rectangle(4, 25));
    const auto layout = engine.shared().layouts.intern(std::move(made).value());
    ShowTerms terms = usual_terms(*layout.value().layout);
    Shard& shard = *runner.shard(1);
    shard.define_layout(*layout.value().layout, clock.now());
    (void)shard.open_show(show_one, terms, clock.now());
    round();
  }
  void cycle() {
    runner.begin_cycle();
    (void)runner.do_work();
  }
  void commit() {
    if (runner.wants_commit()) runner.commit(false);
  }
  /// A whole round: gathered, sealed, synced, collected.
  void round() {
    cycle();
    commit();
    log.sync();
    cycle();
  }
  void submit(const Command& command) { REQUIRE(runner.submit(command, 1)); }
  std::uint32_t reserved_in_view() {
    std::uint32_t count = 0;
    const std::optional<ShowView> view = runner.shard(1)->view(show_one);
    REQUIRE(view);
    for (const std::uint64_t word : view->reserved) {
      count += static_cast<std::uint32_t>(std::popcount(word));
    }
    return count;
  }

  ManualClock clock{instant_from_ms(1'000'000)};
  Answers answers;
  MemoryLog log;
  Engine engine;
  AgentRunner& runner;
};

}  // namespace

TEST_CASE("agent runner: answers: a success, a refusal and a read all wait until what they saw is durable") {
  OneLoop loop;
  loop.submit(reserve_of(5, 1));
  Command rival = reserve_of(5, 2);
  rival.user = static_cast<UserNumber>(99);
  loop.submit(rival);
  Command read = reserve_of(5, 3);
  read.type = CommandType::read_reservation;
  read.id_random = 105;
  loop.submit(read);
  loop.cycle();
  CHECK(loop.answers.replies.empty());
  loop.commit();
  loop.cycle();
  CHECK(loop.answers.replies.empty());
  CHECK(loop.runner.answers_waiting() == 3);
  loop.log.sync();
  CHECK(loop.answers.replies.empty());
  loop.cycle();
  REQUIRE(loop.answers.replies.size() == 3);
  CHECK(loop.answers.replies[0].refusal == Refusal::none);
  CHECK(loop.answers.replies[1].refusal == Refusal::seats_unavailable);
  CHECK(loop.answers.replies[2].state == ReservationState::reserved);
  for (std::uint32_t i = 0; i < 3; ++i) CHECK(loop.answers.replies[i].to.slot == i + 1);
  loop.submit(reserve_of(5, 4));  // it has seen only what is durable
  CHECK(loop.answers.replies.size() == 4);
}

TEST_CASE("agent runner: a refusal that saw the second round waits for it while the first is in flight") {
  OneLoop loop;
  loop.submit(reserve_of(1, 1));
  loop.cycle();
  loop.commit();
  loop.submit(reserve_of(2, 2));
  loop.submit(reserve_of(2, 3));
  loop.log.sync();
  loop.cycle();
  REQUIRE(loop.answers.replies.size() == 1);
  CHECK(loop.answers.replies[0].to.slot == 1);
  loop.round();
  CHECK(loop.answers.replies.size() == 3);
}

TEST_CASE("agent runner: seat view: the durable image, through many rounds in a row, before that round's answers") {
  OneLoop loop;
  std::uint32_t durable = 0;
  std::uint32_t in_flight = 0;
  std::uint32_t gathered = 0;
  SeatIndex next = 0;
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 1 + round % 3; ++i) {
      loop.submit(reserve_of(next++));
      ++gathered;
      CHECK(loop.reserved_in_view() == durable);
      CHECK(loop.engine.available(show_one) == 100 - durable);
    }
    if (in_flight > 0) {
      loop.log.sync();
      CHECK(loop.reserved_in_view() == durable);
      loop.cycle();
      durable += in_flight;
      in_flight = 0;
      CHECK(loop.reserved_in_view() == durable);
      CHECK(loop.answers.replies.size() == durable);
    }
    CHECK(loop.runner.shard(1)->view(show_one)->available == 100 - durable);
    loop.commit();
    in_flight = gathered;
    gathered = 0;
    CHECK(loop.reserved_in_view() == durable);
  }
  CHECK(check_invariants(loop.runner.shard(1)->state()).empty());
}

TEST_CASE("agent runner: seat view: a round in which the show does not change leaves its image alone") {
  OneLoop loop;
  loop.submit(reserve_of(1));
  loop.round();
  const Lsn lsn = loop.runner.shard(1)->view(show_one)->lsn;
  loop.runner.shard(0)->define_layout(loop.runner.shard(1)->state().shows[1].layout[0], loop.clock.now());
  loop.submit(reserve_of(1));  // refused
  loop.round();
  CHECK(loop.runner.shard(1)->view(show_one)->lsn == lsn);
  CHECK(loop.reserved_in_view() == 1);
}

TEST_CASE("agent runner: overload: each has its refusal and changes nothing") {
  RunnerOptions options;
  options.outbox_capacity = 4;
  OneLoop loop(options);
  const auto refusal_of = [&](const Command& command) {
    const std::size_t before = loop.answers.replies.size();
    loop.submit(command);
    REQUIRE(loop.answers.replies.size() == before + 1);
    return loop.answers.replies.back().refusal;
  };
  loop.log.set_space(false);
  CHECK(refusal_of(reserve_of(1)) == Refusal::disk_nearly_full);
  loop.log.set_space(true);
  for (SeatIndex seat = 1; seat <= 4; ++seat) loop.submit(reserve_of(seat));
  CHECK(refusal_of(reserve_of(5)) == Refusal::mailbox_full);
  loop.round();
  loop.submit(reserve_of(6));
  loop.log.set_extra_bytes(limits::gathered_bytes_max);
  CHECK(refusal_of(reserve_of(7)) == Refusal::log_behind);
  loop.log.set_extra_bytes(0);
  loop.round();
  loop.runner.drain();
  CHECK(refusal_of(reserve_of(8)) == Refusal::draining);
  Command read = reserve_of(6);
  read.type = CommandType::read_reservation;
  read.id_random = 106;
  read.sequence = 4;
  CHECK(refusal_of(read) == Refusal::none);
  CHECK(loop.reserved_in_view() == 5);
}

TEST_CASE("agent runner: space is short: what is reserved may still be paid and released") {
  OneLoop loop;
  loop.submit(reserve_of(1));
  loop.round();
  loop.log.set_space(false);
  Command release = reserve_of(1);
  release.type = CommandType::release;
  release.id_random = 101;
  loop.submit(release);
  loop.round();
  CHECK(loop.answers.replies.back().refusal == Refusal::none);
  CHECK(loop.reserved_in_view() == 0);
}

TEST_CASE("agent runner: after_durable: in order, each not before its own round is durable") {
  OneLoop loop;
  std::vector<int> order;
  loop.submit(reserve_of(1));
  loop.runner.after_durable([&] { order.push_back(1); });
  loop.cycle();
  loop.commit();
  loop.submit(reserve_of(2));
  loop.runner.after_durable([&] { order.push_back(2); });
  loop.runner.after_durable([&] { order.push_back(3); });
  loop.cycle();
  CHECK(order.empty());
  loop.log.sync();
  loop.cycle();
  CHECK(order == std::vector<int>{1});
  loop.commit();
  loop.cycle();
  CHECK(order == std::vector<int>{1});
  loop.log.sync();
  loop.cycle();
  CHECK(order == std::vector<int>{1, 2, 3});
  loop.runner.after_durable([&] { order.push_back(4); });  // nothing is gathered: at once
  loop.cycle();
  CHECK(order.back() == 4);
}

TEST_CASE("agent runner: timers: expiry is logged by the cycle, and the seats come back when that is durable") {
  OneLoop loop;
  loop.submit(reserve_of(1));
  loop.round();
  loop.clock.step(std::chrono::minutes{10} + std::chrono::milliseconds{16});
  loop.cycle();
  CHECK(loop.runner.wants_commit());
  CHECK(loop.reserved_in_view() == 1);
  loop.round();
  CHECK(loop.reserved_in_view() == 0);
  CHECK(loop.runner.shard(1)->counters().expired == 1);
}

TEST_CASE("agent runner: checkpoint pass: waits for the log and the queue, covers all, its rows restore the state") {
  OneLoop loop;
  for (SeatIndex seat = 0; seat < 10; ++seat) loop.submit(reserve_of(seat));
  loop.log.checkpoint_queue_full = true;
  loop.runner.start_checkpoint();
  loop.cycle();
  loop.cycle();
  CHECK(loop.log.rows().empty());  // ten reservations are not durable yet
  loop.round();
  loop.cycle();
  CHECK(loop.log.rows().empty());  // the writer's queue is full
  CHECK(loop.runner.checkpointing());
  loop.log.checkpoint_queue_full = false;
  for (int i = 0; i < 10; ++i) loop.cycle();
  CHECK_FALSE(loop.runner.checkpointing());
  const Lsn last = loop.runner.lane().last_lsn(1);
  CHECK(loop.log.covered(1) == last);
  std::vector<CheckpointRow> rows;
  for (const CheckpointRow& row : loop.log.rows()) {
    if (row.shard == 1) rows.push_back(row);
  }
  CHECK(rows.size() == 3);  // the clock, the layout and the show
  CHECK(replay_differs(loop.runner.shard(1)->state(), loop.clock.now(), {}, rows) == "");
  CHECK_FALSE(loop.runner.shard(1)->dirty());
}

TEST_CASE("agent runner: two loops on one thread: a remote command comes back by the other's mailbox, bounded") {
  ManualClock clock{instant_from_ms(1'000'000)};
  MemoryLog log(3);
  RunnerOptions options;
  options.mailbox_capacity = 2;
  Engine engine(2, {&clock, &clock}, clock.now(), options);
  engine.attach(log);
  Answers one;
  Answers two;
  engine.runner(0).set_sink(one);
  engine.runner(1).set_sink(two);
  CHECK(engine.loop_of(1) == 1);
  CHECK(engine.runner(0).submit(reserve_of(1, 7), 1));
  CHECK(engine.runner(0).submit(reserve_of(2, 8), 1));
  CHECK_FALSE(engine.runner(0).submit(reserve_of(3, 9), 1));
  engine.drive([] { return false; });
  REQUIRE(one.replies.size() == 2);
  CHECK(one.replies[0].refusal == Refusal::unknown_show);
  CHECK(one.replies[0].to.slot == 7);
  CHECK(one.replies[1].to.slot == 8);
  CHECK(two.replies.empty());
  CHECK(engine.runner(0).submit(reserve_of(3, 9), 1));
}

TEST_CASE("agent runner: two loops on threads: every command has one answer, every seat one owner") {
  constexpr std::uint32_t shows = 8;
  constexpr std::uint32_t commands_each = 4'000;
  ManualClock clock{instant_from_ms(1'000'000)};  // never moves: read by both
  MemoryLog log(shows + 1);
  Engine engine(shows, {&clock, &clock}, clock.now());
  engine.attach(log);
  auto made = Layout::make(rectangle(10, 100));
  const auto layout = engine.shared().layouts.intern(std::move(made).value());
  ShowTerms terms = usual_terms(*layout.value().layout);
  terms.policy.cooldown_after_refusals = 0;
  for (ShardIndex shard = 0; shard < shows; ++shard) {
    Shard& owner = *engine.runner(shard % 2U).shard(shard);
    owner.define_layout(*layout.value().layout, clock.now());
    REQUIRE(owner.open_show(static_cast<ShowNumber>(shard + 1U), terms, clock.now()));
  }
  Answers sinks[2];
  engine.runner(0).set_sink(sinks[0]);
  engine.runner(1).set_sink(sinks[1]);
  std::atomic<int> ready{0};
  std::atomic<int> finished{0};
  const auto loop = [&](std::uint16_t at) {
    ++ready;
    while (ready < 2) std::this_thread::yield();
    AgentRunner& runner = engine.runner(at);
    std::uint32_t next = 0;
    bool done = false;
    while (finished < 2) {
      runner.begin_cycle();
      for (int burst = 0; burst < 50 && next < commands_each; ++burst) {
        Command command =
            reserve_of(static_cast<SeatIndex>(next / shows % 1'000), next, static_cast<ShowNumber>(next % shows + 1));
        command.user = static_cast<UserNumber>(next * 2 + at + 1);
        command.reply.loop = at;
        if (!runner.submit(command, static_cast<ShardIndex>(next % shows))) break;
        ++next;
      }
      if (!runner.do_work()) std::this_thread::yield();
      if (runner.wants_commit()) runner.commit(true);
      if (!done && sinks[at].replies.size() == commands_each) {
        done = true;
        ++finished;
      }
    }
  };
  std::thread other([&] { loop(1); });
  loop(0);
  other.join();
  std::uint32_t reserved = 0;
  for (const Answers& sink : sinks) {
    REQUIRE(sink.replies.size() == commands_each);
    std::vector<bool> seen(commands_each);
    for (const Reply& reply : sink.replies) {
      REQUIRE_FALSE(seen[reply.to.slot]);
      seen[reply.to.slot] = true;
      reserved += reply.refusal == Refusal::none ? 1U : 0U;
    }
  }
  CHECK(reserved == commands_each);  // both ask for the same seats
  for (ShardIndex shard = 0; shard < shows; ++shard) CHECK(check_invariants(engine.shard(shard).state()).empty());
}
