/// `usher_bench rehearse`: a fresh server, a recording, and what would have been different.

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <sstream>

#include "bench/flash_sale/child.hpp"
#include "bench/flash_sale/rehearsal.hpp"
#include "bench/flash_sale/report.hpp"
#include "bench/flash_sale/scratch.hpp"
#include "bench/flash_sale/witness.hpp"
#include "server/journal/demand_journal.hpp"

namespace usher::flash {
namespace {

constexpr std::string_view caution =
    "Demand is fixed: these are the commands that people gave then, at the times at which they gave them. Other "
    "answers "
    "would have made them act otherwise, and nobody here does.";

class Rehearse {
 public:
  explicit Rehearse(const RehearseOptions& options) : options_(options) {}
  int run();

 private:
  [[nodiscard]] Status read_recording();
  [[nodiscard]] Status start_server();
  [[nodiscard]] Status learn_halls();
  [[nodiscard]] Status play();
  void tell() const;
  [[nodiscard]] std::string json() const;

  const RehearseOptions& options_;
  Recording recording_;
  std::vector<std::string> notes_;
  ScratchFolder scratch_;
  OwnServer server_;
  boost::asio::io_context io_{1};
  std::unique_ptr<Wire> wire_;
  std::unique_ptr<Venue> venue_;
  std::unique_ptr<Rehearsal> rehearsal_;
  DemandFacts then_;
  DemandFacts now_;
};

int Rehearse::run() {
  raise_file_limit();
  for (Status (Rehearse::*step)() :
       {&Rehearse::read_recording, &Rehearse::start_server, &Rehearse::learn_halls, &Rehearse::play}) {
    if (const Status done = (this->*step)(); !done) return fail(done.error());
  }
  then_ = weigh(recording_.events(), recording_.capacity());
  now_ = weigh(rehearsal_->events(), recording_.capacity());
  tell();
  if (options_.report.empty()) return 0;
  const Status written = write_file(options_.report, json());
  return written ? 0 : fail(written.error());
}

Status Rehearse::read_recording() {
  const Result<server::journal::JournalEnd> end = server::journal::read_journal(options_.journal, recording_);
  if (!end) return end.error();
  recording_.finish();
  for (const server::journal::JournalFile& file : end.value().files) {
    if (!file.note.empty()) notes_.push_back(file.name + ": " + file.note);
  }
  if (recording_.decisions.empty())
    return make_error(ErrorCode::not_found, "the journal in " + options_.journal + " holds no command");
  const double minutes = static_cast<double>((recording_.decisions.back().at - recording_.began()).count()) / 60'000;
  say(fmt::format("{} commands on {} shows in {:.1f} min, {:.1f} min at this speed", recording_.decisions.size(),
                  recording_.shows.size(), minutes, minutes / options_.speed));
  if (recording_.dropped > 0)
    notes_.push_back(fmt::format("{} commands found no room in the journal", recording_.dropped));
  return Done{};
}

Status Rehearse::start_server() {
  std::ifstream in(options_.catalog, std::ios::binary);
  if (!in) return make_error(ErrorCode::not_found, "cannot read " + options_.catalog);
  std::ostringstream text;
  text << in.rdbuf();
  std::string document = text.str();
  // as long before their starts as the sale was
  shift_starts(document, wall_ms() - usher::to_ms(recording_.began()));
  const std::string catalog = scratch_.file("catalog.json");
  if (const Status written = write_file(catalog, document); !written) return written;
  Result<std::vector<std::string>> settings =
      rehearsal_settings(recording_.settings, options_.settings, options_.speed);
  if (!settings) return settings.error();
  std::vector<std::string> all = std::move(settings).value();
  all.insert(all.end(), {"http.address=127.0.0.1", "http.port=0", std::string("identity.hs256_secret=") + own_secret});
  const Status started = server_.start(options_.usher, scratch_.file("data"), catalog, all, scratch_.file("usher.log"));
  if (!started) return started;
  Result<Target> target = parse_url(server_.url());
  if (!target) return target.error();
  wire_ = std::make_unique<Wire>(io_, target.value(), options_.connections);
  return wire_->open(std::min<std::size_t>(options_.connections, 64), [](std::size_t) {});
}

/// The recording names seats by number; their labels are in the seat maps of the same catalog.
Status Rehearse::learn_halls() {
  std::vector<std::string> ids;
  for (const auto& [number, show] : recording_.shows) {
    if (!show.id.empty()) ids.push_back(show.id);
  }
  venue_ = std::make_unique<Venue>(wire_->target().authority(), "", "", "", ids);
  Witness asks(io_, *wire_, *venue_);
  std::size_t known = 0;
  for (std::size_t at = 0; at < venue_->size(); ++at) {
    const auto answer = asks.ask(venue_->seat_map(at, {}, {}));
    if (!answer) return answer.error();
    if (answer.value().first == 200 && venue_->show(at).hall.learn(answer.value().second)) {
      ++known;
    } else {
      notes_.push_back("the catalog has no show " + venue_->show(at).id + ": its commands fall away");
    }
  }
  if (known == 0) return make_error(ErrorCode::invalid, "--catalog: has none of the recording's shows");
  return Done{};
}

Status Rehearse::play() {
  rehearsal_ = std::make_unique<Rehearsal>(io_, *wire_, *venue_, recording_, own_secret, options_.speed);
  rehearsal_->run([this](const RehearsalCounts& counts) {
    say(fmt::format("  {} of {} commands sent", counts.sent, recording_.decisions.size()));
  });
  return server_.stop();
}

// ---- telling ----

std::int64_t median_sold_out_ms(const DemandFacts& facts) {
  std::vector<std::int64_t> times;
  for (const auto& [show, at_ms] : facts.sold_out_ms) times.push_back(at_ms);
  if (times.empty()) return 0;
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2), times.end());
  return times[times.size() / 2];
}

