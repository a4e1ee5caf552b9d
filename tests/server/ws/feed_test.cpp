#include "server/ws/feed.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <vector>

#include "tests/server/http/loopback.hpp"

namespace {

using namespace usher::test;
namespace ws = usher::server::ws;
using usher::Instant;

constexpr ws::FeedKey show = 1;

/// Counts what is asked of it, and says nothing by itself.
class SilentSource : public ws::StateSource {
 public:
  void watch(ws::FeedKey /*key*/) override { ++watched; }
  void unwatch(ws::FeedKey /*key*/) override { --watched; }
  void refresh(ws::FeedKey /*key*/) override {}
  int watched = 0;
};

/// A feed of one loop, whose readers come by connections of their own.
struct FeedOfOneLoop {
  explicit FeedOfOneLoop(ws::FeedOptions options) : feed(*server.loop, std::move(options), limits) {
    server.handler.takes_upgrades = true;
    feed.set_source(source);
  }
  ~FeedOfOneLoop() { feed.close_all(); }

  std::unique_ptr<Client> join() {
    auto client = std::make_unique<Client>(server.port);
    client->send(
        "GET /live HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: a\r\n\r\n");
    REQUIRE(server.pump_until([&] { return server.handler.detached.has_value(); }));
    http::DetachedSocket socket = std::move(*server.handler.detached);
    server.handler.detached.reset();
    REQUIRE(limits.take(socket.client) == ws::SubscriberLimits::Taken::yes);
    feed.join({show, ws::Format::json, std::nullopt, socket.client, "head\r\n\r\n"}, std::move(socket));
    return client;
  }

  /// Turns the loop, without the feed's work, until nothing comes any more.
  void take_events() {
    REQUIRE(server.pump_until([&] { return server.loop->run_one_for(usher::Duration{20}) == 0; }));
  }

  Loopback server;
  SilentSource source;
  ws::SubscriberLimits limits{1'000, 1'000};
  ws::Feed feed;
};

TEST_CASE("feed: a crowd that goes at once: put away in slices, each with a turn for the loop between") {
  constexpr std::size_t crowd = 100;
  constexpr std::size_t per_slice = 8;  // at least that many, and no more where the slice is over at once
  ws::FeedOptions options;
  options.slice = std::chrono::microseconds{0};
  FeedOfOneLoop live(options);
  std::vector<std::unique_ptr<Client>> readers;
  for (std::size_t reader = 0; reader < crowd; ++reader) readers.push_back(live.join());
  REQUIRE(live.feed.size() == crowd);
  CHECK(live.source.watched == 1);

  readers.clear();
  live.take_events();
  CHECK(live.feed.size() == crowd);  // known, and yet to be done
  std::size_t left = crowd;
  while (left > per_slice) {
    CHECK(live.feed.work(Instant{}));
    left -= per_slice;
    REQUIRE(live.feed.size() == left);
  }
  CHECK_FALSE(live.feed.work(Instant{}));
  CHECK(live.feed.size() == 0);
  CHECK(live.limits.count() == 0);
  CHECK(live.source.watched == 0);
}

TEST_CASE("feed: a reader that has gone before its end was read: the newcomer in its place lives") {
  FeedOfOneLoop live({});
  auto first = live.join();
  first->close();
  live.take_events();
  live.feed.close_all();  // it goes another way while its end waits to be read
  REQUIRE(live.feed.size() == 0);
  auto second = live.join();  // the same object
  CHECK_FALSE(live.feed.work(Instant{}));
  CHECK(live.feed.size() == 1);
  second->send(std::string("\x89\x80\0\0\0\0", 6));  // a ping
  REQUIRE(live.server.pump_until([&] {
    live.feed.work(Instant{});
    second->receive();
    return second->received.find(std::string("\x8a\0", 2)) != std::string::npos;
  }));
}

}  // namespace
