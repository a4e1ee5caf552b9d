#pragma once
/// SeatPlanes: a view of a show's three bitmaps (reserved, booked, blocked), one bit a seat. For the shard's thread.

#include <bit>
#include <cstdint>
#include <span>

#include "usher/ids.hpp"

namespace usher::engine {

enum class SeatStatus : std::uint8_t { available, reserved, booked };

class SeatPlanes {
 public:
  static constexpr std::uint32_t plane_count = 3;

  [[nodiscard]] static constexpr std::uint32_t words_for(std::uint32_t seat_count) noexcept {
    return (seat_count + 63) / 64;
  }

  SeatPlanes(std::uint64_t* words, std::uint32_t seat_count) noexcept : words_(words), count_(words_for(seat_count)) {}

  [[nodiscard]] std::span<std::uint64_t> reserved() noexcept { return {words_, count_}; }
  [[nodiscard]] std::span<std::uint64_t> booked() noexcept { return {words_ + count_, count_}; }
  [[nodiscard]] std::span<std::uint64_t> blocked() noexcept { return {words_ + 2 * std::size_t{count_}, count_}; }

  [[nodiscard]] bool taken(SeatIndex seat) const noexcept {
    const std::uint32_t word = seat / 64U;
    return (((words_[word] | words_[count_ + word] | words_[2 * count_ + word]) >> (seat % 64U)) & 1U) != 0;
  }
  /// One bit a seat that is available; bits beyond the last seat are 0. Requires: word < words.
  [[nodiscard]] std::uint64_t available_word(std::uint32_t word, std::uint32_t seat_count) const noexcept {
    const std::uint64_t free = ~(words_[word] | words_[count_ + word] | words_[2 * count_ + word]);
    const std::uint32_t left = seat_count - word * 64;
    return left >= 64 ? free : free & ((std::uint64_t{1} << left) - 1);
  }
  [[nodiscard]] SeatStatus status(SeatIndex seat) const noexcept {
    const std::uint32_t word = seat / 64U;
    const std::uint64_t bit = std::uint64_t{1} << (seat % 64U);
    if (((words_[count_ + word] | words_[2 * count_ + word]) & bit) != 0) return SeatStatus::booked;
    return (words_[word] & bit) != 0 ? SeatStatus::reserved : SeatStatus::available;
  }

  static void set(std::span<std::uint64_t> plane, SeatIndex seat) noexcept {
    plane[seat / 64U] |= std::uint64_t{1} << (seat % 64U);
  }
  static void clear(std::span<std::uint64_t> plane, SeatIndex seat) noexcept {
    plane[seat / 64U] &= ~(std::uint64_t{1} << (seat % 64U));
  }
  [[nodiscard]] static bool test(std::span<const std::uint64_t> plane, SeatIndex seat) noexcept {
    return ((plane[seat / 64U] >> (seat % 64U)) & 1U) != 0;
  }

 private:
  std::uint64_t* words_;
  std::uint32_t count_;
};

}  // namespace usher::engine
