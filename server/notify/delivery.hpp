#pragma once
/// A message on its way to somebody outside, as it lies in the log's side table until it has arrived. Plain values.
///
///   row    := 'd' id -> kind text, target text, body text, show varint, sequence varint, number varint, due_ms varint,
///             attempts varint, dead u8, error text
///   cursor := 'q' sink -> the text of an LsnCursor

#include <optional>
#include <string>
#include <string_view>

#include "usher/ids.hpp"
#include "usher/log.hpp"
#include "usher/time.hpp"

namespace usher::server::notify {

struct Delivery {
  std::string id;    ///< SINK-SHARD-LSN-INDEX-WHAT: one event gives one message to one place, however often it is read
  std::string kind;  ///< what happened: "booked", "cancelled" ...
  std::string target;  ///< a webhook's URL; empty: looked up when it is sent, since people may be erased meanwhile
  std::string body;    ///< a webhook's JSON: the same bytes at each attempt
  ShowNumber show = ShowNumber::none;
  std::uint32_t sequence = 0;  ///< of the booking
  std::uint32_t number = 0;    ///< of the refund
  Instant due{};
  std::uint32_t attempts = 0;
  bool dead = false;  ///< given up; an operator may try again
  std::string error;  ///< of the last attempt; names no person
};

inline constexpr char delivery_row = 'd';
inline constexpr char cursor_row = 'q';

[[nodiscard]] SideWrite to_row(const Delivery& delivery);
[[nodiscard]] std::optional<Delivery> from_row(std::string_view key, std::string_view value);

/// What became of an attempt.
struct Outcome {
  enum class Kind : std::uint8_t { done, retry, give_up } kind = Kind::done;
  std::string error;
  [[nodiscard]] static Outcome done() { return {}; }
  [[nodiscard]] static Outcome retry(std::string why) { return {Kind::retry, std::move(why)}; }
  [[nodiscard]] static Outcome give_up(std::string why) { return {Kind::give_up, std::move(why)}; }
};

}  // namespace usher::server::notify
