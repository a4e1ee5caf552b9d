#pragma once
/// Venue: the shows of a sale as the generator knows them, and the requests that are made of them. For one thread.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/flash_sale/hall.hpp"
#include "bench/flash_sale/scenario.hpp"
#include "bench/flash_sale/wire.hpp"

namespace usher::flash {

struct VenueShow {
  std::string id;
  Hall hall;                 ///< as the newest map told
  std::uint32_t left = ~0U;  ///< free seats by it; all ones: nobody has looked yet
};

/// What all requests of one sale have in common.
class Venue {
 public:
  Venue(std::string authority, std::string movie, std::string city, std::string date,
        const std::vector<std::string>& shows);

  [[nodiscard]] std::size_t size() const noexcept { return shows_.size(); }
  [[nodiscard]] VenueShow& show(std::size_t at) { return shows_[at]; }
  [[nodiscard]] const VenueShow& show(std::size_t at) const { return shows_[at]; }
  [[nodiscard]] std::uint32_t seats_left() const noexcept;

  /// Requests, whole. `who`: a line "Authorization: ..." or "Cookie: ..." with its end, or nothing.
  /// `page`: which of the pages that people look at.
  [[nodiscard]] std::string browse(std::uint32_t page, std::string_view who) const;
  [[nodiscard]] std::string seat_map(std::size_t show, std::string_view etag, std::string_view who) const;
  [[nodiscard]] std::string reserve(std::size_t show, const std::vector<std::uint32_t>& seats, std::string_view key,
                                    std::string_view extra, std::string_view who) const;
  [[nodiscard]] std::string release(std::string_view reservation, std::string_view who) const;
  [[nodiscard]] std::string book(std::string_view reservation, std::string_view card, std::string_view key,
                                 std::string_view who) const;
  [[nodiscard]] std::string cancel(std::string_view booking, std::string_view seat, std::string_view key,
                                   std::string_view who) const;
  [[nodiscard]] std::string get(std::string_view path, std::string_view who) const;
  [[nodiscard]] std::string post(std::string_view path, std::string_view body, std::string_view key,
                                 std::string_view who) const;

 private:
  std::string host_;  ///< the line
  std::string movie_;
  std::string city_;
  std::string date_;
  std::vector<VenueShow> shows_;
};

/// The catalog that a scenario brings along, as a document for import. All ids begin with `prefix`; times are counted
/// from `now_ms`.
struct OwnCatalog {
  std::string document;
  std::string movie;
  std::string city;
  std::string date;  ///< of the first show, in the city's zone
  std::vector<std::string> shows;
};
[[nodiscard]] OwnCatalog make_catalog(const Scenario& scenario, const std::string& prefix, std::int64_t now_ms);

}  // namespace usher::flash
