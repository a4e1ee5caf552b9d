#include "server/tickets/ticket_keys.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/server/config/temporary_directory.hpp"

using namespace usher;
using namespace usher::server::tickets;
using usher::server::json::TextBuffer;
using usher::server::json::Writer;

namespace {

const std::string secret(32, 's');
constexpr Instant now = instant_from_ms(1'795'539'600'000);

TicketPayload example() {
  TicketPayload payload;
  payload.ticket = {0x0000000700008018ULL, 0x9a3b1c2d3e4f5a6bULL};
  payload.valid_from = now;
  payload.valid_until = now + std::chrono::hours{5};
  payload.seat = "F12";
  return payload;
}

std::unique_ptr<TicketKeys> open(const std::filesystem::path& folder) {
  auto keys = TicketKeys::open(folder, secret);
  REQUIRE(keys);
  return std::move(keys).value();
}

std::string public_document(const TicketKeys& keys) {
  TextBuffer text;
  Writer json(text);
  keys.write_public(json);
  return std::string(text.view());
}

}  // namespace

TEST_CASE("ticket_keys: the test vectors of RFC 8032 section 7.1: come out") {
  const TemporaryDirectory folder;
  std::ofstream(folder.path() / "ticket-keys")
      << "key 21fe31df 0 9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60\n";
  ::chmod((folder.path() / "ticket-keys").c_str(), 0600);
  const auto keys = open(folder.path());
  REQUIRE(keys->list().size() == 1);
  CHECK(static_cast<unsigned char>(keys->list()[0].public_key[0]) == 0xd7);
  const std::string signature = keys->sign_text("", now).bytes;
  CHECK(static_cast<unsigned char>(signature[0]) == 0xe5);
  CHECK(static_cast<unsigned char>(signature[63]) == 0x0b);
  // the published vector of server/tickets/README.md
  CHECK(keys->sign(example(), now) ==
        "UT1.ASH-Md8AAAAHAACAGJo7HC0-T1prawXCkGsGCOADRjEypk24_auFRIDWlaVCqLqEUi8xnp1pq2sA0Ah9kzBAV9dDmxnMw-"
        "IqmIFRF43kRPGHgEkoH1"
        "a9JKJyZhiKogP6CQ");
}

TEST_CASE("ticket_keys: a code: is good for who has the public keys, and only unchanged") {
  const TemporaryDirectory folder;
  const auto keys = open(folder.path());
  const std::string code = keys->sign(example(), now);
  const auto known = PublicKeys::parse(public_document(*keys));
  REQUIRE(known);
  TicketPayload payload;
  CHECK(known.value().check(code, payload) == CodeCheck::good);
  CHECK(payload.seat == "F12");
  CHECK(keys->check(code, payload) == CodeCheck::good);
  std::size_t good = 0;
  for (std::size_t at = 4; at < code.size(); ++at) {
    std::string changed = code;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    good += known.value().check(changed, payload) == CodeCheck::good ? 1U : 0U;
  }
  CHECK(good == 0);
  CHECK(known.value().check("hello", payload) == CodeCheck::bad_signature);
}

TEST_CASE("ticket_keys: rotation: the new key signs from its time on, and old codes stay good until it is retired") {
  const TemporaryDirectory folder;
  auto keys = open(folder.path());
  const std::string old_code = keys->sign(example(), now);
  const auto added = keys->add(now + std::chrono::hours{1});
  REQUIRE(added);
  CHECK(keys->sign(example(), now) == old_code);
  const std::string new_code = keys->sign(example(), now + std::chrono::hours{1});
  CHECK(new_code != old_code);
  const std::uint32_t first = keys->list()[0].key;
  CHECK_FALSE(keys->retire(first, now));  // the other one is not active yet
  CHECK(keys->retire(first, now + std::chrono::hours{1}));
  TicketPayload payload;
  CHECK(keys->check(old_code, payload) == CodeCheck::unknown_key);
  CHECK(keys->check(new_code, payload) == CodeCheck::good);
  CHECK(keys->retire(first, now).error().code == ErrorCode::not_found);

  const auto again = open(folder.path());  // and all of it is on the disk
  REQUIRE(again->list().size() == 1);
  CHECK(again->list()[0].key == added.value());
  CHECK(again->check(new_code, payload) == CodeCheck::good);
}

TEST_CASE("ticket_keys: the file is lost: the first key is the same again") {
  const TemporaryDirectory folder;
  const std::string code = open(folder.path())->sign(example(), now);
  std::filesystem::remove(folder.path() / "ticket-keys");
  CHECK(open(folder.path())->sign(example(), now) == code);
}

TEST_CASE("ticket_keys: a file that is damaged or open to others: is refused with its line") {
  const TemporaryDirectory folder;
  const auto path = folder.path() / "ticket-keys";
  (void)open(folder.path());
  std::ofstream(path, std::ios::app) << "key nonsense\n";
  const auto damaged = TicketKeys::open(folder.path(), secret);
  REQUIRE_FALSE(damaged);
  CHECK(damaged.error().detail.find("ticket-keys:3:") != std::string::npos);
  ::chmod(path.c_str(), 0644);
  const auto readable = TicketKeys::open(folder.path(), secret);
  REQUIRE_FALSE(readable);
  CHECK(readable.error().code == ErrorCode::invalid);
}

TEST_CASE("ticket_keys: a document of public keys: is refused with the place and the rule") {
  const auto error = [](std::string_view text) {
    const auto keys = PublicKeys::parse(text);
    return keys ? std::string("accepted") : keys.error().detail;
  };
  CHECK(error("{}").find("keys") != std::string::npos);
  CHECK(error(R"({"keys":[{"kty":"OKP","crv":"Ed25519","kid":"xyz","x":"AAAA"}]})").find("kid") != std::string::npos);
  CHECK(error(R"({"keys":[{"kty":"RSA","crv":"Ed25519","kid":"00000001","x":"AAAA"}]})").find("crv") !=
        std::string::npos);
  CHECK(error(R"({"keys":[{"kty":"OKP","crv":"Ed25519","kid":"00000001","x":"AAAA"}]})").find("x") !=
        std::string::npos);
}
