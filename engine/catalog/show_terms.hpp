#pragma once
/// What a sale of a show needs to know, frozen in its `show_opened` event: the layout by its hash, prices, times and
/// policy. Plain data; the show actor never asks the catalog (DESIGN 5).

#include <cstdint>
#include <string_view>

#include "engine/catalog/layout.hpp"
#include "usher/bytes.hpp"
#include "usher/money.hpp"
#include "usher/policy.hpp"
#include "usher/result.hpp"
#include "usher/time.hpp"

namespace usher::engine {

struct ShowTerms {
  std::uint64_t layout_hash = 0;
  Currency currency{};
  std::int64_t price_standard = 0;  ///< minor units
  std::int64_t price_premium = 0;
  Instant start{};
  Instant end{};
  Policy policy{};
  bool operator==(const ShowTerms&) const = default;
};

/// The highest price of one seat, in minor units: 32 of them stay far from the end of 63 bits.
inline constexpr std::int64_t seat_price_max = 1'000'000'000'000;
/// The instants a show may name: 1970 to 9999, what RFC 3339 can write.
inline constexpr std::int64_t instant_ms_max = 253'402'300'799'999;
/// Longest time a policy may name.
inline constexpr Duration policy_duration_max{std::chrono::hours{24 * 366}};

/// What one seat of this type costs, in minor units.
[[nodiscard]] constexpr std::int64_t price_of(const ShowTerms& terms, SeatType type) noexcept {
  return type == SeatType::premium ? terms.price_premium : terms.price_standard;
}

/// Returns: nothing when all is well, else what is wrong with which field.
[[nodiscard]] Status check_policy(const Policy& policy);
[[nodiscard]] Status check_terms(const ShowTerms& terms);

/// Appends:
///   terms  := version:u8(1) layout_hash:u64 currency:3 price_standard:varint price_premium:varint
///             start_ms:varint length_ms:varint policy
///   policy := seats_per_reservation:u8 reservations_per_user_and_show:u8 reservation_ttl_ms:varint
///             payment_grace_ms:varint cooldown_ms:varint cooldown_after_abandoned:u8 cooldown_after_refusals:u8
///             orphan_rule:u8 tier_count:u8 tier*
///   tier   := bound_ms:varint inclusive:u8 percent:u8
void encode(const ShowTerms& terms, Bytes& out);
void encode(const Policy& policy, Bytes& out);

/// Returns: `corrupt` or `version` when the bytes are not what encode() writes for terms that pass check_terms().
[[nodiscard]] Result<ShowTerms> decode_terms(std::string_view bytes);
/// Reads a policy in the middle of something; a malformed one fails the reader.
[[nodiscard]] Policy read_policy(ByteReader& reader);

}  // namespace usher::engine
