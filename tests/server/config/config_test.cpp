#include "server/config/config.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "server/config/keys.hpp"
#include "server/config/values.hpp"
#include "tests/server/config/temporary_directory.hpp"

using namespace usher;
using namespace usher::server::config;
using namespace std::chrono_literals;

namespace {

Result<Config> parse(std::string_view toml, std::vector<std::string> overrides = {}) {
  return parse_config(toml, "usher.toml", overrides);
}

std::string mistake(std::string_view toml, std::vector<std::string> overrides = {}) {
  const Result<Config> config = parse(toml, std::move(overrides));
  return config.ok() ? "" : config.error().detail;
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace

TEST_CASE("config: a file and an override: each fills its key, the override wins") {
  const Result<Config> config = parse(R"(
[http]
port = 9000
trusted_proxies = ["10.0.0.0/8", "::1"]
[policy]
reservation_ttl = "5m"
refund_tiers = [">48h:100", ">=1h:25"]
orphan_rule = "all"
[wal]
segment_bytes = "64MiB"
anchor = "commit"
retain = false
[payments]
decline_rate = 0.25
)",
                                      {"http.port=9001", "policy.cooldown=30s"});
  REQUIRE(config.ok());
  CHECK(config.value().http.port == 9001);
  CHECK(config.value().http.trusted_proxies == std::vector<std::string>{"10.0.0.0/8", "::1"});
  CHECK(config.value().policy.reservation_ttl == Duration{5min});
  CHECK(config.value().policy.refund_tiers[1] == RefundTier{1h, true, 25});
  CHECK(config.value().policy.orphan_rule == OrphanRule::all);
  CHECK(config.value().policy.cooldown == Duration{30s});
  CHECK(config.value().wal.segment_bytes == 64 * mebibyte);
  CHECK(config.value().wal.anchor == AnchorMode::commit);
  CHECK_FALSE(config.value().wal.retain);
  CHECK(config.value().payments.decline_rate == 0.25);
}

TEST_CASE("config: nothing given: the policy is that of the vocabulary") {
  const Result<Config> config = load_config(std::nullopt, {});
  REQUIRE(config.ok());
  CHECK(config.value().policy == Policy{});
  CHECK(config_changes(config.value()).empty());
  CHECK(config_warnings(config.value()).empty());
}

TEST_CASE("config: an unknown key: refused with its line and the nearest known key") {
  CHECK(mistake("\n[http]\nprot = 1\n") == "usher.toml:3: unknown key http.prot; the nearest known key is http.port");
  CHECK(mistake("", {"policy.reservation_tll=1m"}) ==
        "--set: unknown key policy.reservation_tll; the nearest known key is policy.reservation_ttl");
  CHECK(contains(mistake("policy = 3"), "usher.toml:1: unknown key policy"));
}

TEST_CASE("config: bad values: each is named with its line and rule, all of them at once") {
  const std::string text =
      mistake("[http]\nport = 65536\naddress = \"localhost\"\n[policy]\nreservation_ttl = \"10\"\n");
  CHECK(contains(text, "usher.toml:2: http.port must be an integer from 0 to 65535, not \"65536\""));
  CHECK(contains(text, "usher.toml:3: http.address must be an IP address, not \"localhost\""));
  CHECK(contains(text, "usher.toml:5: policy.reservation_ttl must be a duration"));
  CHECK(std::count(text.begin(), text.end(), '\n') == 2);
}

TEST_CASE("config: another TOML type than the key's: refused") {
  for (const char* toml : {"http.port = \"80\"", "http.port = 80.0", "wal.retain = \"true\"", "wal.anchor = true",
                           "policy.reservation_ttl = 600", "http.trusted_proxies = \"10.0.0.1\"",
                           "http.trusted_proxies = [1]", "log.level = [\"info\"]", "http.port = 1979-05-27"}) {
    CAPTURE(toml);
    CHECK(contains(mistake(toml), "another type of value"));
  }
}

TEST_CASE("config: bounds: -1, 0, +1") {
  CHECK(mistake("", {"policy.seats_per_reservation=1"}).empty());
  CHECK(mistake("", {"policy.seats_per_reservation=32"}).empty());
  CHECK(contains(mistake("", {"policy.seats_per_reservation=0"}), "an integer from 1 to 32"));
  CHECK(contains(mistake("", {"policy.seats_per_reservation=33"}), "an integer from 1 to 32"));
  CHECK(mistake("", {"server.shards=1024"}).empty());
  CHECK_FALSE(mistake("", {"server.shards=1025"}).empty());
}

TEST_CASE("config: refund tiers: at most four, falling") {
  CHECK(mistake("", {"policy.refund_tiers="}).empty());
  CHECK(mistake("", {"policy.refund_tiers=>4h:4,>3h:3,>2h:2,>1h:1"}).empty());
  CHECK_FALSE(mistake("", {"policy.refund_tiers=>5h:5,>4h:4,>3h:3,>2h:2,>1h:1"}).empty());
  CHECK_FALSE(mistake("", {"policy.refund_tiers=>2h:50,>24h:100"}).empty());
  CHECK(mistake("", {"policy.refund_tiers=>2h:100,>=2h:50"}).empty());
  CHECK_FALSE(mistake("", {"policy.refund_tiers=>=2h:100,>2h:50"}).empty());
  CHECK_FALSE(mistake("", {"policy.refund_tiers=>2h:100,>2h:50"}).empty());
  CHECK(mistake("", {"policy.refund_tiers=>366d:100"}).empty());
  CHECK_FALSE(mistake("", {"policy.refund_tiers=>367d:100"}).empty());
}

TEST_CASE("config: rules across keys: named with both keys") {
  CHECK(contains(mistake("", {"disk.low_water=1GiB"}), "disk.low_water: must be less than disk.high_water"));
  CHECK(mistake("", {"disk.low_water=1023MiB"}).empty());
  CHECK(contains(mistake("", {"admin.port=9000"}), "admin.port: needs admin.address"));
  CHECK(contains(mistake("", {"admin.address=127.0.0.1", "admin.port=8080"}), "must differ from http.port"));
  CHECK(mistake("", {"admin.address=127.0.0.1", "admin.port=8081"}).empty());
  CHECK(contains(mistake("", {"policy.cooldown=0"}), "policy.cooldown_after_abandoned"));
}

TEST_CASE("config: broken TOML: the line is named") {
  CHECK(mistake("[http]\nport = \n").starts_with("usher.toml:2: "));
  CHECK(contains(mistake("", {"http.port"}), "needs a value"));
}

TEST_CASE("config: a secret: is never printed, neither as change nor in a mistake") {
  const Result<Config> config = parse("identity.hs256_secret = \"hunter2\"");
  REQUIRE(config.ok());
  CHECK(config.value().identity.hs256_secret.text == "hunter2");
  REQUIRE(config_changes(config.value()).size() == 1);
  CHECK(config_changes(config.value())[0] == "identity.hs256_secret = \"(hidden)\"");
  REQUIRE(config_warnings(config.value()).size() == 1);
  CHECK_FALSE(contains(config_warnings(config.value())[0], "hunter2"));
  CHECK_FALSE(contains(mistake("identity.hs256_secret = 12345678"), "12345678"));
}

TEST_CASE("config help: as a file: parses, and changes nothing") {
  const std::string help = config_help();
  const Result<Config> config = parse(help);
  REQUIRE_MESSAGE(config.ok(), (config.ok() ? "" : config.error().detail));
  CHECK(config_changes(config.value()).empty());
  CHECK(contains(help, "[policy]\n"));
  CHECK(contains(help, "refund_tiers = [\">1d:100\", \">=2h:50\"]"));
}

TEST_CASE("keys: the list: names are unique, each has help and a rule, each default satisfies its own rule") {
  Config config;
  std::set<std::string> names;
  for (const Key& key : bind_keys(config)) {
    CAPTURE(key.name);
    CHECK(names.insert(key.name).second);
    CHECK(key.help.ends_with('.'));
    CHECK_FALSE(key.rule.empty());
    CHECK_FALSE(key.print().empty());
  }
  CHECK(names.size() > 40);
}

TEST_CASE("config file: absent or readable: not_found, or its values") {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "usher.toml";
  const Result<Config> absent = load_config(path, {});
  REQUIRE_FALSE(absent.ok());
  CHECK(absent.error().code == ErrorCode::not_found);
  std::ofstream{path} << "http.port = 81\n";
  const Result<Config> present = load_config(path, {});
  REQUIRE(present.ok());
  CHECK(present.value().http.port == 81);
}
