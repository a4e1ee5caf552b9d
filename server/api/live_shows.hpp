#pragma once
/// LiveShows: where one loop's feed has the states of shows from: the newest durable images of the shards (DESIGN 4.3),
/// so that nothing is ever shown that a crash could take back. Each loop looks after the shows of its own shards that
/// anybody watches, and tells of each at most once per tick; a state that looks different is built once and handed to
/// every loop that has subscribers of the show. What crosses between loops goes by AgentRunner::post(). For the loop's
/// thread only.

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "engine/shard/engine.hpp"
#include "server/ws/feed.hpp"

namespace usher::server::api {

class LiveShows final : public ws::StateSource {
 public:
  /// `all`: one place for each loop of the process, filled by that loop's LiveShows and read on its thread alone.
  LiveShows(engine::Engine& engine, engine::AgentRunner& runner, ws::Feed& feed, Duration tick,
            std::vector<LiveShows*>& all);

  void watch(ws::FeedKey key) override;
  void unwatch(ws::FeedKey key) override;
  void refresh(ws::FeedKey key) override;

  /// Once per cycle: looks at the watched shows when it is time, and at once at those just asked for.
  void work(std::int64_t now_ms);

 private:
  /// A show of this loop that somebody watches.
  struct Channel {
    engine::Shard* shard = nullptr;
    std::vector<std::uint16_t> watchers;  ///< loops
    std::shared_ptr<const ws::SeatState> state;
    std::int64_t next_ms = 0;  ///< not told before
    Lsn seen = 0;              ///< of the image last looked at; newer than the state's where only the LSN was new
  };
  /// So many shows are looked at every few milliseconds, so that a lone change is told at once; more, once per tick.
  static constexpr std::size_t quick_channels_max = 64;
  static constexpr std::int64_t quick_look_ms = 1;

  enum class Ask : std::uint8_t { watch, unwatch, refresh };

  void ask(ws::FeedKey key, Ask what);
  void answer(ws::FeedKey key, Ask what, std::uint16_t loop);
  void look(ws::FeedKey key, Channel& channel, bool whatever);
  void look_at_all(std::int64_t now_ms);
  void tell(ws::FeedKey key, const Channel& channel, std::uint16_t loop);
  [[nodiscard]] std::shared_ptr<const ws::SeatNames> names_of(const engine::Layout& layout);

  engine::Engine& engine_;
  engine::AgentRunner& runner_;
  ws::Feed& feed_;
  const std::int64_t tick_ms_;
  std::vector<LiveShows*>& all_;
  std::unordered_map<ws::FeedKey, Channel> channels_;
  std::vector<ws::FeedKey> asked_;  ///< to look at in this cycle, whatever the tick
  std::unordered_map<const engine::Layout*, std::weak_ptr<const ws::SeatNames>> names_;
  std::int64_t next_look_ms_ = 0;
};

}  // namespace usher::server::api
