// Requests changed at random, from a fixed seed: whatever the bytes, the server answers or closes, and how they are cut
// into packets changes nothing.
#include <doctest/doctest.h>

#include <random>
#include <string>

#include "tests/server/http/loopback.hpp"

namespace {

using namespace usher::test;
namespace http = usher::server::http;

const std::string good =
    "POST /shows/7/reserve HTTP/1.1\r\nHost: shop.example:80\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello"
    "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nT: u\r\n\r\n"
    "GET /last?q HTTP/1.1\r\nHost: [::1]\r\nConnection: close\r\n\r\n";

std::string mutate(std::string bytes, std::mt19937& random) {
  static constexpr char spice_bytes[] = "\r\n\0\t :;,0123456789abcdefGETHTTP/1.1\xff\x7f";
  const std::string_view spice(spice_bytes, sizeof spice_bytes - 1);
  const int changes = static_cast<int>(random() % 4);
  for (int i = 0; i < changes && !bytes.empty(); ++i) {
    const std::size_t at = random() % bytes.size();
    switch (random() % 4) {
      case 0:
        bytes[at] = spice[random() % spice.size()];
        break;
      case 1:
        bytes.erase(at, 1 + random() % 5);
        break;
      case 2:
        bytes.insert(at, 1, spice[random() % spice.size()]);
        break;
      default:
        bytes.insert(at, bytes.substr(at, random() % 20));
        break;
    }
  }
  return bytes;
}

// Sends in pieces of the given size and yields what was seen and answered, without the dates.
std::string outcome(Loopback& server, std::string_view bytes, std::size_t piece) {
  server.handler.seen.clear();
  Client client(server.port);
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    client.send(bytes.substr(at, piece));
    server.loop->poll();
    server.loop->poll();
  }
  client.finish_sending();
  REQUIRE(server.pump_end(client));
  std::string text;
  for (const Seen& seen : server.handler.seen) text += seen.path + "?" + seen.query + " " + seen.body + "\n";
  std::size_t at = 0;
  while ((at = client.received.find("HTTP/1.1 ", at)) != std::string::npos)
    text += client.received.substr(at++, 12) + "\n";
  return text;
}

TEST_CASE("mutation: 1,500 damaged streams: the same outcome whole and in pieces") {
  Loopback server;
  std::mt19937 random(20'261'124);
  for (int round = 0; round < 1'500; ++round) {
    const std::string bytes = mutate(good, random);
    const std::string whole = outcome(server, bytes, bytes.size() + 1);
    CHECK_MESSAGE(outcome(server, bytes, 1 + random() % 40) == whole, bytes);
  }
  CHECK(server.pump_until([&] { return server.loop->connection_count() == 0; }));
  CHECK(server.loop->counters().parse_errors.value() > 100);
  CHECK(server.loop->counters().exceptions.value() == 0);
}

}  // namespace
