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
  bool take_label(std::string_view& out) noexcept {
    if (!take('"')) return false;
    const char* first = at;
    while (at != end && *at >= 0x20 && *at < 0x7f && *at != '"' && *at != '\\') ++at;
    if (at == end || *at != '"') return false;
    out = {first, static_cast<std::size_t>(at - first)};
    ++at;
    return !out.empty() && out.size() <= limits::seat_label_bytes_max;
  }
};

}  // namespace

bool read_seat_ids(std::string_view body, SeatIds& out) noexcept {
  Cursor cursor{body.data(), body.data() + body.size()};
  out.count = 0;
  if (!cursor.take('{') || !cursor.take_name() || !cursor.take(':') || !cursor.take('[')) return false;
  do {
    if (out.count == out.labels.size() || !cursor.take_label(out.labels[out.count])) return false;
    ++out.count;
  } while (cursor.take(','));
  if (!cursor.take(']') || !cursor.take('}')) return false;
  cursor.skip_space();
  return cursor.at == cursor.end;
}

}  // namespace usher::server::json
