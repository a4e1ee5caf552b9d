/// usher_crash_matrix: the real log on RocksDB, crashed at every change of the disk and with every call failing in
/// turn.
///
/// A child records the canonical workload once. Each crash is a prefix of that record, each damage a way to lose what
/// was not synced by then, and each of the disks that come of it is opened by the real recovery and compared with the
/// book of what was acknowledged. Failing calls need a run of their own each. Children do the work, since RocksDB's
/// Debian package ends the process by an assertion where others return an error: the parent counts that, and another
/// child goes on with the disk that was left.

#include <malloc.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <new>
#include <thread>
#include <vector>

#include "tests/crash/matrix/trial.hpp"
#include "usher/assert.hpp"

namespace usher::crash {
namespace {

constexpr std::size_t journal_bytes = std::size_t{192} << 20U;
constexpr std::size_t workers_max = 32;

struct Options {
  std::uint32_t rounds = 16;
  double seconds = 0;                                                        ///< 0: until all is done
  unsigned workers = 2 * std::max(1U, std::thread::hardware_concurrency());  ///< they wait for RocksDB's threads
  std::uint64_t nested_every = 40;
  std::uint64_t seed = 1;
  std::string report;
};

/// One thing to try. Its number in the list names it in a failure.
struct Case {
  std::uint8_t variant = 0;
  bool is_fault = false;
  std::uint64_t at = 0;
  FaultKind kind = FaultKind::io_error;
  bool for_ever = false;
  bool nested = false;
};

/// In memory that parent and children share.
struct Shared {
  Counters counters;
  std::atomic<std::uint64_t> next_case{0};
  std::atomic<bool> stop{false};
  struct Worker {
    std::atomic<std::uint64_t> at{0};        ///< the case in hand
    std::atomic<bool> fault_planted{false};  ///< an abort is RocksDB's answer to it
  } workers[workers_max];
  std::atomic<std::uint64_t> calls[std::size(variants)];
};

class Matrix {
 public:
  explicit Matrix(const Options& options);
  [[nodiscard]] int run();

 private:
  void record_workload();
  void list_cases();
  void shuffle(std::vector<Case>& cases) const;
  void work(std::size_t worker, bool take_over);
  void run_case(std::size_t worker, const Case& one);
  [[nodiscard]] pid_t start(std::size_t worker, bool take_over);
  void supervise();
  void on_death(std::size_t worker, int status);
  void print(const char* end) const;
  void write_report() const;
  [[nodiscard]] std::string name_of(const Case& one) const;

