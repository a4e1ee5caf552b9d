/// What only goes wrong where sockets are the ring's: operations that are queued and not yet handed over, and results
/// that come while others are waited for.

#include "server/http/ring.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <chrono>
#include <memory>
#include <string>

#include "tests/server/http/loopback.hpp"

namespace {

using namespace usher::test;
namespace http = usher::server::http;
using usher::Duration;

const std::string get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";

TEST_CASE("ring: a connection that ends with a receive queued: the next with its descriptor gets its own bytes") {
  Loopback server;
  const int lower = ::fcntl(0, F_DUPFD_CLOEXEC, 0);
  Client first(server.port);
  first.send("GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  REQUIRE(server.pump_answers(first, 1));
  // one cycle that reads, queues the next receive, and then finds that the connection has lingered long enough
  first.send("x");
  fake_now_ms += 3'000;
  server.loop->poll();
  REQUIRE(server.loop->connection_count() == 0);
  ::close(lower);  // for the client, so that the server's side has the descriptor of the one before
  Client second(server.port);
  second.send(get);
  server.loop->poll();  // accepts before it hands anything to the ring
  REQUIRE(server.pump_answers(second, 1));
  CHECK(server.handler.seen.size() == 2);
}

TEST_CASE("ring: answers of many parts: the shared bodies leave whole and in their places") {
  Loopback server;
  server.handler.hold = true;
  Client client(server.port);
  std::string requests;
  for (int i = 0; i < 40; ++i) requests += get;
  client.send(requests);
  REQUIRE(server.pump_seen(40));
  std::string expected;
  for (std::size_t i = 0; i < 40; ++i) {
    http::Response response;
    response.shared_body = std::make_shared<const std::string>(std::string(1'000 + i, static_cast<char>('a' + i % 26)));
    expected += *response.shared_body;
    server.loop->respond(server.handler.seen[i].reply_to, response);
  }
  REQUIRE(server.pump_answers(client, 40));
  std::string bodies;
  for (std::size_t at = 0; (at = client.received.find("\r\n\r\n", at)) != std::string::npos;) {
    at += 4;
    bodies += client.received.substr(at, client.received.find("HTTP/1.1", at) - at);
  }
  REQUIRE(server.pump_until([&] {
    client.receive();
    return client.received.ends_with(expected.substr(expected.size() - 1'039));
  }));
  CHECK(bodies.size() <= expected.size());
  CHECK(expected.starts_with(bodies));
}

TEST_CASE("ring: a request that comes while answers are sent: the loop does not sleep on it") {
  Loopback server;
  server.handler.hold = true;
  Client waiting(server.port);
  Client other(server.port);
  for (int i = 0; i < 10; ++i) server.loop->poll();
  const auto begin = std::chrono::steady_clock::now();
  for (std::size_t round = 0; round < 20; ++round) {
    waiting.send(get);
    REQUIRE(server.pump_seen(2 * round + 1));
    other.send(get);                // here before the answer to the first leaves,
    server.answer(2 * round, "x");  // and received with it
    server.loop->flush();
    server.loop->run_one_for(Duration{1'000});
    REQUIRE(server.handler.seen.size() == 2 * round + 2);
    server.answer(2 * round + 1, "x");
    server.loop->flush();
  }
  // a loop that slept would have slept for 250 ms, 20 times
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds{3});
}

}  // namespace
