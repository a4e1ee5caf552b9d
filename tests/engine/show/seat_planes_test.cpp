#include "engine/show/seat_planes.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace usher;
using namespace usher::engine;

TEST_CASE("seat planes: sizes at the word's edge: words and the bits of the last one") {
  CHECK(SeatPlanes::words_for(1) == 1);
  CHECK(SeatPlanes::words_for(64) == 1);
  CHECK(SeatPlanes::words_for(65) == 2);
  for (const std::uint32_t seats : {1U, 63U, 64U, 65U, 127U, 128U, 200U}) {
    std::vector<std::uint64_t> words(std::size_t{SeatPlanes::words_for(seats)} * 3);
    const SeatPlanes planes(words.data(), seats);
    std::uint32_t free = 0;
    for (std::uint32_t word = 0; word < SeatPlanes::words_for(seats); ++word) {
      free += static_cast<std::uint32_t>(std::popcount(planes.available_word(word, seats)));
    }
    CHECK(free == seats);
  }
}

TEST_CASE("seat planes: each plane takes a seat; blocked shows as booked") {
  std::vector<std::uint64_t> words(6);
  SeatPlanes planes(words.data(), 70);
  SeatPlanes::set(planes.reserved(), 63);
  SeatPlanes::set(planes.booked(), 64);
  SeatPlanes::set(planes.blocked(), 69);
  CHECK(planes.status(63) == SeatStatus::reserved);
  CHECK(planes.status(64) == SeatStatus::booked);
  CHECK(planes.status(69) == SeatStatus::booked);
  CHECK(planes.status(0) == SeatStatus::available);
  CHECK(planes.taken(63));
  CHECK(planes.taken(64));
  CHECK(planes.taken(69));
  CHECK_FALSE(planes.taken(62));
  CHECK(planes.available_word(0, 70) == ~(std::uint64_t{1} << 63));
  CHECK(planes.available_word(1, 70) == 0x1e);
  SeatPlanes::clear(planes.blocked(), 69);
  CHECK_FALSE(planes.taken(69));
  CHECK(SeatPlanes::test(planes.booked(), 64));
}
