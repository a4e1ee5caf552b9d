/// usher_history: judges a recorded history, or draws one of a known verdict.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <thread>

#include "tests/history/checker.hpp"
#include "tests/history/generate.hpp"

namespace usher::history {
namespace {

double seconds_since(std::chrono::steady_clock::time_point begun) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

int judge(const History& history, const CheckOptions& options) {
  const auto begun = std::chrono::steady_clock::now();
  const Judgement judgement = check(history, options);
  std::printf("%zu operations, %zu parts, at most %zu explanations at a time, %.1f s: ", judgement.operations,
              judgement.parts, judgement.configurations_max, seconds_since(begun));
  switch (judgement.verdict) {
    case Verdict::linearizable:
      std::printf("linearizable\n");
      return 0;
    case Verdict::violation:
      std::printf("VIOLATION\n%s", judgement.why.c_str());
      return 1;
    case Verdict::undecided:
      std::printf("undecided: more than %zu explanations\n", options.configurations_limit);
      return 2;
  }
  return 2;
}

std::optional<History> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  auto history = file ? read_history(text) : make_error(ErrorCode::not_found, "cannot be read");
  if (history.ok()) return std::move(history).value();
  std::fprintf(stderr, "usher_history: %s: %s\n", path.c_str(), history.error().detail.c_str());
  return std::nullopt;
}

}  // namespace
}  // namespace usher::history

int main(int argc, char** argv) {
  using namespace usher::history;
  CLI::App app{"Is a history linearizable, show by show? 0: yes, 1: no, and why, 2: undecided, 3: it cannot be read"};
  app.require_subcommand(1);
  CheckOptions options{std::max(1U, std::thread::hardware_concurrency())};
  std::string path;
  CLI::App& check_file = *app.add_subcommand("check", "Judges a file (the format stands in tests/history/history.hpp)");
  check_file.add_option("FILE", path, "The history")->required();
  Draw draw;
  CLI::App& drawn = *app.add_subcommand("draw", "Draws a linearizable history, and judges it or writes it");
  for (CLI::App* command : {&check_file, &drawn}) {
    command->add_option("--threads", options.threads, "Threads")->check(CLI::PositiveNumber)->capture_default_str();
    command->add_option("--limit", options.configurations_limit, "Explanations per answer")->capture_default_str();
  }
  drawn.add_option("--seed", draw.seed, "Seed")->capture_default_str();
  drawn.add_option("--operations", draw.operations, "Operations")->capture_default_str();
  drawn.add_option("--shows", draw.shows, "Shows")->check(CLI::PositiveNumber)->capture_default_str();
  drawn.add_option("--seats", draw.seats, "Seats of a show")->check(CLI::PositiveNumber)->capture_default_str();
  drawn.add_option("--clients", draw.clients, "Clients")->check(CLI::PositiveNumber)->capture_default_str();
  drawn.add_option("--maps", draw.maps_per_mille, "Seat maps in 1,000 operations")->capture_default_str();
  drawn.add_option("--unknown", draw.unknown_per_mille, "Unknown outcomes in 1,000 commands")->capture_default_str();
  drawn.add_option("--never", draw.never_per_mille, "... of which so many never returned")->capture_default_str();
  drawn.add_option("--write", path, "Write it here instead of judging it");
  CLI11_PARSE(app, argc, argv);
  if (drawn.parsed()) {
    const History history = draw_history(draw);
    if (path.empty()) return judge(history, options);
    std::ofstream file(path);
    write_history(history, file);
    return file.good() ? 0 : 3;
  }
  const std::optional<History> history = read_file(path);
  return history ? judge(*history, options) : 3;
}
