#include "server/catalog/seat_map.hpp"

#include <bit>
#include <charconv>
#include <cstring>

#include "server/json/writer.hpp"
#include "usher/assert.hpp"

namespace usher::server::catalog {
namespace {

// Statuses as they stand in the JSON, padded to one width. The quotes are part of them.
constexpr std::size_t status_bytes = 11;
constexpr std::string_view status_available = "\"available\"";
constexpr std::string_view status_reserved = "\"reserved\" ";
constexpr std::string_view status_booked = "\"booked\"   ";
static_assert(status_available.size() == status_bytes && status_reserved.size() == status_bytes &&
              status_booked.size() == status_bytes);

// Names, brackets and the largest numbers of a head come to less.
constexpr std::size_t head_bytes_fixed = 512;

char* put(char* out, std::string_view text) noexcept {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

char* put(char* out, std::uint64_t value) noexcept {
  return std::to_chars(out, out + 20, value).ptr;
}

char* put_instant(char* out, Instant instant) noexcept {
  json::write_instant(instant, out);
  return out + json::instant_text_bytes;
}

std::string focal_point_of(const engine::Layout& layout) {
  return "\"focal_point\":{\"x\":" + std::to_string(layout.focal_x()) + ",\"y\":" + std::to_string(layout.focal_y()) +
         "}";
}

std::uint64_t key_of(const engine::Layout& layout, const SeatPrices& prices) noexcept {
  std::uint64_t key = mix64(layout.hash() ^ static_cast<std::uint64_t>(prices.standard));
  key = mix64(key ^ static_cast<std::uint64_t>(prices.premium));
  for (const char c : prices.currency.code) key = key * 31U + static_cast<std::uint8_t>(c);
  return mix64(key);
}

}  // namespace

SeatMapTemplate::SeatMapTemplate(const engine::Layout& layout, const SeatPrices& prices)
    : focal_point_(focal_point_of(layout)) {
  const auto price_text = [&](std::int64_t amount) {
    return ",\"price\":{\"amount\":" + std::to_string(amount) + ",\"currency\":\"" +
           std::string{prices.currency.view()} + "\"},\"status\":";
  };
  const std::string standard = price_text(prices.standard);
  const std::string premium = price_text(prices.premium);
  status_at_.reserve(layout.seat_count());
  for (std::uint32_t at = 0; at < layout.seat_count(); ++at) {
    const auto seat = static_cast<SeatIndex>(at);
    const engine::SeatType type = layout.type(seat);
    // labels and row names need no escaping: check_layout() saw to that
    body_ += at == 0 ? "{\"seat_id\":\"" : ",{\"seat_id\":\"";
    body_.append(layout.label(seat)).append("\",\"row\":\"").append(layout.row_name(layout.row(seat)));
    body_.append("\",\"number\":").append(std::to_string(layout.number(seat)));
    body_.append(",\"type\":\"").append(to_string(type));
    body_.append("\",\"x\":").append(std::to_string(layout.x(seat)));
    body_.append(",\"y\":").append(std::to_string(layout.y(seat)));
    body_.append(type == engine::SeatType::premium ? premium : standard);
    status_at_.push_back(static_cast<std::uint32_t>(body_.size()));
    body_.append(status_available).append("}");
  }
  body_.append("]}");
  body_.shrink_to_fit();
}

std::size_t SeatMapTemplate::bytes_max(const SeatMapFacts& facts) const noexcept {
  return head_bytes_fixed + facts.show_id.size() + facts.time_zone.size() + facts.status.size() + body_.size();
}

char* SeatMapTemplate::write_head(const SeatMapFacts& facts, std::uint32_t reserved, std::uint32_t booked,
                                  char* out) const noexcept {
  const auto total = static_cast<std::uint32_t>(status_at_.size());
  out = put(out, "{\"show_id\":\"");
  out = put(out, facts.show_id);
  out = put(out, "\",\"lsn\":");
  out = put(out, facts.lsn);
  out = put(out, ",\"status\":\"");
  out = put(out, facts.status);
  out = put(out, "\",\"start_time\":\"");
  out = put_instant(out, facts.start);
  out = put(out, "\",\"end_time\":\"");
  out = put_instant(out, facts.end);
  out = put(out, "\",\"time_zone\":\"");
  out = put(out, facts.time_zone);
  out = put(out, "\",\"total_seats\":");
  out = put(out, total);
  out = put(out, ",\"available_seats\":");
  out = put(out, total - reserved - booked);
  out = put(out, ",\"reserved_seats\":");
  out = put(out, reserved);
  out = put(out, ",\"booked_seats\":");
  out = put(out, booked);
  out = put(out, ",");
  out = put(out, focal_point_);
  return put(out, ",\"seats\":[");
}

std::size_t SeatMapTemplate::render(const SeatMapFacts& facts, const SeatPlanes& planes, char* out) const noexcept {
  const std::size_t words = (status_at_.size() + 63) / 64;
  USHER_ASSERT(planes.reserved.size() >= words && planes.booked.size() >= words && planes.blocked.size() >= words);
  std::uint32_t reserved_count = 0;
  std::uint32_t booked_count = 0;
  for (std::size_t word = 0; word < words; ++word) {
    const std::uint64_t booked = planes.booked[word] | planes.blocked[word];
    booked_count += static_cast<std::uint32_t>(std::popcount(booked));
    reserved_count += static_cast<std::uint32_t>(std::popcount(planes.reserved[word] & ~booked));
  }
  char* const body = write_head(facts, reserved_count, booked_count, out);
  std::memcpy(body, body_.data(), body_.size());
  for (std::size_t word = 0; word < words; ++word) {
    const std::uint64_t booked = planes.booked[word] | planes.blocked[word];
    for (std::uint64_t left = booked; left != 0; left &= left - 1) {
      const std::size_t seat = word * 64 + static_cast<std::size_t>(std::countr_zero(left));
      std::memcpy(body + status_at_[seat], status_booked.data(), status_bytes);
    }
    for (std::uint64_t left = planes.reserved[word] & ~booked; left != 0; left &= left - 1) {
      const std::size_t seat = word * 64 + static_cast<std::size_t>(std::countr_zero(left));
      std::memcpy(body + status_at_[seat], status_reserved.data(), status_bytes);
    }
  }
  return static_cast<std::size_t>(body - out) + body_.size();
}

std::shared_ptr<const SeatMapTemplate> SeatMapCache::get(const engine::Layout& layout, const SeatPrices& prices) {
  const std::uint64_t key = key_of(layout, prices);
  if (const auto found = by_key_.find(key); found != by_key_.end()) {
    const Entry& entry = *found->second;
    if (entry.layout == &layout && entry.prices == prices) {
      entries_.splice(entries_.begin(), entries_, found->second);
      return entries_.front().map;
    }
    bytes_ -= entry.map->memory_bytes();  // another one with the same key: one of the two is kept
    entries_.erase(found->second);
    by_key_.erase(found);
  }
  entries_.push_front({&layout, prices, key, std::make_shared<const SeatMapTemplate>(layout, prices)});
  by_key_[key] = entries_.begin();
  bytes_ += entries_.front().map->memory_bytes();
  while (bytes_ > bytes_max_ && entries_.size() > 1) {
    bytes_ -= entries_.back().map->memory_bytes();
    by_key_.erase(entries_.back().key);
    entries_.pop_back();
  }
  return entries_.front().map;
}

}  // namespace usher::server::catalog
