/// What the engine does about waiting rooms: work that crosses shards, each step durable before the next begins, so
/// that a crash between two of them leaves something that mend_rooms() finishes.

#include <algorithm>

#include "engine/shard/engine.hpp"

namespace usher::engine {

/// Shows of a room being guarded or opened. Touched by one loop at a time, under its lock.
struct Engine::GuardRun {
  std::mutex mutex;
  std::vector<ShowNumber> refused;
  std::size_t left = 0;
  std::function<void(std::vector<ShowNumber>)> done;
};

/// Runs `work` on the loop of the shard, then `done` when what it did is durable.
void Engine::in_shard(ShardIndex shard, std::function<bool(Shard&, Instant)> work, std::function<void(bool)> done) {
  AgentRunner& runner = *runners_[loop_of_shard_[shard]];
  runner.post([this, shard, &runner, work = std::move(work), done = std::move(done)] {
    const bool worked = work(*shards_[shard], runner.now());
    runner.after_durable([done, worked] { done(worked); });
  });
}

void Engine::set_guards(std::uint32_t room, const std::vector<ShowNumber>& shows, bool on,
                        std::function<void(std::vector<ShowNumber>)> done) {
  auto run = std::make_shared<GuardRun>();
  run->left = shows.size();
  run->done = std::move(done);
  const auto finish = [run](ShowNumber show, bool is_set) {
    {
      const std::lock_guard lock(run->mutex);
      if (!is_set) run->refused.push_back(show);
      if (--run->left > 0) return;
    }
    run->done(run->refused);
  };
  for (const ShowNumber show : shows) {
    const ShowDirectory::Entry* entry = shared_.directory.find(show);
    if (entry == nullptr) {
      finish(show, false);
      continue;
    }
    in_shard(
        entry->shard.load(std::memory_order_relaxed),
        [room, show, on](Shard& shard, Instant now) {
          return on ? shard.guard(show, room, now) : shard.unguard(show, room, now);
        },
        [finish, show](bool is_set) { finish(show, is_set); });
  }
}

void Engine::open_room(const RoomSettings& settings, std::function<void(const RoomOpened&)> done) {
  const std::optional<std::uint32_t> number = shared_.rooms.allocate(settings.id, shard_count());
  if (!number) return done({});
  in_shard(
      static_cast<ShardIndex>(*number % shard_count()),
      [number, settings](Shard& shard, Instant now) { return shard.open_room(*number, settings, now); },
      [this, number, settings, done = std::move(done)](bool) {
        set_guards(*number, settings.shows, true, [number, done](std::vector<ShowNumber> refused) {
          std::sort(refused.begin(), refused.end());
          done({*number, std::move(refused)});
        });
      });
}

void Engine::change_room(std::uint32_t number, std::function<void(RoomSettings&)> edit,
                         std::function<void(bool)> done) {
  in_shard(
      static_cast<ShardIndex>(number % shard_count()),
      [number, edit = std::move(edit)](Shard& shard, Instant now) {
        const Room* room = shard.room(number);
        if (room == nullptr) return false;
        RoomSettings settings = room->settings;
        edit(settings);
        return shard.change_room(number, settings, now);
      },
      std::move(done));
}

void Engine::close_room(std::uint32_t number, std::function<void(bool)> done) {
  auto shows = std::make_shared<std::vector<ShowNumber>>();
  in_shard(
      static_cast<ShardIndex>(number % shard_count()),
      [number, shows](Shard& shard, Instant now) {
        if (const Room* room = shard.room(number)) *shows = room->settings.shows;
        return shard.close_room(number, now);
      },
      [this, number, shows, done = std::move(done)](bool closed) {
        if (!closed) return done(false);
        set_guards(number, *shows, false, [done](const std::vector<ShowNumber>&) { done(true); });
      });
}

void Engine::draw_room(std::uint32_t number, std::string beacon, std::function<void(bool)> done) {
  in_shard(
      static_cast<ShardIndex>(number % shard_count()),
      [number, beacon = std::move(beacon)](Shard& shard, Instant now) { return shard.draw_room(number, beacon, now); },
      std::move(done));
}

void Engine::change_policy(ShowNumber show, const Policy& policy, std::function<void(bool)> done) {
  const ShowDirectory::Entry* entry = shared_.directory.find(show);
  if (entry == nullptr) return done(false);
  in_shard(
      entry->shard.load(std::memory_order_relaxed),
      [show, policy](Shard& shard, Instant now) { return shard.change_policy(show, policy, now); }, std::move(done));
}

void Engine::mend_rooms() {
  std::size_t left = 0;
  for (const auto& shard : shards_) {
    for (const auto& [number, room] : shard->state().rooms) {
      std::vector<ShowNumber> shows;
      for (const ShowNumber show : room->settings.shows) {
        const std::uint32_t guarded_by = shared_.guards.room_of(show);
        const bool is_right = room->status == RoomStatus::open ? guarded_by != 0 : guarded_by != number;
        if (!is_right) shows.push_back(show);
      }
      if (shows.empty()) continue;
      ++left;
      set_guards(number, shows, room->status == RoomStatus::open, [&left](const std::vector<ShowNumber>&) { --left; });
    }
  }
  if (left > 0) drive([&left] { return left == 0; });
}

}  // namespace usher::engine
