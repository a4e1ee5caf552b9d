/// usher_rot: damage to synced bytes, by the file and by the row. Detected, harmless or reported, and never silent.

#include <malloc.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <new>
#include <thread>
#include <vector>

#include "tests/crash/rot/file_rot.hpp"
#include "tests/crash/rot/row_rot.hpp"
#include "usher/assert.hpp"

namespace usher::crash {
namespace {

struct Options {
  std::uint64_t flips = 300;
  std::uint64_t log_bytes = std::uint64_t{32} << 10U;
  std::uint64_t seed = 1;
  unsigned workers = 2 * std::max(1U, std::thread::hardware_concurrency());
  std::string report;
};

constexpr std::size_t workers_max = 32;

struct Shared {
  RotCounters files;
  RowCounters rows;
  std::atomic<std::uint64_t> done[workers_max];
};

Shared* make_shared_memory() {
  void* const memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  USHER_ASSERT(memory != MAP_FAILED);
  return new (memory) Shared{};
}

/// Runs `step(n)` for all n below `count` in processes of their own. A process that dies fails its step; another goes
/// on.
void in_children(Shared& shared, unsigned workers, std::uint64_t count, const std::function<void(std::uint64_t)>& step,
                 const std::function<void(std::uint64_t, int)>& on_death, const std::function<void()>& progress) {
  std::vector<pid_t> children(workers);
  const auto start = [&](unsigned worker) {
    std::fflush(stdout);
    const pid_t child = ::fork();
    USHER_ASSERT(child >= 0);
    if (child != 0) return child;
    for (std::uint64_t at = shared.done[worker]; at < count; at = shared.done[worker] += workers) step(at);
    std::_Exit(0);
  };
  for (unsigned worker = 0; worker < workers; ++worker) {
    shared.done[worker] = worker;
    children[worker] = start(worker);
  }
  auto told = std::chrono::steady_clock::now();
  for (unsigned alive = workers; alive > 0;) {
    for (unsigned worker = 0; worker < workers; ++worker) {
      int status = 0;
      if (children[worker] == 0 || ::waitpid(children[worker], &status, WNOHANG) != children[worker]) continue;
      children[worker] = 0;
      --alive;
      if (WIFEXITED(status) && WEXITSTATUS(status) == 0) continue;
      on_death(shared.done[worker], status);
      shared.done[worker] += workers;
      children[worker] = start(worker);
      ++alive;
    }
    if (std::chrono::steady_clock::now() - told > std::chrono::seconds{5}) {
      told = std::chrono::steady_clock::now();
      progress();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
}

void rot_files(Shared& shared, const Options& options, const Variant& variant, const std::string& directory) {
  FileRot rot(shared.files, variant, directory);
  rot.build();
  const std::vector<FileCase> cases = rot.cases(options.flips, options.seed);
  std::printf("files: %zu damages to %zu files of %lu bytes\n", cases.size(), rot.file_count(), rot.bytes());
  in_children(
      shared, options.workers, cases.size(), [&](std::uint64_t at) { rot.run(cases[at]); },
      [&](std::uint64_t at, int status) { rot.died(cases[at], status); },
      [&] { std::printf("  %lu of %zu\n", shared.files.opens.load(), cases.size()); });
}

void rot_rows(Shared& shared, const Options& options) {
  RowRot rot(shared.rows, options.log_bytes);
  rot.build();
  std::printf("rows: %zu blobs of %lu bytes, %zu steps\n", rot.blob_count(), rot.bytes(), rot.step_count());
  in_children(
      shared, std::max(1U, std::thread::hardware_concurrency()), rot.step_count(),
      [&](std::uint64_t at) { rot.run(at); },
      [&](std::uint64_t at, int status) {
        ++shared.rows.failures;
        std::fprintf(stderr, "FAILED: step %lu of the rows: the process ended with status %d\n", at, status);
      },
      [&] { std::printf("  %lu flips\n", shared.rows.flips.load()); });
}

int run(const Options& options) {
  Shared& shared = *make_shared_memory();
  std::string folder = (std::filesystem::temp_directory_path() / "usher-rot-XXXXXX").string();
  USHER_ASSERT(::mkdtemp(folder.data()) != nullptr);
  const auto begun = std::chrono::steady_clock::now();
  rot_rows(shared, options);
  for (const Variant& variant : {Variant{true, true}, Variant{true, false}}) {
    rot_files(shared, options, variant, folder + "/data");
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  const RotCounters& files = shared.files;
  const RowCounters& rows = shared.rows;
  std::printf(
      "files: %lu opens: %lu refused and found by the audit, %lu harmless, %lu tails cut and reported, %lu times "
      "the stated exception, %lu times RocksDB aborted\n",
      files.opens.load(), files.refused.load(), files.harmless.load(), files.reported.load(), files.exception.load(),
      files.aborted.load());
  std::printf(
      "rows: %lu flips, all found; %lu recoveries: %lu refused, %lu harmless, %lu tails cut and reported, %lu times "
      "the stated "
      "exception; %.0f s\n",
      rows.flips.load(), rows.opens.load(), rows.refused.load(), rows.harmless.load(), rows.reported.load(),
      rows.exception.load(), seconds);
  const std::uint64_t failures = files.failures + rows.failures;
  if (!options.report.empty()) {
    if (std::FILE* const file = std::fopen(options.report.c_str(), "w"); file != nullptr) {
      std::fprintf(file,
                   "{\"flips\": %lu, \"opens\": %lu, \"failures\": %lu, \"exceptions\": %lu, \"seconds\": %.1f}\n",
                   rows.flips.load(), files.opens + rows.opens, failures, files.exception.load(), seconds);
      std::fclose(file);
    }
  }
  std::printf("%lu checks passed, %lu failed\n", files.opens + rows.opens + rows.flips - failures, failures);
  return failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace usher::crash

int main(int argc, char** argv) {
  usher::crash::Options options;
  CLI::App app{
      "Damage to synced bytes of a log: every bit of its blobs, and files flipped, cut, deleted, doubled, swapped"};
  app.add_option("--flips", options.flips, "Bits to flip in files, spread over all of them")->capture_default_str();
  app.add_option("--log-bytes", options.log_bytes, "Size of the log whose every bit is flipped")->capture_default_str();
  app.add_option("--seed", options.seed, "Which bits of the files")->capture_default_str();
  app.add_option("--workers", options.workers, "Processes")->check(CLI::Range(1, 32))->capture_default_str();
  app.add_option("--report", options.report, "Write the counts here, as JSON");
  CLI11_PARSE(app, argc, argv);
  (void)::mallopt(M_TOP_PAD, 64 << 20);
  (void)::mallopt(M_TRIM_THRESHOLD, 512 << 20);
  return usher::crash::run(options);
}
