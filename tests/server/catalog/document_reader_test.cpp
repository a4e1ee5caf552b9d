#include "server/catalog/document_reader.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include "server/catalog/layout_reader.hpp"
#include "tests/server/catalog/demo.hpp"

using namespace usher;
using namespace usher::server::catalog;
using namespace usher::testing;
using engine::SeatType;

namespace {

/// A document of one of everything, in which single quotes stand for double ones; parts can be replaced.
struct Parts {
  std::string layout = "{'layout_id':'l1','rows':[{'row':'A-B','seats':'2S_2P'}]}";
  std::string movie = "{'movie_id':'m1','title':'Metropolis','duration_minutes':100}";
  std::string screen = "{'screen_id':'s1','name':'One','layout_id':'l1'}";
  std::string show =
      "{'show_id':'x1','movie_id':'m1','screen_id':'s1','start_time':'2026-12-01T18:00:00Z',"
      "'price_standard':{'amount':1000,'currency':'EUR'}}";
  std::string more;

  [[nodiscard]] std::string json() const {
    std::string text = "{'layouts':[" + layout + "],'movies':[" + movie +
                       "],'theaters':[{'theater_id':'t1','name':'Kino','city':'Berlin','city_id':'berlin',"
                       "'latitude':52.52,'longitude':13.405,'time_zone':'Europe/Berlin','screens':[" +
                       screen + "]}],'shows':[" + show + "]" + more + "}";
    for (char& c : text) {
      if (c == '\'') c = '"';
    }
    return text;
  }
};

std::vector<std::string> errors_of(const Parts& parts) {
  std::vector<std::string> lines;
  for (const engine::PathError& error : plan_document(parts.json(), engine::Snapshot{}, demo_now, {}).errors) {
    lines.push_back(error.path + ": " + error.rule);
  }
  return lines;
}

std::string only_error(const Parts& parts) {
  const std::vector<std::string> errors = errors_of(parts);
  CHECK(errors.size() == 1);
  return errors.empty() ? "" : errors.front();
}

engine::CatalogDocument read(const Parts& parts, Instant now = demo_now) {
  ReadDocument read = read_document(parts.json(), engine::Snapshot{}, now);
  for (const engine::PathError& error : read.errors) FAIL_CHECK(error.path << ": " << error.rule);
  return std::move(read.document);
}

std::vector<std::string> ids_and_starts(const engine::CatalogDocument& document) {
  std::vector<std::string> lines;
  for (const engine::DocumentShow& show : document.shows) {
    lines.push_back(show.id + " " + std::to_string(to_ms(show.start)));
  }
  return lines;
}

std::string ms(std::string_view instant) {
  return std::to_string(to_ms(*parse_instant(instant)));
}

}  // namespace

