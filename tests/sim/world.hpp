#pragma once
/// World: one simulation of one seed. Clients, gateway, disk and clocks around the real program, and the model that
/// watches it. For one thread; the same seed does the same.
///
/// Operation: the safety phase takes one small step after the other: time passes, a loop runs a cycle, perhaps with
/// commands, perhaps something breaks, perhaps the process dies and starts again. Then the liveness phase: nothing
/// breaks any more, and everything must end. The first thing that is wrong stops it.

#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/sim/disk.hpp"
#include "tests/sim/gateway.hpp"
#include "tests/sim/judge.hpp"
#include "tests/sim/process.hpp"

namespace usher::sim {

struct Outcome {
  std::string wrong;  ///< "" when all was well
  std::uint32_t commands = 0;
  Counters counters;
};

class World final : private Watcher {
 public:
  World(std::uint64_t seed, const Cuts& cuts);
  [[nodiscard]] Outcome run();

 private:
  /// A command on its way.
  struct Sent {
    Command command;
    std::uint64_t life = 0;
    bool answered = false;
  };
  /// A command that may be sent again with its key.
  struct Repeatable {
    Command command;
    bool unheard = false;  ///< the process died before it answered
  };

  // world.cpp: the safety phase
  void start();
  void step();
  void pass_time();
  void look();
  void look_at(const Facts& facts);
  void look_at_memory();
  void check_prompt(std::size_t loop);
  void count_log();
  void open_missing();
  [[nodiscard]] Facts facts_of(std::size_t index) const;
  void fail(const std::string& what);
  [[nodiscard]] bool failed() const noexcept { return !wrong_.empty(); }
  [[nodiscard]] bool down() const noexcept { return fatal_ || disk_.off(); }
  [[nodiscard]] Instant now(std::size_t loop) { return process_->engine().runner(loop).now(); }

  // Watcher
  void on_record(const Record& record) override;
  void on_client(const ReplyTo& to, const Reply& reply) override;
  void on_reply(const Reply& reply) override;
  void on_fatal(const std::string& why) override;
  void on_charge(const server::payments::PaymentRequest& request);

  // clients.cpp
  void ask(std::size_t loop);
  void submit(std::size_t loop, Command command);
  [[nodiscard]] Command draw_command();
  [[nodiscard]] CommandType draw_type();
  void name_reservation(Command& command);
  void choose_seats(Command& command);
  void draw_scan(Command& command);
  void give_key(Command& command);
  [[nodiscard]] bool repeat(std::size_t loop);
  void learn(const Command& command, const Reply& reply);
  [[nodiscard]] bool overloaded(const Command& command, const Reply& reply);

  // restart.cpp
  void trouble();
  void trouble_with_disk();
  void crash(bool power);
  void restart();
  void close_cleanly();
  void damage();
  void judge_damaged(const std::string& what, bool must_be_seen);
  [[nodiscard]] std::vector<Lsn> ends() const;
  void count_resumed(const ShowState& state);
  void compare_with(Process& old);
  void replay_whole();

  // finish.cpp: the liveness phase
  void finish();
  void settle();
  [[nodiscard]] std::string unfinished();
  void check_money();
  void check_audit();

  Counters counters_;
  Cuts cuts_;
  Knobs knobs_;
  Random random_;   ///< what happens when
  Random clients_;  ///< what is asked
  Disk disk_;
  Gateway gateway_;
  Model model_;
  Judge judge_;
  std::unique_ptr<Process> process_;
  std::string wrong_;
  bool fatal_ = false;
  bool calm_ = false;  ///< the liveness phase
  bool closing_ = false;
  std::uint64_t life_ = 0;
  std::uint64_t steps_ = 0;
  std::int64_t begun_ns_ = 0;
  std::uint64_t disk_short_until_ = 0;  ///< by number of steps
  std::uint32_t commands_ = 0;
  std::vector<Sent> sent_;
  std::deque<Repeatable> repeatable_;
  std::vector<Reply> known_;            ///< reservations that clients have heard of
  std::map<std::uint32_t, Lsn> shown_;  ///< per show, the newest LSN that anybody was told
  std::uint64_t keys_given_ = 0;
  std::vector<Command> scans_;  ///< the newest ones, to be sent again
};

}  // namespace usher::sim
