#include "engine/shard/timer_wheel.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>
#include <vector>

using namespace usher;
using namespace usher::engine;

namespace {

constexpr std::int64_t day_ms = 24 * 3'600'000;

/// Advances to `now` and returns the subjects that fired.
std::vector<SlabIndex> fired(TimerWheel& wheel, std::int64_t now) {
  std::vector<SlabIndex> subjects;
  CHECK(wheel.advance(instant_from_ms(now), ~0U, [&](TimerKind, SlabIndex subject) { subjects.push_back(subject); }));
  return subjects;
}

TimerHandle add(TimerWheel& wheel, std::int64_t deadline, SlabIndex subject) {
  return wheel.add(instant_from_ms(deadline), TimerKind::reservation, subject);
}

}  // namespace

TEST_CASE("timer wheel: one tick before, at and after the deadline: never early, at most one tick late") {
  for (const std::int64_t begin : {std::int64_t{0}, std::int64_t{255 * 16}, std::int64_t{1'796'148'000'003}}) {
    for (const std::int64_t after : {0, 1, 15, 16, 17, 4'095, 4'096, 4'097, 65'536 * 16, 65'536 * 16 + 5}) {
      CAPTURE(begin);
      CAPTURE(after);
      TimerWheel wheel(instant_from_ms(begin));
      add(wheel, begin + after, 1);
      if (after > 0) CHECK(fired(wheel, begin + after - 1).empty());
      CHECK(fired(wheel, begin + after + TimerWheel::tick_ms) == std::vector<SlabIndex>{1});
      CHECK(wheel.size() == 0);
    }
  }
}

TEST_CASE("timer wheel: a deadline in the past: fires at the next advance") {
  TimerWheel wheel(instant_from_ms(1'000'000));
  add(wheel, 5, 1);
  CHECK(fired(wheel, 1'000'000) == std::vector<SlabIndex>{1});
}

TEST_CASE("timer wheel: cancelled: does not fire, wherever it hangs") {
  TimerWheel wheel(instant_from_ms(0));
  std::vector<TimerHandle> handles;
  for (SlabIndex i = 0; i < 20; ++i) handles.push_back(add(wheel, std::int64_t{1} << (i + 5), i));
  for (SlabIndex i = 0; i < 20; i += 2) wheel.cancel(handles[i]);
  const std::vector<SlabIndex> odd = fired(wheel, std::int64_t{1} << 40);
  CHECK(odd == std::vector<SlabIndex>{1, 3, 5, 7, 9, 11, 13, 15, 17, 19});
}

TEST_CASE("timer wheel: beyond the horizon of two years: waits and fires at its time") {
  TimerWheel wheel(instant_from_ms(0));
  const std::int64_t deadline = 1'500 * day_ms;
  add(wheel, deadline, 1);
  for (std::int64_t day = 100; day < 1'500; day += 100) REQUIRE(fired(wheel, day * day_ms).empty());
  CHECK(fired(wheel, deadline - 16).empty());
  CHECK(fired(wheel, deadline) == std::vector<SlabIndex>{1});
}

TEST_CASE("timer wheel: timers added and cancelled while firing: those of the past fire in the same advance") {
  TimerWheel wheel(instant_from_ms(0));
  add(wheel, 100, 1);
  const TimerHandle doomed = add(wheel, 200, 2);
  std::vector<SlabIndex> order;
  CHECK(wheel.advance(instant_from_ms(500), ~0U, [&](TimerKind, SlabIndex subject) {
    order.push_back(subject);
    if (subject != 1) return;
    wheel.cancel(doomed);
    add(wheel, 50, 3);
    add(wheel, 300, 4);
    add(wheel, 600, 5);
  }));
  CHECK(order == std::vector<SlabIndex>{1, 3, 4});
  CHECK(fired(wheel, 616) == std::vector<SlabIndex>{5});
}

TEST_CASE("timer wheel: a limit per advance: the rest comes with the next") {
  TimerWheel wheel(instant_from_ms(0));
  for (SlabIndex i = 0; i < 10; ++i) add(wheel, 100, i);
  std::size_t count = 0;
  const auto fire = [&](TimerKind, SlabIndex) { ++count; };
  CHECK_FALSE(wheel.advance(instant_from_ms(1'000), 4, fire));
  CHECK(count == 4);
  CHECK_FALSE(wheel.advance(instant_from_ms(1'000), 4, fire));
  CHECK(wheel.advance(instant_from_ms(1'000), 4, fire));
  CHECK(count == 10);
}

TEST_CASE("timer wheel: time that goes back: nothing fires, nothing is lost") {
  TimerWheel wheel(instant_from_ms(10'000));
  add(wheel, 10'100, 1);
  CHECK(fired(wheel, 5'000).empty());
  CHECK(fired(wheel, 10'116) == std::vector<SlabIndex>{1});
}

TEST_CASE("timer wheel: random adds, cancels and jumps: equals a sorted map") {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    std::int64_t now = static_cast<std::int64_t>(random() % 1'000'000'000);
    TimerWheel wheel(instant_from_ms(now));
    struct Armed {
      std::int64_t deadline;
      TimerHandle handle;
    };
    std::map<SlabIndex, Armed> model;
    SlabIndex next = 1;
    for (int step = 0; step < 3'000; ++step) {
      for (std::uint64_t adds = random() % 4; adds > 0; --adds) {
        const auto after = static_cast<std::int64_t>(random() % (std::uint64_t{1} << (random() % 34)));
        model[next] = {now + after, add(wheel, now + after, next)};
        ++next;
      }
      if (!model.empty() && random() % 2 == 0) {
        auto victim = model.lower_bound(static_cast<SlabIndex>(random() % next));
        if (victim != model.end()) {
          wheel.cancel(victim->second.handle);
          model.erase(victim);
        }
      }
      now += static_cast<std::int64_t>(random() % 50 == 0 ? random() % day_ms : random() % 3'000);
      for (const SlabIndex subject : fired(wheel, now)) {
        const auto armed = model.find(subject);
        REQUIRE(armed != model.end());
        REQUIRE(armed->second.deadline <= now);
        model.erase(armed);
      }
      for (const auto& [subject, armed] : model) REQUIRE(armed.deadline > now - TimerWheel::tick_ms);
      REQUIRE(wheel.size() == model.size());
    }
  }
}
