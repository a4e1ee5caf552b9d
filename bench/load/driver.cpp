#include "bench/load/driver.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

namespace usher::bench {

namespace {

constexpr std::size_t in_bytes = 4'096;
enum class Operation : std::uint8_t { receive, send, poll };

std::uint64_t tag_of(Operation operation, std::size_t index) {
  return (std::uint64_t{static_cast<std::uint8_t>(operation)} << 32U) | index;
}

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
    : workload_(workload), mode_(mode), options_(options), input_(256U * 1024U), next_(options.first) {
  if (options.rate_per_s > 0) arrivals_.emplace(options.rate_per_s, options.first + 1);
}

Driver::~Driver() {
  for (Connection& connection : connections_) {
    if (connection.fd >= 0) ::close(connection.fd);
  }
  if (epoll_ >= 0) ::close(epoll_);
  if (wake_ >= 0) ::close(wake_);
}

bool Driver::connect_all() {
  epoll_ = ::epoll_create1(0);
  wake_ = ::eventfd(0, EFD_NONBLOCK);
  ring_ = server::http::Ring::make(wake_);
  connections_.resize(options_.connections);
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    Connection& connection = connections_[i];
    connection.fd = connect_to(options_.port);
    if (connection.fd < 0) return false;
    connection.index = options_.connection_base + i;
    connection.in_flight.resize(options_.pipeline);
    if (ring_) {
      connection.in = std::make_unique<char[]>(in_bytes);
      receive(connection);
      continue;
    }
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = i;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd, &event);
  }
  return true;
}

/// Open loop: whether somebody who was to start before the end has not started yet.
bool Driver::somebody_waits() const noexcept {
  const bool all_sent = options_.requests != 0 && result_.sent >= options_.requests;
  return arrivals_ && stopping_ && !all_sent && arrivals_->next() < ended_;
}

bool Driver::may_send() const noexcept {
  if (stopping_ && !somebody_waits()) return false;
  if (options_.requests != 0 && result_.sent >= options_.requests) return false;
  return mode_ == Mode::hot || next_ < workload_.size();
}

/// Puts the next request into the output; `start` is when its latency begins.
void Driver::append_next(Connection& connection, Clock::time_point start) {
  std::uint64_t number = next_;
  if (mode_ != Mode::hot) {
    workload_.append(next_, connection.out);
  } else if (!connection.reservation.empty()) {
    workload_.append_delete(connection.index, connection.reservation, connection.out);
    number = connection.asked;
  } else {
    workload_.append_hot(connection.index, connection.visits, connection.out);
    number = connection.asked = workload_.hot_number(connection.index, connection.visits++);
  }
  connection.in_flight[(connection.first + connection.count) % options_.pipeline] = {number, start};
  ++connection.count;
  ++in_flight_;
  ++result_.sent;
  next_ += options_.stride;
}

/// Closed loop: fills the pipeline. The time is the one read for this round of events. Open loop: the connection is
/// idle.
void Driver::fill(Connection& connection) {
  if (arrivals_) {
    if (connection.count == 0) {
      idle_[(idle_first_ + idle_count_++) % idle_.size()] = connection.index - options_.connection_base;
    }
    return;
  }
  // what is held at the end is given back, so that another run finds the seats free
  const auto gives_back = [&] { return stopping_ && !connection.reservation.empty(); };
  while (connection.count < options_.pipeline && (may_send() || gives_back())) append_next(connection, now_);
}

/// Open loop: starts what was to start by now, as far as there are idle connections; the others wait, and it counts.
void Driver::start_arrived() {
  while (arrivals_ && idle_count_ > 0 && arrivals_->next() <= now_ && may_send()) {
    Connection& connection = connections_[idle_[idle_first_]];
    idle_first_ = (idle_first_ + 1) % idle_.size();
    --idle_count_;
    if (connection.fd < 0) continue;
    append_next(connection, arrivals_->next());
    arrivals_->advance();
    flush(connection);
  }
}

void Driver::receive(Connection& connection) {
  ring_->receive(connection.fd, connection.in.get(), in_bytes,
                 tag_of(Operation::receive, connection.index - options_.connection_base));
}

