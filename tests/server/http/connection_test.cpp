#include "server/http/connection.hpp"

#include <doctest/doctest.h>

#include <string>

#include "tests/server/http/loopback.hpp"

namespace {

using namespace usher::test;
namespace http = usher::server::http;
using usher::Duration;

const std::string get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";

std::string get_path(std::string_view path) {
  return "GET " + std::string{path} + " HTTP/1.1\r\nHost: x\r\n\r\n";
}
std::string post(std::string_view path, std::string_view body) {
  return "POST " + std::string{path} + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + std::string{body};
}

TEST_CASE("connection: one request: one answer, and the connection stays") {
  Loopback server;
  Client client(server.port);
  client.send(post("/b", "hello"));
  REQUIRE(server.pump_answers(client, 1));
  CHECK(client.received.starts_with("HTTP/1.1 200 OK\r\nDate: "));
  CHECK(client.received.find("Content-Length: 13\r\n") != std::string::npos);
  CHECK(client.received.ends_with("\r\n\r\nPOST /b hello"));
  CHECK_FALSE(client.ended);
  client.send(get);
  REQUIRE(server.pump_answers(client, 2));
  CHECK(client.received.ends_with("GET /a "));
  CHECK(server.loop->connection_count() == 1);
}

TEST_CASE("connection: a request cut at every byte: the same answer") {
  Loopback server;
  const std::string bytes = post("/cut", "12345") + get;
  Client client(server.port);
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    client.received.clear();
    const std::size_t seen = server.handler.seen.size();
    client.send(bytes.substr(0, cut));
    // The first part must have been read before the second is sent, or the two would come as one.
    const std::uint64_t before = server.loop->counters().bytes_received.value();
    REQUIRE(server.pump_until([&] { return server.loop->counters().bytes_received.value() >= before + cut; }));
    client.send(bytes.substr(cut));
    REQUIRE(server.pump_answers(client, 2));
    CHECK(server.handler.seen[seen].body == "12345");
    CHECK(client.received.ends_with("GET /a "));
  }
}

TEST_CASE("connection: a chunked request cut at every byte: the body comes whole") {
  Loopback server;
  const std::string bytes =
      "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwiki\r\n5;e=1\r\npedia\r\n0\r\nT: "
      "1\r\n\r\n";
  Client client(server.port);
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    client.received.clear();
    const std::uint64_t before = server.loop->counters().bytes_received.value();
    client.send(bytes.substr(0, cut));
    REQUIRE(server.pump_until([&] { return server.loop->counters().bytes_received.value() >= before + cut; }));
    client.send(bytes.substr(cut) + get);
    REQUIRE(server.pump_answers(client, 2));
    CHECK(server.handler.seen[server.handler.seen.size() - 2].body == "wikipedia");
  }
}

TEST_CASE("connection: pipelined requests: one batch, answers in order, several per write") {
  Loopback server;
  Client client(server.port);
  std::string bytes;
  for (int i = 0; i < 20; ++i) bytes += get_path("/" + std::to_string(i));
  client.send(bytes);
  REQUIRE(server.pump_answers(client, 20));
  std::size_t at = 0;
  for (int i = 0; i < 20; ++i) {
    const std::size_t found = client.received.find("GET /" + std::to_string(i) + " ", at);
    REQUIRE(found != std::string::npos);
    at = found;
  }
  CHECK(server.handler.batches == 1);
}

TEST_CASE("connection: answers out of order: written in the order of the requests") {
  Loopback server;
  server.handler.hold = true;
  Client client(server.port);
  client.send(get + get + get + get);
  REQUIRE(server.pump_seen(4));
  server.answer(2, "third");
  server.answer(1, "second");
  server.loop->flush();
  client.receive();
  CHECK(client.received.empty());
  server.answer(0, "first");
  REQUIRE(server.pump_answers(client, 3));
  CHECK(count_of(client.received, "HTTP/1.1 ") == 3);
  const std::size_t first = client.received.find("first");
  const std::size_t second = client.received.find("second");
  CHECK(first < second);
  CHECK(second < client.received.find("third"));
  server.answer(3, "fourth");
  REQUIRE(server.pump_answers(client, 4));
  CHECK(client.received.ends_with("fourth"));
}

