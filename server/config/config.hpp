#pragma once
/// The server's settings: one struct of plain values, filled once at start from built-in defaults, then a TOML file,
/// then
/// `--set key=value` overrides. Immutable afterwards, so any thread may read it. Never read from the environment, never
/// reloaded while running. Which keys there are, their defaults and their rules stand in keys.cpp, and only there.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "usher/limits.hpp"
#include "usher/policy.hpp"
#include "usher/result.hpp"
#include "usher/time.hpp"

namespace usher::server::config {

/// A value that must not reach a log line, a help text or an error message.
struct Secret {
  std::string text;
  [[nodiscard]] bool given() const noexcept { return !text.empty(); }
};

enum class AnchorMode : std::uint8_t { lazy, commit };
enum class LogLevel : std::uint8_t { trace, debug, info, warn, error };
/// How the queue of a waiting room is ordered; the numbers are those of engine::QueueOrder.
enum class QueueOrder : std::uint8_t { arrival, draw };
enum class LogFormat : std::uint8_t { text, json };

inline constexpr std::uint64_t kibibyte = 1'024;
inline constexpr std::uint64_t mebibyte = 1'024 * kibibyte;
inline constexpr std::uint64_t gibibyte = 1'024 * mebibyte;

struct HttpConfig {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8080;
  std::uint32_t connections_max = 19'000;
  Duration idle_timeout{std::chrono::seconds{60}};
  Duration header_timeout{std::chrono::seconds{10}};
  std::uint64_t body_bytes_max = mebibyte;
  std::vector<std::string> trusted_proxies;
  bool io_uring = true;
};

struct AdminConfig {
  std::string address;
  std::uint16_t port = 0;
  /// True when `/admin` and `/metrics` have a listener of their own.
  [[nodiscard]] bool separate() const noexcept { return !address.empty(); }
};

struct MetricsConfig {
  bool is_public = false;
};

struct ServerConfig {
  std::uint32_t loops = 0;
  std::uint32_t shards = static_cast<std::uint32_t>(limits::shards_default);
  std::uint32_t work_threads = 2;
  std::uint32_t work_queue_max = 1'024;
  Duration drain_timeout{std::chrono::seconds{30}};
  std::uint64_t warm_memory = 64 * mebibyte;
  std::uint32_t work_limit = 0;
  Duration queue_age_max{std::chrono::seconds{1}};
};

struct WalConfig {
  bool retain = true;
  AnchorMode anchor = AnchorMode::lazy;
  std::uint64_t segment_bytes = gibibyte;
  Duration segment_age{std::chrono::hours{1}};
  Duration checkpoint_interval{std::chrono::minutes{1}};
  std::string demand_journal;
};

struct DiskConfig {
  std::uint64_t high_water = gibibyte;
  std::uint64_t low_water = 256 * mebibyte;
};

struct IdentityConfig {
  Secret hs256_secret;
  std::string jwks_file;
  std::string issuer;
  std::string audience;
  bool cookie_secure = false;
};

/// What a waiting room is like when its operator does not say.
struct QueueConfig {
  QueueOrder order = QueueOrder::arrival;
  Duration admission_ttl{std::chrono::minutes{5}};
};

/// Fair use: requests per window, by user and by address; 0 is no limit.
struct LimitsConfig {
  std::uint32_t user_quota = 0;
  Duration user_window{std::chrono::seconds{60}};
  std::uint32_t address_quota = 0;
  Duration address_window{std::chrono::seconds{60}};
  std::vector<std::string> exempt{"127.0.0.0/8", "::1"};
};

struct PaymentsConfig {
  Duration latency{0};
  double decline_rate = 0;
  double unknown_rate = 0;
  std::uint32_t in_flight_max = 20'000;
  bool ledger = true;
};

struct TicketsConfig {
  Duration valid_before{std::chrono::hours{3}};
  Duration valid_after{0};
};

struct NotifyConfig {
  std::string smtp_url;
  std::string smtp_user;
  Secret smtp_password;
  bool smtp_tls = false;
  std::string mail_from = "tickets@localhost";
  Duration reminder_before{0};
  std::vector<std::string> webhook_urls;
  Secret webhook_secret;
  std::string sms_url;
  Secret sms_secret;
  bool allow_private = false;
  std::uint32_t attempts_max = 12;
  Duration first_wait{1'000};
};

struct EventsConfig {
  std::uint64_t tail_bytes = 32 * mebibyte;
};

/// The live seat maps (server/ws).
struct FeedConfig {
  Duration tick{100};
  std::uint32_t subscribers_max = 15'000;
  std::uint32_t per_address_max = 200;
  Duration ping_interval{std::chrono::seconds{30}};
  Duration slow_timeout{std::chrono::seconds{30}};
  std::vector<std::string> allowed_origins;
};

/// `usher relay` alone (server/relay).
struct RelayConfig {
  std::string upstream;
  std::string ca_file;
  Duration upstream_timeout{std::chrono::seconds{4}};
  Duration stale_max{std::chrono::seconds{3}};
  std::uint32_t shows_max = 1'000;
};

struct LogConfig {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::text;
};

struct Config {
  HttpConfig http;
  AdminConfig admin;
  MetricsConfig metrics;
  ServerConfig server;
  WalConfig wal;
  DiskConfig disk;
  IdentityConfig identity;
  Policy policy;
  QueueConfig queue;
  LimitsConfig limits;
  PaymentsConfig payments;
  TicketsConfig tickets;
  EventsConfig events;
  NotifyConfig notify;
  FeedConfig feed;
  RelayConfig relay;
  LogConfig log;
};

/// Defaults, then the TOML file if one is named, then the overrides ("key=value") in their order.
/// Returns: `not_found` or `io` when the file cannot be read, `invalid` with one line per mistake otherwise; each line
/// names the place (file:line or --set), the key and the rule, an unknown key also the nearest known one.
[[nodiscard]] Result<Config> load_config(const std::optional<std::filesystem::path>& file,
                                         std::span<const std::string> overrides);

/// The same from a text; `name` stands for the file in messages.
[[nodiscard]] Result<Config> parse_config(std::string_view toml, std::string_view name,
                                          std::span<const std::string> overrides);

/// What is allowed but deserves a line in the log at start, one sentence each. Never tells a secret.
[[nodiscard]] std::vector<std::string> config_warnings(const Config& config);

/// All keys with defaults, types, rules and help, as a TOML file that sets every key to its default.
[[nodiscard]] std::string config_help();

/// What differs from the defaults, as "key = value", in the order of the keys. Secrets are shown as "(hidden)".
[[nodiscard]] std::vector<std::string> config_changes(const Config& config);

}  // namespace usher::server::config
