#include "engine/show/best_available.hpp"

#include <algorithm>
#include <tuple>

#include "usher/assert.hpp"

namespace usher::engine {
namespace {

constexpr std::uint32_t words_max = SeatPlanes::words_for(limits::seats_per_show_max);

/// The free seats of a show, and those among them that the wish may be given.
class Hall {
 public:
  Hall(const Layout& layout, const SeatPlanes& planes, const SeatWish& wish) : layout_(layout), wish_(wish) {
    const auto words = static_cast<std::uint32_t>(layout.word_count());
    for (std::uint32_t word = 0; word < words; ++word) {
      free_[word] = planes.available_word(word, layout.seat_count());
      eligible_[word] = free_[word] & allowed_types(word);
    }
  }

  [[nodiscard]] bool free(SeatIndex seat) const noexcept { return seat != seat_none && bit(free_, seat); }
  [[nodiscard]] bool eligible(SeatIndex seat) const noexcept { return bit(eligible_, seat); }
  void take(SeatIndex seat) noexcept {
    free_[seat / 64U] &= ~(std::uint64_t{1} << (seat % 64U));
    eligible_[seat / 64U] &= ~(std::uint64_t{1} << (seat % 64U));
  }

  /// Whether the seat beside a group, on its left or right, would be left alone.
  [[nodiscard]] bool orphan_left(SeatIndex first) const noexcept {
    const SeatIndex seat = layout_.left_of(first);
    return free(seat) && !free(layout_.left_of(seat));
  }
  [[nodiscard]] bool orphan_right(SeatIndex last) const noexcept {
    const SeatIndex seat = layout_.right_of(last);
    return free(seat) && !free(layout_.right_of(seat));
  }
  [[nodiscard]] bool misfit(SeatIndex seat) const noexcept {
    return wish_.type ? layout_.type(seat) != *wish_.type : layout_.type(seat) == SeatType::obstructed;
  }

 private:
  using Words = std::array<std::uint64_t, words_max>;

  [[nodiscard]] static bool bit(const Words& words, SeatIndex seat) noexcept {
    return ((words[seat / 64U] >> (seat % 64U)) & 1U) != 0;
  }
  [[nodiscard]] std::uint64_t plane_word(SeatType type, std::uint32_t word) const noexcept {
    const auto plane = layout_.type_plane(type);
    return plane.empty() ? 0 : plane[word];
  }
  [[nodiscard]] std::uint64_t allowed_types(std::uint32_t word) const noexcept {
    const std::uint64_t with_companions =
        plane_word(SeatType::accessible, word) | plane_word(SeatType::companion, word);
    const bool wished = wish_.type == SeatType::accessible || wish_.type == SeatType::companion;
    return wished ? with_companions : ~with_companions;
  }

  const Layout& layout_;
  const SeatWish& wish_;
  Words free_;
  Words eligible_;
};

using Score = std::tuple<std::uint32_t, std::uint32_t, std::int64_t>;

[[nodiscard]] std::int64_t squared_distance(const Layout& layout, SeatIndex first, SeatIndex last) noexcept {
  // doubled coordinates keep the centre of a group a whole number
  const std::int64_t dx = std::int64_t{layout.x(first)} + layout.x(last) - 2 * std::int64_t{layout.focal_x()};
  const std::int64_t dy = std::int64_t{layout.y(first)} + layout.y(last) - 2 * std::int64_t{layout.focal_y()};
  return dx * dx + dy * dy;
}

/// The best group of exactly `count` seats. Rows come in order and groups of a row from left to right, so "row, index"
/// needs no compare: an equal score later never wins. Returns: the first seat, or seat_none.
[[nodiscard]] SeatIndex best_group(const Layout& layout, const Hall& hall, std::uint32_t count, bool accessible) {
  SeatIndex best = seat_none;
  Score best_score{};
  std::uint32_t run = 0;      // eligible seats side by side that end at `seat`
  std::uint32_t misfits = 0;  // in the last `count` of them
  std::uint32_t accessibles = 0;
  for (std::uint32_t at = 0; at < layout.seat_count(); ++at) {
    const auto seat = static_cast<SeatIndex>(at);
    if (!hall.eligible(seat)) {
      run = 0;
      continue;
    }
    if (run == 0 || layout.left_of(seat) == seat_none) run = misfits = accessibles = 0;
    ++run;
    misfits += hall.misfit(seat) ? 1U : 0U;
    accessibles += layout.type(seat) == SeatType::accessible ? 1U : 0U;
    if (run > count) {
      const auto gone = static_cast<SeatIndex>(at - count);
      misfits -= hall.misfit(gone) ? 1U : 0U;
      accessibles -= layout.type(gone) == SeatType::accessible ? 1U : 0U;
    }
    if (run < count || (accessible && accessibles == 0)) continue;
    const auto first = static_cast<SeatIndex>(at + 1 - count);
    const std::uint32_t orphans = (hall.orphan_left(first) ? 1U : 0U) + (hall.orphan_right(seat) ? 1U : 0U);
    const Score score{orphans, misfits, squared_distance(layout, first, seat)};
    if (best == seat_none || score < best_score) {
      best = first;
      best_score = score;
    }
  }
  return best;
}

}  // namespace

SeatChoice best_available(const Layout& layout, const SeatPlanes& planes, const SeatWish& wish) {
  USHER_ASSERT(wish.count >= 1 && wish.count <= limits::seats_per_request_max);
  SeatChoice choice;
  Hall hall(layout, planes, wish);
  std::uint32_t size = wish.count;
  while (choice.count < wish.count) {
    size = std::min(size, wish.count - choice.count);
    // one accessible seat makes a group of accessible and companion seats; the further groups follow it
    const bool accessible = wish.type == SeatType::accessible && choice.count == 0;
    const SeatIndex first = best_group(layout, hall, size, accessible);
    if (first == seat_none) {
      if (!wish.split || size == 1) return SeatChoice{};
      --size;
      continue;
    }
    for (std::uint32_t i = 0; i < size; ++i) {
      const auto seat = static_cast<SeatIndex>(first + i);
      choice.seats[choice.count++] = seat;
      hall.take(seat);
    }
  }
  std::sort(choice.seats.begin(), choice.seats.begin() + choice.count);
  return choice;
}

std::uint32_t orphans_made(const Layout& layout, const SeatPlanes& planes, const SeatIndex* seats,
                           std::uint32_t count) {
  const auto free_after = [&](SeatIndex seat) {
    return seat != seat_none && !planes.taken(seat) && !std::binary_search(seats, seats + count, seat);
  };
  std::uint32_t orphans = 0;
  SeatIndex counted = seat_none;  // a seat between two groups is one orphan, not two
  for (std::uint32_t i = 0; i < count; ++i) {
    const SeatIndex left = layout.left_of(seats[i]);
    if (left != counted && free_after(left) && !free_after(layout.left_of(left))) ++orphans;
    const SeatIndex right = layout.right_of(seats[i]);
    if (free_after(right) && !free_after(layout.right_of(right))) {
      ++orphans;
      counted = right;
    }
  }
  return orphans;
}

}  // namespace usher::engine
