#include "bench/peers/closed_loop.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <numeric>

#include "bench/load/arguments.hpp"
#include "bench/load/figures.hpp"

namespace usher::bench {

namespace {

/// The same walk as bench/load's: each show once, neighbours far apart.
std::size_t coprime_stride(std::size_t count) {
  std::size_t stride = 7'919;
  while (std::gcd(stride, count) != 1) ++stride;
  return stride;
}

constexpr std::chrono::milliseconds timeline_step{100};

}  // namespace

ClosedLoop::ClosedLoop(const ClosedLoopOptions& options, Peer& peer)
    : options_(options), peer_(peer), clients_(options.clients), stride_(coprime_stride(options.shows)) {
  result_.next = options.offset;
  peer_.finished = [this](std::size_t client, bool success) { on_finished(client, success); };
}

ClosedLoop::~ClosedLoop() {
  if (epoll_ >= 0) ::close(epoll_);
}

void ClosedLoop::start(std::size_t index) {
  Client& client = clients_[index];
  client.sent = now_;
  if (client.holds) {
    client.ask.release = true;
  } else if (stopping_) {
    return;
  } else if (options_.hot) {
    client.ask = {false, static_cast<std::uint32_t>(options_.shows),
                  static_cast<std::uint32_t>(2 * (index % options_.pairs)), ++reservations_};
  } else {
    const std::uint64_t number = result_.next++;
    const auto show = static_cast<std::uint32_t>((number * stride_) % options_.shows);
    const auto pair = number / options_.shows;
    if (pair >= options_.pairs) {
      result_.walk_ended = stopping_ = true;
      return;
    }
    client.ask = {false, show, static_cast<std::uint32_t>(2 * pair), ++reservations_};
  }
  ++in_flight_;
  peer_.send(index, client.ask);
}

void ClosedLoop::on_finished(std::size_t index, bool success) {
  Client& client = clients_[index];
  --in_flight_;
  now_ = Clock::now();
  begin_or_end();
  measure(client, success);
  if (!success) ++result_.refused;
  if (success && client.ask.release) --result_.held;
  if (success && !client.ask.release) ++result_.held;
  client.holds = options_.hot && (client.ask.release ? !success : success);
  start(index);
}

void ClosedLoop::measure(const Client& client, bool success) {
  if (now_ < measure_from_ || stopping_) return;
  const bool counts = success && !client.ask.release;
  ++result_.answered;
  result_.reserved += counts ? 1U : 0U;
  result_.latency.add(static_cast<std::uint64_t>(std::chrono::nanoseconds(now_ - client.sent).count()));
  const auto step = static_cast<std::size_t>((now_ - measure_from_) / timeline_step);
  if (step >= result_.timeline.size()) result_.timeline.resize(step + 1);
  result_.timeline[step] += counts ? 1U : 0U;
}

void ClosedLoop::begin_or_end() {
  if (stopping_ || (options_.requests == 0 ? now_ < measure_until_ : result_.answered < options_.requests)) return;
  stopping_ = true;
  result_.seconds = std::chrono::duration<double>(now_ - measure_from_).count();
}

std::string ClosedLoop::run() {
  epoll_ = ::epoll_create1(0);
  std::string problem = peer_.connect(options_.clients, epoll_);
  if (!problem.empty()) return problem;
  const auto duration = [](double seconds) {
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  };
  now_ = Clock::now();
  measure_from_ = now_ + duration(options_.requests == 0 ? options_.warmup_seconds : 0.0);
  measure_until_ = measure_from_ + duration(options_.seconds);
  for (std::size_t client = 0; client < clients_.size(); ++client) start(client);
  std::array<epoll_event, 512> events{};
  while (in_flight_ > 0) {
    const int ready = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 60'000);
    if (ready == 0) return "no answer for a minute";
    now_ = Clock::now();
    for (int i = 0; i < ready; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      peer_.on_event(event.data.u64, event.events);
    }
  }
  return {};
}

ClosedLoopOptions closed_loop_options(Arguments& arguments) {
  ClosedLoopOptions options;
  options.clients = arguments.count("clients", options.clients);
  options.shows = arguments.count("shows", options.shows);
  options.pairs = arguments.count("pairs", options.pairs);
  options.hot = arguments.count("hot", 0) != 0;
  options.offset = arguments.count("offset", 0);
  options.requests = arguments.count("requests", 0);
  options.seconds = arguments.real("seconds", options.seconds);
  options.warmup_seconds = arguments.real("warmup", options.warmup_seconds);
  return options;
}

int run_and_print(const ClosedLoopOptions& options, Peer& peer) {
  if (options.hot && options.clients > options.pairs) {
    std::fprintf(stderr, "one hot show: at most %zu clients, since each has seats of its own\n", options.pairs);
    return 2;
  }
  ClosedLoop loop(options, peer);
  if (const std::string problem = loop.run(); !problem.empty()) {
    std::fprintf(stderr, "%s\n", problem.c_str());
    return 1;
  }
  const ClosedLoopResult& result = loop.result();
  const double seconds = result.seconds > 0 ? result.seconds : 1e-9;
  std::printf(
      "{\"rate\": %.1f, \"rate_201\": %.1f, \"seconds\": %.4f, \"refused\": %llu, \"held\": %llu, \"next\": %llu, ",
      static_cast<double>(result.answered) / seconds, static_cast<double>(result.reserved) / seconds, result.seconds,
      static_cast<unsigned long long>(result.refused), static_cast<unsigned long long>(result.held),
      static_cast<unsigned long long>(result.next));
  std::printf("\"walk_ended\": %s, ", result.walk_ended ? "true" : "false");
  print_figures(result.latency, result.timeline);
  std::printf("}\n");
  return 0;
}

}  // namespace usher::bench
