/// `usher audit`: checks every byte of the log and every rule that must hold after each record.

#include <fmt/format.h>

#include <cstdio>

#include "engine/shard/invariants.hpp"
#include "server/cli/commands.hpp"
#include "server/cli/logging.hpp"
#include "server/cli/replayed.hpp"
#include "server/cli/side_check.hpp"
#include "wal/audit.hpp"

namespace usher::server::cli {
namespace {

/// The rows beside the log: people, contacts, gates, deliveries, cursors. Returns: how many there are.
[[nodiscard]] Result<std::uint64_t> check_side(const std::string& directory, const Replayed& replayed,
                                               std::vector<std::string>& wrong) {
  const auto reader = wal::LogReader::open(directory);
  if (!reader) return reader.error();
  auto cursor = reader.value()->store().cursor({wal::Table::people, 0});
  if (!cursor) return cursor.error();
  std::vector<Lsn> ends;
  for (std::size_t shard = 0; shard < replayed.shards.size(); ++shard) ends.push_back(replayed.ends[shard].lsn);
  SideCheck check(std::move(ends));
  std::uint64_t rows = 0;
  for (cursor.value()->seek({}); cursor.value()->valid(); cursor.value()->next()) {
    check.add(cursor.value()->key(), cursor.value()->value());
    ++rows;
  }
  if (Status walked = cursor.value()->status(); !walked) return walked.error();
  wrong = check.finish();
  return rows;
}

}  // namespace

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
      std::vector<std::string> wrong;
      const Result<std::uint64_t> rows = check_side(options.data, *replayed.value(), wrong);
      if (!rows) wrong.push_back(rows.error().detail);
      for (const std::string& text : wrong) tell("beside the log: " + text);
      fmt::print("beside the log: {} rows of people, gates and deliveries; {}\n", rows ? rows.value() : 0,
                 wrong.empty() ? "whole" : "BROKEN");
    }
  }
  fmt::print("{}\n", errors == 0 ? "clean" : fmt::format("{} errors", errors));
  return errors == 0 ? 0 : 1;
}

}  // namespace usher::server::cli
