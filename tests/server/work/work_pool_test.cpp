#include "server/work/work_pool.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <latch>
#include <stdexcept>

using usher::server::work::WorkPool;

TEST_CASE("work pool: jobs posted: all run, on other threads than the poster's") {
  WorkPool pool{2, 100};
  std::atomic<int> ran = 0;
  std::atomic<bool> here = false;
  const std::thread::id poster = std::this_thread::get_id();
  for (int i = 0; i < 100; ++i) {
    while (!pool.try_post([&] {
      here = here || std::this_thread::get_id() == poster;
      ++ran;
    })) {
      std::this_thread::yield();
    }
  }
  pool.drain();
  CHECK(ran == 100);
  CHECK_FALSE(here);
  CHECK(pool.counters().finished == 100);
  CHECK(pool.counters().queued == 0);
}

TEST_CASE("work pool: a full queue: refuses, and accepts again when there is room") {
  WorkPool pool{1, 2};
  std::latch started{1};
  std::latch release{1};
  REQUIRE(pool.try_post([&] {
    started.count_down();
    release.wait();
  }));
  started.wait();
  CHECK(pool.try_post([] {}));
  CHECK(pool.try_post([] {}));
  CHECK_FALSE(pool.try_post([] {}));
  CHECK(pool.counters().queued == 2);
  CHECK(pool.counters().running == 1);
  CHECK(pool.counters().refused == 1);
  release.count_down();
  pool.drain();
  CHECK(pool.try_post([] {}));
  pool.drain();
  CHECK(pool.counters().finished == 4);
}

TEST_CASE("work pool: stop: finishes what runs, discards what waits, refuses what comes") {
  WorkPool pool{1, 10};
  std::latch started{1};
  std::latch release{1};
  std::atomic<int> finished = 0;
  REQUIRE(pool.try_post([&] {
    started.count_down();
    release.wait();
    ++finished;
  }));
  started.wait();
  REQUIRE(pool.try_post([&] { finished += 100; }));
  std::jthread stopper{[&] { pool.stop(); }};
  while (pool.counters().discarded == 0) std::this_thread::yield();
  CHECK(finished == 0);
  CHECK_FALSE(pool.try_post([] {}));
  release.count_down();
  stopper.join();
  CHECK(finished == 1);
  CHECK(pool.counters().discarded == 1);
  pool.stop();
}

TEST_CASE("work pool: a job that throws: counts as failed, the thread goes on") {
  WorkPool pool{1, 10};
  std::atomic<bool> ran = false;
  REQUIRE(pool.try_post([] { throw std::runtime_error{"no"}; }));
  REQUIRE(pool.try_post([&] { ran = true; }));
  pool.drain();
  CHECK(ran);
  CHECK(pool.counters().failed == 1);
  CHECK(pool.counters().finished == 2);
}

TEST_CASE("work pool: many posters: nothing is lost, nothing runs twice") {
  WorkPool pool{3, 64};
  std::atomic<std::uint64_t> ran = 0;
  std::atomic<std::uint64_t> accepted = 0;
  {
    std::vector<std::jthread> posters;
    for (int t = 0; t < 4; ++t) {
      posters.emplace_back([&] {
        for (int i = 0; i < 2'000; ++i) {
          if (pool.try_post([&] { ++ran; })) ++accepted;
        }
      });
    }
  }
  pool.drain();
  CHECK(ran == accepted);
  CHECK(pool.counters().posted == accepted);
  CHECK(pool.counters().posted + pool.counters().refused == 8'000);
}
