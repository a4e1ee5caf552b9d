#include "engine/admission/room_settings.hpp"

#include <algorithm>
#include <cstring>

#include "engine/catalog/show_terms.hpp"

namespace usher::engine {
namespace {

constexpr std::uint8_t version = 1;
constexpr std::uint32_t rate_per_minute_max = 6'000'000;
constexpr std::uint8_t flag_awaits_beacon = 1;
constexpr std::uint8_t flag_paused = 2;

Error broken(std::string detail) {
  return make_error(ErrorCode::invalid, std::move(detail));
}

[[nodiscard]] bool fits(Duration duration, Duration least) noexcept {
  return duration >= least && duration <= policy_duration_max;
}

[[nodiscard]] Duration read_duration(ByteReader& in) noexcept {
  return Duration{static_cast<std::int64_t>(in.varint_max(static_cast<std::uint64_t>(policy_duration_max.count())))};
}

}  // namespace

Status check_settings(const RoomSettings& settings) {
  if (settings.id.empty() || settings.id.size() > limits::external_id_bytes_max) {
    return broken("room_id: must be 1 to 64 bytes");
  }
  if (settings.shows.empty() || settings.shows.size() > limits::shows_per_room_max) {
    return broken("show_ids: must be 1 to 256 shows");
  }
  for (std::size_t i = 0; i < settings.shows.size(); ++i) {
    const bool follows = i == 0 || settings.shows[i - 1] < settings.shows[i];
    if (settings.shows[i] == ShowNumber::none || !follows) return broken("show_ids: must name each show once");
  }
  if (settings.order > QueueOrder::draw) return broken("order: must be arrival or draw");
  if (to_ms(settings.opens_at) < 0 || to_ms(settings.opens_at) > instant_ms_max) {
    return broken("opens_at: must lie in the years 1970 to 9999");
  }
  if (!fits(settings.admission_ttl, Duration{1'000})) return broken("admission_ttl: must be 1s to 366d");
  if (!fits(settings.absence_max, Duration{1'000})) return broken("absence_max: must be 1s to 366d");
  if (!fits(settings.draw_delay, Duration{0})) return broken("draw_delay: must be 0 to 366d");
  if (settings.rate_per_minute > rate_per_minute_max) return broken("rate_per_minute: must be 0 to 6000000");
  if (settings.seats_per_buyer < 1 || settings.seats_per_buyer > limits::seats_per_request_max) {
    return broken("seats_per_buyer: must be 1 to 32");
  }
  return Done{};
}

void encode(const RoomSettings& settings, Bytes& bytes) {
  ByteWriter out(bytes);
  out.u8(version);
  out.text(settings.id);
  out.varint(settings.shows.size());
  for (const ShowNumber show : settings.shows) out.varint(to_value(show));
  out.u8(static_cast<std::uint8_t>(settings.order));
  out.varint(static_cast<std::uint64_t>(to_ms(settings.opens_at)));
  for (const Duration time : {settings.admission_ttl, settings.absence_max, settings.draw_delay}) {
    out.varint(static_cast<std::uint64_t>(time.count()));
  }
  out.varint(settings.rate_per_minute);
  out.u8(settings.seats_per_buyer);
  out.u8(static_cast<std::uint8_t>((settings.awaits_beacon ? flag_awaits_beacon : 0U) |
                                   (settings.paused ? flag_paused : 0U)));
  out.raw(settings.secret.data(), settings.secret.size());
}

Result<RoomSettings> decode_settings(std::string_view bytes) {
  ByteReader in(bytes);
  const std::uint8_t found = in.u8();
  if (in.ok() && found != version) {
    return make_error(ErrorCode::version, "settings of a room of version " + std::to_string(found));
  }
  RoomSettings settings;
  settings.id = in.text(limits::external_id_bytes_max);
  for (std::uint64_t left = in.varint_max(limits::shows_per_room_max); left > 0 && in.ok(); --left) {
    settings.shows.push_back(static_cast<ShowNumber>(in.varint_max(0xffffffffU)));
  }
  settings.order = static_cast<QueueOrder>(in.varint_max(static_cast<std::uint64_t>(QueueOrder::draw)));
  settings.opens_at = instant_from_ms(static_cast<std::int64_t>(in.varint_max(instant_ms_max)));
  settings.admission_ttl = read_duration(in);
  settings.absence_max = read_duration(in);
  settings.draw_delay = read_duration(in);
  settings.rate_per_minute = static_cast<std::uint32_t>(in.varint_max(rate_per_minute_max));
  settings.seats_per_buyer = in.u8();
  const std::uint64_t flags = in.varint_max(flag_awaits_beacon | flag_paused);
  settings.awaits_beacon = (flags & flag_awaits_beacon) != 0;
  settings.paused = (flags & flag_paused) != 0;
  const std::string_view secret = in.raw(settings.secret.size());
  if (in.ok()) std::memcpy(settings.secret.data(), secret.data(), secret.size());
  if (!in.complete()) return make_error(ErrorCode::corrupt, "settings of a room: malformed bytes");
  if (const Status status = check_settings(settings); !status.ok()) {
    return make_error(ErrorCode::corrupt, "settings of a room: " + status.error().detail);
  }
  return settings;
}

}  // namespace usher::engine
