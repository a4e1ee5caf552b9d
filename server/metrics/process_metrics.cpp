#include "server/metrics/process_metrics.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace usher::server::metrics {

namespace {

double seconds(const timeval& time) noexcept {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

/// Returns: how many files are open, without the folder that is read to know it; 0 when the system does not tell.
std::size_t open_files() {
  std::error_code error;
  std::size_t count = 0;
  std::filesystem::directory_iterator entry{"/proc/self/fd", error};
  while (!error && entry != std::filesystem::directory_iterator{}) {
    ++count;
    entry.increment(error);
  }
  return count > 0 ? count - 1 : 0;
}

}  // namespace

std::uint64_t resident_bytes() {
  std::ifstream in{"/proc/self/statm"};
  std::uint64_t pages_total = 0;
  std::uint64_t pages_resident = 0;
  in >> pages_total >> pages_resident;
  return in ? pages_resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

void add_process_metrics(Exposition& out, Instant started) {
  if (const std::uint64_t bytes = resident_bytes(); bytes > 0) {
    out.gauge("process_resident_memory_bytes", "Memory that the process holds.", static_cast<double>(bytes));
  }
  if (const std::size_t files = open_files(); files > 0) {
    out.gauge("process_open_fds", "Open files and sockets.", static_cast<double>(files));
  }
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    out.gauge("process_max_fds", "Files and sockets that may be open at once.", static_cast<double>(limit.rlim_cur));
  }
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) == 0) {
    out.counter("process_cpu_seconds_total", "CPU time used, user and system.",
                seconds(usage.ru_utime) + seconds(usage.ru_stime));
  }
  out.gauge("process_start_time_seconds", "When the process started, as Unix time.",
            static_cast<double>(to_ms(started)) / 1e3);
}

}  // namespace usher::server::metrics
