/// Whether a log holds what a client was told: every 201 with its seats, nothing else, and no seat twice.
///
/// Usage: usher replay --data DIR --reservations | usher_check FILE...
/// Each FILE is what a run of `usher_load --told` wrote, in the order of the runs. Prints one JSON object and, to
/// stderr, the first faults; exit code 1 when there are any.

#include <cstdio>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>

#include "bench/check/ledger.hpp"

int main(int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') {
    std::fprintf(stderr, "usage: usher replay --data DIR --reservations | usher_check FILE...\n");
    return 2;
  }
  std::ios::sync_with_stdio(false);
  usher::bench::Ledger ledger;
  std::string line;
  for (int i = 1; i < argc; ++i) {
    std::ifstream told(argv[i]);
    if (!told) {
      std::fprintf(stderr, "usher_check: cannot read %s\n", argv[i]);
      return 2;
    }
    while (std::getline(told, line)) ledger.read_told(line);
  }
  while (std::getline(std::cin, line)) ledger.read_log(line);
  ledger.finish();
  for (const std::string& fault : ledger.faults().first()) std::fprintf(stderr, "usher_check: %s\n", fault.c_str());
  std::printf("{\"told\": %llu, \"released\": %llu, \"in_log\": %llu, \"faults\": %zu}\n",
              static_cast<unsigned long long>(ledger.told()), static_cast<unsigned long long>(ledger.released()),
              static_cast<unsigned long long>(ledger.held()), ledger.faults().count());
  return ledger.faults().count() == 0 ? 0 : 1;
}
