#include "bench/feed/crowd.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "bench/feed/readers.hpp"

namespace usher::bench {
namespace {

constexpr std::size_t opening_max = 64;
constexpr std::int64_t ns_per_ms = 1'000'000;
// A client that was thrown off comes back after so long, and up to twice that.
constexpr std::int64_t again_ns = 100 * ns_per_ms;
constexpr std::size_t faults_kept = 5;
constexpr std::size_t head_bytes = 32;  // of a binary message
constexpr std::uint64_t watched_fd = ~std::uint64_t{0};
constexpr std::string_view pong{"\x8a\x80\0\0\0\0", 6};

int try_connect(std::uint16_t port, unsigned source) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const int on = 1;
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + source);
  bool good = bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  good = good && connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  if (good) return fd;
  close(fd);
  return -1;
}

std::uint64_t little_endian(std::string_view bytes) noexcept {
  std::uint64_t value = 0;
  for (std::size_t at = bytes.size(); at-- > 0;) value = (value << 8U) | static_cast<unsigned char>(bytes[at]);
  return value;
}

}  // namespace

Crowd::Crowd(std::vector<std::uint16_t> ports, std::string show, unsigned first_source, unsigned sources)
    : ports_(std::move(ports)),
      show_(std::move(show)),
      first_source_(first_source),
      sources_(sources),
      epoll_(epoll_create1(EPOLL_CLOEXEC)) {}

Crowd::~Crowd() {
  for (const Reader& reader : readers_) {
    if (reader.fd >= 0) close(reader.fd);
  }
  close(epoll_);
}

void Crowd::add(std::size_t count) {
  readers_.reserve(readers_.size() + count);
  for (std::size_t added = 0; added < count; ++added) {
    readers_.emplace_back();
    due_.push({0, readers_.size() - 1});
  }
}

void Crowd::run(int timeout_ms, int fd) {
  epoll_event watched{};
  watched.events = EPOLLIN;
  watched.data.u64 = watched_fd;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &watched);
  const std::int64_t deadline_ns = monotonic_ns() + timeout_ms * ns_per_ms;
  for (bool called = false; !called && monotonic_ns() < deadline_ns;) {
    open_due();
    std::array<epoll_event, 512> events;
    const int wait_ms = static_cast<int>((deadline_ns - monotonic_ns()) / ns_per_ms) + 1;
    const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), due_.empty() ? wait_ms : 5);
    for (int at = 0; at < count; ++at) {
      const std::uint64_t index = events[static_cast<std::size_t>(at)].data.u64;
      if (index == watched_fd) {
        called = true;
      } else {
        read(readers_[index]);
      }
    }
  }
  epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
}

void Crowd::open_due() {
  const std::int64_t now_ns = monotonic_ns();
  while (!due_.empty() && due_.top().at_ns <= now_ns && opening_ < opening_max) {
    const std::size_t index = due_.top().index;
    due_.pop();
    open(index);
  }
}

void Crowd::open(std::size_t index) {
  Reader& reader = readers_[index];
  const std::uint16_t port = ports_[(index + reader.attempts++) % ports_.size()];
  reader.fd = try_connect(port, first_source_ + static_cast<unsigned>(index) % sources_);
  ++opening_;
  if (reader.fd < 0) return lose(reader, 0);
  reader.open = false;
  reader.fresh = true;
  reader.rest.clear();
  const std::string from = reader.lsn == 0 ? "" : "?from=" + std::to_string(reader.lsn);
  const std::string request = "GET /shows/" + show_ + "/live" + from +
                              " HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                              "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: usher.binary.v1\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  if (send(reader.fd, request.data(), request.size(), MSG_NOSIGNAL) < 0) return lose(reader, 0);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = index;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, reader.fd, &event);
}

void Crowd::read(Reader& reader) {
  static std::array<char, 64 * 1024> buffer;
  if (reader.fd < 0) return;  // lost earlier in this turn
  const auto size = recv(reader.fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size <= 0) return lose(reader, 0);
  std::string whole;
  std::string_view data{buffer.data(), static_cast<std::size_t>(size)};
  if (!reader.rest.empty()) {
    whole = std::move(reader.rest).append(data);
    reader.rest.clear();
    data = whole;
  }
  while (!data.empty() && reader.fd >= 0) {
    const std::size_t used = take(reader, data);
    if (used == 0) {
      reader.rest = data;
      return;
    }
    data.remove_prefix(used);
  }
}

