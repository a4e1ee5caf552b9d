#pragma once
/// Loading catalogs into an engine whose loops do not run yet.

#include <string>

#include "server/cli/data_folder.hpp"

namespace usher::server::cli {

/// Imports one document and logs what it brought. Returns: false when it was refused or cannot be read.
[[nodiscard]] bool load_catalog(engine::Engine& engine, const config::Config& config, const std::string& file);

/// Writes all that changed down, on this thread.
void write_checkpoint(engine::Engine& engine);

}  // namespace usher::server::cli
