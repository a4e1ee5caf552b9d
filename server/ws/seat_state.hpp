#pragma once
/// SeatState: what the feed tells of a show at one LSN, as an immutable value that threads and processes hand on: the
/// status of every seat in two bits. Whoever has two of them can say what changed; so a message can be built anywhere,
/// and one that was skipped is never missed.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace usher::server::ws {

/// A show as a feed knows it: the show number where the engine is, a number of its own in a relay.
using FeedKey = std::uint32_t;

enum class SeatValue : std::uint8_t { available = 0, reserved = 1, booked = 2 };
inline constexpr std::size_t seat_value_count = 3;
[[nodiscard]] std::string_view to_string(SeatValue value) noexcept;

enum class ShowState : std::uint8_t { scheduled = 0, cancelled = 1, completed = 2, count_ };
[[nodiscard]] std::string_view to_string(ShowState state) noexcept;
[[nodiscard]] std::optional<ShowState> parse_show_state(std::string_view text) noexcept;

/// The seats' labels in the order of their index, each ready as a JSON key: `"F12":`. Immutable.
class SeatNames {
 public:
  /// Adds the next seat. `label` is escaped where it must be.
  void add(std::string_view label);
  [[nodiscard]] std::uint32_t size() const noexcept { return static_cast<std::uint32_t>(first_.size() - 1); }
  [[nodiscard]] std::string_view key(std::uint32_t seat) const noexcept {
    return {text_.data() + first_[seat], first_[seat + 1U] - first_[seat]};
  }
  [[nodiscard]] std::size_t text_bytes() const noexcept { return text_.size(); }

 private:
  std::string text_;
  std::vector<std::uint32_t> first_{0};
};

struct SeatState {
  std::shared_ptr<const SeatNames> names;
  std::uint64_t lsn = 0;
  ShowState status = ShowState::scheduled;
  /// Two bits a seat, SeatValue, 32 seats a word, the first in the lowest bits; bits beyond the last seat are 0.
  std::vector<std::uint64_t> map;

  static constexpr std::uint32_t seats_per_word = 32;
  [[nodiscard]] static constexpr std::size_t words_for(std::size_t seats) noexcept {
    return (seats + seats_per_word - 1) / seats_per_word;
  }
  [[nodiscard]] SeatValue value(std::uint32_t seat) const noexcept {
    return static_cast<SeatValue>((map[seat / seats_per_word] >> (2U * (seat % seats_per_word))) & 3U);
  }
  /// Whether a reader of one sees the same as of the other, the LSN aside.
  [[nodiscard]] bool looks_like(const SeatState& other) const noexcept {
    return status == other.status && map == other.map;
  }
};

/// Joins planes of one bit a seat into a map. A seat in `booked` or `blocked` shows as booked.
[[nodiscard]] std::vector<std::uint64_t> make_map(std::size_t seats, std::span<const std::uint64_t> reserved,
                                                  std::span<const std::uint64_t> booked,
                                                  std::span<const std::uint64_t> blocked);

}  // namespace usher::server::ws
