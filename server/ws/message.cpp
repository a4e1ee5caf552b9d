#include "server/ws/message.hpp"

#include <array>
#include <bit>
#include <charconv>
#include <cstring>

#include "server/json/writer.hpp"
#include "server/ws/frame.hpp"

namespace usher::server::ws {
namespace {

// {"type":"snapshot","lsn":...,"prev_lsn":...,"server_time":"...","status":"...","seats":{}} comes to less.
constexpr std::size_t json_head_bytes_max = 192;
constexpr std::size_t seat_bytes_max = 12;  // ,"available" behind the key
constexpr std::uint8_t type_snapshot = 1;
constexpr std::uint8_t type_delta = 2;

void put_number(std::string& out, std::uint64_t value) {
  std::array<char, 20> text;
  out.append(text.data(),
             static_cast<std::size_t>(std::to_chars(text.data(), text.data() + 20, value).ptr - text.data()));
}

void put_json_head(std::string& out, const SeatState* before, const SeatState& after, Instant server_time) {
  out.append(before == nullptr ? R"({"type":"snapshot","lsn":)" : R"({"type":"delta","lsn":)");
  put_number(out, after.lsn);
  out.append(R"(,"prev_lsn":)");
  if (before == nullptr) {
    out.append("null");
  } else {
    put_number(out, before->lsn);
  }
  std::array<char, json::instant_text_bytes> time;
  json::write_instant(server_time, time.data());
  out.append(R"(,"server_time":")").append(time.data(), time.size()).append("\"");
  if (before == nullptr || before->status != after.status) {
    out.append(R"(,"status":")").append(to_string(after.status)).append("\"");
  }
  out.append(R"(,"seats":{)");
}

void put_seat(std::string& out, const SeatState& state, std::uint32_t seat) {
  if (out.back() != '{') out.push_back(',');
  out.append(state.names->key(seat)).append("\"").append(to_string(state.value(seat))).append("\"");
}

void put_json(std::string& out, const SeatState* before, const SeatState& after, Instant server_time) {
  put_json_head(out, before, after, server_time);
  if (before == nullptr) {
    for (std::uint32_t seat = 0; seat < after.names->size(); ++seat) put_seat(out, after, seat);
  } else {
    for (std::uint32_t word = 0; word < after.map.size(); ++word) {
      for (std::uint64_t left = before->map[word] ^ after.map[word]; left != 0;) {
        const auto bit = static_cast<std::uint32_t>(std::countr_zero(left)) & ~1U;
        put_seat(out, after, word * SeatState::seats_per_word + bit / 2);
        left &= ~(std::uint64_t{3} << bit);
      }
    }
  }
  out.append("}}");
}

template <class T>
void put_little_endian(std::string& out, T value) {
  for (std::size_t at = 0; at < sizeof(T); ++at) out.push_back(static_cast<char>((value >> (8 * at)) & 0xFFU));
}

void put_binary(std::string& out, const SeatState* before, const SeatState& after, Instant server_time) {
  out.push_back(static_cast<char>(binary_version));
  out.push_back(static_cast<char>(before == nullptr ? type_snapshot : type_delta));
  out.push_back(static_cast<char>(after.status));
  out.push_back(0);
  put_little_endian(out, after.names->size());
  put_little_endian(out, after.lsn);
  put_little_endian(out, before == nullptr ? std::uint64_t{0} : before->lsn);
  put_little_endian(out, static_cast<std::uint64_t>(to_ms(server_time)));
  for (std::uint32_t at = 0; at < (after.names->size() + 3) / 4; ++at) {
    out.push_back(static_cast<char>((after.map[at / 8] >> (8 * (at % 8))) & 0xFFU));
  }
}

SharedBytes make(Format format, const SeatState* before, const SeatState& after, Instant server_time) {
  auto out = std::make_shared<std::string>();
  if (format == Format::binary) {
    const std::size_t size = binary_head_bytes + (after.names->size() + 3) / 4;
    out->reserve(frame_head_bytes_max + size);
    append_frame_head(*out, Opcode::binary, size);
    put_binary(*out, before, after, server_time);
    return out;
  }
  std::string text;
  const std::size_t seats_bytes =
      before == nullptr ? after.names->text_bytes() + after.names->size() * seat_bytes_max : 0;
  text.reserve(json_head_bytes_max + seats_bytes);
  put_json(text, before, after, server_time);
  out->reserve(text.size() + 48);
  if (format == Format::events) {
    out->append("id: ");
    put_number(*out, after.lsn);
    out->append("\ndata: ").append(text).append("\n\n");
  } else {
    append_frame(*out, Opcode::text, text);
  }
  return out;
}

template <class T>
T get_little_endian(const char* at) noexcept {
  T value = 0;
  for (std::size_t byte = 0; byte < sizeof(T); ++byte) {
    value |= static_cast<T>(static_cast<T>(static_cast<std::uint8_t>(at[byte])) << (8 * byte));
  }
  return value;
}

}  // namespace

SharedBytes make_snapshot(Format format, const SeatState& state, Instant server_time) {
  return make(format, nullptr, state, server_time);
}

SharedBytes make_delta(Format format, const SeatState& before, const SeatState& after, Instant server_time) {
  return make(format, &before, after, server_time);
}

std::optional<BinaryMessage> read_binary(std::string_view payload, std::uint32_t seats) {
  if (payload.size() != binary_head_bytes + (std::size_t{seats} + 3) / 4) return std::nullopt;
  const char* const at = payload.data();
  const auto type = static_cast<std::uint8_t>(at[1]);
  if (static_cast<std::uint8_t>(at[0]) != binary_version || (type != type_snapshot && type != type_delta))
    return std::nullopt;
  if (static_cast<std::uint8_t>(at[2]) >= static_cast<std::uint8_t>(ShowState::count_)) return std::nullopt;
  if (get_little_endian<std::uint32_t>(at + 4) != seats) return std::nullopt;
  BinaryMessage message;
  message.snapshot = type == type_snapshot;
  message.state.status = static_cast<ShowState>(at[2]);
  message.state.lsn = get_little_endian<std::uint64_t>(at + 8);
  message.prev_lsn = get_little_endian<std::uint64_t>(at + 16);
  message.server_time = instant_from_ms(static_cast<std::int64_t>(get_little_endian<std::uint64_t>(at + 24)));
  message.state.map.assign(SeatState::words_for(seats), 0);
  for (std::size_t byte = 0; byte < (std::size_t{seats} + 3) / 4; ++byte) {
    message.state.map[byte / 8] |= std::uint64_t{static_cast<std::uint8_t>(at[binary_head_bytes + byte])}
                                   << (8 * (byte % 8));
  }
  for (const std::uint64_t word : message.state.map) {
    if ((word & (word >> 1U) & 0x5555555555555555U) != 0) return std::nullopt;  // 3 is no status
  }
  if (seats % SeatState::seats_per_word != 0) {
    message.state.map.back() &= (std::uint64_t{1} << (2U * (seats % SeatState::seats_per_word))) - 1;
  }
  return message;
}

}  // namespace usher::server::ws