  Options options_;
  std::string directory_;
  Shared* shared_;
  std::vector<std::unique_ptr<Journal>> records_;   ///< of the workload, by variant
  std::vector<std::unique_ptr<Journal>> journals_;  ///< by worker: of its run with a fault
  std::vector<std::unique_ptr<Journal>> scratch_;
  std::vector<std::vector<Op>> ops_;
  std::vector<Case> cases_;
  std::vector<pid_t> children_;
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

Matrix::Matrix(const Options& options) : options_(options) {
  std::string name = (std::filesystem::temp_directory_path() / "usher-matrix-XXXXXX").string();
  USHER_ASSERT(::mkdtemp(name.data()) != nullptr);
  directory_ = name + "/data";
  void* const memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  USHER_ASSERT(memory != MAP_FAILED);
  shared_ = new (memory) Shared{};
  for (std::size_t at = 0; at < std::size(variants); ++at) records_.push_back(std::make_unique<Journal>(journal_bytes));
  for (unsigned at = 0; at < options_.workers; ++at) {
    journals_.push_back(std::make_unique<Journal>(journal_bytes));
    scratch_.push_back(std::make_unique<Journal>(journal_bytes));
  }
  children_.resize(options_.workers);
}

void Matrix::record_workload() {
  const pid_t child = ::fork();
  USHER_ASSERT(child >= 0);
  if (child == 0) {
    for (std::size_t at = 0; at < std::size(variants); ++at) {
      auto files = std::make_shared<CrashFileSystem>(fresh_disk(directory_), records_[at].get(), Fault{});
      run_workload(files, variants[at], directory_, options_.rounds);
      shared_->calls[at] = files->calls();
    }
    std::_Exit(0);
  }
  int status = 0;
  USHER_ASSERT(::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
  for (const auto& record : records_) ops_.push_back(record->ops());
}

void Matrix::list_cases() {
  std::vector<Case> crashes;
  std::vector<Case> faults;
  for (std::uint8_t variant = 0; variant < std::size(variants); ++variant) {
    std::uint64_t changes = 0;
    for (std::size_t at = 0; at <= ops_[variant].size(); ++at) {
      if (at < ops_[variant].size() && ops_[variant][at].kind == OpKind::note) continue;
      crashes.push_back({variant, false, at, FaultKind::io_error, false, ++changes % options_.nested_every == 0});
    }
    for (std::uint64_t call = 0; call < shared_->calls[variant]; ++call) {
      for (std::uint8_t kind = 0; kind < fault_kind_count; ++kind) {
        for (const bool for_ever : {false, true}) {
          faults.push_back({variant, true, call, static_cast<FaultKind>(kind), for_ever, false});
        }
      }
    }
  }
  shuffle(crashes);
  shuffle(faults);
  for (std::size_t at = 0; at < std::max(crashes.size(), faults.size()); ++at) {
    if (at < crashes.size()) cases_.push_back(crashes[at]);
    if (at < faults.size()) cases_.push_back(faults[at]);
  }
}

/// Spread, so that a run that stops early has seen a bit of everything.
void Matrix::shuffle(std::vector<Case>& cases) const {
  for (std::size_t at = cases.size(); at > 1; --at) {
    std::swap(cases[at - 1], cases[mix64(options_.seed * 1'000'003 + at) % at]);
  }
}

std::string Matrix::name_of(const Case& one) const {
  const Variant& variant = variants[one.variant];
  return std::string(variant.retain ? "retain" : "trim") + (variant.anchor_every_commit ? ", anchor=commit" : "") +
         (one.is_fault ? ", call " : ", change ") + std::to_string(one.at) +
         (one.is_fault ? " fails (" + std::string(to_string(one.kind)) + (one.for_ever ? ", for ever)" : ")") : "");
}

void Matrix::run_case(std::size_t worker, const Case& one) {
  Trial trial(shared_->counters, *scratch_[worker], directory_, shared_->stop);
  const Variant& variant = variants[one.variant];
  if (!one.is_fault) {
    shared_->workers[worker].fault_planted = one.nested;
    return trial.crash_at(variant, ops_[one.variant], one.at, one.nested);
  }
  shared_->workers[worker].fault_planted = true;
  trial.fail_at(variant, {one.at, one.kind, one.for_ever}, *journals_[worker], options_.rounds);
}

void Matrix::work(std::size_t worker, bool take_over) {
  if (take_over) {
    const Case& one = cases_[shared_->workers[worker].at];
    shared_->workers[worker].fault_planted = false;
    Trial trial(shared_->counters, *scratch_[worker], directory_, shared_->stop);
    if (one.is_fault) trial.judge_journal(variants[one.variant], *journals_[worker], name_of(one) + " and aborts");
  }
  while (!shared_->stop) {
    const std::uint64_t next = shared_->next_case.fetch_add(1);
    if (next >= cases_.size()) break;
    shared_->workers[worker].at = next;
    run_case(worker, cases_[next]);
  }
  std::fflush(stderr);
  std::_Exit(0);
}

pid_t Matrix::start(std::size_t worker, bool take_over) {
  std::fflush(stdout);
  const pid_t child = ::fork();
  USHER_ASSERT(child >= 0);
  if (child == 0) work(worker, take_over);
  return child;
}

void Matrix::on_death(std::size_t worker, int status) {
  children_[worker] = 0;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  const Case& one = cases_[shared_->workers[worker].at];
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && shared_->workers[worker].fault_planted) {
    ++shared_->counters.aborted;
  } else {
    ++shared_->counters.failures;
    std::fprintf(stderr, "FAILED: %s: the process ended with status %d\n", name_of(one).c_str(), status);
  }
  children_[worker] = start(worker, true);
}

void Matrix::print(const char* end) const {
  const Counters& seen = shared_->counters;
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count();
  const std::uint64_t recoveries = seen.recoveries;
  std::printf("\r%5.0f s: %lu of %zu cases, %lu recoveries (%.0f a minute), %lu failures%s", seconds,
              std::min<std::uint64_t>(shared_->next_case, cases_.size()), cases_.size(), recoveries,
              static_cast<double>(recoveries) * 60 / seconds, seen.failures.load(), end);
  std::fflush(stdout);
}

void Matrix::supervise() {
  for (std::size_t worker = 0; worker < children_.size(); ++worker) children_[worker] = start(worker, false);
  const bool terminal = ::isatty(STDOUT_FILENO) != 0;
  auto told = begun_;
  const auto alive = [this] { return std::any_of(children_.begin(), children_.end(), [](pid_t p) { return p != 0; }); };
  while (alive()) {
    for (std::size_t worker = 0; worker < children_.size(); ++worker) {
      int status = 0;
      if (children_[worker] != 0 && ::waitpid(children_[worker], &status, WNOHANG) == children_[worker]) {
        on_death(worker, status);
      }
    }
    const auto now = std::chrono::steady_clock::now();
    if (options_.seconds > 0 && std::chrono::duration<double>(now - begun_).count() > options_.seconds) {
      shared_->stop = true;
    }
    if (now - told > std::chrono::seconds{terminal ? 1 : 10}) {
      told = now;
      print(terminal ? "" : "\n");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
}

void Matrix::write_report() const {
  const Counters& seen = shared_->counters;
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count();
  std::FILE* const file = std::fopen(options_.report.c_str(), "w");
  if (file == nullptr) return;
  std::fprintf(file,
               "{\"cases\": %lu, \"cases_all\": %zu, \"crashes\": %lu, \"images\": %lu, \"recoveries\": %lu, "
               "\"nested\": %lu, \"faults\": %lu, \"aborted\": %lu, \"refused_as_stated\": %lu, \"failures\": %lu, "
               "\"seconds\": %.1f, \"seed\": %lu}\n",
               std::min<std::uint64_t>(shared_->next_case, cases_.size()), cases_.size(), seen.crashes.load(),
               seen.images.load(), seen.recoveries.load(), seen.nested.load(), seen.faults.load(), seen.aborted.load(),
               seen.refused_as_stated.load(), seen.failures.load(), seconds, options_.seed);
  std::fclose(file);
}

int Matrix::run() {
  record_workload();
  list_cases();
  std::printf("workload: %zu, %zu and %zu lines of record, %lu, %lu and %lu calls; %zu cases, seed %lu\n",
              ops_[0].size(), ops_[1].size(), ops_[2].size(), shared_->calls[0].load(), shared_->calls[1].load(),
              shared_->calls[2].load(), cases_.size(), options_.seed);
  supervise();
  print("\n");
  const Counters& seen = shared_->counters;
  std::printf(
      "%lu crashes left %lu different disks, %lu crashes during a recovery; %lu failing calls: %lu starts "
      "refused, %lu times the log rightly went on, %lu times RocksDB aborted; %lu starts refused for stale blocks "
      "in the MANIFEST\n",
      seen.crashes.load(), seen.images.load(), seen.nested.load(), seen.faults.load(), seen.starts_refused.load(),
      seen.faults_survived.load(), seen.aborted.load(), seen.refused_as_stated.load());
  if (!options_.report.empty()) write_report();
  std::error_code ignored;
  std::filesystem::remove_all(std::filesystem::path(directory_).parent_path(), ignored);
  std::printf("%lu checks passed, %lu failed\n", seen.recoveries.load() - seen.failures.load(), seen.failures.load());
  return seen.failures == 0 && seen.recoveries != 0 ? 0 : 1;
}

}  // namespace
}  // namespace usher::crash

int main(int argc, char** argv) {
  using usher::crash::Options;
  using usher::crash::workers_max;
  Options options;
  CLI::App app{"The log on RocksDB: crashed at every change of the disk, and with every call failing in turn"};
  app.add_option("--rounds", options.rounds, "Rounds in each of the workload's three lives")->capture_default_str();
  app.add_option("--seconds", options.seconds, "Stop after so long; 0: when all cases are done")->capture_default_str();
  app.add_option("--workers", options.workers, "Processes")
      ->check(CLI::Range(1U, static_cast<unsigned>(workers_max)))
      ->capture_default_str();
  app.add_option("--nested-every", options.nested_every, "Crash the recoveries of every Nth crash as well")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--seed", options.seed, "Order of the cases")->capture_default_str();
  bool lying = false;
  app.add_flag("--lying-disk", lying, "Every sync answers well and does nothing: the matrix must fail");
  app.add_option("--report", options.report, "Write the counts here, as JSON");
  CLI11_PARSE(app, argc, argv);
  // A database is opened and thrown away a hundred times a second: do not give its memory back each time.
  (void)::mallopt(M_TOP_PAD, 64 << 20);
  (void)::mallopt(M_TRIM_THRESHOLD, 512 << 20);
  (void)::mallopt(M_MMAP_THRESHOLD, 256 << 20);
  if (lying) usher::crash::CrashFileSystem::lie_about_syncs();
  return usher::crash::Matrix(options).run();
}
