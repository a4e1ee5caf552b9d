#include "server/api/listing_cache.hpp"

#include <doctest/doctest.h>

using namespace usher;
using namespace usher::server::api;

namespace {

Listing listing(std::string body, std::int64_t valid_until_ms) {
  return {std::make_shared<const std::string>(std::move(body)), "\"tag\"", instant_from_ms(valid_until_ms)};
}
const Instant at_9 = instant_from_ms(9);
const Instant at_10 = instant_from_ms(10);

}  // namespace

TEST_CASE("ListingCache: the same query: answered from what is kept until a show is over") {
  ListingCache cache;
  CHECK(cache.find("city=Berlin", 1, 1, at_9) == nullptr);
  cache.put("city=Berlin", 1, 1, listing("{}", 10));
  REQUIRE(cache.find("city=Berlin", 1, 1, at_9) != nullptr);
  CHECK(*cache.find("city=Berlin", 1, 1, at_9)->body == "{}");
  CHECK(cache.find("city=berlin", 1, 1, at_9) == nullptr);
  CHECK(cache.find("city=Berlin", 1, 1, at_10) == nullptr);
  CHECK(cache.size() == 0);
}

TEST_CASE("ListingCache: the catalog or the index has changed: nothing is kept") {
  ListingCache cache;
  for (const bool catalog : {true, false}) {
    (void)cache.find("q", 1, 1, at_9);
    cache.put("q", 1, 1, listing("old", 10));
    REQUIRE(cache.find("q", 1, 1, at_9) != nullptr);
    CHECK(cache.find("q", catalog ? 2 : 1, catalog ? 1 : 2, at_9) == nullptr);
    CHECK(cache.size() == 0);
  }
}

TEST_CASE("ListingCache: an answer that a slow search made from an older catalog: not kept") {
  ListingCache cache;
  (void)cache.find("q", 2, 1, at_9);
  cache.put("q", 1, 1, listing("old", 10));
  CHECK(cache.find("q", 2, 1, at_9) == nullptr);
}

TEST_CASE("ListingCache: many queries and long ones: bounded") {
  ListingCache cache;
  (void)cache.find("q", 1, 1, at_9);
  for (std::size_t i = 0; i < 2 * ListingCache::entries_max; ++i) cache.put(std::to_string(i), 1, 1, listing("", 10));
  CHECK(cache.size() <= ListingCache::entries_max);
  cache.put(std::string(ListingCache::key_bytes_max + 1, 'x'), 1, 1, listing("", 10));
  CHECK(cache.find(std::string(ListingCache::key_bytes_max + 1, 'x'), 1, 1, at_9) == nullptr);
}
