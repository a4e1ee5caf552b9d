/// Readers by the ten thousand of one show's live feed, over relays, that check every message and come back when they
/// are thrown off: what relay tests drive.
///
/// Usage: usher_feed_crowd --ports N,N,... --show ID --readers N [--source N] [--sources N]
/// Commands are lines on its input, each answered by one JSON object on a line:
///   wait LSN MS   until every reader is connected and has the map of that LSN or newer, at most so long
///   quit
/// {"readers", "there", "connected", "first_ns", "last_ns" (CLOCK_MONOTONIC of the receipts), "maps": [[lsn, hex of the
/// map, readers], ...] (16 at most), "messages", "reconnects", "refused", "closed": {code: count}, "faults": [text]}

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <sstream>

#include "bench/feed/crowd.hpp"
#include "bench/feed/readers.hpp"
#include "bench/load/arguments.hpp"

namespace {

using namespace usher::bench;

constexpr std::size_t maps_told = 16;
// How often the crowd is counted while it is waited for.
constexpr int look_ms = 20;

std::vector<std::uint16_t> read_ports(const std::string& text) {
  std::vector<std::uint16_t> ports;
  std::istringstream in(text);
  for (std::string port; std::getline(in, port, ',');) ports.push_back(static_cast<std::uint16_t>(std::stoul(port)));
  return ports;
}

std::string to_hex(const std::string& bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const char byte : bytes) {
    text += digits[static_cast<unsigned char>(byte) >> 4U];
    text += digits[static_cast<unsigned char>(byte) & 15U];
  }
  return text;
}

void print(const Crowd& crowd, std::uint64_t lsn) {
  const Crowd::State state = crowd.state(lsn);
  const Crowd::Counters& counters = crowd.counters();
  std::ostringstream out;
  out << R"({"readers": )" << crowd.size() << R"(, "there": )" << state.there << R"(, "connected": )" << state.connected
      << R"(, "first_ns": )" << state.first_ns << R"(, "last_ns": )" << state.last_ns << R"(, "messages": )"
      << counters.messages << R"(, "reconnects": )" << counters.reconnects << R"(, "refused": )" << counters.refused;
  const char* comma = "";
  out << R"(, "closed": {)";
  for (const auto& [code, count] : counters.closed) {
    out << comma << '"' << code << "\": " << count;
    comma = ", ";
  }
  comma = "";
  out << R"(}, "faults": [)";
  for (const std::string& fault : counters.faults) {
    out << comma << '"' << fault << '"';
    comma = ", ";
  }
  comma = "";
  out << R"(], "maps": [)";
  std::size_t told = 0;
  for (const auto& [map, count] : state.maps) {
    if (++told > maps_told) break;
    out << comma << '[' << map.first << ", \"" << to_hex(map.second) << "\", " << count << ']';
    comma = ", ";
  }
  out << "]}";
  std::puts(out.str().c_str());
  std::fflush(stdout);
}

void wait_for(Crowd& crowd, std::uint64_t lsn, std::int64_t timeout_ms, int nothing) {
  const std::int64_t deadline_ns = monotonic_ns() + timeout_ms * 1'000'000;
  const auto done = [&] {
    return crowd.there(lsn) == crowd.size() && crowd.state(~std::uint64_t{0}).connected == crowd.size();
  };
  while (!done() && monotonic_ns() < deadline_ns) crowd.run(look_ms, nothing);
  print(crowd, lsn);
}

/// Reads commands until there are no more. Input may come in pieces.
void obey(Crowd& crowd) {
  std::array<int, 2> silent{};
  if (pipe2(silent.data(), O_CLOEXEC) != 0) std::exit(1);  // never readable: for waits that nothing ends early
  std::string lines;
  for (;;) {
    crowd.run(1'000, STDIN_FILENO);
    std::array<char, 256> buffer;
    const auto size = read(STDIN_FILENO, buffer.data(), buffer.size());
    if (size == 0) return;
    if (size > 0) lines.append(buffer.data(), static_cast<std::size_t>(size));
    for (std::size_t end = lines.find('\n'); end != std::string::npos; end = lines.find('\n')) {
      std::istringstream line(lines.substr(0, end));
      lines.erase(0, end + 1);
      std::string command;
      std::uint64_t lsn = 0;
      std::int64_t timeout_ms = 0;
      line >> command >> lsn >> timeout_ms;
      if (command != "wait") return;
      wait_for(crowd, lsn, timeout_ms, silent[0]);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments(argc, argv, "bench/feed/crowd_main.cpp");
  const std::vector<std::uint16_t> ports = read_ports(arguments.text("ports", ""));
  const std::string show = arguments.text("show", "load-00000");
  const std::size_t readers = arguments.count("readers", 1'000);
  const auto source = static_cast<unsigned>(arguments.count("source", 2));
  const auto sources = static_cast<unsigned>(arguments.count("sources", 8));
  arguments.expect_no_more();
  if (ports.empty() || sources == 0) {
    std::fprintf(stderr, "usher_feed_crowd: --ports: at least one; --sources: at least one\n");
    return 2;
  }
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  const int flags = fcntl(STDIN_FILENO, F_GETFL);
  fcntl(STDIN_FILENO, F_SETFL, flags | O_NONBLOCK);
  Crowd crowd(ports, show, source, sources);
  crowd.add(readers);
  obey(crowd);
  return 0;
}
