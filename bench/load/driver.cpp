#include "bench/load/driver.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace usher::bench {

namespace {

int connect_to(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    std::perror("usher_load: connect");
    if (fd >= 0) ::close(fd);
    return -1;
  }
  const int one = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  return fd;
}

}  // namespace

Driver::Driver(const Workload& workload, Mode mode, const DriverOptions& options)
    : workload_(workload), mode_(mode), options_(options), input_(256U * 1024U), next_(options.first) {}

Driver::~Driver() {
  for (Connection& connection : connections_) {
    if (connection.fd >= 0) ::close(connection.fd);
  }
  if (epoll_ >= 0) ::close(epoll_);
}

bool Driver::connect_all() {
  epoll_ = ::epoll_create1(0);
  connections_.resize(options_.connections);
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    Connection& connection = connections_[i];
    connection.fd = connect_to(options_.port);
    if (connection.fd < 0) return false;
    connection.index = options_.connection_base + i;
    connection.in_flight.resize(options_.pipeline);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = i;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd, &event);
  }
  return true;
}

bool Driver::may_send() const noexcept {
  if (stopping_) return false;
  if (options_.requests != 0 && result_.sent >= options_.requests) return false;
  return mode_ == Mode::hot || next_ < workload_.size();
}

/// Puts requests into the output until the pipeline is full. The time is the one read for this round of events.
void Driver::fill(Connection& connection) {
  while (connection.count < options_.pipeline && may_send()) {
    if (mode_ == Mode::hot && !connection.reservation.empty()) {
      workload_.append_delete(connection.index, connection.reservation, connection.out);
      connection.reservation.clear();
    } else if (mode_ == Mode::hot) {
      workload_.append_hot(connection.index, connection.out);
    } else {
      workload_.append(next_, connection.out);
    }
    connection.in_flight[(connection.first + connection.count) % options_.pipeline] = {next_, now_};
    ++connection.count;
    ++in_flight_;
    ++result_.sent;
    next_ += options_.stride;
  }
}

void Driver::flush(Connection& connection) {
  while (connection.fd >= 0 && connection.out_sent < connection.out.size()) {
    const ssize_t sent = ::send(connection.fd, connection.out.data() + connection.out_sent,
                                connection.out.size() - connection.out_sent, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return drop(connection);
    if (sent < 0) break;
    connection.out_sent += static_cast<std::size_t>(sent);
  }
  const bool left = connection.out_sent < connection.out.size();
  if (!left) {
    connection.out.clear();
    connection.out_sent = 0;
  }
  if (connection.fd < 0 || left == connection.wants_write) return;
  connection.wants_write = left;
  epoll_event event{};
  event.events = left ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.u64 = connection.index - options_.connection_base;
  ::epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.fd, &event);
}

void Driver::drop(Connection& connection) {
  if (connection.fd < 0) return;
  ::close(connection.fd);
  connection.fd = -1;
  in_flight_ -= connection.count;
  connection.count = 0;
  ++result_.connections_lost;
}

void Driver::on_answer(Connection& connection, const Answer& answer) {
  if (connection.count == 0) return drop(connection);  // an answer nobody asked for
  const InFlight& asked = connection.in_flight[connection.first];
  const auto status = static_cast<std::size_t>(answer.status >= 0 && answer.status < 600 ? answer.status : 0);
  ++result_.total[status];
  if (measuring_) {
    ++result_.measured[status];
    result_.latency.add(static_cast<std::uint64_t>(std::chrono::nanoseconds(now_ - asked.sent).count()));
  }
  if (measuring_ && mode_ == Mode::commands) {
    constexpr std::string_view good = "\"status\":201";
    for (std::size_t at = answer.body.find(good); at != std::string_view::npos; at = answer.body.find(good, at + 1)) {
      ++result_.lines_201;
    }
  }
  if (status == 201 && (mode_ == Mode::hot || options_.log != nullptr)) {
    const std::string_view id = text_member(answer.body, "\"reservation_id\":");
    if (mode_ == Mode::hot) connection.reservation = id;
    if (options_.log != nullptr && mode_ != Mode::hot) {
      const RequestNames names = workload_.names(asked.number);
      std::fprintf(options_.log, "%.*s %.*s load-%05zu %.*s\n", static_cast<int>(id.size()), id.data(),
                   static_cast<int>(names.show.size()), names.show.data(), names.user,
                   static_cast<int>(names.seats.size()), names.seats.data());
    }
  }
  connection.first = (connection.first + 1) % options_.pipeline;
  --connection.count;
  --in_flight_;
}

/// Returns: how many bytes were whole answers.
std::size_t Driver::consume(Connection& connection, std::string_view bytes) {
  std::size_t used = 0;
  while (connection.fd >= 0) {
    const Answer answer = scanner_.next(bytes.substr(used));
    if (scanner_.failed()) drop(connection);
    if (answer.size == 0) break;
    used += answer.size;
    on_answer(connection, answer);
  }
  return used;
}

void Driver::on_readable(Connection& connection) {
  const ssize_t count = ::recv(connection.fd, input_.data(), input_.size(), 0);
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0) return drop(connection);
  const std::string_view fresh{input_.data(), static_cast<std::size_t>(count)};
  if (connection.carried.empty()) {
    connection.carried = fresh.substr(consume(connection, fresh));
  } else {
    connection.carried += fresh;
    connection.carried.erase(0, consume(connection, connection.carried));
  }
  if (connection.fd < 0) return;
  fill(connection);
  flush(connection);
}

/// Starts to measure after the warm-up, and stops to send after the time that was asked for.
void Driver::begin_or_end(Clock::time_point measure_from) {
  if (stopping_) return;
  const bool timed = options_.seconds > 0;
  if (!measuring_ && now_ >= measure_from && result_.sent >= options_.warmup_requests) {
    measuring_ = true;
    began_ = now_;
  }
  const bool over = timed && measuring_ && now_ - began_ >= std::chrono::duration<double>(options_.seconds);
  if (!over && may_send()) return;
  result_.walk_ended = options_.requests == 0 && !over;
  stopping_ = true;
  if (timed) measuring_ = false;
  ended_ = now_;
}

DriverResult Driver::run() {
  if (!connect_all()) return result_;
  now_ = Clock::now();
  const auto warmup = std::chrono::duration<double>(options_.warmup_seconds);
  const auto measure_from = now_ + std::chrono::duration_cast<Clock::duration>(warmup);
  begin_or_end(measure_from);
  for (Connection& connection : connections_) {
    fill(connection);
    flush(connection);
  }
  std::array<epoll_event, 1024> events{};
  while (in_flight_ > 0) {
    const int ready = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 1'000);
    now_ = Clock::now();
    begin_or_end(measure_from);
    if (stopping_ && now_ - ended_ > std::chrono::seconds(10)) break;
    for (int i = 0; i < ready; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      Connection& connection = connections_[event.data.u64];
      if (connection.fd >= 0 && (event.events & EPOLLOUT) != 0) flush(connection);
      if (connection.fd < 0 || (event.events & ~std::uint32_t{EPOLLOUT}) == 0) continue;
      now_ = Clock::now();
      on_readable(connection);
    }
  }
  if (options_.seconds <= 0) ended_ = now_;
  result_.seconds = std::chrono::duration<double>(ended_ - began_).count();
  return result_;
}

}  // namespace usher::bench
