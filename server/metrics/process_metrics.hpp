#pragma once
/// What the process costs its machine, read from /proc and getrusage at a scrape. Counting open files lists a folder:
/// not for a loop's thread when many connections are open.

#include "server/metrics/exposition.hpp"
#include "usher/time.hpp"

namespace usher::server::metrics {

/// Adds the families `process_*`, by the names that every Prometheus client library gives them. What the system does
/// not tell is left out.
void add_process_metrics(Exposition& out, Instant started);

/// Bytes of memory that the process holds now; 0 when the system does not tell.
[[nodiscard]] std::uint64_t resident_bytes();

}  // namespace usher::server::metrics
