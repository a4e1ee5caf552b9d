/// The program `usher_bench`: flash sales with people who behave like people, and the reckoning afterwards.

#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>

#include "bench/flash_sale/rehearsal.hpp"
#include "bench/flash_sale/sale.hpp"

namespace {

using namespace usher::flash;

/// `usher` is built beside this program.
std::string usher_beside(const char* self) {
  std::error_code error;
  const std::filesystem::path own = std::filesystem::read_symlink("/proc/self/exe", error);
  return ((error ? std::filesystem::path(self) : own).parent_path() / "usher").string();
}

void add_sale(CLI::App& app, SaleOptions& sale, std::function<int()>& run) {
  CLI::App* command =
      app.add_subcommand("sale", "Hold a flash sale and check that the server remembers every word of it");
  command->add_option("scenario", sale.scenario, "A TOML file, or a name in bench/flash_sale/scenarios")->required();
  command->add_option("--url", sale.url,
                      "The server, such as http://127.0.0.1:8080; without it one is started for this sale");
  command->add_option("--secret", sale.secret,
                      "identity.hs256_secret of that server, to make tokens; without it people take sessions");
  command->add_flag("--import", sale.import, "Bring the scenario's own shows along (needs --secret)");
  command->add_option("--movie", sale.movie, "Or sell what is there: the movie_id,");
  command->add_option("--city", sale.city, "the city_id,");
  command->add_option("--date", sale.date, "and the day, such as 2026-12-24");
  command->add_option("--data", sale.data, "The server's data directory: its log is read when the sale is over");
  command->add_option("--usher", sale.usher, "The program usher")->capture_default_str();
  command->add_option("--set", sale.settings, "A setting of the server that is started: key=value; may be repeated")
      ->expected(1)
      ->take_all();
  command->add_option("--people", sale.people, "Instead of the scenario's number")->check(CLI::Range(1, 10'000'000));
  command->add_option("--connections", sale.connections, "Instead of the scenario's number, at most 15000")
      ->check(CLI::Range(1, 15'000));
  command->add_option("--time-scale", sale.time_scale, "Instead of the scenario's: so many seconds of the sale in one")
      ->check(CLI::Range(0.01, 10'000.0));
  command->add_option("--seed", sale.seed, "The same seed draws the same people")->capture_default_str();
  command->add_option("--settle", sale.settle_s, "Seconds to wait at most for abandoned reservations to expire")
      ->capture_default_str();
  command->add_flag("--shared", sale.shared,
                    "Others buy at the same time: seats that nobody here was told of may be taken");
  command->add_option("--report", sale.report, "Write the result as JSON");
  command->add_option("--ledger", sale.ledger, "Write what people were told, one JSON object a line");
  command->add_flag("--plain", sale.plain, "One plain line a second, on a terminal too");
  command->callback([&] { run = [&] { return run_sale(sale); }; });
}

void add_reconcile(CLI::App& app, ReconcileOptions& again, std::function<int()>& run) {
  CLI::App* command =
      app.add_subcommand("reconcile", "Compare the ledger of an earlier sale with a server, or with its log");
  command->add_option("--ledger", again.ledger, "As `sale --ledger` wrote it")->required();
  command->add_option("--url", again.url, "A running server");
  command->add_option("--secret", again.secret, "identity.hs256_secret of that server: histories are compared, too");
  command->add_option("--data", again.data, "The data directory of a stopped server");
  command->add_option("--usher", again.usher, "The program usher")->capture_default_str();
  command->add_flag("--shared", again.shared, "Others bought at the same time");
  command->callback([&] {
    if (again.url.empty() && again.data.empty()) throw CLI::RequiredError("--url or --data");
    run = [&] { return run_reconcile(again); };
  });
}

void add_rehearse(CLI::App& app, RehearseOptions& rehearse, std::function<int()>& run) {
  CLI::App* command = app.add_subcommand(
      "rehearse", "Play a recorded sale (wal.demand_journal) against a fresh server, faster or with other policies");
  command->add_option("--journal", rehearse.journal, "The directory that wal.demand_journal named")->required();
  command->add_option("--catalog", rehearse.catalog, "The catalog of that sale, as it was imported")->required();
  command->add_option("--speed", rehearse.speed, "So many times as fast: 1 to 50")
      ->check(CLI::Range(1.0, 50.0))
      ->capture_default_str();
  command
      ->add_option("--set", rehearse.settings,
                   "A setting that differs, in the sale's own time: policy.reservation_ttl=5m; may be repeated")
      ->expected(1)
      ->take_all();
  command->add_option("--usher", rehearse.usher, "The program usher")->capture_default_str();
  command->add_option("--connections", rehearse.connections, "That the commands share")
      ->check(CLI::Range(1, 15'000))
      ->capture_default_str();
  command->add_option("--report", rehearse.report, "Write the result as JSON");
  command->callback([&] { run = [&] { return run_rehearsal(rehearse); }; });
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"usher_bench: flash sales, and what remains of them"};
  app.require_subcommand(1);
  std::function<int()> run;
  SaleOptions sale;
  sale.usher = usher_beside(argv[0]);
  ReconcileOptions again;
  again.usher = sale.usher;
  add_sale(app, sale, run);
  add_reconcile(app, again, run);
  RehearseOptions rehearse;
  rehearse.usher = sale.usher;
  add_rehearse(app, rehearse, run);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return run();
}
