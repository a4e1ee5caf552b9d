// The way of a request through this folder allocates nothing once it is warm: counted by the program's own operator
// new.
#include <doctest/doctest.h>

#include <cstdlib>
#include <new>
#include <string>

#include "tests/server/http/loopback.hpp"

namespace {

[[maybe_unused]] thread_local bool counting = false;
thread_local std::size_t allocations = 0;

[[maybe_unused]] void* allocate(std::size_t size) {
  if (counting) ++allocations;
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

// Sanitizers bring their own and tell them apart from malloc: there only the answers are checked.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
void* operator new(std::size_t size) {
  return allocate(size);
}
void* operator new[](std::size_t size) {
  return allocate(size);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t /*size*/) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t /*size*/) noexcept {
  std::free(memory);
}
#endif

namespace {

namespace http = usher::server::http;
using usher::test::Client;

// Holds what it is asked and answers it all, last first, at the end of the batch.
class BackwardsHandler : public http::Handler {
 public:
  void on_request(const http::Request& request, http::Connection& /*connection*/) override {
    asked[count++ % asked.size()] = request.reply_to;
    ++requests;
  }
  void on_batch_end() override {
    http::Response response;
    response.status = 201;
    response.body = R"({"reservation_id":"00000001-0000-8000-8000-000000000000"})";
    while (count > 0) loop->respond(asked[--count], response);
  }
  void on_exception(const char* /*what*/) noexcept override {}

  http::Loop* loop = nullptr;
  std::array<usher::ReplyTo, 256> asked;
  std::size_t count = 0;
  std::size_t requests = 0;
};

TEST_CASE("allocation: requests in the steady state, pipelined and answered backwards: none") {
  BackwardsHandler handler;
  const auto loop = std::move(http::Loop::make({}).value());
  handler.loop = loop.get();
  const http::ListenSockets sockets = http::listen_on({}, 1).value();
  REQUIRE(loop->add_listener(sockets.fds[0], handler).ok());
  Client client(sockets.port);
  std::string bytes;
  for (int i = 0; i < 16; ++i) {
    bytes += "POST /shows/1/reserve HTTP/1.1\r\nHost: x\r\nContent-Length: 22\r\n\r\n{\"seat_ids\":[\"F12\"]}  ";
  }
  constexpr std::size_t rounds = 200;
  for (std::size_t round = 0; round < rounds; ++round) {
    // Cut at twenty places in turn, so that half requests are kept and completed too.
    const std::size_t cut = round % 20 * 68 + 1;
    client.send(std::string_view{bytes}.substr(0, cut));
    counting = round >= rounds / 2;
    loop->poll();
    counting = false;
    client.send(std::string_view{bytes}.substr(cut));
    counting = round >= rounds / 2;
    for (int cycle = 0; cycle < 1'000 && handler.requests < (round + 1) * 16; ++cycle) loop->poll();
    counting = false;
    client.received.clear();
    client.receive();
  }
  CHECK(handler.requests == rounds * 16);
  CHECK(allocations == 0);
}

}  // namespace
