#include "bench/flash_sale/view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace usher::flash {
namespace {

std::string grouped(std::uint64_t value) {
  std::string digits = std::to_string(value);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<std::size_t>(at), 1, ',');
  }
  return digits;
}

std::string bar(double share, std::size_t width) {
  const auto full = static_cast<std::size_t>(std::clamp(share, 0.0, 1.0) * static_cast<double>(width) + 0.5);
  return "[" + std::string(full, '#') + std::string(width - full, '.') + "]";
}

}  // namespace

void View::say(const std::string& text) {
  fmt::print(stderr, "{}\n", text);
  drawn_ = 0;
}

void View::draw(const Crowd& crowd, const Second& second) {
  ++seconds_;
  if (terminal_) return draw_lines(crowd, second);
  fmt::print(
      stderr,
      "{:4} s: {} of {} came, {} gone; +{} people, {} answers, {} in flight; reserved {} booked {}, 409 {} 429 {} "
      "503 {}; reserve p50 {:.1f} p99 {:.1f} ms, all p99 {:.1f} ms; {} seats left\n",
      seconds_, grouped(crowd.arrived()), grouped(people_), grouped(crowd.tally().finished()), grouped(second.arrivals),
      grouped(second.answers), grouped(second.in_flight), second.reserved, second.booked, second.conflicts,
      second.limited, second.refused, second.reserve_p50_ms, second.reserve_p99_ms, second.p99_ms,
      grouped(second.seats_left));
}

void View::draw_lines(const Crowd& crowd, const Second& second) {
  const Tally& tally = crowd.tally();
  peak_ = std::max(peak_, second.arrivals);
  const auto share = [](std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
  };
  std::string text;
  if (drawn_ > 0) text += fmt::format("\x1b[{}A", drawn_);
  const auto line = [&text](const std::string& what) { text += what + "\x1b[K\n"; };
  line(fmt::format("{:>4} s      people {} {} of {} came, {} gone", seconds_, bar(share(crowd.arrived(), people_), 30),
                   grouped(crowd.arrived()), grouped(people_), grouped(tally.finished())));
  line(fmt::format("          coming {} {} in this second", bar(share(second.arrivals, peak_), 30),
                   grouped(second.arrivals)));
  line(fmt::format("           seats {} {} left", bar(share(second.seats_left, seats_), 30),
                   grouped(second.seats_left)));
  line(fmt::format("  answers {:>8}/s   in flight {:>7}   connections {:>6}", grouped(second.answers),
                   grouped(second.in_flight), grouped(second.connections)));
  line(fmt::format("  now      reserved {:>6}   booked {:>6}   409 {:>6}   429 {:>6}   503 {:>6}", second.reserved,
                   second.booked, second.conflicts, second.limited, second.refused));
  line(fmt::format("  in all   reserved {:>6}   booked {:>6}   409 {:>6}   429 {:>6}   503 {:>6}",
                   grouped(tally.status(CallKind::reserve, 201)), grouped(tally.status(CallKind::book, 201)),
                   grouped(tally.status(409)), grouped(tally.status(429)), grouped(tally.status(503))));
  line(fmt::format("  reserve  p50 {:.1f} ms   p99 {:.1f} ms      all calls p99 {:.1f} ms", second.reserve_p50_ms,
                   second.reserve_p99_ms, second.p99_ms));
  drawn_ = 7;
  std::fputs(text.c_str(), stderr);
}

}  // namespace usher::flash
