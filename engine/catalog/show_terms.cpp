#include "engine/catalog/show_terms.hpp"

namespace usher::engine {
namespace {

constexpr std::uint8_t terms_version = 1;

Error broken(std::string detail) {
  return make_error(ErrorCode::invalid, std::move(detail));
}

Duration read_duration(ByteReader& reader) {
  return Duration{
      static_cast<std::int64_t>(reader.varint_max(static_cast<std::uint64_t>(policy_duration_max.count())))};
}

void write_duration(ByteWriter& writer, Duration duration) {
  writer.varint(static_cast<std::uint64_t>(duration.count()));
}

bool fits(Duration duration, Duration least) {
  return duration >= least && duration <= policy_duration_max;
}

}  // namespace

Status check_policy(const Policy& policy) {
  if (policy.seats_per_reservation < 1 || policy.seats_per_reservation > limits::seats_per_request_max) {
    return broken("seats_per_reservation: must be 1 to 32");
  }
  if (!fits(policy.reservation_ttl, Duration{1})) return broken("reservation_ttl: must be 1 ms to 366 days");
  if (!fits(policy.payment_grace, Duration{0})) return broken("payment_grace: must be 0 to 366 days");
  if (!fits(policy.cooldown, Duration{0})) return broken("cooldown: must be 0 to 366 days");
  if (policy.orphan_rule > OrphanRule::all) return broken("orphan_rule: must be off, best_available or all");
  if (policy.refund_tier_count > limits::refund_tiers_max) return broken("refund_tiers: must be at most 4");
  for (std::size_t i = 0; i < policy.refund_tier_count; ++i) {
    const RefundTier& tier = policy.refund_tiers[i];
    if (!fits(tier.bound, Duration{0})) return broken("refund_tiers: a bound must be 0 to 366 days");
    if (tier.percent > 100) return broken("refund_tiers: a percentage must be 0 to 100");
    if (i > 0 && tier.bound > policy.refund_tiers[i - 1].bound) {
      return broken("refund_tiers: bounds must not rise");
    }
  }
  return Done{};
}

Status check_terms(const ShowTerms& terms) {
  if (!parse_currency(terms.currency.view())) return broken("currency: must be three letters A to Z");
  if (terms.price_standard < 0 || terms.price_standard > seat_price_max) {
    return broken("price_standard: must be 0 to 10^12 minor units");
  }
  if (terms.price_premium < 0 || terms.price_premium > seat_price_max) {
    return broken("price_premium: must be 0 to 10^12 minor units");
  }
  if (to_ms(terms.start) < 0 || to_ms(terms.end) > instant_ms_max) {
    return broken("start_time: must lie in the years 1970 to 9999");
  }
  if (terms.end <= terms.start) return broken("end_time: must be after start_time");
  return check_policy(terms.policy);
}

void encode(const Policy& policy, Bytes& out) {
  ByteWriter writer{out};
  writer.u8(policy.seats_per_reservation);
  writer.u8(policy.reservations_per_user_and_show);
  write_duration(writer, policy.reservation_ttl);
  write_duration(writer, policy.payment_grace);
  write_duration(writer, policy.cooldown);
  writer.u8(policy.cooldown_after_abandoned);
  writer.u8(policy.cooldown_after_refusals);
  writer.u8(static_cast<std::uint8_t>(policy.orphan_rule));
  writer.u8(policy.refund_tier_count);
  for (std::size_t i = 0; i < policy.refund_tier_count; ++i) {
    write_duration(writer, policy.refund_tiers[i].bound);
    writer.u8(policy.refund_tiers[i].inclusive ? 1 : 0);
    writer.u8(policy.refund_tiers[i].percent);
  }
}

Policy read_policy(ByteReader& reader) {
  Policy policy;
  policy.refund_tiers = {};
  policy.seats_per_reservation = reader.u8();
  policy.reservations_per_user_and_show = reader.u8();
  policy.reservation_ttl = read_duration(reader);
  policy.payment_grace = read_duration(reader);
  policy.cooldown = read_duration(reader);
  policy.cooldown_after_abandoned = reader.u8();
  policy.cooldown_after_refusals = reader.u8();
  policy.orphan_rule = static_cast<OrphanRule>(reader.varint_max(static_cast<std::uint64_t>(OrphanRule::all)));
  policy.refund_tier_count = static_cast<std::uint8_t>(reader.varint_max(limits::refund_tiers_max));
  for (std::size_t i = 0; i < policy.refund_tier_count; ++i) {
    policy.refund_tiers[i].bound = read_duration(reader);
    policy.refund_tiers[i].inclusive = reader.varint_max(1) != 0;
    policy.refund_tiers[i].percent = static_cast<std::uint8_t>(reader.varint_max(100));
  }
  if (reader.ok() && !check_policy(policy).ok()) reader.fail();
  return policy;
}

void encode(const ShowTerms& terms, Bytes& out) {
  ByteWriter writer{out};
  writer.u8(terms_version);
  writer.fixed(terms.layout_hash);
  writer.raw(terms.currency.code.data(), terms.currency.code.size());
  writer.varint(static_cast<std::uint64_t>(terms.price_standard));
  writer.varint(static_cast<std::uint64_t>(terms.price_premium));
  writer.varint(static_cast<std::uint64_t>(to_ms(terms.start)));
  writer.varint(static_cast<std::uint64_t>((terms.end - terms.start).count()));
  encode(terms.policy, out);
}

Result<ShowTerms> decode_terms(std::string_view bytes) {
  ByteReader reader{bytes};
  const std::uint8_t version = reader.u8();
  if (reader.ok() && version != terms_version) {
    return make_error(ErrorCode::version, "terms of a show of version " + std::to_string(version));
  }
  ShowTerms terms;
  terms.layout_hash = reader.fixed<std::uint64_t>();
  const std::optional<Currency> currency = parse_currency(reader.raw(3));
  if (!currency) reader.fail();
  terms.currency = currency.value_or(Currency{});
  terms.price_standard = static_cast<std::int64_t>(reader.varint_max(seat_price_max));
  terms.price_premium = static_cast<std::int64_t>(reader.varint_max(seat_price_max));
  terms.start = instant_from_ms(static_cast<std::int64_t>(reader.varint_max(instant_ms_max)));
  terms.end = terms.start + Duration{static_cast<std::int64_t>(reader.varint_max(instant_ms_max))};
  terms.policy = read_policy(reader);
  if (!reader.complete()) return make_error(ErrorCode::corrupt, "terms of a show: malformed bytes");
  if (const Status status = check_terms(terms); !status.ok()) {
    return make_error(ErrorCode::corrupt, "terms of a show: " + status.error().detail);
  }
  return terms;
}

}  // namespace usher::engine
