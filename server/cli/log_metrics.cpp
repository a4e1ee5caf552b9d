#include "server/cli/log_metrics.hpp"

namespace usher::server::cli {

void add_log_metrics(metrics::Metrics& metrics, const wal::OpenedLog& log, const engine::Engine& engine) {
  metrics.add_collector([&log, &engine](metrics::Exposition& out) {
    const wal::CommitCounters& counters = log.counters();
    const auto read = [](const std::atomic<std::uint64_t>& value) {
      return static_cast<double>(value.load(std::memory_order_relaxed));
    };
    out.counter("usher_log_rounds_total", "Rounds of loops made durable.", read(counters.rounds));
    out.counter("usher_log_syncs_total", "Syncs of the log.", read(counters.syncs));
    out.counter("usher_log_syncs_inline_total", "Syncs done by a loop itself, for a lone client.",
                read(counters.syncs_inline));
    out.counter("usher_log_blobs_total", "Blobs written.", read(counters.blobs));
    out.counter("usher_log_records_total", "Records written.", read(counters.records));
    out.counter("usher_log_bytes_total", "Bytes written to the log.", read(counters.bytes));
    out.counter("usher_log_sync_seconds_total", "Time spent in syncs.", read(counters.sync_ns_sum) / 1e9);
    out.counter("usher_log_anchor_writes_total", "Writes of the anchor.", read(counters.anchor_writes));
    out.counter("usher_log_segment_rotations_total", "Segments begun since the start.",
                static_cast<double>(log.rotations()));
    out.counter("usher_log_segments_dropped_total", "Segments trimmed since the start.",
                static_cast<double>(log.segments_dropped()));
    out.gauge("usher_log_epoch", "Counts the starts of this data directory.", static_cast<double>(log.report().epoch));
    out.gauge("usher_log_has_space", "0 when new reservations are refused for want of disk space.",
              log.has_space() ? 1 : 0);
    out.gauge("usher_disk_free_bytes", "Free space of the data directory's disk.",
              static_cast<double>(log.free_bytes()));
    out.gauge("usher_recovery_seconds", "How long the last recovery took.",
              std::chrono::duration<double>(log.report().duration).count());
    out.gauge("usher_catalog_shows", "Shows in the catalog.",
              static_cast<double>(engine.snapshot()->data().show_count()));
    out.gauge("usher_catalog_movies", "Movies in the catalog.",
              static_cast<double>(engine.snapshot()->data().movie_count()));
  });
}

}  // namespace usher::server::cli
