#include "server/http/loop.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <atomic>
#include <string>
#include <thread>

#include "tests/server/http/loopback.hpp"

namespace {

using namespace usher::test;
namespace http = usher::server::http;
using usher::Duration;

const std::string get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";

void pass_time(std::int64_t ms) {
  fake_now_ms += ms;
}

TEST_CASE("loop: idle connections: closed at the idle timeout, not before") {
  Loopback server;
  Client client(server.port);
  client.send(get);
  REQUIRE(server.pump_answers(client, 1));
  pass_time(59'000);
  server.loop->poll();
  CHECK(server.loop->connection_count() == 1);
  pass_time(1'500);
  server.loop->poll();
  CHECK(server.loop->connection_count() == 0);
}

TEST_CASE("loop: a head that does not end: 408 at the head timeout, drop by drop too") {
  Loopback server;
  Client client(server.port);
  client.send("GET / HT");
  REQUIRE(server.pump_until([&] { return server.loop->counters().bytes_received.value() == 8; }));
  pass_time(9'000);
  client.send("T");
  REQUIRE(server.pump_until([&] { return server.loop->counters().bytes_received.value() == 9; }));
  CHECK(server.loop->counters().timeouts.value() == 0);
  pass_time(1'500);
  REQUIRE(server.pump_end(client));
  CHECK(client.received.starts_with("HTTP/1.1 408 "));
  CHECK(client.received.find("head_timeout") != std::string::npos);
}

TEST_CASE("loop: a body that does not come: 408 at the body timeout") {
  Loopback server;
  Client client(server.port);
  client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n123");
  REQUIRE(server.pump_until([&] { return server.loop->counters().bytes_received.value() > 40; }));
  pass_time(9'000);
  server.loop->poll();
  CHECK(server.loop->connection_count() == 1);
  pass_time(1'500);
  REQUIRE(server.pump_end(client));
  CHECK(client.received.find("body_timeout") != std::string::npos);
}

TEST_CASE("loop: a request that waits for its answer: no timeout") {
  Loopback server;
  server.handler.hold = true;
  Client client(server.port);
  client.send(get);
  REQUIRE(server.pump_seen(1));
  pass_time(3'600'000);
  server.loop->poll();
  CHECK(server.loop->connection_count() == 1);
  server.answer(0, "late");
  REQUIRE(server.pump_answers(client, 1));
}

TEST_CASE("loop: a client that takes no answers: reading stops, and the write timeout ends it") {
  Loopback server;
  server.handler.hold = true;
  Client client(server.port);
  client.send(get);
  REQUIRE(server.pump_seen(1));
  http::Response response;
  response.shared_body = std::make_shared<const std::string>(std::string(32U << 20U, 'x'));
  server.loop->respond(server.handler.seen[0].reply_to, response);
  for (int i = 0; i < 20; ++i) server.loop->poll();
  client.send(get);
  for (int i = 0; i < 20; ++i) server.loop->poll();
  CHECK(server.handler.seen.size() == 1);
  pass_time(29'000);
  server.loop->poll();
  CHECK(server.loop->connection_count() == 1);
  pass_time(1'500);
  server.loop->poll();
  CHECK(server.loop->connection_count() == 0);
}

TEST_CASE("loop: drain: no new connections, idle ones close, those in flight are answered with Connection: close") {
  Loopback server;
  Client idle(server.port);
  Client busy(server.port);
  idle.send(get);
  REQUIRE(server.pump_answers(idle, 1));
  server.handler.hold = true;
  busy.send(get + get);
  REQUIRE(server.pump_seen(3));
  server.loop->begin_drain();
  REQUIRE(server.pump_end(idle));
  CHECK_FALSE(Client(server.port).connected);
  CHECK(server.loop->connection_count() >= 1);
  server.answer(1, "one");
  server.answer(2, "two");
  REQUIRE(server.pump_end(busy));
  CHECK(count_of(busy.received, "HTTP/1.1 200") == 2);
  CHECK(count_of(busy.received, "Connection: close") == 1);
  busy.close();
  idle.close();
  CHECK(server.pump_until([&] { return server.loop->connection_count() == 0; }));
}

TEST_CASE("loop: the connection limit: accepting pauses and goes on when one closes") {
  http::LoopOptions options;
  options.connections = std::make_shared<http::ConnectionBudget>(2);
  Loopback server(std::move(options));
  Client first(server.port);
  Client second(server.port);
  Client third(server.port);
  third.send(get);
  REQUIRE(server.pump_until([&] { return server.loop->connection_count() == 2; }));
  for (int i = 0; i < 5; ++i) server.loop->poll();
  CHECK(server.loop->connection_count() == 2);
  CHECK(server.loop->counters().accept_pauses.value() >= 1);
  third.receive();
  CHECK(third.received.empty());
  first.close();
  REQUIRE(server.pump_answers(third, 1));
}

TEST_CASE("loop: out of descriptors: accepting pauses without spinning and goes on when there is one") {
  Loopback server;
  Client first(server.port);
  first.send(get);
  REQUIRE(server.pump_answers(first, 1));
  Client second(server.port);
  second.send(get);
  rlimit limit{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  // As many as are open now: the next descriptor would be one too many.
  const int next = ::dup(0);
  rlimit low = limit;
  low.rlim_cur = static_cast<rlim_t>(next);
  ::close(next);
  REQUIRE(setrlimit(RLIMIT_NOFILE, &low) == 0);
  for (int i = 0; i < 10; ++i) server.loop->poll();
  const std::uint64_t pauses = server.loop->counters().accept_pauses.value();
  const std::size_t open = server.loop->connection_count();
  REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
  CHECK(pauses == 1);
  CHECK(open == 1);
  pass_time(500);
  CHECK(server.pump_answers(second, 1));
}

TEST_CASE("loop: half-read requests beyond the memory limit: 503, and the memory comes back") {
  http::LoopOptions options;
  options.input_bytes_max = 200'000;
  Loopback server(std::move(options));
  Client client(server.port);
  client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
  const std::string part(100'000, 'x');
  for (int i = 0; i < 9; ++i) {
    client.send(part);
    for (int turn = 0; turn < 3; ++turn) server.loop->poll();
    client.receive();
    if (!client.received.empty()) break;
  }
  REQUIRE(server.pump_answers(client, 1));
  CHECK(client.received.starts_with("HTTP/1.1 503 "));
  CHECK(client.received.find("Retry-After: 1\r\n") != std::string::npos);
  client.close();
  REQUIRE(server.pump_until([&] { return server.loop->connection_count() == 0; }));
  Client next(server.port);
  next.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
  CHECK(server.pump_answers(next, 1));
}

TEST_CASE("loop: behind a trusted proxy: the client's address is the one told of, else the peer's") {
  const std::string forwarded = "GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n";
  http::LoopOptions options;
  REQUIRE(options.trusted_proxies.add("127.0.0.0/8"));
  Loopback trusting(std::move(options));
  Client client(trusting.port);
  client.send(forwarded);
  REQUIRE(trusting.pump_seen(1));
  CHECK(trusting.handler.seen[0].client == "203.0.113.9");
  Loopback server;
  Client other(server.port);
  other.send(forwarded);
  REQUIRE(server.pump_seen(1));
  CHECK(server.handler.seen[0].client == "127.0.0.1");
}

TEST_CASE("loop: PROXY v2: read from trusted peers, demanded from them") {
  http::LoopOptions options;
  REQUIRE(options.trusted_proxies.add("127.0.0.0/8"));
  options.proxy_protocol = true;
  Loopback server(std::move(options));
  const std::string header("\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c\xcb\x00\x71\x09\x0a\x00\x00\x01\x12\x34\x00\x50", 28);
  Client client(server.port);
  client.send(header + get + get);
  REQUIRE(server.pump_answers(client, 2));
  CHECK(server.handler.seen[0].client == "203.0.113.9");
  Client bare(server.port);
  bare.send(get);
  REQUIRE(server.pump_end(bare));
  CHECK(bare.received.empty());
}

TEST_CASE("loop: wake from another thread: a sleeping loop returns and runs what was posted") {
  Loopback server;
  std::atomic<bool> stop{false};
  std::atomic<int> tasks{0};
  std::thread other([&] {
    while (!stop) {
      server.loop->wake();
      if (tasks < 100) static_cast<void>(server.loop->try_post([&] { ++tasks; }));
    }
  });
  int cycles = 0;
  while (tasks < 100 && cycles < 100'000) {
    server.loop->run_one_for(Duration{250});
    ++cycles;
  }
  stop = true;
  other.join();
  CHECK(tasks >= 100);
}

TEST_CASE("listen: a taken port and a name are refused, several sockets share one port") {
  const auto first = http::listen_on({}, 3);
  REQUIRE(first.ok());
  CHECK(first.value().fds.size() == 3);
  http::ListenOptions same;
  same.port = first.value().port;
  const auto second = http::listen_on(same, 1);
  REQUIRE_FALSE(second.ok());
  CHECK(second.error().code == usher::ErrorCode::busy);
  http::ListenOptions name;
  name.address = "localhost";
  CHECK(http::listen_on(name, 1).error().code == usher::ErrorCode::invalid);
  for (const int fd : first.value().fds) ::close(fd);
}

TEST_CASE("wheel: deadlines fire in their tick, moved ones later, taken-back ones never") {
  http::DeadlineWheel wheel(0);
  http::DeadlineWheel::Node a;
  http::DeadlineWheel::Node b;
  http::DeadlineWheel::Node far;
  std::vector<http::DeadlineWheel::Node*> fired;
  const auto advance = [&](std::int64_t now) {
    wheel.advance(now, [&](http::DeadlineWheel::Node& n) { fired.push_back(&n); });
  };
  wheel.set(a, 1'000);
  wheel.set(b, 1'000);
  wheel.set(far, 1'000'000);
  wheel.set(b, 5'000);
  advance(999);
  CHECK(fired.empty());
  advance(1'250);
  CHECK(fired == std::vector{&a});
  wheel.set(b, 2'000);
  advance(2'250);
  CHECK(fired == std::vector{&a, &b});
  wheel.set(a, 3'000);
  wheel.set(a, http::DeadlineWheel::never);
  advance(999'999);
  CHECK(fired.size() == 2);
  advance(1'000'250);
  CHECK(fired == std::vector{&a, &b, &far});
}

}  // namespace