TEST_CASE("connection: a slot is answered once") {
  Loopback server;
  server.handler.hold = true;
  Client client(server.port);
  client.send(get + get);
  REQUIRE(server.pump_seen(2));
  http::Response response;
  CHECK(server.loop->respond(server.handler.seen[1].reply_to, response));
  CHECK_FALSE(server.loop->respond(server.handler.seen[1].reply_to, response));
  CHECK(server.loop->respond(server.handler.seen[0].reply_to, response));
  CHECK_FALSE(server.loop->respond(server.handler.seen[0].reply_to, response));
}

TEST_CASE("connection: more requests than slots: reading pauses at 64 and goes on") {
  Loopback server;
  server.handler.hold = true;
  Client client(server.port);
  std::string bytes;
  for (int i = 0; i < 200; ++i) bytes += get_path("/" + std::to_string(i));
  client.send(bytes);
  REQUIRE(server.pump_seen(64));
  for (int i = 0; i < 5; ++i) server.loop->poll();
  CHECK(server.handler.seen.size() == 64);
  for (std::size_t i = 0; i < 200; ++i) {
    REQUIRE(server.pump_seen(i + 1));
    CHECK(server.handler.seen[i].path == "/" + std::to_string(i));
    server.answer(i, "x");
  }
  REQUIRE(server.pump_answers(client, 200));
  CHECK(count_of(client.received, "HTTP/1.1 200") == 200);
}

TEST_CASE("connection: gone before its answer: the answer is dropped, the next connection is not mistaken for it") {
  Loopback server;
  server.handler.hold = true;
  {
    Client client(server.port);
    client.send(get);
    REQUIRE(server.pump_seen(1));
  }
  // With its request unanswered the server learns of the end; the answer then has nobody to go to.
  server.loop->poll();
  server.answer(0, "lost");
  REQUIRE(server.pump_until([&] { return server.loop->connection_count() == 0; }));
  CHECK(server.loop->find(server.handler.seen[0].reply_to) == nullptr);
  Client second(server.port);
  second.send(get);
  REQUIRE(server.pump_seen(2));
  CHECK(server.handler.seen[1].reply_to.connection == server.handler.seen[0].reply_to.connection);
  server.answer(0, "for the first");
  server.answer(1, "for the second");
  REQUIRE(server.pump_answers(second, 1));
  CHECK(second.received.ends_with("for the second"));
}

TEST_CASE("connection: a request behind one that waits: read when patience is over, at once from then on") {
  http::LoopOptions options;
  options.io_uring = false;  // in the ring reading costs nothing, so there is no patience
  Loopback server(options);
  server.handler.hold = true;
  Client client(server.port);
  client.send(get_path("/1"));
  REQUIRE(server.pump_seen(1));
  client.send(get_path("/2"));
  for (int i = 0; i < 5; ++i) server.loop->poll();
  CHECK(server.handler.seen.size() == 1);
  fake_now_ms += 60;
  REQUIRE(server.pump_seen(2));
  client.send(get_path("/3"));
  REQUIRE(server.pump_seen(3));
  for (std::size_t i = 0; i < 3; ++i) server.answer(i, "x");
  REQUIRE(server.pump_answers(client, 3));
}

TEST_CASE("connection: a client that goes while its request waits: noticed when patience is over") {
  Loopback server;
  server.handler.hold = true;
  {
    Client client(server.port);
    client.send(get);
    REQUIRE(server.pump_seen(1));
    client.abort();
  }
  fake_now_ms += 60;
  CHECK(server.pump_until([&] { return server.loop->connection_count() == 0; }));
  http::Response response;
  CHECK_FALSE(server.loop->respond(server.handler.seen[0].reply_to, response));
}