TEST_CASE("document: one of everything: read into what the engine takes") {
  const engine::CatalogDocument document = read(Parts{});
  REQUIRE(document.layouts.size() == 1);
  const engine::LayoutSpec& layout = document.layouts[0].spec;
  REQUIRE(layout.rows.size() == 2);
  CHECK(layout.rows[1].name == "B");
  REQUIRE(layout.rows[1].seats.size() == 4);
  CHECK(layout.rows[1].seats[0].joined);
  CHECK_FALSE(layout.rows[1].seats[1].joined);  // the aisle
  CHECK_FALSE(layout.rows[1].seats[3].joined);
  CHECK(layout.rows[1].seats[2].type == SeatType::premium);
  CHECK(layout.rows[1].seats[2].number == 3);
  CHECK(layout.rows[1].seats[2].x == 30);
  CHECK(layout.rows[1].seats[2].y == 10);
  CHECK(layout.focal_x == 20);
  CHECK(layout.focal_y == -30);
  CHECK(document.theaters[0].theater.latitude_e7 == 525'200'000);
  CHECK(document.shows[0].start == *parse_instant("2026-12-01T18:00:00Z"));
  CHECK(document.shows[0].price_premium == 1'000);  // as the standard one
  CHECK(errors_of(Parts{}).empty());
}

TEST_CASE("document: rows: centred on the widest, numbered as asked, or told seat by seat") {
  Parts parts;
  parts.layout =
      "{'layout_id':'l1','focal_point':{'x':5,'y':-7},'rows':[{'row':'A','seats':'2S'},{'row':'B','seats':'6S'},"
      "{'row':'1-2','seats':'3S','first_number':6,'number_step':-2,'x':0,'y':50},"
      "{'row':'Z','seat_list':[{'seat_id':'VIP','type':'premium','aisle_after':true},{'number':9,'y':71},{}]}]}";
  const engine::LayoutSpec layout = read(parts).layouts[0].spec;
  CHECK(layout.rows[0].seats[0].x == 20);
  CHECK(layout.rows[1].seats[0].x == 0);
  CHECK(layout.rows[3].name == "2");
  CHECK(layout.rows[3].seats[2].number == 2);
  CHECK(layout.rows[3].seats[0].y == 60);
  const engine::RowSpec& last = layout.rows[4];
  CHECK(last.seats[0].label == "VIP");
  CHECK_FALSE(last.seats[0].joined);
  CHECK(last.seats[1].number == 9);
  CHECK(last.seats[1].x == 20);
  CHECK(last.seats[1].y == 71);
  CHECK(last.seats[2].number == 10);
  CHECK(last.seats[2].y == 70);
  CHECK(layout.focal_x == 5);
  CHECK(layout.focal_y == -7);
}

TEST_CASE("document: names of rows: ranges of letters and numbers") {
  CHECK(parse_row_names("A-C") == std::vector<std::string>{"A", "B", "C"});
  CHECK(parse_row_names("9-11") == std::vector<std::string>{"9", "10", "11"});
  CHECK(parse_row_names("A").empty());
  CHECK(parse_row_names("C-A").empty());
  CHECK(parse_row_names("AA-AC").empty());
  CHECK(parse_row_names("1-2001").empty());
}

TEST_CASE("document: a bad document: refused with the path of the error") {
  Parts parts;
  SUBCASE("an unknown field") {
    parts.more = ",'cinemas':[]";
    CHECK(only_error(parts) == "cinemas: is not a field here");
  }
  SUBCASE("an unknown field of a movie") {
    parts.movie = "{'movie_id':'m1','title':'Metropolis','duration_minutes':100,'lenght':1}";
    CHECK(only_error(parts) == "movies[0].lenght: is not a field here");
  }
  SUBCASE("a wrong type") {
    parts.movie = "{'movie_id':'m1','title':7,'duration_minutes':100}";
    CHECK(only_error(parts) == "movies[0].title: must be a string of 1 to 200 bytes");
  }
  SUBCASE("a date that does not exist") {
    parts.movie = "{'movie_id':'m1','title':'Metropolis','duration_minutes':100,'release_date':'1927-02-29'}";
    CHECK(only_error(parts) == "movies[0].release_date: must be a date such as 2026-11-24");
  }
  SUBCASE("a letter that is no seat") {
    parts.layout = "{'layout_id':'l1','rows':[{'row':'A','seats':'2SX'}]}";
    CHECK(only_error(parts) == "layouts[0].rows[0].seats: has \"X\" at 2, which is none of S P A C O _");
  }
  SUBCASE("a number without a letter") {
    parts.layout = "{'layout_id':'l1','rows':[{'row':'A','seats':'2S3'}]}";
    CHECK(only_error(parts) == "layouts[0].rows[0].seats: must have 1 to 1000 and a letter at 3");
  }
  SUBCASE("an unknown seat type, in a layout of a screen's own") {
    parts.screen =
        "{'screen_id':'s1','name':'One','seat_layout':{'rows':[{'row':'A','seats':'2S'},"
        "{'row':'B','seat_list':[{},{'type':'throne'}]}]}}";
    CHECK(only_error(parts) ==
          "theaters[0].screens[0].seat_layout.rows[1].seat_list[1].type: must be one of standard, premium, accessible, "
          "companion, obstructed");
  }
  SUBCASE("a label twice") {
    parts.layout = "{'layout_id':'l1','rows':[{'row':'A-B','seats':'2S'},{'row':'B','seats':'1S'}]}";
    CHECK(only_error(parts) == "layouts[0].rows[1].seats[0].label: \"B1\" is used twice");
  }
  SUBCASE("too many seats") {
    parts.layout = "{'layout_id':'l1','rows':[{'row':'1-66','seats':'1000S'}]}";
    CHECK(only_error(parts) == "layouts[0].rows: must have 1 to 65535 seats in all");
  }
  SUBCASE("an unknown layout") {
    parts.screen = "{'screen_id':'s1','name':'One','layout_id':'l2'}";
    CHECK(only_error(parts) == "theaters[0].screens[0].layout_id: no layout of this document has the id \"l2\"");
  }
  SUBCASE("a time without a zone") {
    parts.show.replace(parts.show.find("18:00:00Z"), 9, "18:00:00");
    CHECK(only_error(parts) == "shows[0].start_time: must be an RFC 3339 time such as 2026-11-24T18:30:00Z");
  }
  SUBCASE("a negative price") {
    parts.show.replace(parts.show.find("1000"), 4, "-1");
    CHECK(only_error(parts) == "shows[0].price_standard.amount: must be an integer from 0 to 1000000000000");
  }
  SUBCASE("a currency in small letters") {
    parts.show.replace(parts.show.find("EUR"), 3, "eur");
    CHECK(only_error(parts) == "shows[0].price_standard.currency: must be three letters A to Z");
  }
  SUBCASE("two currencies") {
    parts.show.pop_back();
    parts.show += ",'price_premium':{'amount':1,'currency':'USD'}}";
    CHECK(only_error(parts) == "shows[0].price_premium: must have the currency of price_standard");
  }
  SUBCASE("a policy that cannot be") {
    parts.show.pop_back();
    parts.show += ",'policy':{'refund_tiers':['>=2h:50','>24h:100']}}";
    CHECK(only_error(parts) == "shows[0].policy.refund_tiers: bounds must not rise");
  }
  SUBCASE("days that do not end") {
    parts.show =
        "{'movie_id':'m1','screen_id':'s1','start':{'days':'3..','times':['18:30']},"
        "'price_standard':{'amount':1000,'currency':'EUR'}}";
    CHECK(only_error(parts) == "shows[0].start.days: must be days from today such as 0..6 or 3, at most 366");
  }
  SUBCASE("a time that no clock shows") {
    parts.show =
        "{'movie_id':'m1','screen_id':'s1','start':{'days':'0','times':['18:30','24:00']},"
        "'price_standard':{'amount':1000,'currency':'EUR'}}";
    CHECK(only_error(parts) == "shows[0].start.times[1]: must be a time such as 18:30");
  }
  SUBCASE("several errors") {
    parts.movie = "{'movie_id':'','title':'','duration_minutes':0}";
    CHECK(errors_of(parts).size() == 3);
  }
  SUBCASE("no JSON") {
    parts.more = ",";
    CHECK(only_error(parts) == "body: is not valid JSON");
  }
}

TEST_CASE("document: a policy of a show's own: changes what it names, keeps the rest") {
  Parts parts;
  parts.show.pop_back();
  parts.show +=
      ",'policy':{'seats_per_reservation':4,'reservation_ttl':'2m','orphan_rule':'all',"
      "'refund_tiers':['>=1h:80']}}";
  const engine::CatalogDocument document = read(parts);
  REQUIRE(document.shows[0].policy.has_value());
  const Policy& policy = *document.shows[0].policy;
  CHECK(policy.seats_per_reservation == 4);
  CHECK(policy.reservation_ttl == std::chrono::minutes{2});
  CHECK(policy.orphan_rule == OrphanRule::all);
  CHECK(policy.refund_tier_count == 1);
  CHECK(policy.refund_tiers[0] == RefundTier{std::chrono::hours{1}, true, 80});
  CHECK(policy.cooldown == Policy{}.cooldown);
}

TEST_CASE("document: relative starts: each day and time, in the theater's zone, with ids from the local time") {
  Parts parts;
  parts.show =
      "{'movie_id':'m1','screen_id':'s1','start':{'days':'0..1','times':['18:30','21:00']},"
      "'price_standard':{'amount':1000,'currency':'EUR'}}";
  CHECK(ids_and_starts(read(parts)) == std::vector<std::string>{"s1-20261124-1830 " + ms("2026-11-24T17:30:00Z"),
                                                                "s1-20261124-2100 " + ms("2026-11-24T20:00:00Z"),
                                                                "s1-20261125-1830 " + ms("2026-11-25T17:30:00Z"),
                                                                "s1-20261125-2100 " + ms("2026-11-25T20:00:00Z")});
  parts.show.insert(1, "'show_id':'premiere',");
  // 23:30 UTC on the 24th is the 25th in Berlin
  CHECK(ids_and_starts(read(parts, *parse_instant("2026-11-24T23:30:00Z"))).front() ==
        "premiere-20261125-1830 " + ms("2026-11-25T17:30:00Z"));
}

TEST_CASE("document: relative starts on the days clocks change: after the gap, and the first of two") {
  Parts parts;
  parts.show =
      "{'movie_id':'m1','screen_id':'s1','start':{'days':'0','times':['02:30']},"
      "'price_standard':{'amount':1000,'currency':'EUR'}}";
  CHECK(ids_and_starts(read(parts, *parse_instant("2026-03-29T10:00:00Z"))) ==
        std::vector<std::string>{"s1-20260329-0230 " + ms("2026-03-29T01:00:00Z")});
  CHECK(ids_and_starts(read(parts, *parse_instant("2026-10-25T10:00:00Z"))) ==
        std::vector<std::string>{"s1-20261025-0230 " + ms("2026-10-25T00:30:00Z")});
}

TEST_CASE("demo catalog: loaded: thirty films, three cities, seven days of shows to come") {
  const auto snapshot = demo_snapshot();
  const engine::CatalogData& data = snapshot->data();
  CHECK(data.movie_count() == 30);
  CHECK(data.theater_count() == 8);
  CHECK(snapshot->cities().size() == 3);
  CHECK(data.show_count() > 500);
  std::set<Date> days;
  const Zone berlin = *Zone::find("Europe/Berlin");
  for (std::uint32_t at = 0; at < data.show_count(); ++at) {
    CHECK(data.show(at).start > demo_now);
    days.insert(berlin.local_date(data.show(at).start));
  }
  CHECK(days.size() >= 7);
  CHECK(demo_json().size() < 100'000);
}

TEST_CASE("demo catalog: loaded again: the same moment changes nothing, the next day adds a day") {
  engine::Catalog catalog;
  import_json(catalog, demo_json(), demo_now);
  const std::size_t before = catalog.data().show_count();
  CHECK(import_json(catalog, demo_json(), demo_now).plan.payloads.empty());
  // an hour later some shows have begun: they stay, and none is new
  CHECK(import_json(catalog, demo_json(), demo_now + std::chrono::hours{1}).plan.shows.empty());
  const engine::ImportResult next = import_json(catalog, demo_json(), demo_now + std::chrono::hours{24});
  CHECK(next.plan.shows.size() > before / 10);
  CHECK(next.plan.shows.size() < before / 5);
  CHECK(next.plan.show_count.unchanged > 0);
  CHECK(catalog.data().show_count() == before + next.plan.shows.size());
}

TEST_CASE("document: a file named by USHER_BIG_CATALOG: read and planned, times printed") {
  const char* name = std::getenv("USHER_BIG_CATALOG");
  std::string json = demo_json();
  if (name != nullptr) {
    std::ifstream file{name};
    REQUIRE(file.good());
    std::stringstream text;
    text << file.rdbuf();
    json = text.str();
  }
  const auto begin = std::chrono::steady_clock::now();
  const ReadDocument read = read_document(json, engine::Snapshot{}, demo_now);
  const auto was_read = std::chrono::steady_clock::now();
  CHECK(read.ok());
  engine::ImportOptions options;
  options.zone_exists = [](std::string_view zone) { return Zone::find(zone).has_value(); };
  const engine::ImportResult result = engine::plan_import(engine::Snapshot{}, read.document, demo_now, options);
  const auto planned = std::chrono::steady_clock::now();
  for (const engine::PathError& error : result.errors) FAIL_CHECK(error.path << ": " << error.rule);
  const auto ms_of = [](auto duration) { return std::chrono::duration<double, std::milli>(duration).count(); };
  const double megabytes = static_cast<double>(json.size()) / 1e6;
  MESSAGE(megabytes << " MB, " << result.plan.shows.size() << " shows: read in " << ms_of(was_read - begin)
                    << " ms, planned in " << ms_of(planned - was_read) << " ms");
}
