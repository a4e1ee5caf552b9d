/// The load client of the live feed: many readers of one show, and changes of its seats: a reservation, then its
/// release, and so on.
///
/// Usage: usher_feed_load --port N --show ID [--secret TEXT] [--readers N] [--changes N] [--every-ms N] [--steady 0|1]
/// When all readers have their first message it prints "connected" and waits for a line on its input. Then come the
/// changes: --every-ms after the last reader has had the one before, or, with --steady, after it was made. Prints one
/// JSON object: readers, how many were lost, seconds to connect, messages, bytes of the last one, and of each change
/// the milliseconds from sending the request to the first and to the last receipt (not with --steady).

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "bench/feed/readers.hpp"
#include "bench/load/arguments.hpp"
#include "bench/load/tokens.hpp"

namespace {

using namespace usher::bench;

constexpr std::int64_t ns_per_ms = 1'000'000;
constexpr std::int64_t receipt_timeout_ns = 10'000 * ns_per_ms;

/// Who changes the seats, on a connection of his own.
class Buyer {
 public:
  Buyer(std::uint16_t port, std::string show, std::string secret)
      : fd_(connect_to(port, 1)), show_(std::move(show)), secret_(std::move(secret)) {}
  ~Buyer() { close(fd_); }
  Buyer(const Buyer&) = delete;
  Buyer& operator=(const Buyer&) = delete;

  /// Sends the request for the next change.
  void ask() {
    const bool reserve = reservation_.empty();
    if (reserve) token_ = make_token(secret_, "feed-" + std::to_string(++users_));
    const std::string body = reserve ? R"({"seat_ids":["A1"]})" : "";
    const std::string target = reserve ? "POST /shows/" + show_ + "/reserve" : "DELETE /reservations/" + reservation_;
    const std::string request = target + " HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + token_ +
                                "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
                                "\r\n\r\n" + body;
    if (send(fd_, request.data(), request.size(), MSG_NOSIGNAL) < 0) std::perror("usher_feed_load: send");
  }
  /// Reads the answer. Exits with code 1 when the change was refused.
  void hear() {
    std::array<char, 4096> buffer;
    const auto size = recv(fd_, buffer.data(), buffer.size(), 0);
    const std::string_view answer{buffer.data(), size < 0 ? 0 : static_cast<std::size_t>(size)};
    if (!answer.starts_with("HTTP/1.1 20")) {
      std::fprintf(stderr, "usher_feed_load: refused: %.*s\n", static_cast<int>(answer.size()), answer.data());
      std::exit(1);
    }
    constexpr std::string_view name = "\"reservation_id\":\"";
    const std::size_t at = reservation_.empty() ? answer.find(name) : std::string_view::npos;
    if (at == std::string_view::npos) return reservation_.clear();
    const std::size_t begin = at + name.size();
    reservation_ = answer.substr(begin, answer.find('"', begin) - begin);
  }

 private:
  int fd_;
  const std::string show_;
  const std::string secret_;
  std::string token_;
  std::string reservation_;
  std::size_t users_ = 0;
};

struct Receipts {
  std::vector<double> first_ms;
  std::vector<double> last_ms;
};

/// One change at a time.
Receipts change_in_turn(Readers& readers, Buyer& buyer, std::size_t changes, std::int64_t pause_ns) {
  Receipts receipts;
  for (std::size_t change = 0; change < changes; ++change) {
    readers.read_for(pause_ns);
    const std::int64_t asked_ns = monotonic_ns();
    buyer.ask();
    if (!readers.read_until(static_cast<std::uint32_t>(change + 2), receipt_timeout_ns)) {
      std::fprintf(stderr, "usher_feed_load: not all readers heard of change %zu\n", change);
      std::exit(1);
    }
    buyer.hear();
    receipts.first_ms.push_back(static_cast<double>(readers.first_ns() - asked_ns) / 1e6);
    receipts.last_ms.push_back(static_cast<double>(readers.last_ns() - asked_ns) / 1e6);
  }
  return receipts;
}

void change_steadily(Readers& readers, Buyer& buyer, std::size_t changes, std::int64_t every_ns) {
  std::int64_t next_ns = monotonic_ns();
  for (std::size_t change = 0; change < changes; ++change) {
    buyer.ask();
    buyer.hear();
    next_ns += every_ns;
    readers.read_for(next_ns - monotonic_ns());
  }
}

std::string list(const std::vector<double>& values) {
  std::string text;
  for (const double value : values) text += (text.empty() ? "" : ", ") + std::to_string(value);
  return "[" + text + "]";
}

void print(const Readers& readers, double connect_s, const Receipts& receipts) {
  std::printf(
      "{\"readers\": %zu, \"lost\": %zu, \"connect_s\": %.3f, \"messages\": %llu, \"message_bytes\": %llu, "
      "\"first_ms\": %s, \"last_ms\": %s}\n",
      readers.size(), readers.lost(), connect_s, static_cast<unsigned long long>(readers.messages()),
      static_cast<unsigned long long>(readers.message_bytes()), list(receipts.first_ms).c_str(),
      list(receipts.last_ms).c_str());
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments(argc, argv, "bench/feed/main.cpp");
  const auto port = static_cast<std::uint16_t>(arguments.count("port", 0));
  const std::string show = arguments.text("show", "load-00000");
  const std::string secret = arguments.text("secret", "");
  const std::size_t count = arguments.count("readers", 1'000);
  const std::size_t changes = arguments.count("changes", 10);
  const auto every_ns = static_cast<std::int64_t>(arguments.count("every-ms", 1'000)) * ns_per_ms;
  const bool steady = arguments.count("steady", 0) != 0;
  arguments.expect_no_more();
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);

  const std::int64_t begun_ns = monotonic_ns();
  Readers readers(port, "/shows/" + show + "/live");
  if (!readers.open(count)) {
    std::fprintf(stderr, "usher_feed_load: not all readers got their first message\n");
    return 1;
  }
  const double connect_s = static_cast<double>(monotonic_ns() - begun_ns) / 1e9;
  std::puts("connected");
  std::fflush(stdout);
  static_cast<void>(std::getchar());
  Buyer buyer(port, show, secret);
  Receipts receipts;
  if (steady) {
    change_steadily(readers, buyer, changes, every_ns);
  } else {
    receipts = change_in_turn(readers, buyer, changes, every_ns);
  }
  print(readers, connect_s, receipts);
  return 0;
}
