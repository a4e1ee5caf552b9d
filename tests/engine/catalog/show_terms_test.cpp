#include "engine/catalog/show_terms.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace usher;
using namespace usher::engine;

namespace {

ShowTerms usual_terms() {
  ShowTerms terms;
  terms.layout_hash = 0xfedcba9876543210ULL;
  terms.currency = *parse_currency("EUR");
  terms.price_standard = 1'250;
  terms.price_premium = 1'800;
  terms.start = instant_from_ms(1'795'550'400'000);
  terms.end = terms.start + std::chrono::minutes{117};
  return terms;
}

std::string bytes_of(const ShowTerms& terms) {
  Bytes bytes;
  encode(terms, bytes);
  return {bytes.begin(), bytes.end()};
}

}  // namespace

TEST_CASE("terms: encode and decode: nothing is lost") {
  ShowTerms terms = usual_terms();
  terms.policy.seats_per_reservation = 4;
  terms.policy.orphan_rule = OrphanRule::all;
  terms.policy.refund_tiers[2] = {std::chrono::minutes{5}, true, 10};
  terms.policy.refund_tier_count = 3;
  const Result<ShowTerms> again = decode_terms(bytes_of(terms));
  REQUIRE(again.ok());
  CHECK(again.value() == terms);
  CHECK(price_of(terms, SeatType::premium) == 1'800);
  CHECK(price_of(terms, SeatType::companion) == 1'250);
}

TEST_CASE("terms: cut or lengthened bytes: refused") {
  const std::string bytes = bytes_of(usual_terms());
  for (std::size_t size = 0; size < bytes.size(); ++size) CHECK_FALSE(decode_terms(bytes.substr(0, size)).ok());
  CHECK_FALSE(decode_terms(bytes + '\0').ok());
  std::string future = bytes;
  future[0] = 2;
  CHECK(decode_terms(future).error().code == ErrorCode::version);
}

TEST_CASE("terms: damaged bytes: decode refuses or yields terms that pass the check") {
  const std::string bytes = bytes_of(usual_terms());
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (unsigned value = 0; value < 256; ++value) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(value);
      const Result<ShowTerms> terms = decode_terms(damaged);
      if (terms.ok()) CHECK(check_terms(terms.value()).ok());
    }
  }
}

TEST_CASE("terms: a broken rule: named by the check") {
  ShowTerms terms = usual_terms();
  const auto field = [&] {
    const Status status = check_terms(terms);
    return status.ok() ? std::string{} : status.error().detail.substr(0, status.error().detail.find(':'));
  };
  CHECK(field() == "");
  SUBCASE("a negative price") {
    terms.price_premium = -1;
    CHECK(field() == "price_premium");
  }
  SUBCASE("no length") {
    terms.end = terms.start;
    CHECK(field() == "end_time");
  }
  SUBCASE("33 seats per reservation") {
    terms.policy.seats_per_reservation = 33;
    CHECK(field() == "seats_per_reservation");
  }
  SUBCASE("a tier over 100 %") {
    terms.policy.refund_tiers[1].percent = 101;
    CHECK(field() == "refund_tiers");
  }
  SUBCASE("a currency in small letters") {
    terms.currency.code[0] = 'e';
    CHECK(field() == "currency");
  }
}