TEST_CASE("connection: requests of every size around the socket's own buffer: each comes whole") {
  Loopback server;
  Client client(server.port);
  std::size_t answers = 0;
  for (const std::size_t size : {1'900U, 1'980U, 2'000U, 2'047U, 2'048U, 2'049U, 4'000U, 65'000U, 65'536U, 200'000U}) {
    for (std::size_t more = 0; more < 3; ++more) {
      const std::string body(size + more, 'b');
      client.send(post("/p", body) + get);
      answers += 2;
      REQUIRE(server.pump_answers(client, answers));
      CHECK(server.handler.seen[answers - 2].body == body);
    }
  }
}

TEST_CASE("connection: HEAD: the length of the body without the body, shared bodies too") {
  Loopback server;
  Client client(server.port);
  client.send("HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n" + get);
  REQUIRE(server.pump_answers(client, 2));
  CHECK(client.received.find("Content-Length: 8\r\n\r\nHTTP/1.1 200") != std::string::npos);
}

TEST_CASE("connection: shared bodies: sent from where they lie, in order with copied ones, however large") {
  Loopback server;
  server.handler.hold = true;
  Client client(server.port);
  client.send(get + get + get);
  REQUIRE(server.pump_seen(3));
  const auto large = std::make_shared<const std::string>(std::string(3'000'000, 'L'));
  http::Response shared;
  shared.shared_body = large;
  server.loop->respond(server.handler.seen[1].reply_to, shared);
  server.answer(0, "small one");
  server.answer(2, "small two");
  REQUIRE(server.pump_until([&] {
    client.receive();
    return client.received.ends_with("small two");
  }));
  CHECK(count_of(client.received, "L") >= 3'000'000);
  CHECK(client.received.find("small one") < client.received.find("LLLL"));
  // Held by nobody else now.
  CHECK(large.use_count() == 2);
}

TEST_CASE("connection: close and HTTP/1.0: the answer says so and the connection ends behind it") {
  Loopback server;
  std::string answer = server.exchange("GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" + get);
  CHECK(count_of(answer, "HTTP/1.1 200") == 1);
  CHECK(answer.find("Connection: close\r\n") != std::string::npos);
  answer = server.exchange("GET /a HTTP/1.0\r\n\r\n");
  CHECK(answer.starts_with("HTTP/1.1 200"));
  Client client(server.port);
  client.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  REQUIRE(server.pump_answers(client, 1));
  CHECK(client.received.find("Connection: keep-alive\r\n") != std::string::npos);
  CHECK_FALSE(client.ended);
}

TEST_CASE("connection: a framing error behind good requests: those are answered first, then the error, then the end") {
  Loopback server;
  server.handler.hold = true;
  Client client(server.port);
  client.send(get + "GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n" + get);
  REQUIRE(server.pump_seen(1));
  for (int i = 0; i < 3; ++i) server.loop->poll();
  client.receive();
  CHECK(client.received.empty());
  server.answer(0, "good");
  REQUIRE(server.pump_end(client));
  CHECK(client.received.starts_with("HTTP/1.1 200 OK"));
  CHECK(client.received.find("HTTP/1.1 400 Bad Request") != std::string::npos);
  CHECK(client.received.find("\"code\":\"bad_transfer_encoding\"") != std::string::npos);
  CHECK(client.received.find("Content-Type: application/problem+json") != std::string::npos);
  CHECK(server.handler.seen.size() == 1);
}

