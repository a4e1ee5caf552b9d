#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "server/api/importing.hpp"
#include "server/cli/commands.hpp"
#include "server/cli/loading.hpp"
#include "server/cli/logging.hpp"
#include "spdlog/spdlog.h"

namespace usher::server::cli {

bool load_catalog(engine::Engine& engine, const config::Config& config, const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    spdlog::error("cannot read {}", file);
    return false;
  }
  std::ostringstream text;
  text << in.rdbuf();
  spdlog::info("importing {}", file);
  const api::DocumentFormat format = file.ends_with(".csv") ? api::DocumentFormat::csv : api::DocumentFormat::json;
  bool done = false;
  bool good = false;
  api::import_document(engine, config.policy, text.str(), format, engine.runner(0).now(),
                       [&](const api::ImportOutcome& outcome) {
                         done = true;
                         good = outcome.status < 400;
                         good ? spdlog::info("{}", outcome.line) : spdlog::error("{}: {}", file, outcome.line);
                       });
  engine.drive([&] { return done; });
  return done && good;
}

void write_checkpoint(engine::Engine& engine) {
  for (std::size_t loop = 0; loop < engine.loop_count(); ++loop) engine.runner(loop).start_checkpoint();
  const auto running = [&] {
    for (std::size_t loop = 0; loop < engine.loop_count(); ++loop) {
      if (engine.runner(loop).checkpointing()) return true;
    }
    return false;
  };
  while (running()) engine.drive([&] { return !running(); });
}

int import(const ImportOptions& options) {
  const Result<config::Config> config = config::load_config(options.config_file, options.settings);
  if (!config) return fail(config.error());
  start_logging(config.value().log);
  Result<OpenedData> data = open_data(options.data, config.value(), {.loops = 1, .accept_clock = options.accept_clock});
  if (!data) return fail(data.error());
  bool good = true;
  for (const std::string& file : options.files) good = good && load_catalog(*data.value().engine, config.value(), file);
  write_checkpoint(*data.value().engine);
  if (Status closed = data.value().close(); !closed) return fail(closed.error());
  return good ? 0 : 1;
}

}  // namespace usher::server::cli
