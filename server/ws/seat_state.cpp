#include "server/ws/seat_state.hpp"

#include <array>

#include "server/json/writer.hpp"
#include "usher/assert.hpp"

namespace usher::server::ws {
namespace {

constexpr std::array<std::string_view, seat_value_count> seat_words{"available", "reserved", "booked"};
constexpr std::array<std::string_view, static_cast<std::size_t>(ShowState::count_)> show_words{"scheduled", "cancelled",
                                                                                               "completed"};

// Puts a 0 in front of every bit ("interleave bits by binary magic numbers", S. E. Anderson, Bit Twiddling Hacks).
std::uint64_t spread(std::uint64_t bits) noexcept {
  bits &= 0xFFFFFFFFU;
  bits = (bits | (bits << 16U)) & 0x0000FFFF0000FFFFU;
  bits = (bits | (bits << 8U)) & 0x00FF00FF00FF00FFU;
  bits = (bits | (bits << 4U)) & 0x0F0F0F0F0F0F0F0FU;
  bits = (bits | (bits << 2U)) & 0x3333333333333333U;
  return (bits | (bits << 1U)) & 0x5555555555555555U;
}

}  // namespace

std::string_view to_string(SeatValue value) noexcept {
  return seat_words[static_cast<std::size_t>(value) % seat_value_count];
}

std::string_view to_string(ShowState state) noexcept {
  return show_words[static_cast<std::size_t>(state) % show_words.size()];
}

std::optional<ShowState> parse_show_state(std::string_view text) noexcept {
  for (std::size_t at = 0; at < show_words.size(); ++at) {
    if (show_words[at] == text) return static_cast<ShowState>(at);
  }
  return std::nullopt;
}

void SeatNames::add(std::string_view label) {
  json::TextBuffer escaped;
  json::append_escaped(escaped, label);
  text_.append("\"").append(escaped.view()).append("\":");
  first_.push_back(static_cast<std::uint32_t>(text_.size()));
}

std::vector<std::uint64_t> make_map(std::size_t seats, std::span<const std::uint64_t> reserved,
                                    std::span<const std::uint64_t> booked, std::span<const std::uint64_t> blocked) {
  std::vector<std::uint64_t> map(SeatState::words_for(seats));
  USHER_ASSERT(reserved.size() * 64 >= seats && booked.size() * 64 >= seats && blocked.size() * 64 >= seats);
  for (std::size_t at = 0; at < map.size(); ++at) {
    const unsigned shift = at % 2 == 0 ? 0U : 32U;
    const std::uint64_t gone = (booked[at / 2] | blocked[at / 2]) >> shift;
    map[at] = spread((reserved[at / 2] >> shift) & ~gone) | (spread(gone) << 1U);
  }
  return map;
}

}  // namespace usher::server::ws
