#include "server/tickets/ticket_code.hpp"

#include <charconv>

#include "server/identity/crypto.hpp"
#include "usher/assert.hpp"
#include "usher/limits.hpp"

namespace usher::server::tickets {
namespace {

constexpr std::string_view prefix = "UT1.";
constexpr char version = 1;
constexpr std::size_t fixed_bytes = 1 + 4 + 16 + 4 + 4 + 1;
constexpr std::int64_t seconds_max = 0xffffffff;

template <class T>
void put(std::string& out, T value) {
  for (std::size_t shift = 8 * sizeof(T); shift > 0; shift -= 8) out.push_back(static_cast<char>(value >> (shift - 8)));
}

template <class T>
T take(std::string_view& in) noexcept {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) value = static_cast<T>((value << 8U) | static_cast<std::uint8_t>(in[i]));
  in.remove_prefix(sizeof(T));
  return value;
}

[[nodiscard]] std::uint32_t seconds_of(Instant instant) noexcept {
  const std::int64_t seconds = to_ms(instant) / 1'000;
  USHER_ASSERT(seconds >= 0 && seconds <= seconds_max);
  return static_cast<std::uint32_t>(seconds);
}

[[nodiscard]] Instant instant_of(std::uint32_t seconds) noexcept {
  return instant_from_ms(std::int64_t{seconds} * 1'000);
}

}  // namespace

std::string encode_payload(const TicketPayload& payload) {
  USHER_ASSERT(payload.seat.size() <= limits::seat_label_bytes_max);
  std::string out(1, version);
  put(out, payload.key);
  put(out, payload.ticket.high);
  put(out, payload.ticket.low);
  put(out, seconds_of(payload.valid_from));
  put(out, seconds_of(payload.valid_until));
  out.push_back(static_cast<char>(payload.seat.size()));
  return out + payload.seat;
}

std::string format_code(std::string_view payload_bytes, std::string_view signature) {
  USHER_ASSERT(signature.size() == signature_bytes);
  std::string text{prefix};
  identity::append_base64url(text, std::string{payload_bytes} + std::string{signature});
  return text;
}

std::optional<ParsedCode> parse_code(std::string_view text) {
  constexpr std::size_t bytes_max = fixed_bytes + limits::seat_label_bytes_max + signature_bytes;
  if (!text.starts_with(prefix) || text.size() > prefix.size() + (bytes_max * 4 + 2) / 3) return std::nullopt;
  const std::optional<std::string> bytes = identity::decode_base64url(text.substr(prefix.size()));
  if (!bytes || bytes->size() < fixed_bytes + signature_bytes) return std::nullopt;
  ParsedCode code;
  code.payload_bytes = bytes->substr(0, bytes->size() - signature_bytes);
  code.signature = bytes->substr(code.payload_bytes.size());
  std::string_view in = code.payload_bytes;
  if (take<std::uint8_t>(in) != static_cast<std::uint8_t>(version)) return std::nullopt;
  code.payload.key = take<std::uint32_t>(in);
  code.payload.ticket.high = take<std::uint64_t>(in);
  code.payload.ticket.low = take<std::uint64_t>(in);
  code.payload.valid_from = instant_of(take<std::uint32_t>(in));
  code.payload.valid_until = instant_of(take<std::uint32_t>(in));
  const std::size_t seat_bytes = take<std::uint8_t>(in);
  if (in.size() != seat_bytes || seat_bytes > limits::seat_label_bytes_max) return std::nullopt;
  code.payload.seat = in;
  return code;
}

std::string key_text(std::uint32_t key) {
  std::string text;
  for (int shift = 28; shift >= 0; shift -= 4) text.push_back("0123456789abcdef"[(key >> shift) & 15U]);
  return text;
}

std::optional<std::uint32_t> parse_key(std::string_view text) noexcept {
  std::uint32_t key = 0;
  if (text.size() != 8) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), key, 16);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (key_text(key) != text) return std::nullopt;  // capitals: a key has one name
  return key;
}

}  // namespace usher::server::tickets
