#include "server/events/event_facts.hpp"

#include <future>

#include "engine/show/show_actor.hpp"

namespace usher::server::events {
namespace {

/// The events that tell of a reservation or booking.
[[nodiscard]] bool has_sequence(EventType type) noexcept {
  return type >= EventType::reserved && type <= EventType::ticket_used;
}

struct Question {
  ShardIndex shard = 0;
  ShowNumber show = ShowNumber::none;
  std::uint32_t sequence = 0;
};

/// On the loop of the shards asked.
[[nodiscard]] std::vector<Reply> answer(engine::AgentRunner& runner, const std::vector<Question>& questions) {
  std::vector<Reply> replies;
  for (const Question& question : questions) {
    const engine::ShardState& state = runner.shard(question.shard)->state();
    const engine::SlabIndex show = state.find_show(question.show);
    const engine::SlabIndex found = show == 0 ? 0 : state.find_reservation(show, question.sequence);
    Reply reply;
    reply.show = question.show;
    reply.sequence = question.sequence;
    if (found != 0) engine::fill_reply(state, found, reply);
    replies.push_back(reply);
  }
  return replies;
}

}  // namespace

bool look_up(engine::Engine& engine, const std::vector<Record>& records, Facts& facts) {
  std::vector<std::vector<Question>> by_loop(engine.loop_count());
  for (const Record& record : records) {
    for (const Event& event : record.events) {
      if (!has_sequence(event.type) || facts.contains({record.show, event.sequence})) continue;
      facts[{record.show, event.sequence}] = {};
      by_loop[engine.loop_of(record.shard)].push_back({record.shard, record.show, event.sequence});
    }
  }
  for (std::size_t loop = 0; loop < by_loop.size(); ++loop) {
    if (by_loop[loop].empty()) continue;
    auto promise = std::make_shared<std::promise<std::vector<Reply>>>();
    std::future<std::vector<Reply>> answered = promise->get_future();
    engine::AgentRunner& runner = engine.runner(loop);
    runner.post(
        [&runner, promise, questions = std::move(by_loop[loop])] { promise->set_value(answer(runner, questions)); });
    if (answered.wait_for(std::chrono::seconds{10}) != std::future_status::ready) return false;
    for (const Reply& reply : answered.get()) facts[{reply.show, reply.sequence}] = reply;
  }
  return true;
}

}  // namespace usher::server::events
