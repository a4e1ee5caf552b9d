#include "server/catalog/policy_reader.hpp"

#include <array>

#include "engine/catalog/show_terms.hpp"
#include "server/config/values.hpp"

namespace usher::server::catalog {
namespace {

void read_refund_tiers(json::Object& from, Policy& policy) {
  json::Array tiers = from.optional_array("refund_tiers", 0, limits::refund_tiers_max);
  if (!tiers.present()) return;
  policy.refund_tiers = {};
  policy.refund_tier_count = 0;
  while (tiers.next()) {
    const std::optional<RefundTier> tier = config::parse_refund_tier(tiers.string({1, 64}));
    if (!tier) tiers.fail("must be a tier such as >24h:100 or >=2h:50");
    policy.refund_tiers[policy.refund_tier_count++] = tier.value_or(RefundTier{});
  }
}

}  // namespace

void read_duration(json::Object& from, std::string_view name, Duration& to) {
  const auto text = from.optional_string(name, {1, 64});
  if (!text) return;
  const std::optional<Duration> duration = config::parse_duration(*text);
  if (!duration) from.fail(name, "must be a duration such as 10m or 1h30m");
  to = duration.value_or(to);
}

void read_policy(json::Object& from, Policy& policy) {
  const auto small = [&](std::string_view name, std::int64_t min, std::int64_t max, std::uint8_t& to) {
    to = static_cast<std::uint8_t>(from.optional_integer(name, min, max).value_or(to));
  };
  small("seats_per_reservation", 1, limits::seats_per_request_max, policy.seats_per_reservation);
  small("reservations_per_user_and_show", 0, UINT8_MAX, policy.reservations_per_user_and_show);
  read_duration(from, "reservation_ttl", policy.reservation_ttl);
  read_duration(from, "payment_grace", policy.payment_grace);
  read_duration(from, "cooldown", policy.cooldown);
  small("cooldown_after_abandoned", 0, UINT8_MAX, policy.cooldown_after_abandoned);
  small("cooldown_after_refusals", 0, UINT8_MAX, policy.cooldown_after_refusals);
  constexpr std::array<std::string_view, 3> rules{"off", "best_available", "all"};
  if (const auto rule = from.optional_one_of("orphan_rule", rules)) policy.orphan_rule = static_cast<OrphanRule>(*rule);
  read_refund_tiers(from, policy);
  if (const Status status = engine::check_policy(policy); !status.ok()) {
    const std::string& detail = status.error().detail;  // "field: rule"
    from.fail(detail.substr(0, detail.find(": ")), detail.substr(detail.find(": ") + 2));
  }
  from.finish();
}

}  // namespace usher::server::catalog
