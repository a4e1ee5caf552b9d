/// The Redis peer: seats are keys that expire, taken and given back by Lua scripts, as the textbook does it.
///
/// Usage: usher_peer_redis --port N [--clients N] [--shows N] [--pairs N] [--hot 0|1] [--offset N] [--seconds S]
/// [--warmup S] [--requests N] hiredis' asynchronous contexts, one per client, on one thread. Commands are formatted by
/// hand into one buffer: the client must not be what is measured.

#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <sys/epoll.h>

#include <charconv>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bench/load/arguments.hpp"
#include "bench/peers/closed_loop.hpp"

namespace {

using namespace usher::bench;

/// Takes all seats or none: 1 or 0. The value says whose they are; they come free by themselves after ARGV[2] ms.
constexpr std::string_view reserve_script =
    "if redis.call('EXISTS', KEYS[1], KEYS[2]) > 0 then return 0 end "
    "redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) "
    "redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2]) return 1";
/// Gives back what the reservation holds: 1, or 0 when it does not hold both seats.
constexpr std::string_view release_script =
    "if redis.call('GET', KEYS[1]) ~= ARGV[1] or redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end "
    "redis.call('DEL', KEYS[1], KEYS[2]) return 1";

/// Returns: the script's SHA-1 by which EVALSHA knows it; empty when Redis refused it.
std::string load_script(redisContext* context, std::string_view script) {
  auto* reply = static_cast<redisReply*>(redisCommand(context, "SCRIPT LOAD %b", script.data(), script.size()));
  std::string sha = reply != nullptr && reply->type == REDIS_REPLY_STRING ? std::string(reply->str, reply->len) : "";
  if (reply != nullptr) freeReplyObject(reply);
  return sha;
}

/// hiredis' event hooks over one epoll.
class Watch {
 public:
  Watch(redisAsyncContext* context, std::size_t index, int epoll) : context_(context), index_(index), epoll_(epoll) {
    epoll_event event{};
    event.data.u64 = index;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, context->c.fd, &event);
    context->ev.data = this;
    context->ev.addRead = [](void* self) { static_cast<Watch*>(self)->change(EPOLLIN, true); };
    context->ev.delRead = [](void* self) { static_cast<Watch*>(self)->change(EPOLLIN, false); };
    context->ev.addWrite = [](void* self) { static_cast<Watch*>(self)->change(EPOLLOUT, true); };
    context->ev.delWrite = [](void* self) { static_cast<Watch*>(self)->change(EPOLLOUT, false); };
    context->ev.cleanup = [](void*) {};
  }
  [[nodiscard]] redisAsyncContext* context() const noexcept { return context_; }

 private:
  void change(std::uint32_t flag, bool wanted) {
    const std::uint32_t events = wanted ? events_ | flag : events_ & ~flag;
    if (events == events_) return;
    events_ = events;
    epoll_event event{};
    event.events = events;
    event.data.u64 = index_;
    ::epoll_ctl(epoll_, EPOLL_CTL_MOD, context_->c.fd, &event);
  }

  redisAsyncContext* context_;
  std::size_t index_;
  int epoll_;
  std::uint32_t events_ = 0;
};

class RedisPeer final : public Peer {
 public:
  explicit RedisPeer(int port) : port_(port) {}
  ~RedisPeer() override {
    for (const std::unique_ptr<Watch>& watch : watches_) redisAsyncFree(watch->context());
  }
  RedisPeer(const RedisPeer&) = delete;
  RedisPeer& operator=(const RedisPeer&) = delete;

  std::string connect(std::size_t clients, int epoll) override {
    const std::unique_ptr<redisContext, void (*)(redisContext*)> first(redisConnect("127.0.0.1", port_), redisFree);
    if (!first || first->err != 0) return "cannot connect to Redis";
    reserve_sha_ = load_script(first.get(), reserve_script);
    release_sha_ = load_script(first.get(), release_script);
    if (reserve_sha_.empty() || release_sha_.empty()) return "Redis does not take the scripts";
    for (std::size_t i = 0; i < clients; ++i) {
      redisAsyncContext* context = redisAsyncConnect("127.0.0.1", port_);
      if (context == nullptr || context->err != 0) return "cannot connect to Redis";
      watches_.push_back(std::make_unique<Watch>(context, i, epoll));
      asking_.push_back({this, i});
      context->ev.addWrite(context->ev.data);  // the end of the connect
    }
    return {};
  }

  void send(std::size_t client, const Ask& ask) override {
    format(ask);
    redisAsyncFormattedCommand(watches_[client]->context(), &RedisPeer::on_reply, &asking_[client], command_.data(),
                               command_.size());
    // hiredis asks to be told when it may write; it may now, unless it is still connecting
    redisAsyncContext* context = watches_[client]->context();
    if ((context->c.flags & REDIS_CONNECTED) != 0) redisAsyncHandleWrite(context);
  }

  void on_event(std::size_t client, std::uint32_t events) override {
    redisAsyncContext* context = watches_[client]->context();
    if ((events & EPOLLOUT) != 0) redisAsyncHandleWrite(context);
    if ((events & ~std::uint32_t{EPOLLOUT}) != 0) redisAsyncHandleRead(context);
  }

 private:
  struct Asking {
    RedisPeer* peer;
    std::size_t client;
  };

  static void on_reply(redisAsyncContext*, void* reply, void* asking) {
    const auto* answer = static_cast<redisReply*>(reply);
    if (answer == nullptr || answer->type != REDIS_REPLY_INTEGER) {
      std::fprintf(stderr, "Redis answered: %s\n", answer == nullptr ? "nothing" : answer->str);
      std::exit(1);
    }
    const auto* who = static_cast<Asking*>(asking);
    who->peer->finished(who->client, answer->integer == 1);
  }

  void put(std::string_view argument) {
    command_ += '$';
    put_number(argument.size());
    command_ += "\r\n";
    command_ += argument;
    command_ += "\r\n";
  }
  void put_number(std::uint64_t value) {
    char digits[20];
    command_.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  }
  void put_key(std::uint32_t show, std::uint32_t seat) {
    char key[32];
    put({key, static_cast<std::size_t>(std::snprintf(key, sizeof key, "seat:%u:%u", show, seat))});
  }

  /// EVALSHA SHA 2 KEY KEY RESERVATION [TTL], as the protocol has it (RESP2, arrays of bulk strings).
  void format(const Ask& ask) {
    command_.clear();
    command_ += ask.release ? "*6\r\n$7\r\nEVALSHA\r\n" : "*7\r\n$7\r\nEVALSHA\r\n";
    put(ask.release ? release_sha_ : reserve_sha_);
    put("2");
    put_key(ask.show, ask.first_seat);
    put_key(ask.show, ask.first_seat + 1);
    char reservation[32];
    put({reservation, static_cast<std::size_t>(std::snprintf(reservation, sizeof reservation, "reservation-%llu",
                                                             static_cast<unsigned long long>(ask.reservation)))});
    if (!ask.release) put("600000");
  }

  int port_;
  std::string reserve_sha_;
  std::string release_sha_;
  std::string command_;
  std::vector<std::unique_ptr<Watch>> watches_;
  std::vector<Asking> asking_;
};

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments(argc, argv, "bench/peers/redis.cpp");
  RedisPeer peer(static_cast<int>(arguments.count("port", 6'379)));
  const ClosedLoopOptions options = closed_loop_options(arguments);
  arguments.expect_no_more();
  return run_and_print(options, peer);
}
