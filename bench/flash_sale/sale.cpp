#include "bench/flash_sale/sale.hpp"

#include <fmt/format.h>
#include <simdjson.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "bench/flash_sale/child.hpp"
#include "bench/flash_sale/report.hpp"
#include "bench/flash_sale/scratch.hpp"
#include "bench/flash_sale/view.hpp"
#include "bench/flash_sale/witness.hpp"
#include "server/config/values.hpp"

namespace usher::flash {
namespace {

namespace fs = std::filesystem;

double own_cpu_s() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// Prints what disagrees. Returns: the exit code.
int judge(const Verdict& verdict, const std::vector<std::string>& complaints, bool log_read) {
  constexpr std::size_t shown_max = 20;
  std::vector<std::string> all = complaints;
  all.insert(all.end(), verdict.differences.begin(), verdict.differences.end());
  for (std::size_t i = 0; i < std::min(all.size(), shown_max); ++i) fmt::print("DIFFERENCE {}\n", all[i]);
  if (all.size() > shown_max) fmt::print("... and {} more\n", all.size() - shown_max);
  fmt::print(
      "reconciled: {} seats, {} of them sold, {} bookings, {} other reservations, {} refunds{}; {} calls without an "
      "answer; {}\n",
      verdict.seats_checked, verdict.seats_sold, verdict.bookings_checked, verdict.reservations_checked,
      verdict.refunds_checked, log_read ? ", the log" : "", verdict.unknown,
      all.empty() ? "everything agrees" : fmt::format("{} DIFFERENCES", all.size()));
  return all.empty() ? 0 : 1;
}

std::string find_scenario(const std::string& name) {
  if (fs::exists(name) || name.find('/') != std::string::npos) return name;
  const std::string known = "bench/flash_sale/scenarios/" + name + (name.ends_with(".toml") ? "" : ".toml");
  return fs::exists(known) ? known : name;
}

/// The show ids of GET /movies/{id}/showtimes.
std::vector<std::string> shows_in(const std::string& body) {
  std::vector<std::string> shows;
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  simdjson::dom::array theaters;
  if (parser.parse(body).get(document) != simdjson::SUCCESS || document["theaters"].get(theaters) != simdjson::SUCCESS)
    return shows;
  for (const simdjson::dom::element theater : theaters) {
    simdjson::dom::array listed;
    if (theater["shows"].get(listed) != simdjson::SUCCESS) continue;
    for (const simdjson::dom::element show : listed) {
      std::string_view id;
      if (show["show_id"].get(id) == simdjson::SUCCESS) shows.emplace_back(id);
    }
  }
  return shows;
}

class Sale {
 public:
  explicit Sale(const SaleOptions& options) : options_(options) {}

  int run();

 private:
  [[nodiscard]] Status prepare();
  [[nodiscard]] Status start_own_server();
  [[nodiscard]] Status find_shows();
  [[nodiscard]] Status import_catalog();
  [[nodiscard]] Status hold();
  [[nodiscard]] Status reckon();
  void settle();
  [[nodiscard]] std::vector<RefundTier> tiers() const;

