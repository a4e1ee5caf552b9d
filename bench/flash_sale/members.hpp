#pragma once
/// Members: single values out of an answer's JSON by searching for their names, for who reads thousands of them a
/// second and knows what they look like. Whatever must be read whole goes through simdjson. Pure.

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace usher::flash {

/// Returns: the text value of "name":"value", or nothing. `quoted_name` has its quotes and colon.
[[nodiscard]] inline std::string_view text_member(std::string_view body, std::string_view quoted_name) noexcept {
  std::size_t at = body.find(quoted_name);
  if (at == std::string_view::npos) return {};
  at += quoted_name.size();
  if (at >= body.size() || body[at] != '"') return {};
  const std::size_t end = body.find('"', at + 1);
  return end == std::string_view::npos ? std::string_view{} : body.substr(at + 1, end - at - 1);
}

/// "name":123 in a flat part of a body; 0 when it is not there.
[[nodiscard]] inline std::int64_t number_member(std::string_view body, std::string_view quoted_name) noexcept {
  const std::size_t at = body.find(quoted_name);
  if (at == std::string_view::npos) return 0;
  std::int64_t value = 0;
  const char* begin = body.data() + at + quoted_name.size();
  (void)std::from_chars(begin, body.data() + body.size(), value);
  return value;
}

/// How often "name":"value" stands in the body, each value given to `each`.
template <class Each>
void each_member(std::string_view body, std::string_view quoted_name, Each&& each) {
  for (std::size_t at = body.find(quoted_name); at != std::string_view::npos; at = body.find(quoted_name, at + 1)) {
    each(text_member(body.substr(at), quoted_name));
  }
}

/// The texts of "seat_ids":["A1","A2"].
[[nodiscard]] inline std::vector<std::string> seats_of(std::string_view body) {
  std::vector<std::string> seats;
  std::size_t at = body.find("\"seat_ids\":[");
  if (at == std::string_view::npos) return seats;
  const std::size_t end = body.find(']', at);
  for (at = body.find('"', at + 11); at < end; at = body.find('"', at + 1)) {
    const std::size_t close = body.find('"', at + 1);
    seats.emplace_back(body.substr(at + 1, close - at - 1));
    at = close;
  }
  return seats;
}

}  // namespace usher::flash
