/// The floor of every durable figure: RocksDB alone, one thread, one blob per synced write, nothing above it.
///
/// Usage: usher_floor_log --dir DIR [--bytes N] [--seconds S] [--records PER_BLOB]
/// Prints one line of JSON: syncs_per_s, us_per_sync (mean, p50, p99, p99.9) and, as records are counted,
/// records_per_s.

#include <rocksdb/db.h>
#include <rocksdb/options.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::string directory;
  std::size_t bytes = 64;
  double seconds = 2;
  std::size_t records = 1;
};

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--dir") options.directory = argv[i + 1];
    if (name == "--bytes") options.bytes = static_cast<std::size_t>(std::atol(argv[i + 1]));
    if (name == "--seconds") options.seconds = std::atof(argv[i + 1]);
    if (name == "--records") options.records = static_cast<std::size_t>(std::atol(argv[i + 1]));
  }
  return options;
}

std::unique_ptr<rocksdb::DB> open(const std::string& directory) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.compression = rocksdb::kNoCompression;
  options.write_buffer_size = 512U << 20U;  // no flush in the middle: the sync is what is measured
  rocksdb::DB* raw = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(options, directory, &raw);
  if (!status.ok()) {
    std::fprintf(stderr, "usher_floor_log: %s\n", status.ToString().c_str());
    std::exit(1);
  }
  return std::unique_ptr<rocksdb::DB>(raw);
}

/// A big-endian counter: keys come in order, as the log's do.
std::string key_of(std::uint64_t number) {
  std::string key(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) key[i] = static_cast<char>(number >> (56U - 8U * i));
  return key;
}

std::vector<double> commit_for(rocksdb::DB& db, const Options& options) {
  std::string blob(options.bytes, '\0');
  for (std::size_t i = 0; i < blob.size(); ++i) blob[i] = static_cast<char>(i * 131U + 7U);
  rocksdb::WriteOptions synced;
  synced.sync = true;
  std::vector<double> micros;
  const auto until = Clock::now() + std::chrono::duration<double>(options.seconds);
  for (std::uint64_t number = 0; number == 0 || Clock::now() < until; ++number) {
    const auto began = Clock::now();
    if (!db.Put(synced, key_of(number), blob).ok()) std::exit(1);
    micros.push_back(std::chrono::duration<double, std::micro>(Clock::now() - began).count());
  }
  return micros;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  if (options.directory.empty()) {
    std::fprintf(stderr, "usher_floor_log: --dir is needed\n");
    return 2;
  }
  const std::unique_ptr<rocksdb::DB> db = open(options.directory);
  std::vector<double> micros = commit_for(*db, options);
  double total = 0;
  for (const double one : micros) total += one;
  std::sort(micros.begin(), micros.end());
  const auto count = static_cast<double>(micros.size());
  const double per_second = count / (total / 1e6);
  std::printf(
      "{\"bytes\": %zu, \"syncs\": %zu, \"syncs_per_s\": %.1f, \"us_mean\": %.1f, \"us_p50\": %.1f, \"us_p99\": %.1f, "
      "\"us_p999\": %.1f, \"records_per_s\": %.0f}\n",
      options.bytes, micros.size(), per_second, total / count, micros[micros.size() / 2],
      micros[micros.size() * 99 / 100], micros[micros.size() * 999 / 1000],
      per_second * static_cast<double>(options.records));
  return 0;
}