void Driver::flush(Connection& connection) {
  if (ring_) {
    if (connection.fd < 0 || connection.sending || connection.out.empty()) return;
    connection.sending = true;
    ++sends_queued_;
    return ring_->send(connection.fd, connection.out.data() + connection.out_sent,
                       connection.out.size() - connection.out_sent,
                       tag_of(Operation::send, connection.index - options_.connection_base));
  }
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
  ::shutdown(connection.fd, SHUT_RDWR);  // ends what the ring waits for
  ::close(connection.fd);
  connection.fd = -1;
  in_flight_ -= connection.count;
  result_.unanswered += connection.count;
  connection.count = 0;
  ++result_.connections_lost;
}

void Driver::on_answer(Connection& connection, const Answer& answer) {
  if (connection.count == 0) return drop(connection);  // an answer nobody asked for
  const InFlight asked = connection.in_flight[connection.first];
  connection.first = (connection.first + 1) % options_.pipeline;
  --connection.count;
  --in_flight_;
  const auto status = static_cast<std::size_t>(answer.status >= 0 && answer.status < 600 ? answer.status : 0);
  ++result_.total[status];
  std::uint64_t successes = status == 200 || status == 201 ? 1 : 0;
  if (mode_ == Mode::commands) successes = count_lines(asked.number, answer.body);
  if (mode_ != Mode::commands && mode_ != Mode::seats) remember(connection, status, asked.number, answer.body);
  measure(asked, status, successes);
}

void Driver::measure(const InFlight& asked, std::size_t status, std::uint64_t successes) {
  // in the open loop what was to start while it was measured counts, however late the answer comes
  const bool counts = arrivals_
                          ? began_ != Clock::time_point{} && asked.sent >= began_ && (!stopping_ || asked.sent < ended_)
                          : measuring_;
  if (!counts) return;
  ++result_.measured[status];
  if (mode_ == Mode::commands) result_.lines_201 += successes;
  const auto took_ns = static_cast<std::uint64_t>(std::chrono::nanoseconds(now_ - asked.sent).count());
  result_.latency.add(took_ns);
  if (status == 503) result_.refusals.add(took_ns);
  const auto step = static_cast<std::size_t>((now_ - began_) / DriverResult::timeline_step);
  if (step >= result_.timeline.size()) result_.timeline.resize(step + 1);
  result_.timeline[step] += successes;
}

void Driver::remember(Connection& connection, std::size_t status, std::uint64_t number, std::string_view body) {
  if (status == 204 && options_.remember) result_.told.add(number, true, connection.reservation);
  if (status == 204) connection.reservation.clear();
  if (status != 201 || (mode_ != Mode::hot && !options_.remember)) return;
  const std::string_view id = reservation_id_.find(body);
  if (mode_ == Mode::hot) connection.reservation = id;
  if (options_.remember) result_.told.add(number, false, id);
}

/// Returns: how many lines of a batch's answer are 201.
std::uint64_t Driver::count_lines(std::uint64_t number, std::string_view body) {
  std::uint64_t good = 0;
  std::uint64_t line_number = number * workload_.batch();
  while (!body.empty()) {
    const std::string_view line = body.substr(0, body.find('\n'));
    if (good_line_.in(line)) {
      ++good;
      if (options_.remember) result_.told.add(line_number, false, reservation_id_.find(line));
    }
    ++line_number;
    body.remove_prefix(std::min(body.size(), line.size() + 1));
  }
  return good;
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
  take(connection, {input_.data(), static_cast<std::size_t>(count)});
}

