#include "server/identity/idempotency.hpp"

#include <doctest/doctest.h>

#include <string>

namespace {

using namespace usher;
using namespace usher::server::identity;

const IdempotencyTagger tagger(derive_keys("a directory's secret").idempotency);
constexpr UserNumber user{7};

TEST_CASE("idempotency key: 1 to 255 visible ASCII characters") {
  CHECK_FALSE(is_idempotency_key(""));
  CHECK(is_idempotency_key("k"));
  CHECK(is_idempotency_key(std::string(255, 'k')));
  CHECK_FALSE(is_idempotency_key(std::string(256, 'k')));
  CHECK_FALSE(is_idempotency_key("a b"));
  CHECK_FALSE(is_idempotency_key("\x7f"));
  CHECK_FALSE(is_idempotency_key("\xc3\xa4"));
}

TEST_CASE("idempotency tag: the same for the same, another for each part that differs") {
  const IdempotencyTag tag = tagger.tag(user, "POST", "/shows/1/reserve", "k1", "{}");
  CHECK(tag.given());
  CHECK(tag == tagger.tag(user, "POST", "/shows/1/reserve", "k1", "{}"));
  const auto same_key = [&](const IdempotencyTag& other) {
    return other.key_high == tag.key_high && other.key_low == tag.key_low;
  };
  CHECK_FALSE(same_key(tagger.tag(UserNumber{8}, "POST", "/shows/1/reserve", "k1", "{}")));
  CHECK_FALSE(same_key(tagger.tag(user, "PUT", "/shows/1/reserve", "k1", "{}")));
  CHECK_FALSE(same_key(tagger.tag(user, "POST", "/shows/2/reserve", "k1", "{}")));
  CHECK_FALSE(same_key(tagger.tag(user, "POST", "/shows/1/reserve", "k2", "{}")));
  CHECK_FALSE(same_key(tagger.tag(user, "POST", "/shows/1/reservek", "1", "{}")));
  const IdempotencyTag other_body = tagger.tag(user, "POST", "/shows/1/reserve", "k1", "{ }");
  CHECK(same_key(other_body));
  CHECK(other_body.body != tag.body);
  const IdempotencyTagger stranger(derive_keys("a different secret").idempotency);
  CHECK_FALSE(same_key(stranger.tag(user, "POST", "/shows/1/reserve", "k1", "{}")));
}

}  // namespace
