#pragma once
/// What is settled about a waiting room when it is opened. Plain data, frozen in its `room_opened` event; some of it
/// may be changed later.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/admission/sha256.hpp"
#include "usher/bytes.hpp"
#include "usher/ids.hpp"
#include "usher/limits.hpp"
#include "usher/result.hpp"
#include "usher/time.hpp"

namespace usher::engine {

enum class QueueOrder : std::uint8_t { arrival, draw };

struct RoomSettings {
  std::string id;                 ///< 1..external_id_bytes_max, the name on the wire
  std::vector<ShowNumber> shows;  ///< 1..shows_per_room_max, ascending
  QueueOrder order = QueueOrder::arrival;
  Instant opens_at{};  ///< nobody is admitted before; may be changed until then
  Duration admission_ttl{std::chrono::minutes{5}};
  Duration absence_max{std::chrono::seconds{90}};  ///< without a poll a place is lost
  Duration draw_delay{std::chrono::seconds{2}};    ///< between the list's hash and the draw
  std::uint32_t rate_per_minute = 0;               ///< people admitted at most; 0: as the seats allow; may be changed
  std::uint8_t seats_per_buyer = 2;                ///< assumed until enough have bought
  bool awaits_beacon = false;                      ///< the draw waits for an operator to bring a beacon
  bool paused = false;                             ///< nobody is admitted; may be changed
  Hash secret{};                                   ///< of the draw; told to nobody before it
  bool operator==(const RoomSettings&) const = default;
};

/// Returns: nothing when all is well, else what is wrong with which field.
[[nodiscard]] Status check_settings(const RoomSettings& settings);

/// Appends:
///   settings := version:u8(1) id:text show_count:varint show:varint* order:u8 opens_ms:varint admission_ttl_ms:varint
///               absence_max_ms:varint draw_delay_ms:varint rate_per_minute:varint seats_per_buyer:u8 flags:u8
///               secret:32 flags: bit 0 awaits_beacon, bit 1 paused
void encode(const RoomSettings& settings, Bytes& out);
/// Returns: `corrupt` or `version` when the bytes are not what encode() writes for settings that pass the check.
[[nodiscard]] Result<RoomSettings> decode_settings(std::string_view bytes);

}  // namespace usher::engine
