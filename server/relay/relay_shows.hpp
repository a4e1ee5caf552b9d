#pragma once
/// RelayShows: one loop's view of the upstream: which shows its readers follow, and who waits for a show that has yet
/// to be found. The StateSource of the loop's feed. For the loop's thread only.
///
/// A handshake for a show that this loop follows is answered at once. The first one for a show waits until the upstream
/// has found it (or not: then it is answered with what a server would say), at most as long as the upstream's timeouts.
/// So does one whose `from` is newer than what this relay has heard: it must not be told anything older.

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "server/http/loop.hpp"
#include "server/metrics/loop_metrics.hpp"
#include "server/relay/upstream.hpp"
#include "server/ws/feed.hpp"

namespace usher::server::relay {

/// The loop's sockets, its feed, and the route that its handshakes are counted under.
struct RelayShowsContext {
  http::Loop& loop;
  ws::Feed& feed;
  Upstream& upstream;
  metrics::LoopMetrics& metrics;
  std::size_t route;
};

class RelayShows final : public ws::StateSource, public Watcher {
 public:
  /// `number`: what Upstream::add_loop() gave.
  RelayShows(const RelayShowsContext& context, std::uint16_t number);

  /// Who wants to become a subscriber.
  struct Guest {
    ReplyTo reply_to;
    http::ClientAddress client;
    ws::Format format;
    std::optional<std::uint64_t> from;
    std::string head;  ///< the answer to the handshake
    /// Of the server to whether there is anything as new as `from`. The first may have been on its way before the guest
    /// came; whoever still claims to know more after the second is told what there is.
    int answers_left = 2;
  };
  /// Answers the request, or takes over its socket, now or later. `show` is the path segment, as sent.
  void open(std::string_view show, Guest guest);
  /// Answers with a problem, and counts it.
  void refuse(const ReplyTo& to, const ws::HandshakeError& error);

  /// Once per cycle, before the feed's.
  void work();
  [[nodiscard]] bool waiting() const noexcept { return waiting_ != 0; }

  void watch(ws::FeedKey key) override;
  void unwatch(ws::FeedKey key) override;
  void refresh(ws::FeedKey key) override;

  void found(const std::string& show, ws::FeedKey key, SharedState state) override;
  void refused(const std::string& show, Why why) override;
  void changed(ws::FeedKey key, SharedState state, bool refreshed) override;
  void lost(ws::FeedKey key) override;
  void ended(ws::FeedKey key, std::uint16_t code) override;

 private:
  struct Show {
    std::string name;
    ws::FeedKey key = 0;
    SharedState state;  ///< none: not found yet
    bool lost = false;
    bool watched = false;  ///< by the feed
    std::vector<Guest> guests;
  };

  void admit(Show& show, bool refreshed);
  void refuse_all(Show& show, const ws::HandshakeError& error);
  void join(Show& show, Guest& guest);
  void forget(Show& show);
  [[nodiscard]] Show* find(ws::FeedKey key) noexcept;

  RelayShowsContext context_;
  const std::uint16_t number_;
  std::unordered_map<std::string, std::unique_ptr<Show>> shows_;
  std::unordered_map<ws::FeedKey, Show*> by_key_;
  std::vector<ws::FeedKey> due_;  // the feed is to be told what is known
  std::size_t waiting_ = 0;
};

}  // namespace usher::server::relay
