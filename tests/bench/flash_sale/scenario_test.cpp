#include "bench/flash_sale/scenario.hpp"

#include <doctest/doctest.h>

using namespace usher;
using namespace usher::flash;

namespace {

std::string refused(std::string_view toml) {
  const Result<Scenario> scenario = parse_scenario(toml, "s.toml");
  REQUIRE_FALSE(scenario);
  CHECK(scenario.error().code == ErrorCode::invalid);
  return scenario.error().detail;
}

}  // namespace

TEST_CASE("scenario: a whole file: every part is read") {
  const Result<Scenario> read = parse_scenario(R"(
name = "evening"
about = "an evening"
time_scale = 30
connections = 50
[arrivals]
people = 7
duration = "1h30m"
spike_factor = 2.5
[stage]
shows = 3
rows = ["A-B 4S_4S", "C 8P"]
starts_in_hours = [72, 2]
[people]
party = [1, 2.5]
cancel_share = 1
[server.settings]
"policy.cooldown_after_refusals" = "0"
[server.scaled]
"policy.reservation_ttl" = "10m"
)",
                                               "s.toml");
  REQUIRE(read);
  const Scenario& scenario = read.value();
  CHECK(scenario.name == "evening");
  CHECK(scenario.arrivals.people == 7);
  CHECK(scenario.arrivals.duration == std::chrono::minutes{90});
  CHECK(scenario.arrivals.spike_factor == 2.5);
  CHECK(scenario.stage.rows.size() == 2);
  CHECK(scenario.stage.starts_in_hours == std::vector<std::uint32_t>{72, 2});
  CHECK(scenario.people.party == std::vector<double>{1, 2.5});
  CHECK(scenario.people.cancel_share == 1);
  CHECK(scenario.real(std::chrono::minutes{30}) == std::chrono::minutes{1});
  CHECK(scenario.server_settings() ==
        std::vector<std::string>{"policy.cooldown_after_refusals=0", "policy.reservation_ttl=20000ms"});
}

TEST_CASE("scenario: an unknown key: refused with line and nearest key") {
  CHECK(refused("name = \"x\"\n[arrivals]\npeeple = 3\n") ==
        "s.toml:3: unknown key arrivals.peeple; the nearest known key is arrivals.people");
  CHECK(refused("nam = \"x\"\n").find("s.toml:1: unknown key nam; the nearest known key is name") == 0);
  CHECK(
      refused("name = \"x\"\n[peeple]\nlook = \"1s\"\n").find("unknown key peeple; the nearest known key is people") !=
      std::string::npos);
  CHECK(refused("name = \"x\"\n[server.scalled]\n\"policy.cooldown\" = \"1m\"\n") ==
        "s.toml:2: unknown key server.scalled; the nearest known key is server.scaled");
}

TEST_CASE("scenario: bad values: all are told at once, with their rules") {
  const std::string told = refused(
      "name = \"x\"\ntime_scale = 0\n[people]\nabandon_share = 1.5\nlook = 3\nparty = [0, 0]\n[stage]\nshows = 1.5\n");
  CHECK(told.find("s.toml:2: time_scale must be a number from 0.01 to 10000") != std::string::npos);
  CHECK(told.find("s.toml:4: people.abandon_share must be a number from 0 to 1") != std::string::npos);
  CHECK(told.find("s.toml:5: people.look must be a duration") != std::string::npos);
  CHECK(told.find("s.toml:6: people.party must be a list of 1 to 10 weights, not all 0") != std::string::npos);
  CHECK(told.find("s.toml:8: stage.shows must be a whole number from 1 to 100000") != std::string::npos);
}

TEST_CASE("scenario: what no single value shows: refused") {
  CHECK(refused("about = \"x\"\n").find("name is missing") != std::string::npos);
  CHECK(
      refused("name = \"x\"\n[arrivals]\nduration = \"1m\"\nspike_at = \"2m\"\n").find("spike_at must not be later") !=
      std::string::npos);
  CHECK(refused("name = \"x\"\n[stage]\nrows = [\"A\"]\n").find("must be names, a blank and seats") !=
        std::string::npos);
  CHECK(refused("name = \"x\n").find("s.toml:1: ") == 0);
  CHECK(refused("name = \"x\"\n[server.scaled]\n\"policy.reservation_ttl\" = \"soon\"\n").find("must be a duration") !=
        std::string::npos);
}

TEST_CASE("scenario: a file that is not there: not_found") {
  const Result<Scenario> scenario = load_scenario("no-such-scenario.toml");
  REQUIRE_FALSE(scenario);
  CHECK(scenario.error().code == ErrorCode::not_found);
}

TEST_CASE("scenario: those that come with the program: all can be read") {
  for (const char* name : {"blockbuster", "one_hot_show", "steady_browse", "hold_and_abandon", "cancel_wave"}) {
    const Result<Scenario> scenario =
        load_scenario(std::string(USHER_SOURCE_DIR) + "/bench/flash_sale/scenarios/" + name + ".toml");
    REQUIRE_MESSAGE(scenario.ok(), (scenario ? "" : scenario.error().detail));
    CHECK(scenario.value().name == name);
    CHECK(scenario.value().connections <= connections_max);
  }
}