void Rehearse::tell() const {
  const auto line = [](std::string_view what, const std::string& then, const std::string& now) {
    fmt::print("{:40} {:>14} {:>14}\n", what, then, now);
  };
  const auto count = [](const std::map<std::string, std::uint64_t>& counts, const std::string& key) {
    const auto found = counts.find(key);
    return found == counts.end() ? std::uint64_t{0} : found->second;
  };
  const auto number = [&line](std::string_view what, std::uint64_t then, std::uint64_t now) {
    line(what, std::to_string(then), std::to_string(now));
  };
  line("", "recorded", fmt::format("at {:g}x", options_.speed));
  std::map<std::string, std::uint64_t> results = then_.reserves;
  results.insert(now_.reserves.begin(), now_.reserves.end());
  for (const auto& [result, unused] : results) {
    number(result == "ok" ? "reserves granted" : "  refused: " + result, count(then_.reserves, result),
           count(now_.reserves, result));
  }
  number("bookings", then_.bookings, now_.bookings);
  number("seats booked", then_.seats_booked, now_.seats_booked);
  number("cards declined", count(then_.payments, "payment_declined"), count(now_.payments, "payment_declined"));
  number("released / cancelled", then_.released + then_.cancelled, now_.released + now_.cancelled);
  number("shows sold out", then_.sold_out_ms.size(), now_.sold_out_ms.size());
  const auto seconds = [](std::int64_t ms) { return fmt::format("{:.1f}", static_cast<double>(ms) / 1e3); };
  line("  after so many s of the sale (median)", seconds(median_sold_out_ms(then_)), seconds(median_sold_out_ms(now_)));
  line("seat-minutes held in vain", fmt::format("{:.1f}", then_.seat_minutes_in_vain),
       fmt::format("{:.1f}", now_.seat_minutes_in_vain));
  const bench::Histogram& latency = rehearsal_->latency();
  for (const double quantile : {0.5, 0.99, 0.999}) {
    line(fmt::format("reserve p{:g}, ms", quantile * 100), "-",
         fmt::format("{:.2f}", to_ms(latency.quantile(quantile))));
  }
  const RehearsalCounts& counts = rehearsal_->counts();
  fmt::print(
      "\n{} commands sent, {} fell away because what they followed was not given, {} repeats left out, {} without an "
      "answer; sent late by p99 {:.1f} ms\n",
      counts.sent, counts.fell_away, counts.repeats, counts.lost, to_ms(rehearsal_->lateness().quantile(0.99)));
  if (counts.others > 0) fmt::print("note: {} commands of waiting rooms and lists are not played\n", counts.others);
  for (const std::string& note : notes_) fmt::print("note: {}\n", note);
  if (options_.speed > 1)
    fmt::print("note: the minute within which refusals are counted for the cool-down is not scaled\n");
  fmt::print("{}\n", caution);
}

std::string facts_json(const DemandFacts& facts) {
  const auto counts = [](const std::map<std::string, std::uint64_t>& map) {
    std::string json;
    for (const auto& [key, value] : map) json += fmt::format("{}{}:{}", json.empty() ? "" : ",", json_text(key), value);
    return json;
  };
  return fmt::format(
      "{{\"reserves\":{{{}}},\"payments\":{{{}}},\"bookings\":{},\"seats_booked\":{},\"released\":{},\"cancelled\":{},"
      "\"shows_sold_out\":{},\"sold_out_median_ms\":{},\"seat_minutes_in_vain\":{:.2f}}}",
      counts(facts.reserves), counts(facts.payments), facts.bookings, facts.seats_booked, facts.released,
      facts.cancelled, facts.sold_out_ms.size(), median_sold_out_ms(facts), facts.seat_minutes_in_vain);
}

std::string Rehearse::json() const {
  const RehearsalCounts& counts = rehearsal_->counts();
  const bench::Histogram& latency = rehearsal_->latency();
  std::string notes;
  for (const std::string& note : notes_) notes += (notes.empty() ? "" : ",") + json_text(note);
  return fmt::format(
      "{{\"speed\":{:g},\"commands\":{},\"sent\":{},\"fell_away\":{},\"repeats\":{},\"lost\":{},\n\"recorded\":{},\n"
      "\"rehearsed\":{},\n\"reserve_p50_ms\":{:.3f},\"reserve_p99_ms\":{:.3f},\"reserve_p999_ms\":{:.3f},\"notes\":[{}]"
      ","
      "\"caution\":{}}}\n",
      options_.speed, recording_.decisions.size(), counts.sent, counts.fell_away, counts.repeats, counts.lost,
      facts_json(then_), facts_json(now_), to_ms(latency.quantile(0.5)), to_ms(latency.quantile(0.99)),
      to_ms(latency.quantile(0.999)), notes, json_text(caution));
}

}  // namespace

int run_rehearsal(const RehearseOptions& options) {
  return Rehearse(options).run();
}

}  // namespace usher::flash
