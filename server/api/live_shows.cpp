#include "server/api/live_shows.hpp"

#include <algorithm>

namespace usher::server::api {

LiveShows::LiveShows(engine::Engine& engine, engine::AgentRunner& runner, ws::Feed& feed, Duration tick,
                     std::vector<LiveShows*>& all)
    : engine_(engine), runner_(runner), feed_(feed), tick_ms_(tick.count()), all_(all) {
  all_[runner.loop()] = this;
  feed_.set_source(*this);
}

void LiveShows::watch(ws::FeedKey key) {
  ask(key, Ask::watch);
}

void LiveShows::unwatch(ws::FeedKey key) {
  ask(key, Ask::unwatch);
}

void LiveShows::refresh(ws::FeedKey key) {
  ask(key, Ask::refresh);
}

void LiveShows::ask(ws::FeedKey key, Ask what) {
  const engine::ShowDirectory::Entry* show = engine_.shared().directory.find(static_cast<ShowNumber>(key));
  if (show == nullptr) return;
  const std::uint16_t owner = engine_.loop_of(show->shard.load(std::memory_order_relaxed));
  const std::uint16_t own = runner_.loop();
  if (owner == own) return answer(key, what, own);
  // posted in the order asked, so that an unwatch never overtakes its watch
  engine_.runner(owner).post([&all = all_, owner, key, what, own] { all[owner]->answer(key, what, own); });
}

void LiveShows::answer(ws::FeedKey key, Ask what, std::uint16_t loop) {
  if (what == Ask::unwatch) {
    const auto found = channels_.find(key);
    if (found == channels_.end()) return;
    std::erase(found->second.watchers, loop);
    if (found->second.watchers.empty()) channels_.erase(found);
    return;
  }
  if (what == Ask::watch) {
    Channel& channel = channels_[key];
    if (channel.shard == nullptr) {
      const auto* show = engine_.shared().directory.find(static_cast<ShowNumber>(key));
      channel.shard = runner_.shard(show->shard.load(std::memory_order_relaxed));
    }
    if (std::find(channel.watchers.begin(), channel.watchers.end(), loop) == channel.watchers.end()) {
      channel.watchers.push_back(loop);
    }
  }
  asked_.push_back(key);
}

void LiveShows::work(std::int64_t now_ms) {
  for (const ws::FeedKey key : asked_) {
    if (const auto found = channels_.find(key); found != channels_.end()) look(key, found->second, true);
  }
  asked_.clear();
  if (now_ms < next_look_ms_) return;
  next_look_ms_ = now_ms + (channels_.size() <= quick_channels_max ? quick_look_ms : tick_ms_);
  look_at_all(now_ms);
}

void LiveShows::look_at_all(std::int64_t now_ms) {
  for (auto& [key, channel] : channels_) {
    if (now_ms < channel.next_ms) continue;
    const ws::SeatState* const before = channel.state.get();
    look(key, channel, false);
    if (channel.state.get() != before) channel.next_ms = now_ms + tick_ms_;
  }
  std::erase_if(names_, [](const auto& entry) { return entry.second.expired(); });
}

// Tells the watchers when the show looks different, or `whatever` it looks like.
void LiveShows::look(ws::FeedKey key, Channel& channel, bool whatever) {
  const std::optional<engine::ShowView> view = channel.shard->view(static_cast<ShowNumber>(key));
  if (!view) {  // it has left memory: its readers hear so and are gone when this is through
    for (const std::uint16_t loop : channel.watchers) {
      engine_.runner(loop).post(
          [&all = all_, loop, key] { all[loop]->feed_.end(key, ws::close_code::unknown_show, "the show is over"); });
    }
    return;
  }
  if (channel.state == nullptr || view->lsn != channel.seen) {
    auto state = std::make_shared<ws::SeatState>();
    state->lsn = view->lsn;
    state->status = static_cast<ws::ShowState>(view->status);
    state->map = ws::make_map(view->layout->seat_count(), view->reserved, view->booked, view->blocked);
    channel.seen = view->lsn;
    const bool looks_new = channel.state == nullptr || !state->looks_like(*channel.state);
    if (!looks_new && !whatever) return;
    state->names = channel.state ? channel.state->names : names_of(*view->layout);
    channel.state = std::move(state);
  } else if (!whatever) {
    return;
  } else if (channel.state->lsn != channel.seen) {
    auto state = std::make_shared<ws::SeatState>(*channel.state);
    state->lsn = channel.seen;
    channel.state = std::move(state);
  }
  for (const std::uint16_t loop : channel.watchers) tell(key, channel, loop);
}

void LiveShows::tell(ws::FeedKey key, const Channel& channel, std::uint16_t loop) {
  if (loop == runner_.loop()) return feed_.publish(key, channel.state);
  engine_.runner(loop).post([&all = all_, loop, key, state = channel.state] { all[loop]->feed_.publish(key, state); });
}

// Halls alike share their names as long as any of their shows is watched.
std::shared_ptr<const ws::SeatNames> LiveShows::names_of(const engine::Layout& layout) {
  std::weak_ptr<const ws::SeatNames>& known = names_[&layout];
  if (auto names = known.lock()) return names;
  auto names = std::make_shared<ws::SeatNames>();
  for (std::uint32_t seat = 0; seat < layout.seat_count(); ++seat) {
    names->add(layout.label(static_cast<SeatIndex>(seat)));
  }
  known = names;
  return names;
}

}  // namespace usher::server::api
