/// The program `usher`: ties the rooms together. What each command does stands in server/cli/.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <functional>
#include <string>

#include "server/cli/commands.hpp"
#include "server/config/config.hpp"
#include "server/heap.hpp"

namespace {

using namespace usher::server;

void add_common(CLI::App& command, cli::CommonOptions& options) {
  command.add_option("--data", options.data, "The data directory: log, checkpoints, secrets")->required();
  command.add_option("--config", options.config_file, "A TOML file of settings")->check(CLI::ExistingFile);
  command.add_option("--set", options.settings, "Override a setting: key=value; may be repeated")
      ->expected(1)
      ->take_all();
}

void add_clock(CLI::App& command, cli::CommonOptions& options) {
  command.add_flag("--accept-clock", options.accept_clock,
                   "Start although the wall clock lies more than 5 min behind the log");
}

void add_verify_ticket(CLI::App& app, cli::VerifyTicketOptions& options, std::function<int()>& run) {
  CLI::App* command =
      app.add_subcommand("verify-ticket", "Check codes of tickets without network; exit code 0: all valid now");
  command->add_option("--keys", options.keys, "A file with what /.well-known/usher-keys.json says")
      ->required()
      ->check(CLI::ExistingFile);
  command
      ->add_option("--revocations", options.revocations,
                   "Files with what GET /revocations says; their signature is checked")
      ->allow_extra_args(false)  // one each time, or else it takes the codes for files
      ->check(CLI::ExistingFile);
  command->add_option("--at", options.at, "As of this instant instead of now, such as 2026-11-24T18:30:00Z");
  command->add_option("codes", options.codes, "What the QR codes say; none: one per line of the standard input");
  command->callback([&options, &run] { run = [&options] { return cli::verify_ticket(options); }; });
}

void add_import(CLI::App& app, cli::ImportOptions& options, std::function<int()>& run) {
  CLI::App* command = app.add_subcommand("import", "Import catalogs into a data directory whose server is stopped");
  add_common(*command, options);
  add_clock(*command, options);
  command->add_option("files", options.files, "JSON documents, and CSV files (*.csv) of movies, theaters or shows")
      ->required()
      ->check(CLI::ExistingFile);
  command->callback([&options, &run] { run = [&options] { return cli::import(options); }; });
}

void add_verify_draw(CLI::App& app, cli::VerifyDrawOptions& options, std::function<int()>& run) {
  CLI::App* command = app.add_subcommand("verify-draw", "Recompute everybody's place in the draw of a waiting room");
  command->add_option("files", options.files, "The pages of GET /rooms/{id}/draw, saved")
      ->required()
      ->check(CLI::ExistingFile);
  command->add_option("--queue-id", options.queue_id, "Tell the place of this one, too");
  command->callback([&options, &run] { run = [&options] { return cli::verify_draw(options); }; });
}

void add_relay(CLI::App& app, cli::RelayOptions& options, std::function<int()>& run) {
  CLI::App* command = app.add_subcommand(
      "relay", "Serve the live feed of another server to many more readers; holds nothing, as many as wanted");
  command->add_option("--upstream", options.upstream,
                      "The server whose feed it is: a URL, such as http://10.0.0.5:8080");
  command->add_option("--listen", options.listen, "ADDRESS:PORT to answer on; else http.address and http.port");
  command
      ->add_option("--config", options.config_file, "A TOML file of settings: http, feed, relay, log, admin, metrics")
      ->check(CLI::ExistingFile);
  command->add_option("--set", options.settings, "Override a setting: key=value; may be repeated")
      ->expected(1)
      ->take_all();
  command->callback([&options, &run] { run = [&options] { return cli::relay(options); }; });
}

}  // namespace

int main(int argc, char** argv) {
  prepare_heap();
  CLI::App app{"Usher: a seat-reservation server for flash sales"};
  app.set_version_flag("--version", "usher " USHER_VERSION);
  app.require_subcommand(1);
  std::function<int()> run;

  cli::ServeOptions serve;
  CLI::App* command = app.add_subcommand("serve", "Serve: recover the log, then answer on http.address:http.port");
  command->add_option("--data", serve.data, "The data directory: log, checkpoints, secrets; made when it is not there");
  command->add_option("--config", serve.config_file, "A TOML file of settings")->check(CLI::ExistingFile);
  command->add_option("--set", serve.settings, "Override a setting: key=value; may be repeated")
      ->expected(1)
      ->take_all();
  command->add_option("--catalog", serve.catalogs,
                      "Import this JSON or CSV file first; importing twice changes nothing");
  add_clock(*command, serve);
  bool help_config = false;
  command->add_flag("--help-config", help_config, "Print every setting with its default and its rule, as a TOML file");
  command->callback([&] {
    if (!help_config && serve.data.empty()) throw CLI::RequiredError("--data");
    run = [&] { return help_config ? (std::fputs(config::config_help().c_str(), stdout), 0) : cli::serve(serve); };
  });

  cli::RelayOptions relay;
  add_relay(app, relay, run);
  cli::ImportOptions import;
  add_import(app, import, run);

  cli::ReplayOptions replay;
  command = app.add_subcommand("replay", "Print state and digest of every show, or of one, as the log tells them");
  command->add_option("--data", replay.data, "The data directory of a stopped server")->required();
  command->add_option("--show", replay.show, "Only the show with this id");
  command->add_option("--until-lsn", replay.until_lsn, "Stop each shard after this record");
  command->add_option("--until-time", replay.until_time, "Stop at this instant, such as 2026-11-24T18:30:00Z");
  command->add_flag("--reservations", replay.reservations, "A line for each reservation and booking, too");
  command->add_flag("--from-checkpoints", replay.from_checkpoints,
                    "Begin at the checkpoints instead of the first record");
  command->callback([&] { run = [&] { return cli::replay(replay); }; });

  cli::AuditOptions audit;
  command = app.add_subcommand("audit", "Check every byte of the log and every rule of the state that it tells of");
  command->add_option("--data", audit.data, "The data directory of a stopped server")->required();
  command->callback([&] { run = [&] { return cli::audit(audit); }; });

  cli::TokenOptions token;
  command = app.add_subcommand("token", "Make a token, for trying things");
  add_common(*command, token);
  command->add_option("--user", token.user, "Whom it names (sub)")->required();
  command->add_option("--role", token.role, "customer, partner, gate, staff or admin")->capture_default_str();
  command->add_option("--lifetime", token.lifetime, "How long it is good for, such as 24h")->capture_default_str();
  command->callback([&] { run = [&] { return cli::token(token); }; });

  cli::VerifyTicketOptions verify_ticket;
  add_verify_ticket(app, verify_ticket, run);
  cli::VerifyDrawOptions verify_draw;
  add_verify_draw(app, verify_draw, run);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : 2;
  }
  return run();
}
