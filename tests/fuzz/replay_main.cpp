/// The main of the fuzzers in the suite: each file of the folders as it is, cut at every byte, and with bytes changed,
/// always the same ones. Usage: usher_fuzz_NAME FOLDER|FILE... [--changes N]

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tests/fuzz/fuzz.hpp"

namespace {

std::size_t runs = 0;

/// In a buffer of its own size, for the sanitizers.
void run(const std::string& input) {
  const std::unique_ptr<std::uint8_t[]> bytes(new std::uint8_t[input.size()]);
  std::memcpy(bytes.get(), input.data(), input.size());
  (void)LLVMFuzzerTestOneInput(bytes.get(), input.size());
  ++runs;
}

void change(std::string& input, std::mt19937_64& random) {
  const std::size_t at = random() % input.size();
  switch (random() % 4) {
    case 0:
      input[at] = static_cast<char>(random());
      break;
    case 1:
      input[at] = static_cast<char>(input[at] ^ (1 << (random() % 8)));
      break;
    case 2:
      input.erase(at, 1 + random() % 4);
      break;
    default:
      input.insert(at, input.substr(random() % input.size(), 1 + random() % 16));
  }
}

void run_around(const std::string& seed, std::size_t changes) {
  run(seed);
  const std::size_t stride = 1 + seed.size() / 500;
  for (std::size_t size = 0; size < seed.size(); size += stride) run(seed.substr(0, size));
  std::mt19937_64 random{seed.size()};
  for (std::size_t i = 0; i < changes && !seed.empty(); ++i) {
    std::string input = seed;
    for (std::size_t count = 1 + random() % 3; count > 0 && !input.empty(); --count) change(input, random);
    run(input);
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t changes = 300;
  std::vector<std::filesystem::path> files;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--changes") == 0 && i + 1 < argc) {
      changes = std::strtoul(argv[++i], nullptr, 10);
    } else if (std::filesystem::is_directory(argv[i])) {
      for (const auto& entry : std::filesystem::directory_iterator(argv[i])) files.push_back(entry.path());
    } else {
      files.emplace_back(argv[i]);
    }
  }
  for (const std::filesystem::path& path : files) {
    std::ifstream file(path, std::ios::binary);
    run_around({std::istreambuf_iterator<char>(file), {}}, changes);
    if (!file) std::fprintf(stderr, "%s cannot be read\n", path.c_str());
    if (!file) return 1;
  }
  std::printf("%zu files, %zu inputs\n", files.size(), runs);
  return files.empty() ? 1 : 0;
}
