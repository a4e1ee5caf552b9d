#include "server/api/people.hpp"

#include <doctest/doctest.h>

#include <map>

using namespace usher;
using namespace usher::server::api;

namespace {

/// Keeps what is written beside the log.
class SideLane final : public LogLane {
 public:
  std::map<std::string, std::string> rows;
  std::size_t writes = 0;

  Lsn append(Record&) override { return 0; }
  void append_side(SideWrite write) override {
    ++writes;
    rows[write.key] = write.value;
  }
  std::size_t gathered_bytes() const noexcept override { return 0; }
  bool in_flight() const noexcept override { return false; }
  void submit() override {}
  bool submit_inline() override { return true; }
  bool collect() override { return false; }
  Lsn durable_lsn(ShardIndex) const noexcept override { return 0; }
  Lsn last_lsn(ShardIndex) const noexcept override { return 0; }
};

[[nodiscard]] std::string key_of(char kind) {
  using namespace std::string_literals;
  return std::string(1, kind) + "\x01\x02\x03\x04\x05\x06\x07\x08"s;
}

}  // namespace

TEST_CASE("people: a user with a subject: both rows, once, and they can be read back") {
  RandomPool random;
  People people(random);
  SideLane lane;
  const auto user = static_cast<UserNumber>(0x0102030405060708ULL);
  people.note(user, "https://shop", "alice", lane);
  people.note(user, "https://shop", "alice", lane);
  CHECK(lane.writes == 2);
  std::string issuer;
  std::string subject;
  REQUIRE(read_person(lane.rows[key_of('k')], lane.rows[key_of('p')], issuer, subject));
  CHECK(issuer == "https://shop");
  CHECK(subject == "alice");
  CHECK(lane.rows[key_of('p')].find("alice") == std::string::npos);
}

TEST_CASE("people: a session has no subject: nothing is written") {
  RandomPool random;
  People people(random);
  SideLane lane;
  people.note(static_cast<UserNumber>(7), "", "", lane);
  CHECK(lane.writes == 0);
}

TEST_CASE("people: without the key, or with a changed row: unreadable") {
  RandomPool random;
  People people(random);
  SideLane lane;
  people.note(static_cast<UserNumber>(0x0102030405060708ULL), "i", "bob", lane);
  std::string issuer;
  std::string subject;
  CHECK_FALSE(read_person({}, lane.rows[key_of('p')], issuer, subject));
  CHECK_FALSE(read_person(std::string(32, 'x'), lane.rows[key_of('p')], issuer, subject));
  std::string changed = lane.rows[key_of('p')];
  changed.back() = static_cast<char>(changed.back() ^ 1);
  CHECK_FALSE(read_person(lane.rows[key_of('k')], changed, issuer, subject));
}