TEST_CASE("connection: each limit has its status") {
  Loopback server;
  CHECK(server.exchange("GET /" + std::string(9'000, 'a') + " HTTP/1.1\r\n").starts_with("HTTP/1.1 414 "));
  CHECK(server.exchange("GET / HTTP/1.1\r\nA: " + std::string(17'000, 'a')).starts_with("HTTP/1.1 431 "));
  CHECK(server.exchange("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\n\r\n").starts_with("HTTP/1.1 413 "));
  CHECK(server.exchange("POST /commands HTTP/1.1\r\nHost: x\r\nContent-Length: 4194305\r\n\r\n")
            .starts_with("HTTP/1.1 413 "));
  CHECK(server.exchange("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n100001\r\n")
            .starts_with("HTTP/1.1 413 "));
  CHECK(server.exchange("BREW / HTTP/1.1\r\nHost: x\r\n\r\n").starts_with("HTTP/1.1 501 "));
  CHECK(server.exchange("GET / HTTP/3.0\r\nHost: x\r\n\r\n").starts_with("HTTP/1.1 505 "));
  CHECK(server.exchange("GET / HTTP/1.1\r\nHost: x\r\nExpect: more\r\n\r\n").starts_with("HTTP/1.1 417 "));
  CHECK(server.loop->counters().parse_errors.value() == 8);
}

TEST_CASE("connection: a body of the path's own limit is taken") {
  Loopback server;
  Client client(server.port);
  const std::string body(2U << 20U, 'b');
  client.send("");
  std::string bytes = post("/commands", body);
  // More than a socket buffer holds: sent piece by piece while the server reads.
  for (std::size_t at = 0; at < bytes.size(); at += 50'000) {
    client.send(std::string_view{bytes}.substr(at, 50'000));
    server.loop->poll();
  }
  REQUIRE(server.pump_seen(1));
  CHECK(server.handler.seen[0].body == body);
}

TEST_CASE("connection: 100-continue: offered when the body is awaited, and behind answers that are due") {
  Loopback server;
  const std::string head = "POST /b HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n";
  Client client(server.port);
  client.send(head);
  REQUIRE(server.pump_answers(client, 1));
  CHECK(client.received == "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("abc");
  REQUIRE(server.pump_answers(client, 2));
  CHECK(client.received.ends_with("POST /b abc"));

  server.handler.hold = true;
  Client second(server.port);
  second.send(get + head);
  REQUIRE(server.pump_seen(2));
  for (int i = 0; i < 3; ++i) server.loop->poll();
  second.receive();
  CHECK(second.received.empty());
  server.answer(1, "first");
  REQUIRE(server.pump_answers(second, 2));
  CHECK(
      second.received.ends_with("first"
                                "HTTP/1.1 100 Continue\r\n\r\n"));

  Client third(server.port);
  third.send(head + "abc");
  REQUIRE(server.pump_seen(3));
  third.receive();
  CHECK(third.received.empty());
}

TEST_CASE("connection: a handler that throws: 500, and the loop goes on") {
  Loopback server;
  server.handler.throws = true;
  Client client(server.port);
  client.send(get);
  REQUIRE(server.pump_answers(client, 1));
  CHECK(client.received.starts_with("HTTP/1.1 500 "));
  CHECK(server.handler.exception == "on purpose");
  server.handler.throws = false;
  client.send(get);
  REQUIRE(server.pump_answers(client, 2));
}

TEST_CASE("connection: client that has finished sending: still gets its answers, then the end") {
  Loopback server;
  server.handler.hold = true;
  Client client(server.port);
  client.send(get + get);
  client.finish_sending();
  REQUIRE(server.pump_seen(2));
  server.answer(0, "one");
  server.answer(1, "two");
  REQUIRE(server.pump_end(client));
  CHECK(client.received.ends_with("two"));
  CHECK(server.pump_until([&] { return server.loop->connection_count() == 0; }));
}

TEST_CASE("connection: upgrade: the socket is handed over with the bytes behind the request") {
  Loopback server;
  server.handler.takes_upgrades = true;
  const std::string handshake =
      "GET /live HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: abc\r\n\r\n";
  Client client(server.port);
  client.send(handshake + "early");
  REQUIRE(server.pump_until([&] { return server.handler.detached.has_value(); }));
  CHECK(server.handler.detached->received == "early");
  CHECK(server.loop->connection_count() == 0);
  CHECK(::send(server.handler.detached->fd, "hi", 2, MSG_NOSIGNAL) == 2);
  REQUIRE(server.pump_until([&] {
    client.receive();
    return client.received == "hi";
  }));
  ::close(server.handler.detached->fd);

  server.handler.takes_upgrades = false;
  Client plain(server.port);
  plain.send(handshake);
  REQUIRE(server.pump_answers(plain, 1));
  CHECK(plain.received.starts_with("HTTP/1.1 200"));
}

}  // namespace
