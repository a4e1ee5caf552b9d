#pragma once
/// Where the program's words go: log lines to stderr, errors of a command to stderr with its exit code.

#include "server/config/config.hpp"
#include "usher/result.hpp"

namespace usher::server::cli {

void start_logging(const config::LogConfig& config);

/// Tells the error. Returns: the exit code that belongs to it.
[[nodiscard]] int fail(const Error& error);

}  // namespace usher::server::cli