// Returns: how many bytes were dealt with; 0: what is there is not whole.
std::size_t Crowd::take(Reader& reader, std::string_view data) {
  return reader.open ? take_frame(reader, data) : take_answer(reader, data);
}

std::size_t Crowd::take_answer(Reader& reader, std::string_view data) {
  const std::size_t end = data.find("\r\n\r\n");
  if (end == std::string_view::npos) return 0;
  if (!data.starts_with("HTTP/1.1 101 ")) {
    ++counters_.refused;
    lose(reader, 0);
    return data.size();
  }
  reader.open = true;
  --opening_;
  return end + 4;
}

std::size_t Crowd::take_frame(Reader& reader, std::string_view data) {
  if (data.size() < 2) return 0;
  std::size_t size = static_cast<unsigned char>(data[1]);
  const std::size_t head = size < 126 ? 2 : size == 126 ? 4 : 10;
  if (data.size() < head) return 0;
  if (head > 2) {
    size = 0;
    for (std::size_t at = 2; at < head; ++at) size = (size << 8U) | static_cast<unsigned char>(data[at]);
  }
  if (data.size() < head + size) return 0;
  const std::string_view payload = data.substr(head, size);
  switch (static_cast<unsigned char>(data[0])) {
    case 0x82:
      take_message(reader, payload);
      break;
    case 0x89:
      static_cast<void>(send(reader.fd, pong.data(), pong.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
      break;
    case 0x88:
      lose(reader, payload.size() < 2 ? std::uint16_t{1005}
                                      : static_cast<std::uint16_t>(static_cast<unsigned char>(payload[0]) * 256U +
                                                                   static_cast<unsigned char>(payload[1])));
      break;
    default:
      fault(reader, "a frame that begins with " + std::to_string(static_cast<unsigned char>(data[0])));
      lose(reader, 0);
  }
  return head + size;
}

void Crowd::take_message(Reader& reader, std::string_view payload) {
  if (payload.size() < head_bytes || payload[0] != 1) return fault(reader, "a message that is not of version 1");
  const bool is_snapshot = payload[1] == 1;
  const std::uint64_t lsn = little_endian(payload.substr(8, 8));
  const std::uint64_t prev_lsn = little_endian(payload.substr(16, 8));
  if (reader.fresh && reader.lsn == 0 && !is_snapshot) fault(reader, "the first message is no snapshot");
  if (!is_snapshot && prev_lsn != reader.lsn) {
    fault(reader, "at " + std::to_string(reader.lsn) + " came what builds on " + std::to_string(prev_lsn));
  }
  if (lsn < reader.lsn) fault(reader, "back from " + std::to_string(reader.lsn) + " to " + std::to_string(lsn));
  reader.fresh = false;
  reader.lsn = lsn;
  reader.map = payload.substr(head_bytes);
  reader.heard_ns = monotonic_ns();
  ++counters_.messages;
}

void Crowd::lose(Reader& reader, std::uint16_t code) {
  if (reader.open) {
    ++counters_.closed[code];
    ++counters_.reconnects;
  } else {
    --opening_;
  }
  reader.open = false;
  if (reader.fd >= 0) close(reader.fd);
  reader.fd = -1;
  const auto more_ns = std::uniform_int_distribution<std::int64_t>(0, again_ns)(random_);
  due_.push({monotonic_ns() + again_ns + more_ns, static_cast<std::size_t>(&reader - readers_.data())});
}

void Crowd::fault(const Reader& reader, const std::string& what) {
  if (counters_.faults.size() >= faults_kept) return;
  counters_.faults.push_back("reader " + std::to_string(&reader - readers_.data()) + ": " + what);
}

std::size_t Crowd::there(std::uint64_t lsn) const noexcept {
  return static_cast<std::size_t>(std::count_if(readers_.begin(), readers_.end(),
                                                [&](const Reader& r) { return r.heard_ns != 0 && r.lsn >= lsn; }));
}

Crowd::State Crowd::state(std::uint64_t lsn) const {
  State state;
  for (const Reader& reader : readers_) {
    state.connected += reader.open ? 1U : 0U;
    if (reader.heard_ns == 0 || reader.lsn < lsn) continue;
    ++state.there;
    if (state.first_ns == 0 || reader.heard_ns < state.first_ns) state.first_ns = reader.heard_ns;
    state.last_ns = std::max(state.last_ns, reader.heard_ns);
    ++state.maps[{reader.lsn, reader.map}];
  }
  return state;
}

}  // namespace usher::bench
