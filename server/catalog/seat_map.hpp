#pragma once
/// `GET /shows/{id}/seats`: the seat map as JSON. Everything but the statuses and a short head is written once per
/// layout and prices (the template) and copied as a whole; then the seats that are not available are patched in place,
/// 11 bytes each: JSON allows spaces behind the shorter words. A template is immutable and may be shared by all
/// threads; the cache is for one thread.
///
///   map  := head seats "]}"
///   head := {"show_id":...,"lsn":...,..., "seats":[
///   seat := {"seat_id":"F12","row":"F","number":12,"type":"standard","x":110,"y":50,
///            "price":{"amount":1500,"currency":"USD"},"status":"available"}

#include <cstdint>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "engine/catalog/layout.hpp"
#include "engine/catalog/show_terms.hpp"
#include "usher/money.hpp"
#include "usher/time.hpp"

namespace usher::server::catalog {

/// What the head of a map says of the show. Views must outlive the call.
struct SeatMapFacts {
  std::string_view show_id;
  std::string_view time_zone;  ///< of its theater
  std::string_view status = "scheduled";
  Instant start{};
  Instant end{};
  std::uint64_t lsn = 0;
};

/// One bit per seat, word_count() words each. A seat in `blocked` shows as booked; bits beyond the last seat are 0.
struct SeatPlanes {
  std::span<const std::uint64_t> reserved;
  std::span<const std::uint64_t> booked;
  std::span<const std::uint64_t> blocked;
};

struct SeatPrices {
  Currency currency{};
  std::int64_t standard = 0;
  std::int64_t premium = 0;
  bool operator==(const SeatPrices&) const = default;
};

class SeatMapTemplate {
 public:
  SeatMapTemplate(const engine::Layout& layout, const SeatPrices& prices);

  /// Room that render() may need for this show.
  [[nodiscard]] std::size_t bytes_max(const SeatMapFacts& facts) const noexcept;
  /// Writes the map. Requires: bytes_max(facts) bytes at `out`, planes of the layout's word_count().
  /// Returns: the bytes written.
  std::size_t render(const SeatMapFacts& facts, const SeatPlanes& planes, char* out) const noexcept;

  [[nodiscard]] std::size_t memory_bytes() const noexcept {
    return body_.capacity() + status_at_.capacity() * sizeof(std::uint32_t);
  }

 private:
  char* write_head(const SeatMapFacts& facts, std::uint32_t reserved, std::uint32_t booked, char* out) const noexcept;

  std::string body_;                      ///< all seats as available, and the closing brackets
  std::vector<std::uint32_t> status_at_;  ///< where each seat's status stands in body_
  std::string focal_point_;
};

/// For one thread. Keeps the templates last used, up to a bound of memory.
class SeatMapCache {
 public:
  explicit SeatMapCache(std::size_t bytes_max = std::size_t{32} << 20U) noexcept : bytes_max_(bytes_max) {}

  /// Requires: `layout` lives as long as the cache (a LayoutTable's does).
  [[nodiscard]] std::shared_ptr<const SeatMapTemplate> get(const engine::Layout& layout, const SeatPrices& prices);
  [[nodiscard]] std::size_t memory_bytes() const noexcept { return bytes_; }

 private:
  struct Entry {
    const engine::Layout* layout = nullptr;
    SeatPrices prices;
    std::uint64_t key = 0;
    std::shared_ptr<const SeatMapTemplate> map;
  };
  using Entries = std::list<Entry>;  ///< the one last used first

  Entries entries_;
  boost::unordered_flat_map<std::uint64_t, Entries::iterator> by_key_;
  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
};

}  // namespace usher::server::catalog
