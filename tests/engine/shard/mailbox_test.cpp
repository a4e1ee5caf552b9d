#include "engine/shard/mailbox.hpp"

#include <doctest/doctest.h>

#include <thread>
#include <vector>

using namespace usher::engine;

namespace {

using Box = Mailbox<std::uint64_t>;
using Pushed = Box::Producer::Pushed;

std::vector<std::uint64_t> drained(Box& box) {
  std::vector<std::uint64_t> values;
  const std::uint32_t count = box.drain([&](std::uint64_t value) { values.push_back(value); });
  CHECK(count == values.size());
  return values;
}

}  // namespace

TEST_CASE("mailbox: one producer: order of arrival, the first push says so") {
  Box box;
  Box::Producer producer(box, 4);
  CHECK(box.empty());
  CHECK(producer.try_push(1) == Pushed::first);
  CHECK(producer.try_push(2) == Pushed::quietly);
  CHECK(producer.try_push(3) == Pushed::quietly);
  CHECK(drained(box) == std::vector<std::uint64_t>{1, 2, 3});
  CHECK(box.empty());
  CHECK(drained(box).empty());
  CHECK(producer.try_push(4) == Pushed::first);
  CHECK(drained(box) == std::vector<std::uint64_t>{4});
}

TEST_CASE("mailbox: bound: a producer with its nodes under way is refused and goes on after the drain") {
  Box box;
  Box::Producer one(box, 2);
  Box::Producer other(box, 1);
  for (std::uint64_t round = 0; round < 3; ++round) {
    CHECK(one.try_push(1) == Pushed::first);
    CHECK(one.try_push(2) == Pushed::quietly);
    CHECK(one.try_push(3) == Pushed::full);
    CHECK(other.try_push(4) == Pushed::quietly);
    CHECK(other.try_push(5) == Pushed::full);
    CHECK(drained(box) == std::vector<std::uint64_t>{1, 2, 4});
  }
}

TEST_CASE("mailbox: more producers than cores: nothing is lost, doubled, or out of a producer's order") {
  constexpr std::uint64_t threads = 12;
  constexpr std::uint64_t each = 20'000;
  Box box;
  std::vector<std::unique_ptr<Box::Producer>> producers;
  for (std::uint64_t i = 0; i < threads; ++i) producers.push_back(std::make_unique<Box::Producer>(box, 64));
  std::vector<std::thread> running;
  for (std::uint64_t i = 0; i < threads; ++i) {
    running.emplace_back([&, i] {
      for (std::uint64_t n = 0; n < each; ++n) {
        while (producers[i]->try_push(i << 32U | n) == Pushed::full) std::this_thread::yield();
      }
    });
  }
  std::vector<std::uint64_t> next(threads, 0);
  std::uint64_t wrong = 0;
  for (std::uint64_t left = threads * each; left > 0;) {
    const std::uint32_t count = box.drain([&](std::uint64_t value) {
      if (next[value >> 32U]++ != (value & 0xffffffffU)) ++wrong;
    });
    left -= count;
    if (count == 0) std::this_thread::yield();
  }
  for (std::thread& thread : running) thread.join();
  CHECK(wrong == 0);
  CHECK(box.empty());
  for (const std::uint64_t count : next) CHECK(count == each);
}