void Driver::take(Connection& connection, std::string_view fresh) {
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

void Driver::on_result(std::uint64_t tag, std::int32_t result) {
  Connection& connection = connections_[static_cast<std::uint32_t>(tag)];
  if (connection.fd < 0) return;
  switch (static_cast<Operation>(tag >> 32U)) {
    case Operation::receive:
      if (result <= 0) return drop(connection);
      take(connection, {connection.in.get(), static_cast<std::size_t>(result)});
      if (connection.fd >= 0) receive(connection);
      return;
    case Operation::send:
      return on_sent(connection, result);
    case Operation::poll:
      connection.sending = false;
      return flush(connection);
  }
}

void Driver::on_sent(Connection& connection, std::int32_t result) {
  if (result < 0 && result != -EAGAIN) return drop(connection);
  connection.out_sent += static_cast<std::size_t>(std::max(result, 0));
  if (connection.out_sent < connection.out.size()) {
    return ring_->poll_writable(connection.fd, tag_of(Operation::poll, connection.index - options_.connection_base));
  }
  connection.sending = false;
  connection.out.clear();
  connection.out_sent = 0;
}

std::chrono::nanoseconds Driver::time_to_wait() const {
  if (!arrivals_ || stopping_ || idle_count_ == 0) return std::chrono::seconds{1};
  return std::max<std::chrono::nanoseconds>(arrivals_->next() - Clock::now(), std::chrono::nanoseconds{0});
}

/// Waits until something is ready or, in the open loop, until the next one arrives. Returns: how many events there are.
int Driver::wait_for_events() {
  const auto size = static_cast<int>(events_.size());
  if (!arrivals_ || stopping_ || idle_count_ == 0) return ::epoll_wait(epoll_, events_.data(), size, 1'000);
  const auto left = std::max<std::int64_t>(0, std::chrono::nanoseconds(arrivals_->next() - Clock::now()).count());
  const timespec timeout{left / 1'000'000'000, left % 1'000'000'000};
  return ::epoll_pwait2(epoll_, events_.data(), size, &timeout, nullptr);
}

void Driver::on_events(int count) {
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events_[static_cast<std::size_t>(i)];
    Connection& connection = connections_[event.data.u64];
    if (connection.fd >= 0 && (event.events & EPOLLOUT) != 0) flush(connection);
    if (connection.fd < 0 || (event.events & ~std::uint32_t{EPOLLOUT}) == 0) continue;
    now_ = Clock::now();
    on_readable(connection);
    start_arrived();
  }
}

bool Driver::goes_on() const noexcept {
  if (stopping_ && now_ - ended_ > std::chrono::seconds(10)) return false;
  return in_flight_ > 0 || somebody_waits() || (arrivals_ && !stopping_);
}

/// Answers that are here together are read, and what follows them is sent, by one system call. The time of all of them
/// is that at which they were found.
void Driver::run_ring(Clock::time_point measure_from) {
  while (goes_on()) {
    const unsigned sends = std::exchange(sends_queued_, 0);
    ring_->enter_and_wait(sends + 1, time_to_wait());
    now_ = Clock::now();
    begin_or_end(measure_from);
    start_arrived();
    ring_->reap([this](std::uint64_t tag, std::int32_t result) { on_result(tag, result); });
    start_arrived();
  }
}

void Driver::run_epoll(Clock::time_point measure_from) {
  while (goes_on()) {
    const int ready = wait_for_events();
    now_ = Clock::now();
    begin_or_end(measure_from);
    start_arrived();
    on_events(ready);
  }
}

DriverResult Driver::run() {
  if (!connect_all()) return std::move(result_);
  ::prctl(PR_SET_TIMERSLACK, 1);  // the open loop's waits are meant to the nanosecond
  now_ = Clock::now();
  const auto warmup = std::chrono::duration<double>(options_.warmup_seconds);
  const auto measure_from = now_ + std::chrono::duration_cast<Clock::duration>(warmup);
  begin_or_end(measure_from);
  if (arrivals_) arrivals_->begin(now_);
  idle_.resize(connections_.size());
  for (Connection& connection : connections_) {
    fill(connection);
    flush(connection);
  }
  ring_ ? run_ring(measure_from) : run_epoll(measure_from);
  result_.unanswered += in_flight_;
  for (; somebody_waits(); arrivals_->advance()) ++result_.unanswered;
  if (options_.seconds <= 0) ended_ = now_;
  result_.seconds = std::chrono::duration<double>(ended_ - began_).count();
  return std::move(result_);
}

}  // namespace usher::bench
