#include "bench/feed/readers.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace usher::bench {
namespace {

// Handshakes under way at once: those of a crowd that comes, not of an attack.
constexpr std::size_t opening_max = 64;
constexpr std::int64_t open_timeout_ns = 60'000'000'000;
constexpr unsigned text_frame = 0x81;
constexpr unsigned ping_frame = 0x89;
constexpr std::string_view pong{"\x8a\x80\0\0\0\0", 6};
constexpr std::string_view blank_line{"\r\n\r\n"};

}  // namespace

std::int64_t monotonic_ns() noexcept {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

int connect_to(std::uint16_t port, unsigned source) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + source);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  }
  std::perror("usher_feed_load: connect");
  std::exit(1);
}

Readers::~Readers() {
  for (const Reader& reader : readers_) {
    if (reader.fd >= 0) close(reader.fd);
  }
  if (epoll_ >= 0) close(epoll_);
}

bool Readers::open(std::size_t count) {
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  readers_.resize(count);
  wanted_ = 1;
  waited_for_ = count;
  const std::int64_t deadline_ns = monotonic_ns() + open_timeout_ns;
  std::size_t opened = 0;
  while (waited_for_ > 0 && monotonic_ns() < deadline_ns) {
    for (; opened < count && opened - (count - waited_for_) < opening_max; ++opened) start(opened);
    read_ready(100);
  }
  return waited_for_ == 0;
}

void Readers::start(std::size_t index) {
  Reader& reader = readers_[index];
  reader.fd = connect_to(port_, 2 + static_cast<unsigned>(index % 8));
  const std::string request = "GET " + path_ +
                              " HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                              "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  if (send(reader.fd, request.data(), request.size(), MSG_NOSIGNAL) < 0) std::perror("usher_feed_load: send");
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = index;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, reader.fd, &event);
}

bool Readers::read_until(std::uint32_t messages, std::int64_t timeout_ns) {
  wanted_ = messages;
  first_ns_ = last_ns_ = 0;
  waited_for_ = static_cast<std::size_t>(std::count_if(
      readers_.begin(), readers_.end(), [&](const Reader& r) { return r.fd >= 0 && r.messages < messages; }));
  const std::int64_t deadline_ns = monotonic_ns() + timeout_ns;
  while (waited_for_ > 0 && monotonic_ns() < deadline_ns) read_ready(100);
  return waited_for_ == 0;
}

void Readers::read_for(std::int64_t ns) {
  wanted_ = 0;
  const std::int64_t deadline_ns = monotonic_ns() + ns;
  for (std::int64_t left = ns; left > 0; left = deadline_ns - monotonic_ns()) {
    read_ready(static_cast<int>(left / 1'000'000));
  }
}

void Readers::read_ready(int timeout_ms) {
  std::array<epoll_event, 512> events;
  const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), timeout_ms);
  for (int i = 0; i < count; ++i) read(readers_[events[static_cast<std::size_t>(i)].data.u64]);
}

void Readers::read(Reader& reader) {
  static std::array<char, 64 * 1024> buffer;
  const auto size = recv(reader.fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (size < 0) return;
  now_ns_ = monotonic_ns();
  if (size == 0) return lose(reader);
  std::string_view data{buffer.data(), static_cast<std::size_t>(size)};
  while (!data.empty() && reader.fd >= 0) data.remove_prefix(take(reader, data));
}

// Returns: how many bytes were dealt with.
std::size_t Readers::take(Reader& reader, std::string_view data) {
  if (reader.phase == Phase::answer) return take_answer(reader, data);
  if (reader.phase == Phase::head) {
    take_head(reader, static_cast<unsigned char>(data.front()));
    return 1;
  }
  const std::size_t used = std::min<std::size_t>(data.size(), reader.left);
  reader.left -= used;
  if (reader.left == 0) take_message(reader);
  return used;
}

std::size_t Readers::take_answer(Reader& reader, std::string_view data) noexcept {
  for (std::size_t at = 0; at < data.size(); ++at) {
    reader.matched = data[at] == blank_line[reader.matched] ? static_cast<std::uint8_t>(reader.matched + 1)
                                                            : static_cast<std::uint8_t>(data[at] == '\r');
    if (reader.matched < blank_line.size()) continue;
    reader.phase = Phase::head;
    return at + 1;
  }
  return data.size();
}

void Readers::take_head(Reader& reader, unsigned char byte) {
  reader.head[reader.head_size++] = byte;
  if (reader.head_size < 2) return;
  const unsigned length = reader.head[1];
  const std::size_t more = length == 126 ? 2 : length == 127 ? 8 : 0;
  if (reader.head_size < 2 + more) return;
  reader.left = more == 0 ? length : 0;
  for (std::size_t at = 2; at < 2 + more; ++at) reader.left = (reader.left << 8U) | reader.head[at];
  reader.head_size = 0;
  reader.phase = Phase::payload;
  if (reader.left == 0) take_message(reader);
}

// A frame is whole. The servers here send no fragments.
void Readers::take_message(Reader& reader) {
  reader.phase = Phase::head;
  if (reader.head[0] == ping_frame) {
    static_cast<void>(send(reader.fd, pong.data(), pong.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
    return;
  }
  if (reader.head[0] != text_frame) return lose(reader);
  ++messages_;
  message_bytes_ = reader.head[1] < 126 ? reader.head[1] : reader.head[2] * 256U + reader.head[3];
  if (++reader.messages != wanted_) return;
  --waited_for_;
  last_ns_ = now_ns_;
  if (first_ns_ == 0) first_ns_ = now_ns_;
}

void Readers::lose(Reader& reader) {
  close(reader.fd);
  reader.fd = -1;
  ++lost_;
  if (reader.messages < wanted_) --waited_for_;
}

}  // namespace usher::bench
