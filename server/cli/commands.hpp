#pragma once
/// The commands of the program `usher`. Each returns the process' exit code: 0 done, 1 found something wrong, 2 wrong
/// usage, 3 the log failed.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace usher::server::cli {

struct CommonOptions {
  std::string data;
  std::optional<std::string> config_file;
  std::vector<std::string> settings;  ///< key=value
  bool accept_clock = false;
};

struct ServeOptions : CommonOptions {
  std::vector<std::string> catalogs;
};
[[nodiscard]] int serve(const ServeOptions& options);

/// A relay has no data directory: what it serves is the upstream's.
struct RelayOptions {
  std::string upstream;  ///< a URL; empty: relay.upstream of the settings
  std::string listen;    ///< ADDRESS:PORT; empty: http.address and http.port of the settings
  std::optional<std::string> config_file;
  std::vector<std::string> settings;  ///< key=value
};
[[nodiscard]] int relay(const RelayOptions& options);

struct ImportOptions : CommonOptions {
  std::vector<std::string> files;
};
[[nodiscard]] int import(const ImportOptions& options);

struct ReplayOptions {
  std::string data;
  std::optional<std::string> show;
  std::optional<std::uint64_t> until_lsn;
  std::optional<std::string> until_time;  ///< RFC 3339
  bool reservations = false;              ///< a line per reservation and booking as well
  bool from_checkpoints = false;          ///< faster: not from the first record
};
[[nodiscard]] int replay(const ReplayOptions& options);

struct AuditOptions {
  std::string data;
};
[[nodiscard]] int audit(const AuditOptions& options);

struct TokenOptions : CommonOptions {
  std::string user;
  std::string role = "customer";
  std::string lifetime = "30d";
};
[[nodiscard]] int token(const TokenOptions& options);

struct VerifyTicketOptions {
  std::string keys;                      ///< the file that /.well-known/usher-keys.json gives
  std::vector<std::string> revocations;  ///< files with answers of GET /revocations
  std::vector<std::string> codes;        ///< none: lines of the standard input
  std::optional<std::string> at;         ///< RFC 3339; none: now
};
[[nodiscard]] int verify_ticket(const VerifyTicketOptions& options);

struct VerifyDrawOptions {
  std::vector<std::string> files;  ///< pages of GET /rooms/{id}/draw
  std::string queue_id;            ///< whose place to tell; may be empty
};
[[nodiscard]] int verify_draw(const VerifyDrawOptions& options);

}  // namespace usher::server::cli