  const SaleOptions& options_;
  Scenario scenario_;
  ScratchFolder scratch_;
  OwnServer server_;
  Identities identities_;
  std::string data_;
  boost::asio::io_context io_{1};
  std::unique_ptr<Wire> wire_;
  std::unique_ptr<Venue> venue_;
  std::unique_ptr<Witness> witness_;
  std::unique_ptr<Crowd> crowd_;
  ServerSide side_;
  Verdict verdict_;
  double seconds_ = 0;
  double server_cpu_s_ = 0;
};

int Sale::run() {
  for (Status (Sale::*step)() : {&Sale::prepare, &Sale::hold, &Sale::reckon}) {
    if (const Status done = (this->*step)(); !done) return fail(done.error());
  }
  const SaleFacts facts{scenario_, crowd_->tally(), verdict_,      crowd_->complaints(), options_.seed,
                        seconds_,  own_cpu_s(),     server_cpu_s_, wire_->lost(),        side_.log.has_value()};
  if (!options_.report.empty()) {
    if (const Status written = write_file(options_.report, sale_json(facts)); !written) return fail(written.error());
  }
  fmt::print("{}", sale_text(facts));
  return judge(verdict_, crowd_->complaints(), side_.log.has_value());
}

Status Sale::prepare() {
  Result<Scenario> scenario = load_scenario(find_scenario(options_.scenario));
  if (!scenario) return scenario.error();
  scenario_ = std::move(scenario).value();
  if (options_.people) scenario_.arrivals.people = *options_.people;
  if (options_.connections) scenario_.connections = *options_.connections;
  if (options_.time_scale) scenario_.time_scale = *options_.time_scale;
  identities_.secret = options_.url.empty() ? std::string(own_secret) : options_.secret;
  identities_.prefix = fmt::format("flash{}", wall_ms());
  data_ = options_.data;
  if (options_.url.empty()) {
    if (const Status started = start_own_server(); !started) return started;
  }
  Result<Target> target = parse_url(options_.url.empty() ? server_.url() : options_.url);
  if (!target) return target.error();
  wire_ = std::make_unique<Wire>(io_, target.value(), scenario_.connections);
  say(fmt::format("opening {} connections to {}", scenario_.connections, target.value().authority()));
  const Status opened = wire_->open(scenario_.connections, [](std::size_t) {});
  if (!opened) return opened;
  if (!options_.url.empty()) return options_.import ? import_catalog() : find_shows();
  return Done{};
}

Status Sale::start_own_server() {
  if (!scratch_.made()) return make_error(ErrorCode::io, "cannot make a temporary folder");
  const OwnCatalog catalog = make_catalog(scenario_, "flash", wall_ms());
  const std::string file = scratch_.file("catalog.json");
  if (const Status written = write_file(file, catalog.document); !written) return written;
  if (data_.empty()) data_ = scratch_.file("data");
  std::vector<std::string> settings = scenario_.server_settings();
  settings.insert(settings.end(), options_.settings.begin(), options_.settings.end());
  settings.insert(settings.end(),
                  {"http.address=127.0.0.1", "http.port=0", "identity.hs256_secret=" + std::string(own_secret)});
  say(fmt::format("starting a server with {} shows", catalog.shows.size()));
  const Status started = server_.start(options_.usher, data_, file, settings, scratch_.file("usher.log"));
  if (!started) return started;
  const Result<Target> target = parse_url(server_.url());
  if (!target) return target.error();
  venue_ =
      std::make_unique<Venue>(target.value().authority(), catalog.movie, catalog.city, catalog.date, catalog.shows);
  witness_.reset();
  return Done{};
}

Status Sale::import_catalog() {
  if (identities_.secret.empty()) return make_error(ErrorCode::invalid, "--import: needs --secret, to be an admin");
  const OwnCatalog catalog = make_catalog(scenario_, identities_.prefix, wall_ms());
  venue_ =
      std::make_unique<Venue>(wire_->target().authority(), catalog.movie, catalog.city, catalog.date, catalog.shows);
  Witness asks(io_, *wire_, *venue_);
  const std::string admin = identities_.line_of(~0U, "admin");
  const auto answer = asks.ask(venue_->post("/admin/import", catalog.document, {}, admin));
  if (!answer) return answer.error();
  const auto& [status, body] = answer.value();
  if (status < 300) return Done{};
  return make_error(ErrorCode::io, fmt::format("POST /admin/import was answered {}: {}", status, body.substr(0, 500)));
}

Status Sale::find_shows() {
  if (options_.movie.empty() || options_.city.empty() || options_.date.empty()) {
    return make_error(ErrorCode::invalid,
                      "--url: needs --movie, --city and --date to know what is on sale, or --import");
  }
  const Venue asking(wire_->target().authority(), options_.movie, options_.city, options_.date, {});
  Witness asks(io_, *wire_, asking);
  const auto answer = asks.ask(asking.browse(0, {}));
  if (!answer) return answer.error();
  const auto& [status, body] = answer.value();
  const std::vector<std::string> shows = shows_in(body);
  if (status != 200 || shows.empty()) {
    return make_error(ErrorCode::not_found, fmt::format("no showtimes of {} in {} on {}: {} {}", options_.movie,
                                                        options_.city, options_.date, status, body.substr(0, 300)));
  }
  venue_ = std::make_unique<Venue>(wire_->target().authority(), options_.movie, options_.city, options_.date, shows);
  return Done{};
}

Status Sale::hold() {
  witness_ = std::make_unique<Witness>(io_, *wire_, *venue_);
  if (const Status asked = witness_->maps(side_.before); !asked) return asked;
  std::uint32_t seats = 0;
  for (const auto& [show, map] : side_.before) seats += static_cast<std::uint32_t>(map.seats.size());
  say(fmt::format("{}: {} people for {} seats in {} shows, time 1:{:g}", scenario_.name, scenario_.arrivals.people,
                  seats, venue_->size(), scenario_.time_scale));
  crowd_ = std::make_unique<Crowd>(io_, *wire_, *venue_, scenario_, identities_, options_.seed);
  View view(!options_.plain && ::isatty(STDERR_FILENO) != 0, scenario_.arrivals.people, seats);
  const double server_before = server_.running() ? cpu_seconds_of(server_.pid()) : 0;
  crowd_->run([&](const Second& second) { view.draw(*crowd_, second); });
  seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - crowd_->began()).count();
  if (server_.running()) server_cpu_s_ = cpu_seconds_of(server_.pid()) - server_before;
  if (options_.ledger.empty()) return Done{};
  return write_ledger(options_.ledger, crowd_->ledger());
}

/// Reservations that were left to expire are waited for, so that what they held must be free again.
void Sale::settle() {
  std::int64_t last = 0;
  for (const Entry& entry : crowd_->ledger()) last = std::max(last, entry.until_ms);
  const std::int64_t wait_ms =
      std::min<std::int64_t>(last + 2'200 - wall_ms(), std::int64_t{options_.settle_s} * 1'000);
  if (wait_ms <= 0) return;
  say(fmt::format("waiting {:.0f} s for the last reservations to run out", static_cast<double>(wait_ms) / 1e3));
  std::this_thread::sleep_for(std::chrono::milliseconds(wait_ms));
}

/// What the default policy, or the setting of our own server, pays back.
std::vector<RefundTier> Sale::tiers() const {
  std::string text = ">24h:100,>=2h:50";
  for (const std::vector<std::string>* list : {&options_.settings}) {
    for (const std::string& setting : *list) {
      if (setting.starts_with("policy.refund_tiers=")) text = setting.substr(20);
    }
  }
  for (const auto& [key, value] : scenario_.settings) {
    if (key == "policy.refund_tiers") text = value;
  }
  std::vector<RefundTier> tiers;
  for (const std::string_view part : server::config::split_list(text)) {
    if (const auto tier = server::config::parse_refund_tier(part)) tiers.push_back(*tier);
  }
  return tiers;
}

Status Sale::reckon() {
  settle();
  say("reconciling");
  side_.alone = !options_.shared;
  side_.tiers = options_.url.empty() || options_.import ? tiers() : std::vector<RefundTier>{};
  side_.now_ms = wall_ms();
  if (const Status asked = witness_->maps(side_.after); !asked) return asked;
  const auto who = [this](std::uint32_t person) { return crowd_->who(person); };
  const std::string staff = identities_.line_of(~0U, "staff");
  if (const Status asked = witness_->histories(crowd_->ledger(), who, staff, side_); !asked) return asked;
  if (server_.running()) {
    if (const Status stopped = server_.stop(); !stopped) return stopped;
  }
  if (!data_.empty()) {
    Result<LogFacts> log = read_log(options_.usher, data_);
    if (!log) return log.error();
    side_.log = std::move(log).value();
  }
  verdict_ = reconcile(crowd_->ledger(), side_);
  return Done{};
}

}  // namespace

