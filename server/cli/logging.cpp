#include "server/cli/logging.hpp"

#include <cstdio>
#include <memory>

#include "server/json/writer.hpp"
#include "spdlog/pattern_formatter.h"
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

/// The message as the inside of a JSON string: `%*` of the pattern.
class JsonText final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    json::TextBuffer text;
    json::append_escaped(text, {message.payload.data(), message.payload.size()});
    out.append(text.data(), text.data() + text.size());
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<JsonText>(); }
};

}  // namespace

void start_logging(const config::LogConfig& config) {
  auto logger = spdlog::stderr_color_mt("usher");
  logger->set_level(to_spdlog(config.level));
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  formatter->add_flag<JsonText>('*').set_pattern(config.format == config::LogFormat::json
                                                     ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":"%*"})"
                                                     : "%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %v");
  logger->set_formatter(std::move(formatter));
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

int fail(const Error& error) {
  std::fprintf(stderr, "usher: %s\n", error.detail.c_str());
  return error.code == ErrorCode::invalid ? 2 : 1;
}

}  // namespace usher::server::cli
