/// `usher audit`: checks every byte of the log and every rule that must hold after each record.

#include <fmt/format.h>

#include <cstdio>

#include "engine/shard/invariants.hpp"
#include "server/cli/commands.hpp"
#include "server/cli/logging.hpp"
#include "server/cli/replayed.hpp"
#include "wal/audit.hpp"

namespace usher::server::cli {

int audit(const AuditOptions& options) {
  std::size_t errors = 0;
  const auto tell = [&](const std::string& text) {
    if (errors++ < 100) fmt::print("ERROR {}\n", text);
  };
  Result<wal::AuditReport> report = wal::audit_directory(options.data, {});
  if (!report) return fail(report.error());
  for (const wal::Finding& finding : report.value().findings) {
    if (finding.severity == wal::Severity::error) {
      tell(wal::describe(finding));
    } else {
      fmt::print("note  {}\n", wal::describe(finding));
    }
  }
  fmt::print("log: {} segments, {} blobs, {} records, {} checkpoint rows read; chain and checksums {}\n",
             report.value().segments, report.value().blobs, report.value().records, report.value().checkpoint_rows,
             errors == 0 ? "hold" : "BROKEN");
  if (errors == 0) {
    auto replayed = replay_directory(options.data, {}, false, [](std::size_t, std::size_t) {});
    if (!replayed) {
      tell(replayed.error().detail);
    } else {
      for (const auto& shard : replayed.value()->shards) {
        for (const std::string& broken : engine::check_invariants(shard->state())) {
          tell(fmt::format("shard {}: {}", shard->index(), broken));
        }
      }
      fmt::print("state: {} records replayed; the rules of every show {}\n", replayed.value()->records,
                 errors == 0 ? "hold" : "BROKEN");
    }
  }
  fmt::print("{}\n", errors == 0 ? "clean" : fmt::format("{} errors", errors));
  return errors == 0 ? 0 : 1;
}

}  // namespace usher::server::cli
