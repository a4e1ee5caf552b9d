/// usher_sim: many seeds, one simulation each; or one seed again, and made smaller.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "tests/sim/shrink.hpp"
#include "tests/sim/world.hpp"
#include "usher/mutant.hpp"

namespace usher::sim {
namespace {

using SteadyClock = std::chrono::steady_clock;

struct Options {
  std::uint64_t seed = 1;
  std::uint64_t seeds = 1;
  double minutes = 0;
  std::uint64_t failures = 5;
  std::vector<std::string> without;
  Cuts cuts;
  bool shrink = false;
  bool all_paths = false;
  std::string report;
};

// For the handler of an assertion, which has no other way to learn of it.
std::uint64_t seed_now = 0;
std::string cuts_now;

/// An assertion of the program ends the process: say first which seed it was.
void on_abort(int) {
  std::printf("FAILED seed %llu: an assertion of the program\n  again: usher_sim --seed %llu%s\n",
              static_cast<unsigned long long>(seed_now), static_cast<unsigned long long>(seed_now), cuts_now.c_str());
  std::fflush(stdout);
  std::_Exit(1);
}

[[nodiscard]] bool read_faults(const std::vector<std::string>& names, Cuts& cuts) {
  for (const std::string& name : names) {
    bool known = false;
    for (std::size_t at = 0; at < fault_count; ++at) {
      if (to_string(static_cast<Fault>(at)) != name) continue;
      cuts.turn_off(static_cast<Fault>(at));
      known = true;
    }
    if (known) continue;
    fmt::print(stderr, "usher_sim: --without {}: no such fault; there are:", name);
    for (std::size_t at = 0; at < fault_count; ++at) fmt::print(stderr, " {}", to_string(static_cast<Fault>(at)));
    fmt::print(stderr, "\n");
    return false;
  }
  return true;
}

void write_report(const std::string& file, const Counters& counters, double seconds, std::uint64_t failed) {
  std::ofstream out(file);
  const double hours = seconds / 3600;
  const auto per_hour = [&](std::uint64_t count) { return static_cast<double>(count) / hours; };
  out << fmt::format("{{\"seconds\": {:.1f}, \"failed\": {}, \"seeds\": {}, \"seeds_per_hour\": {:.0f}, ", seconds,
                     failed, counters.seeds, per_hour(counters.seeds));
  out << fmt::format("\"commands\": {}, \"records\": {}, \"recoveries\": {}, \"recoveries_per_hour\": {:.0f}, ",
                     counters.commands, counters.records, counters.recoveries, per_hour(counters.recoveries));
  out << fmt::format("\"simulated_years\": {:.3f}", static_cast<double>(counters.simulated_ms) / 31'557'600'000.0);
  for (std::size_t at = 0; at < fault_count; ++at) {
    out << fmt::format("{}\"{}\": {}", at == 0 ? ", \"faults\": {" : ", ", to_string(static_cast<Fault>(at)),
                       counters.faults[at]);
  }
  for (std::size_t at = 0; at < path_count; ++at) {
    out << fmt::format("{}\"{}\": {}", at == 0 ? "}, \"paths\": {" : ", ", to_string(static_cast<Path>(at)),
                       counters.paths[at]);
  }
  out << "}}\n";
}

void print_totals(const Counters& counters, double seconds) {
  fmt::print(
      "{} seeds in {:.1f} s ({:.0f} an hour): {} commands, {} answers, {} records, {} recoveries, {:.2f} "
      "simulated years; {} answers too old to judge\n",
      counters.seeds, seconds, static_cast<double>(counters.seeds) / seconds * 3600, counters.commands,
      counters.answers, counters.records, counters.recoveries,
      static_cast<double>(counters.simulated_ms) / 31'557'600'000.0, counters.unchecked);
}

/// Returns: how many classes and paths no seed has met, each named.
std::size_t print_missing(const Counters& counters) {
  std::size_t missing = 0;
  const auto miss = [&](const char* what, std::string_view name) {
    fmt::print("MISSING {}: {}\n", what, name);
    ++missing;
  };
  for (std::size_t at = 0; at < fault_count; ++at) {
    if (counters.faults[at] == 0) miss("fault", to_string(static_cast<Fault>(at)));
  }
  for (std::size_t at = 0; at < path_count; ++at) {
    if (counters.paths[at] == 0) miss("path", to_string(static_cast<Path>(at)));
  }
  return missing;
}

void tell_failure(std::uint64_t seed, const Options& options, const Outcome& outcome) {
  fmt::print("FAILED seed {}: {}\n  after {} commands; again: usher_sim --seed {}{}\n", seed, outcome.wrong,
             outcome.commands, seed, command_line(options.cuts));
  if (!options.shrink) return;
  const Shrunk small = shrink(seed, options.cuts, outcome);
  fmt::print("  smaller: usher_sim --seed {}{}\n  {}\n", seed, command_line(small.cuts), small.outcome.wrong);
}

int run(const Options& options) {
  Counters total;
  std::uint64_t failed = 0;
  const auto begun = SteadyClock::now();
  const auto seconds = [&] { return std::chrono::duration<double>(SteadyClock::now() - begun).count(); };
  const auto goes_on = [&](std::uint64_t done) {
    return options.minutes > 0 ? seconds() < options.minutes * 60 : done < options.seeds;
  };
  double told = 0;
  for (std::uint64_t done = 0; goes_on(done) && failed < options.failures; ++done) {
    seed_now = options.seed + done;
    const Outcome outcome = World(seed_now, options.cuts).run();
    total.add(outcome.counters);
    if (!outcome.wrong.empty()) {
      ++failed;
      tell_failure(seed_now, options, outcome);
    }
    if (seconds() - told < 10) continue;
    told = seconds();
    print_totals(total, told);
    std::fflush(stdout);
  }
  print_totals(total, seconds());
  if (!options.report.empty()) write_report(options.report, total, seconds(), failed);
  const std::size_t missing = options.all_paths ? print_missing(total) : 0;
  fmt::print("{} checks passed, {} failed\n", total.seeds - failed, failed + missing);
  return failed + missing == 0 ? 0 : 1;
}

}  // namespace
}  // namespace usher::sim

int main(int argc, char** argv) {
  using namespace usher::sim;
  Options options;
  CLI::App app{"Simulates the server with all its faults, seed by seed, and holds it against a model."};
  app.add_option("--seed", options.seed, "The first seed")->capture_default_str();
  app.add_option("--seeds", options.seeds, "How many, one after the other")->capture_default_str();
  app.add_option("--minutes", options.minutes, "Go on for so long instead");
  app.add_option("--failures", options.failures, "Stop after so many")->capture_default_str();
  app.add_option("--commands", options.cuts.commands_max, "At most so many commands per seed");
  app.add_option("--without", options.without, "Faults to leave out, with commas between")->delimiter(',');
  app.add_flag("--few-shows", options.cuts.few_shows, "One show only");
  app.add_flag("--few-users", options.cuts.few_users, "Two users at most");
  app.add_flag("--one-loop", options.cuts.one_loop, "One loop only");
  app.add_flag("--canary", options.cuts.canary, "Call the first booking wrong, to see a failure");
#ifdef USHER_MUTANTS
  app.add_option("--mutant", usher::mutant_on, "The planted bug to switch on");
#endif
  app.add_flag("--shrink", options.shrink, "Look for a smaller way to each failure");
  app.add_flag("--all-paths", options.all_paths, "Fail when a fault or a rare path was never met");
  app.add_option("--report", options.report, "Write figures and counters to this JSON file");
  CLI11_PARSE(app, argc, argv);
  if (!read_faults(options.without, options.cuts)) return 2;
  std::signal(SIGABRT, on_abort);
  cuts_now = command_line(options.cuts);
  return run(options);
}
