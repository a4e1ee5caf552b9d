#include "server/json/seat_ids.hpp"

namespace usher::server::json {
namespace {

struct Cursor {
  const char* at;
  const char* end;

  void skip_space() noexcept {
    while (at != end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) ++at;
  }
  bool take(char c) noexcept {
    skip_space();
    if (at == end || *at != c) return false;
    ++at;
    return true;
  }
  bool take_name() noexcept {
    constexpr std::string_view name = "\"seat_ids\"";
    skip_space();
    if (!std::string_view{at, static_cast<std::size_t>(end - at)}.starts_with(name)) return false;
    at += name.size();
    return true;
  }
  /// An array of labels.
  bool take_labels(SeatIds& out) noexcept {
    out.count = 0;
    if (!take('[')) return false;
    do {
      if (out.count == out.labels.size() || !take_text(out.labels[out.count], limits::seat_label_bytes_max))
        return false;
      ++out.count;
    } while (take(','));
    return take(']');
  }
  bool at_end() noexcept {
    skip_space();
    return at == end;
  }
  /// A string of 1 to `bytes_max` printable ASCII bytes without escapes.
  bool take_text(std::string_view& out, std::size_t bytes_max) noexcept {
    if (!take('"')) return false;
    const char* first = at;
    while (at != end && *at >= 0x20 && *at < 0x7f && *at != '"' && *at != '\\') ++at;
    if (at == end || *at != '"') return false;
    out = {first, static_cast<std::size_t>(at - first)};
    ++at;
    return !out.empty() && out.size() <= bytes_max;
  }
};

}  // namespace

bool read_seat_ids(std::string_view body, SeatIds& out) noexcept {
  Cursor cursor{body.data(), body.data() + body.size()};
  out.count = 0;
  if (!cursor.take('{') || !cursor.take_name() || !cursor.take(':') || !cursor.take_labels(out)) return false;
  return cursor.take('}') && cursor.at_end();
}

bool read_reserve_line(std::string_view line, ReserveLine& out) noexcept {
  Cursor cursor{line.data(), line.data() + line.size()};
  std::string_view command;
  out.user_id = out.show_id = {};
  out.seats.count = 0;
  if (!cursor.take('{')) return false;
  do {
    std::string_view name;
    if (!cursor.take_text(name, 8) || !cursor.take(':')) return false;
    bool taken = false;
    if (name == "command" && command.empty()) {
      taken = cursor.take_text(command, 16);
    } else if (name == "user_id" && out.user_id.empty()) {
      taken = cursor.take_text(out.user_id, limits::customer_name_bytes_max);
    } else if (name == "show_id" && out.show_id.empty()) {
      taken = cursor.take_text(out.show_id, limits::external_id_bytes_max);
    } else if (name == "seat_ids" && out.seats.count == 0) {
      taken = cursor.take_labels(out.seats);
    }
    if (!taken) return false;
  } while (cursor.take(','));
  return cursor.take('}') && cursor.at_end() && command == "reserve" && !out.show_id.empty() && out.seats.count != 0;
}

}  // namespace usher::server::json
