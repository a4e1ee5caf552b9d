/// DESIGN 5: nothing is allocated in the steady state of reserve, release, expire, book and cancel. This file counts
/// every operator new of the whole test program; only what happens between two readings of the counter matters.

#include <doctest/doctest.h>

#include <cstdlib>
#include <new>

#include "tests/engine/catalog/halls.hpp"
#include "tests/support/test_shard.hpp"

namespace {

thread_local std::uint64_t allocations = 0;

void* counted(std::size_t size) {
  ++allocations;
  if (void* place = std::malloc(size == 0 ? 1 : size)) return place;
  std::abort();
}

}  // namespace

// The array and nothrow forms call these.
void* operator new(std::size_t size) {
  return counted(size);
}
void operator delete(void* place) noexcept {
  std::free(place);
}
void operator delete(void* place, std::size_t) noexcept {
  std::free(place);
}

using namespace usher;
using namespace usher::engine;
using namespace usher::testing;

namespace {

/// One customer's way through all of it, on a show of its own.
class Customers {
 public:
  Customers() {
    world.log.set_keep(false);
    ShowTerms terms;
    terms.start = instant_from_ms(std::int64_t{1} << 41U);
    terms.end = terms.start + std::chrono::hours{2};
    terms.policy.cooldown_after_abandoned = 0;
    for (std::uint32_t number = 1; number <= 16; ++number) {
      (void)world.open(static_cast<ShowNumber>(number), rectangle(10, 20), terms, now);
    }
  }

  /// Reserves in all shows, then ends each reservation in the way asked for.
  void round(CommandType way) {
    for (std::uint32_t number = 1; number <= 16; ++number) {
      Command command;
      command.type = CommandType::reserve;
      command.show = static_cast<ShowNumber>(number);
      command.user = static_cast<UserNumber>(number);
      command.random = ++random;
      command.seat_count = 3;
      for (SeatIndex i = 0; i < 3; ++i) command.seats[i] = static_cast<SeatIndex>(70 + i);
      command.idempotency = {to_value(command.user), ++random, 1};
      const Reply reply = world.execute(command, now);
      REQUIRE(reply.refusal == Refusal::none);
      command.idempotency = {};
      command.sequence = reply.sequence;
      command.id_random = reply.id_random;
      end(command, way);
    }
    world.commit();
    now += std::chrono::minutes{20};  // 72 keys of a user live at once
    world.advance(now);
  }

  void end(Command command, CommandType way) {
    if (way == CommandType::reserve) return;  // left to expire
    if (way == CommandType::release) return expect(command, CommandType::release);
    expect(command, CommandType::start_payment);
    command.attempt = 1;
    command.payment_ref_size = 27;
    expect(command, CommandType::finish_payment);
    command.seat_count = 0;
    expect(command, CommandType::cancel);
  }
  void expect(Command command, CommandType type) {
    command.type = type;
    REQUIRE(world.execute(command, now).refusal == Refusal::none);
  }

  std::uint64_t random = 0;
  Instant now = instant_from_ms(1'000'000);
  TestShard world{instant_from_ms(1'000'000)};
};

}  // namespace

TEST_CASE("allocation: the counter counts") {
  const std::uint64_t before = allocations;
  delete new int(3);
  CHECK(allocations == before + 1);
}

TEST_CASE("allocation: reserve, release and expire: none in the steady state, keys, wheel and images included") {
  Customers customers;
  for (int warm = 0; warm < 300; ++warm) customers.round(warm % 2 == 0 ? CommandType::release : CommandType::reserve);
  const std::uint64_t before = allocations;
  for (int round = 0; round < 300; ++round) {
    customers.round(round % 2 == 0 ? CommandType::release : CommandType::reserve);
  }
  CHECK(allocations - before == 0);
}

TEST_CASE("allocation: book and cancel: only new chunks for what is kept for ever") {
  Customers customers;
  for (int warm = 0; warm < 300; ++warm) customers.round(CommandType::cancel);
  const std::uint64_t before = allocations;
  const std::uint32_t bookings_before = customers.world.state().bookings.size();
  for (int round = 0; round < 300; ++round) customers.round(CommandType::cancel);
  const std::uint64_t made = customers.world.state().bookings.size() - bookings_before;
  CHECK(made == 300 * 16);
  // a chunk of reservations, of bookings and of refunds for each 64, and now and then a longer list of chunks or table
  CHECK(allocations - before <= made / 64 * 3 + 12);
}
