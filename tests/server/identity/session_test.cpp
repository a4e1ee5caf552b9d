#include "server/identity/session.hpp"

#include <doctest/doctest.h>

#include <string>

namespace {

using namespace usher;
using namespace usher::server::identity;

const DirectoryKeys keys = derive_keys("a directory's secret");
constexpr std::int64_t now_ms = 1'800'000'000'000;
const Instant now = instant_from_ms(now_ms);

std::string cookie_of(const SessionKeeper::NewSession& session) {
  const std::string prefix = "Set-Cookie: usher_session=";
  REQUIRE(session.set_cookie.starts_with(prefix));
  return session.set_cookie.substr(prefix.size(), session.set_cookie.find(';') - prefix.size());
}

TEST_CASE("session: a new one: a cookie that is recognised, by another loop too") {
  SessionKeeper keeper(keys, {}, 64);
  const SessionKeeper::NewSession session = keeper.make(now);
  CHECK(session.set_cookie.find("; Path=/; HttpOnly; SameSite=Lax; Max-Age=2592000\r\n") != std::string::npos);
  CHECK(session.identity.role == Role::anonymous);
  CHECK(session.identity.user != UserNumber::none);
  SessionKeeper other(keys, {}, 64);
  for (SessionKeeper* each : {&keeper, &other, &other}) {
    const auto identity = each->verify("theme=dark; usher_session=" + cookie_of(session) + "; x=y", now);
    REQUIRE(identity.has_value());
    CHECK(identity->user == session.identity.user);
  }
  CHECK(keeper.make(now).identity.user != session.identity.user);
  SessionOptions secure;
  secure.secure = true;
  CHECK(SessionKeeper(keys, secure, 64).make(now).set_cookie.ends_with("; Secure\r\n"));
}

TEST_CASE("session: tampered at any place, or signed by another directory: not ours") {
  SessionKeeper keeper(keys, {}, 64);
  const std::string cookie = cookie_of(keeper.make(now));
  for (std::size_t i = 0; i < cookie.size(); ++i) {
    std::string changed = cookie;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    CHECK_MESSAGE(!keeper.verify("usher_session=" + changed, now).has_value(), i);
  }
  CHECK_FALSE(keeper.verify("usher_session=" + cookie + "A", now).has_value());
  CHECK_FALSE(keeper.verify("usher_session=", now).has_value());
  CHECK_FALSE(keeper.verify("", now).has_value());
  SessionKeeper stranger(derive_keys("a different secret"), {}, 64);
  CHECK_FALSE(stranger.verify("usher_session=" + cookie, now).has_value());
}

TEST_CASE("session: lifetime at -1, 0, +1 s") {
  SessionOptions options;
  options.lifetime = Duration{100'000};
  SessionKeeper keeper(keys, options, 64);
  const std::string field = "usher_session=" + cookie_of(keeper.make(now));
  CHECK(keeper.verify(field, now + Duration{99'000}).has_value());
  CHECK_FALSE(keeper.verify(field, now + Duration{100'000}).has_value());
  CHECK_FALSE(keeper.verify(field, now + Duration{101'000}).has_value());
  CHECK(keeper.verify(field, now - Duration{300'000}).has_value());
  CHECK_FALSE(keeper.verify(field, now - Duration{301'000}).has_value());
}

TEST_CASE("cookie: found by its whole name") {
  CHECK(find_cookie("a=1; b=2", "b") == "2");
  CHECK(find_cookie("ab=1;b=2 ", "b") == "2");
  CHECK(find_cookie("b=", "b") == "");
  CHECK_FALSE(find_cookie("bb=1", "b").has_value());
  CHECK_FALSE(find_cookie("b", "b").has_value());
}

}  // namespace
