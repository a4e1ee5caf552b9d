#pragma once
/// ListingCache: answers of GET /movies by their query, for one loop and on its thread only. An answer is dropped the
/// moment what it says may differ: when the catalog or the search index has changed, or when a show that it counts on
/// is over. Holds at most entries_max answers; when full, all are dropped at once.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "usher/time.hpp"

namespace usher::server::api {

struct Listing {
  std::shared_ptr<const std::string> body;
  std::string etag;
  Instant valid_until{};
};

class ListingCache {
 public:
  static constexpr std::size_t entries_max = 4'096;
  /// A longer query is answered, but not kept.
  static constexpr std::size_t key_bytes_max = 512;

  /// `catalog` and `index` count up with their changes. Returns: nullptr when nothing is kept that still holds.
  [[nodiscard]] const Listing* find(std::string_view query, std::uint64_t catalog, std::uint64_t index, Instant now) {
    if (catalog != catalog_ || index != index_) {
      listings_.clear();
      catalog_ = catalog;
      index_ = index;
    }
    const auto found = listings_.find(std::string(query));
    if (found == listings_.end()) return nullptr;
    if (now < found->second.valid_until) return &found->second;
    listings_.erase(found);
    return nullptr;
  }

  /// Keeps an answer that was made from that catalog and index; one made from older ones is not kept.
  void put(std::string_view query, std::uint64_t catalog, std::uint64_t index, Listing listing) {
    if (catalog != catalog_ || index != index_ || query.size() > key_bytes_max) return;
    if (listings_.size() >= entries_max) listings_.clear();
    listings_.insert_or_assign(std::string(query), std::move(listing));
  }
  [[nodiscard]] std::size_t size() const noexcept { return listings_.size(); }

 private:
  std::unordered_map<std::string, Listing> listings_;
  std::uint64_t catalog_ = 0;
  std::uint64_t index_ = 0;
};

}  // namespace usher::server::api