int run_sale(const SaleOptions& options) {
  raise_file_limit();
  return Sale(options).run();
}

int run_reconcile(const ReconcileOptions& options) {
  Result<Ledger> ledger = read_ledger(options.ledger);
  if (!ledger) return fail(ledger.error());
  ServerSide side;
  side.alone = !options.shared;
  side.now_ms = wall_ms();
  if (!options.url.empty()) {
    Result<Target> target = parse_url(options.url);
    if (!target) return fail(target.error());
    std::set<std::string> shows;
    for (const Entry& entry : ledger.value()) shows.insert(entry.show);
    const Venue venue(target.value().authority(), {}, {}, {}, {shows.begin(), shows.end()});
    boost::asio::io_context io(1);
    Wire wire(io, target.value(), 64);
    if (const Status opened = wire.open(1, [](std::size_t) {}); !opened) return fail(opened.error());
    Witness witness(io, wire, venue);
    if (const Status asked = witness.maps(side.after); !asked) return fail(asked.error());
    if (!options.secret.empty()) {
      const Identities staff{options.secret, "flash"};
      const std::string line = staff.line_of(~0U, "staff");
      const auto who = [&](std::uint32_t) { return line; };  // staff may look at everybody's
      if (const Status asked = witness.histories(ledger.value(), who, line, side); !asked) return fail(asked.error());
    }
  }
  if (!options.data.empty()) {
    Result<LogFacts> log = read_log(options.usher, options.data);
    if (!log) return fail(log.error());
    side.log = std::move(log).value();
  }
  return judge(reconcile(ledger.value(), side), {}, side.log.has_value());
}

}  // namespace usher::flash
