#include "server/explain/asked.hpp"

#include <algorithm>

namespace usher::server::explain {

void Asked::on_decision(const journal::Decision& decision) {
  if (decision.show != show_ || decision.user != user_) return;
  decisions_.push_back(decision);
  if (decisions_.size() <= count_max_) return;
  decisions_.pop_front();
  ++left_out_;
}

std::string_view name_of(CommandType type) noexcept {
  switch (type) {
    case CommandType::reserve:
      return "reserve";
    case CommandType::reserve_best:
      return "reserve_best";
    case CommandType::release:
      return "release";
    case CommandType::read_reservation:
      return "read_reservation";
    case CommandType::start_payment:
      return "pay";
    case CommandType::finish_payment:
      return "payment_result";
    case CommandType::read_booking:
      return "read_booking";
    case CommandType::preview_cancel:
      return "preview_cancel";
    case CommandType::cancel:
      return "cancel";
    case CommandType::join_waitlist:
      return "join_waitlist";
    case CommandType::read_waitlist:
      return "read_waitlist";
    case CommandType::leave_waitlist:
      return "leave_waitlist";
    default:
      return "other";
  }
}

std::vector<Span> not_covered(const std::vector<journal::JournalFile>& files, bool open, Instant from, Instant until) {
  std::vector<Span> gaps;
  Instant known = from;  // all from `from` to here is in `gaps`, or is told of
  for (const journal::JournalFile& file : files) {
    if (file.from > known && known < until) gaps.push_back({known, std::min(file.from, until)});
    const bool running = open && &file == &files.back();
    known = std::max(known, running ? until : file.until);
  }
  if (known < until) gaps.push_back({known, until});
  return gaps;
}

}  // namespace usher::server::explain
