#pragma once
/// The loop's io_uring: receives and sends of many connections by one system call. Where a system call is dear (page
/// table isolation, virtual machines: measured 1 us each, bench/README.md) two of them per request are a fifth of what
/// a reservation costs. Needs Linux 6.1; where the kernel says no (older, or a container's seccomp filter), make()
/// gives nothing, and the loop's sockets are Asio's.
///
/// For one thread: the first that calls enter(). Operations are queued, and handed over together by enter(); their
/// results are read by reap(). Sends never wait: their results are there when enter() returns. The Ring knows nothing
/// of connections: what it is told as `tag` comes back with the result.

#include <sys/socket.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace usher::server::http {

class Ring {
 public:
  /// Returns: nothing where the kernel does not offer what is needed. `wake_fd`: an eventfd that is written when there
  /// is something to reap while set_wake(true).
  [[nodiscard]] static std::unique_ptr<Ring> make(int wake_fd) noexcept;
  ~Ring();
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  /// Into `data`, as soon as there is something. The memory must stay until the result has come.
  void receive(int fd, char* data, std::size_t size, std::uint64_t tag) noexcept;
  /// What the socket takes now, else -EAGAIN. The memory must stay until enter() returns.
  void send(int fd, const char* data, std::size_t size, std::uint64_t tag) noexcept;
  void send_message(int fd, const msghdr* message, std::uint64_t tag) noexcept;
  /// Once the socket takes something.
  void poll_writable(int fd, std::uint64_t tag) noexcept;

  /// Hands over what is queued, so that it means the descriptors of now. Never waits.
  void submit() noexcept;
  /// The same, and lets the kernel finish what is ready.
  void enter() noexcept;
  /// The same, but waits until there are `count` results, those of the sends handed over included, at most so long.
  void enter_and_wait(unsigned count, std::chrono::nanoseconds timeout) noexcept;
  /// Is there a result to reap?
  [[nodiscard]] bool ready() const noexcept;
  /// Calls result(tag, value) for each result that is there: bytes, or a negative errno. Returns: how many.
  template <class Result>
  std::size_t reap(Result&& result);

  void set_wake(bool on) noexcept;

 private:
  struct State;
  struct Completion {
    std::uint64_t tag;
    std::int32_t value;
  };

  explicit Ring(std::unique_ptr<State> state) noexcept;
  [[nodiscard]] bool next(Completion& completion) noexcept;

  std::unique_ptr<State> state_;
};

template <class Result>
std::size_t Ring::reap(Result&& result) {
  std::size_t count = 0;
  for (Completion completion{}; next(completion); ++count) result(completion.tag, completion.value);
  return count;
}

}  // namespace usher::server::http
