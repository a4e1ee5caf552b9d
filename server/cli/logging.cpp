#include "server/cli/logging.hpp"

#include <cstdio>

#include "spdlog/sinks/stdout_color_sinks.h"
#include "spdlog/spdlog.h"

namespace usher::server::cli {
namespace {

[[nodiscard]] spdlog::level::level_enum to_spdlog(config::LogLevel level) noexcept {
  switch (level) {
    case config::LogLevel::trace:
      return spdlog::level::trace;
    case config::LogLevel::debug:
      return spdlog::level::debug;
    case config::LogLevel::info:
      return spdlog::level::info;
    case config::LogLevel::warn:
      return spdlog::level::warn;
    case config::LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

}  // namespace

void start_logging(const config::LogConfig& config) {
  auto logger = spdlog::stderr_color_mt("usher");
  logger->set_level(to_spdlog(config.level));
  logger->set_pattern(config.format == config::LogFormat::json
                          ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":"%v"})"
                          : "%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %v",
                      spdlog::pattern_time_type::utc);
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

int fail(const Error& error) {
  std::fprintf(stderr, "usher: %s\n", error.detail.c_str());
  return error.code == ErrorCode::invalid ? 2 : 1;
}

}  // namespace usher::server::cli
