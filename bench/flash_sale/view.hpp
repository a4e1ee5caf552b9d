#pragma once
/// View: a sale on the terminal, once a second: a few lines that are drawn over, or plain lines where nobody looks. It
/// writes to standard error, since standard output is for results.

#include <string>

#include "bench/flash_sale/crowd.hpp"

namespace usher::flash {

class View {
 public:
  View(bool terminal, std::uint32_t people, std::uint32_t seats)
      : terminal_(terminal), people_(people), seats_(seats) {}

  void draw(const Crowd& crowd, const Second& second);
  /// One line of news, in either form.
  void say(const std::string& text);

 private:
  void draw_lines(const Crowd& crowd, const Second& second);

  bool terminal_;
  std::uint32_t people_;
  std::uint32_t seats_;
  std::uint32_t seconds_ = 0;
  std::uint32_t peak_ = 1;  ///< arrivals in the busiest second
  int drawn_ = 0;           ///< lines to go back
};

}  // namespace usher::flash
