#pragma once
/// LoopThread: the thread of one http::Loop. It cycles until it is stopped, whatever a cycle throws, and then closes
/// what is open. Declare it after all that its cycles use.

#include <atomic>
#include <functional>
#include <thread>

#include "server/http/loop.hpp"

namespace usher::server {

class LoopThread final {
 public:
  LoopThread() = default;
  ~LoopThread() { stop(); }
  LoopThread(const LoopThread&) = delete;
  LoopThread& operator=(const LoopThread&) = delete;

  /// Starts the thread: `cycle` again and again and, when the loop's connections are closed, `close` once.
  void run(http::Loop& loop, std::function<void()> cycle, std::function<void()> close);
  /// Returns when the thread has ended.
  void stop();

 private:
  void main(const std::function<void()>& cycle, const std::function<void()>& close);

  http::Loop* loop_ = nullptr;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace usher::server
